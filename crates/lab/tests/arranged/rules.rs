//! Rules in an arranged call: those who stay are connected only when whoever has to be there is.

use call::{Barred, End, Side};
use lab::world::World;
use phone::{Command, ContactRules, InputError, RoomStage};
use wire::Rule;
use wire::talk::Role;

use crate::staff::*;
use crate::support::{hears, latest, lines_up, meet, secs};

/// Attendant and principal in each of two offices, an interpreter and another attendant (Nora) in the first. The principals are
/// contacts of each other, too. Nobody plays what comes.
fn offices(seed: u64) -> World {
    let mut world = World::new(2, seed);
    let people = [("Ada", 0), ("Paula", 0), ("Boris", 1), ("Pavel", 1), ("Ines", 0), ("Nora", 0)];
    for (name, office) in people {
        world.hire(name, office);
    }
    unheard(&mut world);
    lines_up(&mut world);
    for (a, b) in [(A1, A2), (P1, A1), (P2, A2), (P1, P2), (I, A1), (P1, N)] {
        meet(&mut world, a, b, true);
    }
    world
}

/// The same, and Paula has this rule for Pavel.
fn ruled(seed: u64, rule: fn(&mut World, &mut ContactRules)) -> World {
    let mut world = offices(seed);
    let mut rules = ContactRules::default();
    rule(&mut world, &mut rules);
    let contact = number(&mut world, P1, "Pavel");
    world.command(P1, Command::SetRules { contact, rules }).unwrap();
    world.run(secs(2));
    world
}

/// The attendants speak, and both principals are held.
fn arrange(world: &mut World) {
    attendants_speak(world);
    bring(world, A1, P1, "Paula", Role::Principal, secs(1));
    bring(world, A2, P2, "Pavel", Role::Principal, secs(1));
    world.run(secs(3));
}

fn tries(world: &mut World, party: usize) -> Result<(), InputError> {
    let id = crate::support::call(world, party);
    world.command(party, Command::Connect { call: id })
}

fn is_missing(world: &mut World, parties: &[usize], rule: Rule) {
    for party in parties {
        let shown = room(world, *party).unwrap();
        assert_eq!((shown.missing, shown.can_connect), (Some(rule), false), "on {party}'s screen");
        assert!(matches!(tries(world, *party), Err(InputError::Missing(r)) if r == rule));
    }
}

#[test]
fn nobody_is_connected_until_the_interpreter_is_there() {
    let mut world = ruled(110, |_, rules| rules.interpreter = true);
    // Not even by the two themselves.
    let contact = number(&mut world, P2, "Paula");
    let told = world.command(P2, Command::Call { contact });
    let theirs = Barred { rule: Rule::Interpreter, of: Side::Theirs };
    assert!(matches!(told, Err(InputError::ByRule(barred)) if barred == theirs));
    arrange(&mut world);
    is_missing(&mut world, &[A1, A2, P1], Rule::Interpreter);
    world.run(secs(3));
    assert_eq!(stage(&mut world, P1), Some(RoomStage::Held), "nothing has happened");
    bring(&mut world, A1, I, "Ines", Role::Interpreter, secs(1));
    world.run(secs(3));
    assert!(room(&mut world, A2).unwrap().can_connect);
    tries(&mut world, A2).unwrap();
    connected(&mut world, &[P1, P2, I], secs(3));
    // It was opened with an interpreter: if she goes, the two go on.
    let id = crate::support::call(&mut world, I);
    world.command(I, Command::HangUp { call: id }).unwrap();
    let gone = world.run_until(secs(20), |w| !is_in(w, P1, "Ines") && !is_in(w, P2, "Ines"));
    assert!(gone);
    connected(&mut world, &[P1, P2], secs(10));
}

#[test]
fn a_rule_that_is_lifted_in_the_call_holds_no_longer() {
    let mut world = ruled(111, |_, rules| rules.note_taker = true);
    arrange(&mut world);
    is_missing(&mut world, &[A1, A2], Rule::NoteTaker);
    let contact = number(&mut world, P1, "Pavel");
    let rules = ContactRules::default();
    world.command(P1, Command::SetRules { contact, rules }).unwrap();
    world.run(secs(3));
    tries(&mut world, A2).unwrap();
    connected(&mut world, &[P1, P2], secs(3));
}

/// Attendants who were told nothing connect all the same: the principal's handset leaves, and was not heard. Whoever of the two is
/// in first has the commit that removes the attendants.
#[test]
fn a_principal_s_handset_leaves_a_call_that_is_connected_against_its_rule() {
    for (seed, first) in [(112, P1), (113, P2)] {
        let mut world = ruled(seed, |w, rules| {
            rules.interpreter = true;
            let contact = number(w, P1, "Ada");
            w.command(P1, Command::SetTrusted { contact, trusted: Some(false) }).unwrap();
        });
        attendants_speak(&mut world);
        let mut both = [(A1, P1, "Paula"), (A2, P2, "Pavel")];
        both.sort_by_key(|(_, party, _)| *party != first);
        for (by, party, who) in both {
            bring(&mut world, by, party, who, Role::Principal, secs(1));
        }
        world.run(secs(3));
        assert!(room(&mut world, A2).unwrap().can_connect, "it knows of no rule");
        for party in [A1, A2, P1, P2] {
            (world.parties[party].plays, world.parties[party].tone) = (true, Some(220.0));
        }
        tries(&mut world, A2).unwrap();
        assert!(hears(&mut world, P2, secs(6)) < -100.0, "Paula is not heard");
        let own = Barred { rule: Rule::Interpreter, of: Side::Own };
        assert_eq!(latest(&mut world, P1), Some((End::ByRule(own), false)));
        assert!(room(&mut world, P1).is_none() && !is_in(&mut world, A1, "Paula"));
        if first == P2 {
            // His handset had the commit, and used it at the word: the call is over for all.
            let over = |w: &mut World| [A1, A2, P2].iter().all(|p| room(w, *p).is_none());
            assert!(world.run_until(secs(10), over));
            continue;
        }
        // The attendants are there still, speak, and can ask her again.
        for party in [A1, A2] {
            assert_eq!(stage(&mut world, party), Some(RoomStage::Arranging));
            assert!(hears(&mut world, party, secs(1)) > -40.0, "{party} hears the other");
        }
    }
}

#[test]
fn only_the_staff_that_is_named_brings_the_two_together() {
    let mut world = ruled(114, |w, rules| {
        // Nora arranges calls with Pavel, and not Ada.
        rules.staff = Some(number(w, P1, "Nora"));
    });
    arrange(&mut world);
    tries(&mut world, A1).unwrap();
    world.run(secs(8));
    let own = Barred { rule: Rule::ThroughStaff, of: Side::Own };
    assert_eq!(latest(&mut world, P1), Some((End::ByRule(own), false)));
    let now = world.now;
    let shown = world.parties[P1].view(now).history[0].barred.clone();
    // The call was with Ada's contact: who can lift the rule is the owner.
    assert!(shown.is_some_and(|shown| shown.lifted_by.contains(&"Paula".to_owned())));
    let contact = number(&mut world, P1, "Pavel");
    let rules = ContactRules { staff: Some(number(&mut world, P1, "Ada")), ..Default::default() };
    world.command(P1, Command::SetRules { contact, rules }).unwrap();
    world.run(secs(2));
    bring(&mut world, A1, P1, "Paula", Role::Principal, secs(1));
    world.run(secs(3));
    tries(&mut world, A1).unwrap();
    connected(&mut world, &[P1, P2], secs(3));
}

/// Who goes through staff asks nobody in, either, and hours hold for whoever asks.
#[test]
fn a_contact_who_goes_through_staff_asks_nobody_into_a_call() {
    let mut world = offices(115);
    let contact = number(&mut world, P1, "Ada");
    let staff = Some(number(&mut world, P1, "Nora"));
    // Ada is not told, and asks.
    world.command(P1, Command::SetTrusted { contact, trusted: Some(false) }).unwrap();
    let rules = ContactRules { staff, ..Default::default() };
    world.command(P1, Command::SetRules { contact, rules }).unwrap();
    attendants_speak(&mut world);
    ring_in(&mut world, A1, "Paula", Role::Principal, "Pavel");
    world.run(secs(10));
    let incoming = |e: &phone::Event| matches!(e, phone::Event::Incoming { .. });
    assert!(world.parties[P1].saw(wire::Time(0), incoming).is_none());
    let own = Barred { rule: Rule::ThroughStaff, of: Side::Own };
    assert_eq!(latest(&mut world, P1), Some((End::ByRule(own), false)));
    let asked = |w: &mut World| room(w, A1).unwrap().bringing.pop().unwrap();
    assert_eq!(
        (asked(&mut world).rings, asked(&mut world).over),
        (false, None),
        "as if she were away"
    );
    world.run(secs(40));
    assert_eq!(asked(&mut world).over, Some(End::NoAnswer));
    // Trusted, Ada knows, and does not even ask.
    world.command(P1, Command::SetTrusted { contact, trusted: None }).unwrap();
    world.run(secs(3));
    let id = crate::support::call(&mut world, A1);
    let contact = number(&mut world, A1, "Paula");
    let role = Role::Principal;
    let asks = Command::Bring {
        call: id,
        contact,
        role,
        expected: String::new(),
        precedence: wire::Precedence::Routine,
    };
    let theirs = Barred { rule: Rule::ThroughStaff, of: Side::Theirs };
    assert!(matches!(world.command(A1, asks), Err(InputError::ByRule(barred)) if barred == theirs));
}
