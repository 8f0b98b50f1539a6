//! On somebody's behalf: Anna lets her attendant Ada call in her name. What Boris, in another office, is shown of it.

use call::contact::Progress;
use lab::world::World;
use phone::{BehalfView, Command, DelegationState, Event, InputError, Unproved};
use seal::delegation::{DELEGATION_LEN, Rights};
use wire::Time;

use crate::devices::named;
use crate::support::*;

const ADA: usize = 2;
const CARLA: usize = 3;
const DAY: u64 = 86_400;

/// Anna and her attendant Ada, and Carla, in one office; Boris in another has Anna, Ada and Carla as contacts, Anna by a card
/// handed over in person or not.
fn office(seed: u64, in_person: bool) -> World {
    let mut world = two(seed);
    for name in ["Ada", "Carla"] {
        world.hire(name, 0);
    }
    lines_up(&mut world);
    for (a, b, in_person) in [
        (A, ADA, true),
        (A, B, in_person),
        (ADA, B, true),
        (CARLA, B, true),
        (A, CARLA, true),
        (ADA, CARLA, true),
    ] {
        meet(&mut world, a, b, in_person);
    }
    world.parties.iter_mut().for_each(|p| p.plays = false);
    world
}

fn delegates(world: &mut World, ttl: u64) {
    let contact = named(world, A, "Ada");
    let command = Command::Delegate { contact, rights: Rights::PLACE, ttl: secs(ttl) };
    world.command(A, command).unwrap();
    world.until(ADA, secs(5), |e| matches!(e, Event::Delegated { .. }));
}

fn calls_for_anna(world: &mut World, party: usize) -> Result<(), InputError> {
    let (contact, principal) = (named(world, party, "Boris"), named(world, party, "Anna"));
    world.command(party, Command::CallFor { contact, principal })
}

/// Whoever calls Boris for Anna hangs up again; what Boris was shown.
fn shown(world: &mut World, party: usize) -> Option<BehalfView> {
    world.until(B, secs(10), |e| matches!(e, Event::Incoming { .. }));
    world.run(secs(1));
    let shown = behalf(world, B);
    hang_up(world, party);
    world.run(secs(12));
    shown
}

/// In whose name a party's latest call is.
fn behalf(world: &mut World, party: usize) -> Option<BehalfView> {
    let now = world.now;
    world.parties[party].view(now).calls.last().and_then(|c| c.behalf.clone())
}

fn claimed(why: Unproved) -> Option<BehalfView> {
    Some(BehalfView::Claimed { name: "Anna".into(), why })
}

/// What Ada has to show.
fn warrant(world: &World) -> Vec<u8> {
    let row = world.parties[ADA].rows.iter().find(|((space, _), _)| *space == 24);
    row.unwrap().1[3..3 + DELEGATION_LEN].to_vec()
}

fn shows(world: &mut World, party: usize, bytes: Vec<u8>) -> Option<BehalfView> {
    world.parties[party].phone.as_mut().unwrap().show_as_delegation("Anna", bytes);
    calls_for_anna(world, party).unwrap();
    shown(world, party)
}

#[test]
fn who_is_called_reads_on_whose_behalf_by_the_own_name_of_that_contact() {
    let mut world = office(1_200, true);
    assert!(matches!(calls_for_anna(&mut world, ADA), Err(InputError::WrongState(_))));
    delegates(&mut world, DAY);
    let anna = named(&mut world, ADA, "Anna");
    assert!(contact(&mut world, ADA, anna).may_call_for.is_some());
    let rename = named(&mut world, B, "Anna");
    let name = "Anna, the president".to_owned();
    world.command(B, Command::RenameContact { contact: rename, name: name.clone() }).unwrap();
    calls_for_anna(&mut world, ADA).unwrap();
    assert_eq!(behalf(&mut world, ADA), Some(BehalfView::Mine { name: "Anna".into() }));
    world.until(B, secs(5), |e| matches!(e, Event::Behalf { .. }));
    let verified = Some(BehalfView::Verified { contact: rename, name });
    assert_eq!(behalf(&mut world, B), verified);
    answer(&mut world, B);
    world.run(secs(3));
    assert_eq!(behalf(&mut world, B), verified, "and while they speak");
    // The words turn out to differ: whoever signed is not known any more.
    world.command(B, Command::Verify { contact: rename, matches: false }).unwrap();
    assert_eq!(behalf(&mut world, B), claimed(Unproved::NotVerified));
    hang_up(&mut world, ADA);
    world.run(secs(12));
    // A call of her own is nobody else's.
    let contact = named(&mut world, ADA, "Boris");
    world.command(ADA, Command::Call { contact }).unwrap();
    assert_eq!(shown(&mut world, ADA), None);
}

#[test]
fn a_principal_who_is_not_known_is_what_the_caller_says() {
    let mut world = office(1_201, false);
    delegates(&mut world, DAY);
    calls_for_anna(&mut world, ADA).unwrap();
    assert_eq!(shown(&mut world, ADA), claimed(Unproved::NotVerified));
    let anna = named(&mut world, B, "Anna");
    world.command(B, Command::Verify { contact: anna, matches: true }).unwrap();
    calls_for_anna(&mut world, ADA).unwrap();
    let verified = Some(BehalfView::Verified { contact: anna, name: "Anna".into() });
    assert_eq!(shown(&mut world, ADA), verified);
    world.command(B, Command::RevokeContact { contact: anna }).unwrap();
    calls_for_anna(&mut world, ADA).unwrap();
    assert_eq!(shown(&mut world, ADA), claimed(Unproved::Stranger));
}

#[test]
fn what_is_altered_or_another_attendants_or_has_expired_proves_nothing() {
    let mut world = office(1_202, true);
    delegates(&mut world, 120);
    let good = warrant(&world);
    assert!(matches!(shows(&mut world, ADA, good.clone()), Some(BehalfView::Verified { .. })));
    // Longer than Anna signed, for somebody else, with other rights; and none at all.
    for at in [0, 1, 40, 65, 80, DELEGATION_LEN - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(shows(&mut world, ADA, bad), claimed(Unproved::Forged), "byte {at}");
    }
    assert_eq!(shows(&mut world, ADA, Vec::new()), claimed(Unproved::Forged));
    assert_eq!(shows(&mut world, CARLA, good.clone()), claimed(Unproved::OtherAttendant));
    world.run(secs(60));
    assert_eq!(shows(&mut world, ADA, good), claimed(Unproved::Expired));
    let now = world.now;
    assert_eq!(world.parties[A].view(now).delegations[0].state, DelegationState::Expired);
}

#[test]
fn what_is_taken_back_is_gone_at_once_and_what_was_signed_runs_out() {
    let mut world = office(1_203, true);
    delegates(&mut world, 30 * DAY);
    let kept = warrant(&world);
    world.command(A, Command::RevokeDelegation { number: 1 }).unwrap();
    let now = world.now;
    let given = world.parties[A].view(now).delegations.remove(0);
    assert_eq!(given.state, DelegationState::Revoked, "here at once");
    assert!(given.shown_until.0 <= world.wall().0 + 8 * 3_600, "no signature holds for longer");
    world.until(ADA, secs(5), |e| matches!(e, Event::Delegated { .. }));
    assert!(matches!(calls_for_anna(&mut world, ADA), Err(InputError::WrongState(_))));
    // A handset that does not obey shows what it has, for some hours.
    assert!(matches!(shows(&mut world, ADA, kept.clone()), Some(BehalfView::Verified { .. })));
    off_for(&mut world, 8 * 3_600, &ALL);
    assert_eq!(shows(&mut world, ADA, kept), claimed(Unproved::Expired));
    // Nothing was signed meanwhile.
    let now = world.now;
    assert_eq!(world.parties[A].view(now).delegations[0].shown_until, given.shown_until);
    let anna = named(&mut world, ADA, "Anna");
    assert_eq!(contact(&mut world, ADA, anna).may_call_for, None);
    // A new one has another number; an end of the contact ends it.
    delegates(&mut world, DAY);
    let ada = named(&mut world, A, "Ada");
    world.command(A, Command::RevokeContact { contact: ada }).unwrap();
    let now = world.now;
    let states: Vec<_> =
        world.parties[A].view(now).delegations.iter().map(|d| (d.number, d.state)).collect();
    assert_eq!(states, [(1, DelegationState::Revoked), (2, DelegationState::Revoked)]);
    assert_eq!(contact(&mut world, A, ada).progress, Progress::Revoked);
}

/// Everything is off for a while; then these handsets are on again.
fn off_for(world: &mut World, time: u64, on: &[usize]) {
    for party in [A, B, ADA, CARLA] {
        world.kill_party(party);
    }
    for office in [0, 1] {
        world.kill_office(office);
    }
    world.run(secs(time));
    for office in [0, 1] {
        world.start_office(office);
    }
    for party in on {
        world.start_party(*party);
    }
    lines_up(world);
    world.run(secs(10));
}

const ALL: [usize; 4] = [A, B, ADA, CARLA];

#[test]
fn it_is_signed_anew_while_it_holds_and_outlives_the_handsets() {
    let mut world = office(1_204, true);
    delegates(&mut world, DAY);
    let anna = named(&mut world, ADA, "Anna");
    let until = |world: &mut World| contact(world, ADA, anna).may_call_for.map(|at| at.0);
    let first = until(&mut world).unwrap();
    off_for(&mut world, 3 * 3_600, &ALL);
    let second = until(&mut world).unwrap();
    assert!(second >= first + 3 * 3_600, "{first} {second}");
    calls_for_anna(&mut world, ADA).unwrap();
    assert!(matches!(shown(&mut world, ADA), Some(BehalfView::Verified { .. })));
    // Anna's handset is off for too long: Ada's says so, and does not ring anybody in her name.
    off_for(&mut world, 9 * 3_600, &[B, ADA, CARLA]);
    assert_eq!(until(&mut world), None);
    assert!(matches!(calls_for_anna(&mut world, ADA), Err(InputError::WrongState(_))));
    world.start_party(A);
    world.until(ADA, secs(20), |e| matches!(e, Event::Delegated { .. }));
    assert!(until(&mut world).is_some());
    // Never beyond what the owner gave.
    off_for(&mut world, DAY, &ALL);
    assert_eq!(until(&mut world), None);
    let now = world.now;
    assert_eq!(world.parties[A].view(now).delegations[0].state, DelegationState::Expired);
}

#[test]
fn only_the_first_handset_gives_it_and_only_to_whom_it_knows() {
    let mut world = two(1_205);
    world.hire("Ada", 0);
    lines_up(&mut world);
    meet(&mut world, A, ADA, false);
    let give = |contact, rights| Command::Delegate { contact, rights, ttl: secs(DAY) };
    for (command, why) in [
        (give(1, Rights::PLACE), "verify this contact"),
        (give(1, Rights(0)), "nothing in this delegation"),
        (give(1, Rights(128)), "nothing in this delegation"),
    ] {
        match world.command(A, command) {
            Err(InputError::WrongState(said)) => assert!(said.contains(why), "{said}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        world.command(A, Command::RevokeDelegation { number: 1 }),
        Err(InputError::NoSuch(_))
    ));
    assert!(world.parties[ADA].saw(Time(0), |e| matches!(e, Event::Delegated { .. })).is_none());
}
