//! Calls that are more urgent than others: who may place them, what they ring over, what becomes of the call under way.
//!
//! Ada is in office 0, as are Clara and Dora; Boris is of office 1. Nobody is a switchboard position, unless it is said.

use call::{CallState, End};
use lab::world::World;
use phone::{CallView, Command, ContactRules, Event, InputError, Preempted};
use wire::Precedence;
use wire::Precedence::{Flash, Immediate, Priority, Routine};

use crate::support::*;

const ADA: usize = 0;
const BORIS: usize = 1;
const CLARA: usize = 2;
const DORA: usize = 3;

/// Ada's contacts 1, 2 and 3 are Boris, Clara and Dora, all met in person, with what she grants them; she is everybody's contact 1.
fn office(seed: u64, grants: [Precedence; 3]) -> World {
    let mut world = World::new(2, seed);
    for (name, office) in [("Ada", 0), ("Boris", 1), ("Clara", 0), ("Dora", 0)] {
        world.hire(name, office);
    }
    // Without loudspeakers time passes faster.
    for party in &mut world.parties {
        party.plays = false;
    }
    lines_up(&mut world);
    for other in [BORIS, CLARA, DORA] {
        meet(&mut world, ADA, other, true);
    }
    for (contact, precedence) in (1..).zip(grants) {
        grant(&mut world, ADA, contact, precedence);
    }
    world.run(secs(3));
    world
}

fn grant(world: &mut World, party: usize, contact: u32, precedence: Precedence) {
    let rules = ContactRules { precedence, ..ContactRules::default() };
    world.command(party, Command::SetRules { contact, rules }).unwrap();
}

fn calls(world: &mut World, party: usize, precedence: Precedence) -> Result<(), InputError> {
    world.command(party, Command::CallUrgent { contact: 1, principal: None, precedence })
}

/// A caller rings Ada.
fn rings(world: &mut World, caller: usize, precedence: Precedence) {
    calls(world, caller, precedence).unwrap();
    world.until(ADA, secs(10), |e| matches!(e, Event::Incoming { .. }));
}

/// Ada's call with a contact, the latest.
fn with(world: &mut World, contact: u32) -> CallView {
    let now = world.now;
    let calls = world.parties[ADA].view(now).calls;
    calls.into_iter().rev().find(|c| c.contact == contact).unwrap()
}

fn is(world: &mut World, party: usize, wanted: CallState) {
    let so = world.run_until(secs(10), |w| {
        one_speaks(w);
        state(w, party) == Some(wanted)
    });
    assert!(so, "party {party}: wanted {wanted:?}, got {:?}", state(world, party));
}

/// Of Ada's calls at most one is connected.
fn one_speaks(world: &mut World) {
    let now = world.now;
    let states: Vec<_> = world.parties[ADA].view(now).calls.iter().map(|c| c.state).collect();
    assert!(states.iter().filter(|s| **s == CallState::Connected).count() <= 1, "{states:?}");
}

fn takes(world: &mut World, contact: u32, party: usize) {
    let call = with(world, contact).id;
    world.command(ADA, Command::Answer { call }).unwrap();
    is(world, party, CallState::Connected);
    assert_eq!(with(world, contact).state, CallState::Connected);
}

/// Whether a party hears something now.
fn hears_ada(world: &mut World, party: usize) -> bool {
    world.parties[ADA].tone = Some(220.0);
    world.parties[party].plays = true;
    world.run(secs(1));
    let loud = hears(world, party, secs(1));
    world.parties[party].plays = false;
    let heard = loud > -40.0;
    assert!(heard || loud < -100.0, "party {party} hears all or nothing: {loud} dB");
    heard
}

fn preempted(world: &mut World, party: usize) -> Preempted {
    let now = world.now;
    world.parties[party].view(now).calls.last().unwrap().preempted
}

/// What a party's history says of its latest call.
fn urgency(world: &mut World, party: usize) -> (End, Precedence) {
    let now = world.now;
    let view = world.parties[party].view(now);
    (view.history[0].end, view.history[0].precedence)
}

#[test]
fn a_flash_call_rings_over_a_call_which_is_held_and_goes_on_by_one_key() {
    let mut world = office(1200, [Routine, Flash, Routine]);
    rings(&mut world, BORIS, Routine);
    takes(&mut world, 1, BORIS);
    assert!(hears_ada(&mut world, BORIS));

    rings(&mut world, CLARA, Flash);
    is(&mut world, CLARA, CallState::Ringing);
    let over = with(&mut world, 2);
    assert!(over.rings_over && over.precedence == Flash && over.state == CallState::RingingHere);
    // Nothing opens by itself: Ada still speaks to Boris, who is told nothing, and to nobody else.
    assert_eq!(with(&mut world, 1).state, CallState::Connected);
    assert!(hears_ada(&mut world, BORIS) && !hears_ada(&mut world, CLARA));

    let before = world.now;
    takes(&mut world, 2, CLARA);
    is(&mut world, BORIS, CallState::HeldByOther);
    world.run(secs(1));
    assert!(preempted(&mut world, BORIS).by_other, "told why");
    assert!(world.parties[BORIS].saw(before, |e| matches!(e, Event::Preempted { .. })).is_some());
    let aside = with(&mut world, 1);
    assert!(aside.preempted.by_me && aside.state == CallState::HeldByMe && !aside.goes_back);
    assert!(hears_ada(&mut world, CLARA) && !hears_ada(&mut world, BORIS));

    hang_up(&mut world, CLARA);
    is(&mut world, CLARA, CallState::Ended(End::ByMe));
    world.run(secs(1));
    // It goes on when its person says so, and not before.
    assert!(!hears_ada(&mut world, BORIS));
    let aside = with(&mut world, 1);
    assert!(aside.goes_back);
    world.command(ADA, Command::Hold { call: aside.id, on: false }).unwrap();
    is(&mut world, BORIS, CallState::Connected);
    assert!(hears_ada(&mut world, BORIS));
    assert_eq!(preempted(&mut world, BORIS), Preempted::default());
    assert!(!with(&mut world, 1).goes_back && !with(&mut world, 1).preempted.by_me);
    // Both histories say how urgent it was, and a restart changes nothing of that.
    for party in [ADA, CLARA] {
        world.run(secs(1));
        world.kill_party(party);
        world.start_party(party);
    }
    assert_eq!(urgency(&mut world, ADA), (End::ByOther, Flash));
    assert_eq!(urgency(&mut world, CLARA), (End::ByMe, Flash));
}

#[test]
fn the_called_owner_decides_and_a_caller_is_told_before_it_rings() {
    let mut world = office(1201, [Routine, Immediate, Flash]);
    world.command(ADA, Command::SetTrusted { contact: 3, trusted: Some(false) }).unwrap();
    world.run(secs(3));
    // Without a grant: routine. With one: no more than that.
    for (party, claim, highest) in [(BORIS, Priority, Routine), (CLARA, Flash, Immediate)] {
        let before = world.parties[ADA].events.len();
        let refused = calls(&mut world, party, claim);
        assert!(matches!(refused, Err(InputError::NotGranted { highest: h }) if h == highest));
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("ask the contact to lift it"), "{said}");
        world.run(secs(5));
        assert!(state(&mut world, party).is_none() && world.parties[ADA].events.len() == before);
    }
    // What was told survives a restart, at both ends.
    for party in [ADA, CLARA] {
        world.kill_party(party);
        world.start_party(party);
    }
    lines_up(&mut world);
    world.run(secs(5));
    assert_eq!(contact(&mut world, ADA, 2).rules.precedence, Immediate);
    assert_eq!(contact(&mut world, CLARA, 1).may_claim, Immediate);
    rings(&mut world, CLARA, Immediate);
    assert_eq!(with(&mut world, 2).precedence, Immediate);
    // It is taken back while it rings: from then on it is shown as what it is.
    grant(&mut world, ADA, 2, Routine);
    world.run(secs(3));
    let now = world.now;
    assert_eq!(world.parties[CLARA].view(now).calls[0].precedence, Routine);
    hang_up(&mut world, CLARA);
    world.run(secs(3));
    assert!(matches!(calls(&mut world, CLARA, Priority), Err(InputError::NotGranted { .. })));
    // Whoever is not trusted is not told either what it had or that it has it no more: it learns nothing now.
    assert_eq!(contact(&mut world, DORA, 1).may_claim, Flash);
}

#[test]
fn nobody_gets_more_by_claiming_more() {
    let mut world = office(1202, [Routine, Priority, Flash]);
    world.command(ADA, Command::SetTrusted { contact: 3, trusted: Some(false) }).unwrap();
    for party in [BORIS, CLARA, DORA] {
        world.parties[party].phone.as_mut().unwrap().claim_all();
    }
    rings(&mut world, BORIS, Flash);
    assert_eq!(with(&mut world, 1).precedence, Routine, "shown as what it may be");
    takes(&mut world, 1, BORIS);
    rings(&mut world, CLARA, Flash);
    assert_eq!(with(&mut world, 2).precedence, Priority);
    // One that is not trusted finds her busy, and is not told: it rings out.
    let before = world.now;
    calls(&mut world, DORA, Flash).unwrap();
    world.until(ADA, secs(10), |e| matches!(e, Event::Missed { contact: 3 }));
    let rings = |e: &Event| matches!(e, Event::Incoming { contact: 3, .. });
    assert!(world.parties[ADA].saw(before, rings).is_none());
    is(&mut world, DORA, CallState::Calling);
    hang_up(&mut world, CLARA);
    ended(&mut world, DORA, End::NoAnswer);
    assert_eq!(
        urgency(&mut world, ADA),
        (End::Missed, Priority),
        "Clara's, which came last to its end"
    );
}

#[test]
fn an_equal_one_is_busy_and_a_less_urgent_one_that_waits_gives_way() {
    let mut world = office(1203, [Flash, Priority, Flash]);
    rings(&mut world, BORIS, Routine);
    takes(&mut world, 1, BORIS);
    // Routine: busy as ever.
    calls(&mut world, CLARA, Routine).unwrap();
    ended(&mut world, CLARA, End::Busy);
    rings(&mut world, CLARA, Priority);
    is(&mut world, CLARA, CallState::Ringing);
    rings(&mut world, DORA, Flash);
    is(&mut world, CLARA, CallState::Ended(End::Busy));
    is(&mut world, DORA, CallState::Ringing);
    assert_eq!(urgency(&mut world, ADA), (End::Missed, Priority));
    let busy = urgency(&mut world, CLARA);
    assert_eq!(busy, (End::Busy, Priority));
    takes(&mut world, 3, DORA);
    is(&mut world, BORIS, CallState::HeldByOther);
    // Two flash calls: the first has her, the second finds her busy, as does all else, though one call is set aside.
    hang_up(&mut world, BORIS);
    world.run(secs(1));
    // The other side of the call that was set aside is gone: nothing is left to go back to.
    assert_eq!(with(&mut world, 1).state, CallState::Ended(End::ByOther));
    let now = world.now;
    assert!(world.parties[ADA].view(now).calls.iter().all(|c| !c.goes_back));
    calls(&mut world, BORIS, Flash).unwrap();
    ended(&mut world, BORIS, End::Busy);
    assert_eq!(with(&mut world, 3).state, CallState::Connected);
}

#[test]
fn two_flash_calls_at_once_and_the_first_place_is_one() {
    let mut world = office(1204, [Flash, Flash, Flash]);
    rings(&mut world, BORIS, Routine);
    takes(&mut world, 1, BORIS);
    for caller in [CLARA, DORA] {
        calls(&mut world, caller, Flash).unwrap();
    }
    world.run(secs(2));
    let states = [CLARA, DORA].map(|p| state(&mut world, p));
    let both = [Some(CallState::Ringing), Some(CallState::Ended(End::Busy))];
    assert!(both.iter().all(|s| states.contains(s)), "{states:?}");
    // One that rings, and nobody speaks: a more urgent one rings beside it, and is the one that is answered.
    hang_up(&mut world, BORIS);
    let first = if states[0] == both[0] { CLARA } else { DORA };
    hang_up(&mut world, first);
    world.run(secs(2));
    rings(&mut world, BORIS, Routine);
    rings(&mut world, CLARA, Flash);
    assert!(!with(&mut world, 2).rings_over, "there is nothing to ring over");
    takes(&mut world, 2, CLARA);
    is(&mut world, BORIS, CallState::Ringing);
}

#[test]
fn a_more_urgent_call_is_answered_while_another_is_placed_or_answered() {
    let mut world = office(1205, [Routine, Flash, Routine]);
    // Ada rings Boris.
    world.command(ADA, Command::Call { contact: 1 }).unwrap();
    world.until(BORIS, secs(10), |e| matches!(e, Event::Incoming { .. }));
    rings(&mut world, CLARA, Flash);
    assert!(with(&mut world, 2).rings_over);
    takes(&mut world, 2, CLARA);
    assert_eq!(with(&mut world, 1).state, CallState::Ended(End::Cancelled));
    ended(&mut world, BORIS, End::Missed);
    hang_up(&mut world, CLARA);
    world.run(secs(2));

    // Dora's call has no keys yet when Ada, who was restarted and does not trust her, answers it; and while they are on their way she
    // answers Clara's.
    world.command(ADA, Command::SetTrusted { contact: 3, trusted: Some(false) }).unwrap();
    world.run(secs(1));
    world.kill_party(ADA);
    world.start_party(ADA);
    lines_up(&mut world);
    world.run(secs(5));
    calls(&mut world, DORA, Routine).unwrap();
    world.until(ADA, secs(10), |e| matches!(e, Event::Incoming { contact: 3, .. }));
    rings(&mut world, CLARA, Flash);
    for contact in [3, 2] {
        let call = with(&mut world, contact).id;
        world.command(ADA, Command::Answer { call }).unwrap();
    }
    assert_eq!(with(&mut world, 3).state, CallState::Connecting, "its keys are on their way");
    is(&mut world, CLARA, CallState::Connected);
    is(&mut world, DORA, CallState::HeldByOther);
    assert_eq!(with(&mut world, 2).state, CallState::Connected);
    assert!(hears_ada(&mut world, CLARA) && !hears_ada(&mut world, DORA));
    // Not trusted: why it is held is not said.
    assert!(with(&mut world, 3).preempted.by_me && !preempted(&mut world, DORA).by_other);
    hang_up(&mut world, CLARA);
    world.run(secs(1));
    let aside = with(&mut world, 3);
    assert!(aside.goes_back);
    world.command(ADA, Command::Hold { call: aside.id, on: false }).unwrap();
    is(&mut world, DORA, CallState::Connected);
}

#[test]
fn why_a_call_is_held_is_known_again_when_its_way_comes_back() {
    let mut world = office(1206, [Routine, Flash, Routine]);
    rings(&mut world, BORIS, Routine);
    takes(&mut world, 1, BORIS);
    // It is set aside while its way is lost.
    world.reach(BORIS, false);
    is(&mut world, BORIS, CallState::Reconnecting);
    rings(&mut world, CLARA, Flash);
    takes(&mut world, 2, CLARA);
    assert!(with(&mut world, 1).preempted.by_me && !preempted(&mut world, BORIS).by_other);
    world.reach(BORIS, true);
    let so = world.run_until(secs(30), |w| state(w, BORIS) == Some(CallState::HeldByOther));
    assert!(so, "{:?}", state(&mut world, BORIS));
    world.run(secs(1));
    assert!(preempted(&mut world, BORIS).by_other);
    assert_eq!(with(&mut world, 2).state, CallState::Connected);
}

#[test]
fn of_two_calls_that_cross_the_one_that_goes_on_is_as_urgent_as_either() {
    let mut world = office(1207, [Flash, Routine, Routine]);
    world.command(ADA, Command::Call { contact: 1 }).unwrap();
    calls(&mut world, BORIS, Flash).unwrap();
    both_are(&mut world, CallState::Connected);
    let now = world.now;
    for party in [ADA, BORIS] {
        let live = |c: &CallView| c.state == CallState::Connected;
        let call = world.parties[party].view(now).calls.into_iter().find(live).unwrap();
        assert_eq!(call.precedence, Flash);
    }
    calls(&mut world, CLARA, Routine).unwrap();
    ended(&mut world, CLARA, End::Busy);
}

#[test]
fn on_a_position_what_is_urgent_waits_in_the_queue_like_others_and_is_answered_by_choice() {
    let mut world = office(1208, [Routine, Priority, Flash]);
    world.command(ADA, Command::SetPosition { recall: Some(secs(60)) }).unwrap();
    rings(&mut world, BORIS, Routine);
    takes(&mut world, 1, BORIS);
    rings(&mut world, CLARA, Priority);
    rings(&mut world, DORA, Flash);
    assert!(with(&mut world, 2).rings_over && with(&mut world, 3).rings_over);
    takes(&mut world, 3, DORA);
    is(&mut world, BORIS, CallState::HeldByOther);
    world.run(secs(1));
    assert!(preempted(&mut world, BORIS).by_other);
    assert!(!with(&mut world, 2).rings_over, "it is less urgent than the call under way");
    // By choice she answers what is less urgent: that is no pre-emption.
    takes(&mut world, 2, CLARA);
    is(&mut world, DORA, CallState::HeldByOther);
    world.run(secs(1));
    assert!(!preempted(&mut world, DORA).by_other && !with(&mut world, 3).preempted.by_me);
}
