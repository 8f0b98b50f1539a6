//! Ada manages Anna's contacts: with the right and without, while handsets are killed, and when she lies.

use call::contact::{Keys, Progress};
use lab::party::Death;
use lab::world::World;
use phone::{
    Command, Event, InputError, Manage, ManagedState, ManagedWhat, RequestState, RequestView,
};
use seal::delegation::Rights;
use wire::manage::{ManageAnswer, ManageAsk, ManageRefusal as No};
use wire::{Blob, Text};

use crate::devices::named;
use crate::support::*;

const ADA: usize = 2;
const CARLA: usize = 3;
const DAY: u64 = 86_400;

/// Anna and her attendants Ada and Carla in one office, Boris in another, who is Anna's contact.
fn office(seed: u64) -> World {
    let mut world = two(seed);
    for name in ["Ada", "Carla"] {
        world.hire(name, 0);
    }
    lines_up(&mut world);
    for (a, b) in [(A, ADA), (A, B), (A, CARLA)] {
        meet(&mut world, a, b, true);
    }
    world.parties.iter_mut().for_each(|p| p.plays = false);
    world
}

fn delegates(world: &mut World, who: usize, rights: Rights, ttl: u64) {
    let contact = named(world, A, if who == ADA { "Ada" } else { "Carla" });
    let command = Command::Delegate { contact, rights, ttl: secs(ttl) };
    world.command(A, command).unwrap();
    world.until(who, secs(5), |e| matches!(e, Event::Delegated { .. }));
    // One that took another's place was taken back before.
    world.run(secs(2));
}

/// The same, and Ada may manage.
fn managed(seed: u64) -> World {
    let mut world = office(seed);
    delegates(&mut world, ADA, Rights::MANAGE, 30 * DAY);
    world
}

fn asks(world: &mut World, ask: Manage) -> Result<(), InputError> {
    let principal = named(world, ADA, "Anna");
    world.command(ADA, Command::Manage { principal, ask })
}

/// Ada's newest request.
fn newest(world: &mut World) -> RequestView {
    let now = world.now;
    world.parties[ADA].view(now).requests.remove(0)
}

/// Asks, and what came of it.
fn answer_to(world: &mut World, ask: Manage) -> RequestState {
    asks(world, ask.clone()).unwrap();
    assert_eq!((newest(world).ask, newest(world).state), (ask, RequestState::Open));
    world.until(ADA, secs(10), |e| matches!(e, Event::ManageAnswered { .. }));
    newest(world).state
}

/// What Anna reads that was done.
fn done(world: &mut World) -> Vec<(String, ManagedWhat, String, ManagedState)> {
    let now = world.now;
    let all = world.parties[A].view(now).managed;
    all.into_iter().map(|m| (m.by, m.what, m.subject, m.state)).collect()
}

fn card_for(name: &str) -> Manage {
    Manage::Card { name: name.into() }
}

fn refused(why: No) -> RequestState {
    RequestState::Refused(why)
}

fn names(world: &mut World) -> Vec<(u32, String)> {
    let now = world.now;
    let lists = world.parties[ADA].view(now).lists;
    lists[0].contacts.iter().map(|c| (c.number, c.name.clone())).collect()
}

#[test]
fn an_attendant_lists_renames_and_withdraws_contacts_and_the_principal_reads_who_did_it() {
    let mut world = managed(1_300);
    let anna = named(&mut world, ADA, "Anna");
    let shown = contact(&mut world, ADA, anna);
    assert!(shown.may_manage.is_some() && shown.may_call_for.is_none(), "nothing else");
    assert_eq!(answer_to(&mut world, Manage::List), RequestState::Done);
    let boris = named(&mut world, A, "Boris");
    let all = [(1, "Ada"), (2, "Boris"), (3, "Carla")].map(|(n, name)| (n, name.to_owned()));
    assert_eq!(names(&mut world), all);
    let rename = Manage::Rename { contact: boris, name: "Boris, embassy".into() };
    assert_eq!(answer_to(&mut world, rename), RequestState::Done);
    assert_eq!(contact(&mut world, A, boris).name, "Boris, embassy");
    assert_eq!(contact(&mut world, A, boris).keys, Keys::Pinned, "and nothing else is changed");
    assert_eq!(answer_to(&mut world, Manage::Revoke { contact: boris }), RequestState::Done);
    assert_eq!(contact(&mut world, A, boris).progress, Progress::Revoked);
    let ada =
        |what, subject: &str| ("Ada".to_owned(), what, subject.to_owned(), ManagedState::Done);
    let did = [
        ada(ManagedWhat::Revoked, "Boris, embassy"),
        ada(ManagedWhat::Renamed { before: "Boris".into() }, "Boris, embassy"),
    ];
    assert_eq!(done(&mut world), did);
    world.kill_party(A);
    world.start_party(A);
    assert_eq!(done(&mut world), did, "it stands there after a restart");
    assert!(world.parties[A].saw(wire::Time(0), |e| matches!(e, Event::Managed { .. })).is_some());
}

#[test]
fn a_card_comes_back_when_the_exchange_has_it_and_makes_a_contact_that_nobody_verified() {
    let mut world = managed(1_301);
    let RequestState::Card(text) = answer_to(&mut world, card_for("Dora")) else { panic!() };
    world.hire("Dora", 1);
    let dora = world.parties.len() - 1;
    lines_up(&mut world);
    // As if it had been handed over in person: that is Dora's belief, and none of Anna's.
    world.command(dora, Command::RedeemCard { text, in_person: true }).unwrap();
    world.until(dora, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
    let number = named(&mut world, A, "Dora");
    assert_eq!(contact(&mut world, A, number).keys, Keys::Unverified);
    let did = done(&mut world).remove(0);
    assert_eq!((did.1, did.2.as_str(), did.3), (ManagedWhat::Card, "Dora", ManagedState::Done));
    // A card that Ada was given.
    world.hire("Emil", 1);
    let emil = world.parties.len() - 1;
    lines_up(&mut world);
    let text = card(&mut world, emil, true);
    assert_eq!(answer_to(&mut world, Manage::Redeem { text: text.clone() }), RequestState::Done);
    world.until(A, secs(20), |e| matches!(e, Event::ContactAccepted { .. }));
    let number = named(&mut world, A, "Emil");
    assert_eq!(contact(&mut world, A, number).keys, Keys::Unverified, "nobody's hand was in it");
    assert_eq!(done(&mut world)[0].1, ManagedWhat::Redeemed);
    assert_eq!(answer_to(&mut world, Manage::Redeem { text }), refused(No::Known));
    // One that was withdrawn.
    let text = card(&mut world, emil, true);
    let now = world.now;
    let id = world.parties[emil].view(now).cards.last().unwrap().id;
    world.command(emil, Command::RevokeCard { card: id }).unwrap();
    world.run(secs(2));
    let number = named(&mut world, A, "Emil");
    world.command(A, Command::RevokeContact { contact: number }).unwrap();
    assert_eq!(answer_to(&mut world, Manage::Redeem { text }), refused(No::NotValid));
    assert_eq!(done(&mut world)[0].3, ManagedState::Refused);
}

#[test]
fn without_the_right_nothing_is_done_and_what_is_taken_back_is_gone_at_once() {
    let mut world = office(1_302);
    let dropped = |world: &mut World| {
        let now = world.now;
        world.parties[A].view(now).dropped
    };
    let raw = |world: &mut World, number, ask: ManageAsk| {
        let principal = named(world, ADA, "Anna");
        let phone = world.parties[ADA].phone.as_mut().unwrap();
        phone.ask_anything(principal, number, ask.encode()).unwrap();
        world.run(secs(3));
    };
    assert!(matches!(asks(&mut world, Manage::List), Err(InputError::WrongState(_))));
    // She asks all the same: without any delegation she is not even answered.
    let before = dropped(&mut world);
    raw(&mut world, 1, ManageAsk::List { after: 0 });
    let mail = |world: &mut World| {
        let now = world.now;
        (world.parties[A].view(now).mail_waiting, world.parties[ADA].view(now).dropped)
    };
    assert_eq!((dropped(&mut world), mail(&mut world)), (before + 1, (0, 0)));
    let boris = named(&mut world, A, "Boris");
    // Given, and taken back while her handset does not know it.
    delegates(&mut world, ADA, Rights::MANAGE, DAY);
    world.reach(ADA, false);
    world.run(secs(1));
    asks(&mut world, Manage::Revoke { contact: boris }).unwrap();
    asks(&mut world, card_for("Dora")).unwrap();
    let now = world.now;
    let number = world.parties[A].view(now).delegations.last().unwrap().number;
    world.command(A, Command::RevokeDelegation { number }).unwrap();
    world.reach(ADA, true);
    let so = world.run_until(secs(30), |w| {
        let now = w.now;
        let requests = w.parties[ADA].view(now).requests;
        requests.iter().take(2).all(|r| r.state == refused(No::NoRight))
    });
    assert!(so, "she is told that she may not any more");
    assert_eq!(contact(&mut world, A, boris).progress, Progress::Accepted);
    let now = world.now;
    let view = world.parties[A].view(now);
    assert!(view.managed.is_empty() && view.cards.iter().all(|c| c.hint != "Dora"));
    // Another right is not this one.
    delegates(&mut world, ADA, Rights::PLACE, DAY);
    assert!(matches!(asks(&mut world, Manage::List), Err(InputError::WrongState(_))));
    raw(&mut world, 50, ManageAsk::Revoke { contact: boris });
    assert_eq!(contact(&mut world, A, boris).progress, Progress::Accepted);
}

/// The right is taken back between the request and the exchange's word: the card is withdrawn, and nobody has seen it.
#[test]
fn a_card_for_whose_attendant_the_right_is_gone_is_withdrawn_unseen() {
    let mut world = managed(1_303);
    world.kill_office(0);
    world.run(secs(1));
    // Her mail is on its way as soon as the exchange is back; Anna's handset hears it, and cannot register.
    asks(&mut world, card_for("Dora")).unwrap();
    world.start_office(0);
    let asked = world.run_until(secs(30), |w| {
        let now = w.now;
        w.parties[A].view(now).cards.iter().any(|c| c.hint == "Dora")
    });
    assert!(asked);
    let now = world.now;
    assert!(world.parties[A].view(now).cards.last().unwrap().link.is_none(), "not shown yet");
    world.command(A, Command::RevokeDelegation { number: 1 }).unwrap();
    let so = world.run_until(secs(30), |w| newest(w).state == refused(No::NoRight));
    assert!(so, "{:?}", newest(&mut world).state);
    let now = world.now;
    let card = world.parties[A].view(now).cards.pop().unwrap();
    assert_eq!(card.state, call::contact::CardState::Revoked);
    assert_eq!(done(&mut world)[0].3, ManagedState::Refused);
}

#[test]
fn what_is_not_hers_to_change_stays_as_it_is() {
    let mut world = managed(1_304);
    delegates(&mut world, CARLA, Rights::PLACE, DAY);
    let before = |world: &mut World| {
        let now = world.now;
        let contacts = world.parties[A].view(now).contacts;
        contacts.iter().map(|c| (c.name.clone(), c.progress, c.keys)).collect::<Vec<_>>()
    };
    let unchanged = before(&mut world);
    let (ada, carla) = (named(&mut world, A, "Ada"), named(&mut world, A, "Carla"));
    for contact in [ada, carla] {
        let revoke = Manage::Revoke { contact };
        assert_eq!(answer_to(&mut world, revoke), refused(No::NotYours), "staff");
        let rename = Manage::Rename { contact, name: "Anna".into() };
        assert_eq!(answer_to(&mut world, rename), refused(No::NotYours));
    }
    assert_eq!(answer_to(&mut world, Manage::Revoke { contact: 99 }), refused(No::NoSuch));
    let boris = named(&mut world, A, "Boris");
    for name in ["", " ", "Bo\u{202e}ris", "Bo\nris"] {
        let rename = Manage::Rename { contact: boris, name: name.into() };
        assert_eq!(answer_to(&mut world, rename), refused(No::NotUnderstood), "{name:?}");
    }
    // Nobody's call is cut by it.
    let rings = named(&mut world, A, "Boris");
    world.command(A, Command::Call { contact: rings }).unwrap();
    world.run(secs(2));
    assert_eq!(answer_to(&mut world, Manage::Revoke { contact: boris }), refused(No::InCall));
    hang_up(&mut world, A);
    world.run(secs(12));
    // A card for a further handset makes none of hers Anna's.
    world.command(CARLA, Command::AdmitDevice { ttl: secs(600) }).unwrap();
    world.until(CARLA, secs(10), |e| matches!(e, Event::CardIssued { .. }));
    let now = world.now;
    let text = world.parties[CARLA].view(now).cards.pop().unwrap().link.unwrap();
    assert_eq!(answer_to(&mut world, Manage::Redeem { text }), refused(No::NotYours));
    assert_eq!(before(&mut world), unchanged);
    assert!(done(&mut world).is_empty(), "no change, so none is shown");
}

#[test]
fn a_handset_of_the_principal_s_own_is_neither_listed_nor_touched() {
    let mut world = managed(1_305);
    let second = world.hire("Anna", 0);
    lines_up(&mut world);
    world.command(A, Command::AdmitDevice { ttl: secs(600) }).unwrap();
    world.until(A, secs(10), |e| matches!(e, Event::CardIssued { .. }));
    let now = world.now;
    let text = world.parties[A].view(now).cards.pop().unwrap().link.unwrap();
    world.command(second, Command::RedeemCard { text, in_person: true }).unwrap();
    let paired = world.run_until(secs(40), |w| {
        let now = w.now;
        w.parties[A].view(now).contacts.iter().any(|c| c.own_device && c.words.is_some())
    });
    assert!(paired);
    let now = world.now;
    let sibling = world.parties[A].view(now).contacts.into_iter().find(|c| c.own_device).unwrap();
    assert_eq!(answer_to(&mut world, Manage::List), RequestState::Done);
    assert!(names(&mut world).iter().all(|(number, _)| *number != sibling.id));
    let revoke = Manage::Revoke { contact: sibling.id };
    assert_eq!(answer_to(&mut world, revoke), refused(No::NotYours));
    world.command(A, Command::Verify { contact: sibling.id, matches: true }).unwrap();
    world.until(second, secs(20), |e| *e == Event::Admitted);
    world.run(secs(20));
    // What she changes from now on is on both.
    let boris = named(&mut world, A, "Boris");
    let rename = Manage::Rename { contact: boris, name: "Boris E".into() };
    assert_eq!(answer_to(&mut world, rename), RequestState::Done);
    world.run(secs(10));
    named(&mut world, second, "Boris E");
    let answers = |w: &World| {
        let told = |e: &Event| matches!(e, Event::Managed { .. });
        w.parties[second].saw(wire::Time(0), told).is_some()
    };
    assert!(!answers(&world), "only the first handset does it");
}

/// She sends what she likes, with numbers that she likes.
#[test]
fn a_number_counts_once_and_nonsense_changes_nothing() {
    let mut world = managed(1_306);
    let boris = named(&mut world, A, "Boris");
    let rename = |name: &str| {
        let name = Text::new(name).unwrap();
        ManageAsk::Rename { contact: boris, name }.encode()
    };
    let say = |world: &mut World, number: u64, ask: Vec<u8>| {
        let principal = named(world, ADA, "Anna");
        let phone = world.parties[ADA].phone.as_mut().unwrap();
        phone.ask_anything(principal, number, ask).unwrap();
        world.run(secs(3));
    };
    say(&mut world, 7, rename("first"));
    for (number, name) in [(7, "again"), (6, "earlier"), (0, "none")] {
        say(&mut world, number, rename(name));
        assert_eq!(contact(&mut world, A, boris).name, "first", "number {number}");
    }
    assert_eq!(done(&mut world).len(), 1);
    say(&mut world, 8, vec![9, 9, 9]);
    say(&mut world, 9, Vec::new());
    world.kill_party(A);
    world.start_party(A);
    lines_up(&mut world);
    say(&mut world, 9, rename("after a restart"));
    assert_eq!(contact(&mut world, A, boris).name, "first", "numbers outlive the handset");
    say(&mut world, 10, rename("second"));
    assert_eq!(contact(&mut world, A, boris).name, "second");
    say(&mut world, u64::MAX, rename("last"));
    say(&mut world, 11, rename("never"));
    assert_eq!(contact(&mut world, A, boris).name, "last");
}

/// A principal's handset that lies to its attendant gets nowhere, and no more does anybody else.
#[test]
fn an_answer_that_does_not_fit_changes_nothing() {
    let mut world = managed(1_307);
    meet(&mut world, CARLA, ADA, true);
    world.reach(A, false);
    world.run(secs(1));
    asks(&mut world, card_for("Dora")).unwrap();
    let number = newest(&mut world).number;
    let to = world.parties[ADA].phone.as_ref().unwrap().device_key();
    let forged = card(&mut world, CARLA, false);
    let forged =
        seal::card::UnverifiedCard::from_link(&forged).unwrap().verify(world.wall()).unwrap();
    let bytes = |card: &seal::card::VerifiedCard| Blob::new(card.to_bytes().to_vec()).unwrap();
    let say = |world: &mut World, by: usize, number, to, answer: &ManageAnswer| {
        let ada = named(world, by, "Ada");
        let phone = world.parties[by].phone.as_mut().unwrap();
        phone.answer_anything(ada, to, number, answer.encode()).unwrap();
        world.run(secs(3));
        assert_eq!(newest(world).state, RequestState::Open, "{answer:?}");
    };
    // Carla answers in Anna's place.
    say(&mut world, CARLA, number, to, &ManageAnswer::Done {});
    say(&mut world, CARLA, number, to, &ManageAnswer::Card { card: bytes(&forged) });
    // Before Anna's handset hears of the request, it says what it likes.
    world.command(ADA, Command::SetAway { on: false }).unwrap();
    let wrong = [
        (number, to, ManageAnswer::Card { card: bytes(&forged) }),
        (number, to, ManageAnswer::Card { card: Blob::new(vec![7; 40]).unwrap() }),
        (number, to, ManageAnswer::Done {}),
        (
            number,
            to,
            ManageAnswer::Contacts { list: Blob::new(vec![0xff; 9]).unwrap(), more: true },
        ),
        (number + 1, to, ManageAnswer::Refused { why: No::Limit }),
        (number, [9; 32], ManageAnswer::Refused { why: No::Limit }),
    ];
    for (number, to, answer) in &wrong {
        let ada = named(&mut world, A, "Ada");
        let phone = world.parties[A].phone.as_mut().unwrap();
        phone.answer_anything(ada, *to, *number, answer.encode()).unwrap();
    }
    world.reach(A, true);
    let so = world.run_until(secs(30), |w| matches!(newest(w).state, RequestState::Card(_)));
    assert!(so, "the genuine answer is the one that counts: {:?}", newest(&mut world).state);
    let now = world.now;
    assert!(world.parties[ADA].view(now).dropped >= 5, "the others are dropped");
}

#[test]
fn there_are_limits_to_what_is_open_out_and_done_in_a_day() {
    let mut world = managed(1_308);
    world.reach(A, false);
    world.run(secs(1));
    for _ in 0..8 {
        asks(&mut world, Manage::List).unwrap();
    }
    assert!(matches!(asks(&mut world, Manage::List), Err(InputError::TooMany(_))), "eight wait");
    world.reach(A, true);
    world.run(secs(20));
    // Cards that nobody has redeemed.
    for n in 0..20 {
        let answer = answer_to(&mut world, card_for(&format!("guest {n}")));
        assert!(matches!(answer, RequestState::Card(_)), "{n}");
    }
    assert_eq!(answer_to(&mut world, card_for("one more")), refused(No::Limit));
    let boris = named(&mut world, A, "Boris");
    let rename = |n: usize| Manage::Rename { contact: boris, name: format!("Boris {n}") };
    assert_eq!(answer_to(&mut world, rename(0)), RequestState::Done, "other things go on");
    for n in 1..80 {
        assert_eq!(answer_to(&mut world, rename(n)), RequestState::Done, "{n}");
    }
    assert_eq!(answer_to(&mut world, rename(99)), refused(No::Limit));
    assert_eq!(answer_to(&mut world, Manage::List), RequestState::Done, "to look is no change");
}

/// Anna's and Ada's handset are killed with each batch that a request brings, before it is written and after: it is done once, or not
/// at all and asked again by the mail that is kept.
#[test]
fn a_request_outlives_both_handsets_whenever_they_are_killed() {
    for victim in [A, ADA] {
        for written in [false, true] {
            for batch in 1..5 {
                let mut world = managed(1_309);
                let boris = named(&mut world, A, "Boris");
                let rename = Manage::Rename { contact: boris, name: "Boris E".into() };
                let at = world.parties[victim].batches + batch;
                world.parties[victim].death = Some(Death { batch: at, written });
                asks(&mut world, rename).unwrap();
                asks_card(&mut world);
                world.run_until(secs(5), |w| w.parties[victim].phone.is_none());
                let died = world.parties[victim].phone.is_none();
                world.parties[victim].death = None;
                if died {
                    world.start_party(victim);
                }
                lines_up(&mut world);
                world.run(secs(20));
                let what = format!("{victim} {written} {batch} {died}");
                let did = done(&mut world);
                let now = world.now;
                let requests = world.parties[ADA].view(now).requests;
                let states: Vec<_> = requests.iter().map(|r| r.state.clone()).collect();
                // What Ada's own disk never had was never asked.
                assert_eq!(did.len(), requests.len(), "{what}: {states:?}");
                let open = states.iter().filter(|s| **s == RequestState::Open).count();
                assert_eq!(open, 0, "{what}: {states:?}");
                assert!(did.iter().all(|d| d.3 == ManagedState::Done), "{what}");
                let cards = world.parties[A].view(now).cards;
                let dora = cards.iter().filter(|c| c.hint == "Dora").count();
                let made = states.iter().filter(|s| matches!(s, RequestState::Card(_))).count();
                assert_eq!(dora, made, "{what}: one card for one request");
            }
        }
    }
}

fn asks_card(world: &mut World) {
    if world.parties[ADA].phone.is_some() {
        asks(world, card_for("Dora")).unwrap();
    }
}

#[test]
fn a_long_list_comes_in_pieces() {
    let mut world = managed(1_310);
    // Cards of Boris's that were withdrawn make contacts that were refused: the list has them, too.
    for n in 0..40 {
        let text = card(&mut world, B, false);
        let now = world.now;
        let id = world.parties[B].view(now).cards.last().unwrap().id;
        world.command(B, Command::RevokeCard { card: id }).unwrap();
        world.run(secs(1));
        if n == 0 {
            let boris = named(&mut world, A, "Boris");
            world.command(A, Command::RevokeContact { contact: boris }).unwrap();
        }
        world.command(A, Command::RedeemCard { text, in_person: false }).unwrap();
        world.until(A, secs(20), |e| matches!(e, Event::ContactRefused { .. }));
        let now = world.now;
        let last = world.parties[A].view(now).contacts.last().unwrap().id;
        let name = format!("{n:02} {}", "n".repeat(58));
        world.command(A, Command::RenameContact { contact: last, name }).unwrap();
    }
    asks(&mut world, Manage::List).unwrap();
    let so = world.run_until(secs(20), |w| {
        let now = w.now;
        w.parties[ADA].view(now).lists.first().is_some_and(|list| list.whole)
    });
    assert!(so, "all of it");
    let now = world.now;
    let have: Vec<u32> = world.parties[A].view(now).contacts.iter().map(|c| c.id).collect();
    let listed: Vec<u32> = names(&mut world).into_iter().map(|(number, _)| number).collect();
    assert_eq!(listed, have);
    assert!(world.parties[ADA].view(now).requests.len() > 1, "in more than one piece");
}
