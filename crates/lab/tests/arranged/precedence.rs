//! An arranged call that is more urgent than what its principal does.

use call::CallState;
use phone::{Command, ContactRules, Event, InputError, Preempted};
use wire::Precedence::{Flash, Immediate, Routine};
use wire::talk::Role;

use crate::staff::*;
use crate::support::{call, meet, secs, state};

#[test]
fn a_principal_is_brought_in_from_a_call_and_everybody_sees_how_urgent_it_is() {
    let mut world = full_staff(900);
    unheard(&mut world);
    meet(&mut world, P1, N, true);
    let (ada, nora) = (number(&mut world, P1, "Ada"), number(&mut world, P1, "Nora"));
    let rules = ContactRules { precedence: Immediate, ..ContactRules::default() };
    world.command(P1, Command::SetRules { contact: ada, rules }).unwrap();
    // Paula speaks to Nora.
    world.command(P1, Command::Call { contact: nora }).unwrap();
    world.until(N, secs(10), |e| matches!(e, Event::Incoming { .. }));
    crate::support::answer(&mut world, N);
    world.run(secs(3));
    assert_eq!(state(&mut world, N), Some(CallState::Connected));

    attendants_speak(&mut world);
    let (id, contact) = (call(&mut world, A1), number(&mut world, A1, "Paula"));
    let asks = |precedence| Command::Bring {
        call: id,
        contact,
        role: Role::Principal,
        expected: "the Chancellor".into(),
        precedence,
    };
    let refused = world.command(A1, asks(Flash));
    assert!(matches!(refused, Err(InputError::NotGranted { highest: Immediate })));
    world.command(A1, asks(Immediate)).unwrap();
    world.until(P1, secs(10), |e| matches!(e, Event::Incoming { .. }));
    let now = world.now;
    let rings = world.parties[P1].view(now).calls.pop().unwrap();
    assert!(rings.rings_over && rings.precedence == Immediate && rings.asked.is_some());
    crate::support::answer(&mut world, P1);
    let so = world.run_until(secs(20), |w| is_in(w, A1, "Paula") && room(w, P1).is_some());
    assert!(so, "Paula is in");
    world.run(secs(2));
    assert_eq!(state(&mut world, N), Some(CallState::HeldByOther));
    let now = world.now;
    let held = world.parties[N].view(now).calls.pop().unwrap();
    assert_eq!(held.preempted, Preempted { by_me: false, by_other: true });
    // All in it see it, the other attendant too; and so does who comes later, and brings nothing of its own.
    bring(&mut world, A2, P2, "Pavel", Role::Principal, secs(1));
    world.run(secs(3));
    for party in [A1, P1, A2, P2] {
        assert_eq!(room(&mut world, party).unwrap().urgency, Immediate, "on {party}'s screen");
    }
    let now = world.now;
    assert_eq!(
        world.parties[P2].view(now).calls.pop().unwrap().precedence,
        Routine,
        "by his own rule"
    );
    // It ends, and Paula goes back to Nora.
    let arranged = call(&mut world, P1);
    world.command(P1, Command::HangUp { call: arranged }).unwrap();
    world.run(secs(2));
    let now = world.now;
    let calls = world.parties[P1].view(now).calls;
    let back = calls.iter().find(|c| c.goes_back).unwrap().id;
    world.command(P1, Command::Hold { call: back, on: false }).unwrap();
    let so = world.run_until(secs(5), |w| state(w, N) == Some(CallState::Connected));
    assert!(so, "{:?}", state(&mut world, N));
}
