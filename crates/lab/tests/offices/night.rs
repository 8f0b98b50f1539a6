//! Night service: who is told what, what rings all the same, and who answers instead. It is Tuesday, 22:13:20 UTC.

use call::night::On;
use call::{CallState, End, Sound};
use lab::world::World;
use phone::{CallView, Command, ContactRules, Event, NightRules, NightThere, NightView};
use wire::{Precedence, Wall};

use crate::devices::{link, named};
use crate::support::*;

/// Wednesday, nine o'clock.
const MORNING: Wall = Wall(1_700_038_800);

fn rules(staffed: Option<&str>, aloud: Option<Precedence>) -> NightRules {
    let staffed = staffed.map(|text| call::hours::read(text).unwrap());
    NightRules { staffed, aloud, instead: "Clara Duarte, duty officer".into() }
}

fn sets(world: &mut World, party: usize, rules: NightRules) {
    world.command(party, Command::SetNight { rules }).unwrap();
}

/// Two people of one office who have met in person. Without loudspeakers time passes faster.
fn met(seed: u64) -> World {
    let mut world = World::new(1, seed);
    world.hire("Anna", 0);
    world.hire("Boris", 0);
    for party in &mut world.parties {
        party.plays = false;
    }
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    world
}

fn night(world: &mut World, party: usize) -> NightView {
    let now = world.now;
    world.parties[party].view(now).night
}

fn last(world: &mut World, party: usize) -> CallView {
    let now = world.now;
    world.parties[party].view(now).calls.pop().unwrap()
}

/// What A, who calls B, is told, and how it comes in there.
fn rings(world: &mut World, precedence: Precedence) -> (Option<NightThere>, CallState, Sound) {
    world.command(A, Command::CallUrgent { contact: 1, principal: None, precedence }).unwrap();
    world.until(B, secs(10), |e| matches!(e, Event::Incoming { .. }));
    world.run(secs(2));
    let (placed, came) = (last(world, A), last(world, B));
    assert_eq!(came.state, CallState::RingingHere, "it can be answered, however it comes in");
    (placed.night, placed.state, came.sound.unwrap())
}

fn clara(until: Option<Wall>) -> Option<NightThere> {
    Some(NightThere { until, instead: "Clara Duarte, duty officer".into() })
}

#[test]
fn at_night_calls_are_silent_and_a_trusted_caller_is_told_whom_to_call_until_when() {
    let mut world = met(1300);
    let before = world.now;
    sets(&mut world, B, rules(Some("Mon-Fri 09:00-18:00 +00:00"), None));
    let begins = |e: &Event| *e == Event::NightService { on: true };
    assert!(world.parties[B].saw(before, begins).is_some());
    let evening = Wall(MORNING.0 - 15 * 3_600);
    assert_eq!(night(&mut world, B).on, Some(On { since: evening, until: Some(MORNING) }));
    let told = rings(&mut world, Precedence::Routine);
    assert_eq!(
        told,
        (clara(Some(MORNING)), CallState::Reached, Sound::Silent),
        "it does not say that it rings"
    );
    // It rings out, and is missed.
    ended(&mut world, A, End::NoAnswer);
    assert_eq!(last(&mut world, A).night, clara(Some(MORNING)), "and is still shown");
    world.run(secs(2));
    assert_eq!(latest(&mut world, B), Some((End::Missed, true)));
    // Who is there all the same can answer.
    rings(&mut world, Precedence::Routine);
    answer(&mut world, B);
    both_are(&mut world, CallState::Connected);
}

#[test]
fn what_is_urgent_enough_rings_aloud_and_nothing_is_urgent_enough_without_a_grant() {
    let mut world = met(1301);
    let own = ContactRules { precedence: Precedence::Immediate, ..ContactRules::default() };
    world.command(B, Command::SetRules { contact: 1, rules: own }).unwrap();
    sets(&mut world, B, rules(None, Some(Precedence::Immediate)));
    world.command(B, Command::Night { on: true }).unwrap();
    world.run(secs(3));
    for (precedence, loud) in
        [(Precedence::Immediate, true), (Precedence::Priority, false), (Precedence::Routine, false)]
    {
        let (there, state, sound) = rings(&mut world, precedence);
        let expected = if loud {
            (None, CallState::Ringing, Sound::Rings)
        } else {
            (clara(None), CallState::Reached, Sound::Silent)
        };
        assert_eq!((there, state, sound), expected, "{precedence:?}");
        hang_up(&mut world, A);
        world.run(secs(2));
    }
    // Flash, without the right to: it comes in as immediate, and without any right as routine.
    world.parties[A].phone.as_mut().unwrap().claim_all();
    assert_eq!(rings(&mut world, Precedence::Flash).2, Sound::Rings);
    hang_up(&mut world, A);
    world.command(B, Command::SetPrecedence { contact: 1, highest: Precedence::Routine }).unwrap();
    world.run(secs(3));
    assert_eq!(rings(&mut world, Precedence::Flash).2, Sound::Silent);
}

#[test]
fn whoever_is_not_trusted_is_told_nothing_by_night_as_by_day() {
    let mut world = met(1302);
    world.command(B, Command::SetTrusted { contact: 1, trusted: Some(false) }).unwrap();
    sets(&mut world, B, rules(None, None));
    world.command(B, Command::Night { on: true }).unwrap();
    world.run(secs(3));
    let told = rings(&mut world, Precedence::Routine);
    assert_eq!(told, (None, CallState::Calling, Sound::Silent));
    world.run(secs(20));
    assert_eq!(last(&mut world, A).night, None);
}

#[test]
fn by_hand_it_holds_until_the_hours_change_and_all_of_it_survives_a_restart() {
    let mut world = World::new(1, 1303);
    world.hire("Anna", 0);
    world.hire("Boris", 0);
    lines_up(&mut world);
    let staffed = rules(Some("Mon-Fri 09:00-22:14 +00:00"), Some(Precedence::Flash));
    sets(&mut world, B, staffed.clone());
    assert_eq!(night(&mut world, B).on, None);
    world.command(B, Command::Night { on: true }).unwrap();
    let since = world.wall();
    assert_eq!(night(&mut world, B).on, Some(On { since, until: Some(MORNING) }));
    world.run(secs(1));
    world.kill_party(B);
    world.start_party(B);
    lines_up(&mut world);
    assert_eq!(
        night(&mut world, B),
        NightView { on: Some(On { since, until: Some(MORNING) }), rules: staffed }
    );
    world.command(B, Command::Night { on: false }).unwrap();
    assert_eq!(night(&mut world, B).on, None);
    // A quarter past ten: the hours are over, and night service begins by itself.
    world.until(B, secs(120), |e| *e == Event::NightService { on: true });
    let closing = Wall(MORNING.0 - 38_760);
    assert_eq!(night(&mut world, B).on, Some(On { since: closing, until: Some(MORNING) }));
    assert!(world.wall() >= closing && world.wall().0 < closing.0 + 2);
    // More than a name is not taken, and changes nothing.
    let long = NightRules { instead: "x".repeat(55), ..NightRules::default() };
    assert!(world.command(B, Command::SetNight { rules: long }).is_err());
    assert!(night(&mut world, B).rules.staffed.is_some());
}

/// The second handset of A's principal: the duty officer's.
const DUTY: usize = 2;
const C: usize = 3;

#[test]
fn the_duty_officer_s_linked_handset_rings_as_ever_and_takes_the_call() {
    let mut world = World::new(2, 1304);
    for (name, office) in [("Anna", 0), ("Boris", 1), ("Anna", 0), ("Clara", 1)] {
        world.hire(name, office);
    }
    for party in &mut world.parties {
        party.plays = false;
    }
    lines_up(&mut world);
    meet(&mut world, A, C, true);
    link(&mut world);
    let shared = world.run_until(secs(60), |w| {
        let now = w.now;
        w.parties[DUTY].view(now).contacts.iter().any(|c| !c.own_device && c.ready)
    });
    assert!(shared);
    sets(&mut world, A, rules(None, None));
    world.command(A, Command::Night { on: true }).unwrap();
    world.run(secs(3));
    assert_eq!(night(&mut world, DUTY).on, None, "it is the other handset's own affair");
    let anna = named(&mut world, C, "Anna");
    world.command(C, Command::Call { contact: anna }).unwrap();
    let both = world.run_until(secs(10), |w| {
        [A, DUTY].iter().all(|p| state(w, *p) == Some(CallState::RingingHere))
    });
    assert!(both);
    world.run(secs(2));
    assert_eq!(last(&mut world, A).sound, Some(Sound::Silent));
    assert_eq!(last(&mut world, DUTY).sound, Some(Sound::Rings));
    let placed = last(&mut world, C);
    assert_eq!((placed.state, placed.night), (CallState::Ringing, clara(None)), "both are true");
    answer(&mut world, DUTY);
    let so = world.run_until(secs(10), |w| state(w, C) == Some(CallState::Connected));
    assert!(so, "{:?}", state(&mut world, C));
    assert_eq!(state(&mut world, A), Some(CallState::Ended(End::Elsewhere)));
    assert_eq!(latest(&mut world, A), Some((End::Elsewhere, false)), "and nothing is missed");
}

#[test]
fn who_sees_the_lamp_sees_away_at_night() {
    use call::lamp::Shown;
    let mut world = met(1305);
    world.command(B, Command::SetLamp { contact: 1, shown: true }).unwrap();
    for (on, lamp) in [(false, Shown::Free), (true, Shown::Away), (false, Shown::Free)] {
        world.command(B, Command::Night { on }).unwrap();
        let so = world.run_until(secs(10), |w| contact(w, A, 1).lamp == Some(lamp));
        assert!(so, "{:?}", contact(&mut world, A, 1).lamp);
    }
}
