//! A member who speaks as another: an interpreter has every key that the president's voice is sealed with.

use core::time::Duration;

use lab::middle::{To, What};
use lab::net::{Burst, Conditions};
use lab::world::World;
use phone::{Command, Event, Trust};
use wire::Time;
use wire::talk::{Role, Sealed};

use crate::kit::*;
use crate::staff::*;
use crate::support::{hears, lines_up, secs};

/// The attendants have left; two principals and an interpreter speak, a note-taker listens.
fn arranged(mut world: World) -> World {
    unheard(&mut world);
    attendants_speak(&mut world);
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(0));
    bring(&mut world, A1, I, "Ines", Role::Interpreter, secs(0));
    bring(&mut world, A1, N, "Nora", Role::NoteTaker, secs(0));
    bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(0));
    world.run(secs(3));
    connect(&mut world, A1);
    connected(&mut world, &STAY, secs(3));
    world.run(secs(2));
    world
}

const STAY: [usize; 4] = [P1, P2, I, N];

/// What a party's screen says of voices in somebody's name.
fn trust(world: &mut World, party: usize, who: &str) -> Trust {
    let room = room(world, party).unwrap();
    room.members.iter().find(|m| m.name == who).unwrap().voice
}

/// Everybody's screen says it of Paula, but the interpreter's own.
fn all_say(world: &mut World, what: Trust) -> bool {
    [P1, P2, N].iter().all(|p| trust(world, *p, "Paula") == what)
}

/// Until something is so; looked at every 20 ms.
fn comes(world: &mut World, most: Duration, mut so: impl FnMut(&mut World) -> bool) -> bool {
    let end = world.now + most;
    while !so(world) {
        if world.now >= end {
            return false;
        }
        world.run(millis(20));
    }
    true
}

/// Nobody was accused, from then on.
fn nobody_accused(world: &mut World, from: Time) {
    for party in STAY {
        let forged = |e: &Event| matches!(e, Event::Forged { .. });
        assert_eq!(world.parties[party].saw(from, forged), None, "on the screen of {party}");
    }
}

/// Ines' handset seals what she says as Paula's, a tenth of a second ahead of her.
fn speaks_as_paula(world: &mut World) {
    let call = crate::support::call(world, I);
    let members = room(world, I).unwrap().members;
    let leaf = members.iter().find(|m| m.name == "Paula").unwrap().leaf;
    let next = world.parties[P1].phone.as_ref().unwrap().next_frame() + 5;
    world.parties[I].phone.as_mut().unwrap().speak_as(call, leaf, next);
}

#[test]
fn an_interpreter_who_speaks_as_the_president_is_dropped_within_two_seconds_and_named_on_every_screen()
 {
    is_dropped_and_named(false);
}

#[test]
fn an_interpreter_who_speaks_as_a_president_who_is_muted_is_dropped_and_named() {
    is_dropped_and_named(true);
}

fn is_dropped_and_named(muted: bool) {
    let mut world = arranged(full_staff(501));
    world.code_finely();
    world.parties[P1].tone = None;
    world.parties[P2].tone = None;
    world.command(P1, Command::Mute { on: muted }).unwrap();
    world.run(secs(1));
    assert!(all_say(&mut world, Trust::Vouched));
    let begun = world.now;
    speaks_as_paula(&mut world);
    world.parties[P2].plays = true;
    let played = hears(&mut world, P2, secs(1));
    assert!(played > -40.0, "at first nobody can know: {played} dB");
    let left = secs(2) - world.now.since(begun);
    assert!(comes(&mut world, left, |w| all_say(w, Trust::Forged)), "muted: {muted}");
    for party in [P1, P2, N] {
        let forged = |e: &Event| matches!(e, Event::Forged { .. });
        assert!(world.parties[party].saw(begun, forged).is_some(), "{party} is told");
    }
    world.run(millis(200));
    let played = hears(&mut world, P2, secs(3));
    assert!(played < -60.0, "nothing more is played in her name: {played} dB");
    for who in ["Pavel", "Ines"] {
        assert_eq!(trust(&mut world, N, who), Trust::Vouched);
    }
    // The forger gives up; ten seconds later Paula is heard.
    world.parties[I].phone.as_mut().unwrap().speak_as_itself();
    world.parties[I].tone = None;
    world.command(P1, Command::Mute { on: false }).unwrap();
    world.parties[P1].tone = Some(300.0);
    assert!(comes(&mut world, secs(14), |w| all_say(w, Trust::Vouched)));
    world.run(secs(1));
    assert!(hears(&mut world, P2, secs(1)) > -40.0);
}

/// A call that was arranged, and somebody's hand on Pavel's line.
fn gripped(seed: u64) -> (World, Grip) {
    let mut world = full_staff(seed);
    world.reach(P2, false);
    let grip = Grip::on_line(&mut world, P2);
    world.run(secs(1));
    world.reach(P2, true);
    lines_up(&mut world);
    (arranged(world), grip)
}

/// What an exchange alone can do to voice and digests: it has no keys.
#[test]
fn an_exchange_that_doubles_replays_and_sends_back_accuses_nobody_and_hides_no_forger() {
    let (mut world, grip) = gripped(502);
    let from = world.now;
    let (mut voices, mut said, mut n) = (Vec::new(), Vec::new(), 0);
    grip.does(move |_, to, what| {
        n += 1;
        let mut out = vec![(to, what.clone())];
        match &what {
            // Back to her at once, and again seconds later; not more than fits her line.
            What::Voice(leg, _) if *leg != wire::Leg::CHAFF => {
                if to == To::Far && n % 2 == 0 {
                    out.push((To::Near, what.clone()));
                }
                voices.push(what);
                if voices.len() > 600 && n % 4 == 0 {
                    out.push((To::Near, voices.swap_remove(0)));
                }
            }
            What::Message(_) if to == To::Near => {
                out.push((to, what.clone()));
                said.push(what);
                if said.len() > 5 {
                    out.push((to, said.remove(0)));
                }
            }
            _ => {}
        }
        out
    });
    world.run(secs(15));
    nobody_accused(&mut world, from);
    assert!(all_say(&mut world, Trust::Vouched));
    speaks_as_paula(&mut world);
    let found = comes(&mut world, secs(2), |w| all_say(w, Trust::Forged));
    let said = [P1, P2, N].map(|p| trust(&mut world, p, "Paula"));
    assert!(found, "{said:?}");
}

#[test]
fn an_exchange_that_keeps_digests_back_silences_the_voice_and_accuses_nobody() {
    let (mut world, grip) = gripped(503);
    let from = world.now;
    grip.swallows(|to, what| {
        let body = match down(what) {
            Some(wire::line::LineDown::LegData { body, .. }) if to == To::Near => body,
            _ => return false,
        };
        matches!(Sealed::decode(body.as_bytes()), Ok(Sealed::Call { .. }))
    });
    let late = |w: &mut World| trust(w, P2, "Paula") == Trust::Late;
    assert!(comes(&mut world, secs(3), late), "two seconds are played, and no more");
    world.parties[P2].plays = true;
    world.run(millis(200));
    assert!(hears(&mut world, P2, secs(1)) < -60.0);
    grip.lets_go();
    let back = |w: &mut World| trust(w, P2, "Paula") == Trust::Vouched;
    assert!(comes(&mut world, secs(3), back), "and it is heard again");
    nobody_accused(&mut world, from);
}

/// Two minutes.
const LOOKS: usize = 400;

#[test]
fn a_fifth_lost_in_bursts_for_minutes_accuses_nobody() {
    let mut world = arranged(full_staff(504));
    let rough = Conditions {
        burst: Some(Burst { loss: 0.2, length: 4.0 }),
        ..Conditions::perfect(millis(5))
    };
    for party in STAY {
        let wire = world.parties[party].wire.as_mut().unwrap();
        wire.up.set(rough);
        wire.down.set(rough);
    }
    let from = world.now;
    let mut late = 0;
    for _ in 0..LOOKS {
        world.run(millis(300));
        for party in STAY {
            let members = room(&mut world, party).unwrap().members;
            late += members.iter().filter(|m| m.voice == Trust::Late).count();
        }
    }
    nobody_accused(&mut world, from);
    // A digest that took longer than two seconds: its voice is not heard until it is there.
    assert!(late < LOOKS * 12 / 200, "late in {late} of {} looks", LOOKS * 12);
}
