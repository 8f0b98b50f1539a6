//! The record: who is on it, who knows, who can read it, and what is left of it when somebody dies.

use call::{CallState, End};
use lab::party::Death;
use lab::world::World;
use phone::{Command, Doubt, Event};
use record::check::Check;
use record::contents::{Contents, Finding};
use record::entry::{Body, Call, Entry, Stage};
use record::order::fingerprint;
use record::sealing::{OpenKey, open};
use record::{Calls, Order, tree};
use seal::office::OfficerKey;
use wire::Wall;
use wire::limits::ENTRY_LEN;

use crate::support::*;

fn officer(n: u8) -> OfficerKey {
    OfficerKey::from_bytes(&[n; 32])
}

fn key(n: u8) -> OpenKey {
    OpenKey::from_seed(&[n; 32]).unwrap()
}

fn order(calls: Calls) -> Order {
    Order::first(&officer(1), calls, key(1).public().clone(), Wall(1))
}

/// Two offices; the first keeps a record, and its handset was enrolled after that.
pub(crate) fn kept(seed: u64, calls: Calls) -> World {
    let mut world = World::new(2, seed);
    world.order(0, order(calls), false);
    world.run(secs(1));
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    world
}

/// The sealed entries on the disk of office 0.
fn log(world: &World) -> Vec<Vec<u8>> {
    let entries = world.offices[0].rows.iter().filter(|((s, _), _)| *s == exchange::RECORD_ENTRIES);
    entries.map(|(_, value)| value[32..].to_vec()).collect()
}

/// What they say, to the officer with these keys; and what is wrong with them.
fn read(world: &World, keys: &[OpenKey]) -> (Vec<Entry>, Vec<Finding>) {
    let (mut contents, mut check, mut entries) =
        (Contents::default(), Check::default(), Vec::new());
    for (index, sealed) in (0..).zip(log(world)) {
        assert_eq!(sealed.len(), ENTRY_LEN);
        check.entry(index, Some(&tree::leaf(&sealed)), &sealed);
        let opened = open(&sealed, &world.offices[0].key, keys);
        contents.entry(index, &opened);
        entries.extend(opened.map(|opened| opened.entry));
    }
    let (tree, _) = check.finish(&world.offices[0].key, None, &[]);
    (entries, contents.finish(&tree).1)
}

/// What they say, with nothing wrong with them.
pub(crate) fn read_with_one_key(world: &World) -> Vec<Entry> {
    let (entries, findings) = read(world, &[key(1)]);
    assert_eq!(findings, []);
    entries
}

pub(crate) fn calls(entries: &[Entry]) -> Vec<&Call> {
    entries
        .iter()
        .filter_map(|e| match &e.body {
            Body::Call(call) => Some(call),
            Body::Note(_) => None,
        })
        .collect()
}

/// Everything that a handset made is proved to it.
pub(crate) fn all_proved(world: &mut World, party: usize) {
    let done = world.run_until(secs(120), |w| {
        let now = w.now;
        w.parties[party].view(now).record.waiting == 0
    });
    assert!(done, "entries wait");
}

#[test]
fn a_call_is_on_the_record_with_its_notes_and_both_sides_know() {
    let mut world = kept(1, Calls::Answered);
    connect(&mut world, A, B);
    world.until(B, secs(5), |e| matches!(e, Event::OnRecord { .. }));
    let now = world.now;
    let (a, b) =
        (world.parties[A].view(now).calls.remove(0), world.parties[B].view(now).calls.remove(0));
    assert_eq!((a.on_record, a.on_record_there), (true, false));
    assert_eq!((b.on_record, b.on_record_there), (false, true));
    world.command(A, Command::Minute { call: a.id, text: "Agreed: Tuesday.".into() }).unwrap();
    assert!(
        world.command(B, Command::Minute { call: b.id, text: "no".into() }).is_err(),
        "this office keeps none"
    );
    world.command(A, Command::Hold { call: a.id, on: true }).unwrap();
    world.run(secs(5));
    world.command(A, Command::Hold { call: a.id, on: false }).unwrap();
    world.run(secs(5));
    part(&mut world, B, A);
    world.command(A, Command::Minute { call: a.id, text: "After it.".into() }).unwrap();
    all_proved(&mut world, A);

    let (entries, findings) = read(&world, &[key(1)]);
    assert_eq!(findings, []);
    assert_eq!(entries.iter().map(|e| e.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(matches!(&entries[0].body, Body::Note(n) if n.text.as_str() == "Agreed: Tuesday."));
    assert!(matches!(&entries[2].body, Body::Note(n) if n.text.as_str() == "After it."));
    let call = calls(&entries)[0];
    assert_eq!((call.contact.name.as_str(), call.contact.office.as_str()), ("Boris", "Office 1"));
    assert_eq!((call.placed, call.end), (true, Some(End::ByOther.code())));
    assert!((9..=13).contains(&call.talked), "{}", call.talked);
    let stages: Vec<Stage> = call.steps.as_slice().iter().map(|s| s.stage).collect();
    let held = [Stage::Connected, Stage::HeldByMe, Stage::Connected, Stage::Ended];
    assert!(stages.starts_with(&[Stage::Calling]) && stages.ends_with(&held), "{stages:?}");
    let names: Vec<&str> = call.members.as_slice().iter().map(|m| m.who.name.as_str()).collect();
    assert_eq!(names, ["Anna", "Boris"]);
    assert!(
        entries.iter().all(|e| e.principal.as_str() == "Anna" && e.office.as_str() == "Office 0")
    );
    // Each entry after the first names what was proved before.
    assert_eq!(entries[0].seen, None);
    assert!(entries[2].seen.as_ref().is_some_and(|seen| (1..=2).contains(&seen.size)));
}

#[test]
fn only_answered_calls_or_all_of_them_as_the_officer_orders() {
    for (calls_ordered, wanted) in [(Calls::None, 0), (Calls::Answered, 0), (Calls::All, 2)] {
        let mut world = kept(2, calls_ordered);
        ring(&mut world, A, B);
        hang_up(&mut world, A);
        ended(&mut world, B, End::Missed);
        world.run(secs(5));
        ring(&mut world, B, A);
        hang_up(&mut world, B);
        ended(&mut world, A, End::Missed);
        all_proved(&mut world, A);
        let (entries, findings) = read(&world, &[key(1)]);
        assert_eq!((entries.len(), findings.len()), (wanted, 0), "{calls_ordered:?}");
        let ends: Vec<_> = calls(&entries).iter().map(|c| (c.placed, c.end)).collect();
        let all = [(true, Some(End::Cancelled.code())), (false, Some(End::Missed.code()))];
        assert_eq!(ends, all[..wanted]);
    }
}

#[test]
fn a_handset_that_was_there_before_asks_its_owner_and_records_nothing_until_then() {
    let mut world = met(3);
    world.order(0, order(Calls::Answered), false);
    world.until(A, secs(10), |e| *e == Event::RecordAsked);
    connect(&mut world, A, B);
    let now = world.now;
    assert!(!world.parties[A].view(now).calls[0].on_record);
    part(&mut world, A, B);
    let print = fingerprint(&officer(1).public());
    let now = world.now;
    assert_eq!(world.parties[A].view(now).record.asked.as_deref(), Some(print.as_str()));
    let wrong = fingerprint(&officer(2).public());
    assert!(world.command(A, Command::AcceptOfficer { fingerprint: wrong }).is_err());
    world.command(A, Command::AcceptOfficer { fingerprint: print.to_uppercase() }).unwrap();
    connect(&mut world, A, B);
    part(&mut world, A, B);
    all_proved(&mut world, A);
    assert_eq!(read(&world, &[key(1)]).0.len(), 1, "the second call");
    assert!(
        world.command(A, Command::AcceptOfficer { fingerprint: print }).is_err(),
        "nobody asks"
    );
}

#[test]
fn a_seized_exchange_cannot_swap_the_officer_nor_bring_an_old_order_back() {
    let mut world = kept(4, Calls::Answered);
    let second =
        order(Calls::Answered).next(&officer(1), Calls::All, key(2).public().clone(), Wall(2));
    world.order(0, second, false);
    world.until(A, secs(10), |e| *e == Event::RecordOrder);
    // Whoever seized it holds its key and its operator's commands.
    let thief = Order::first(&officer(66), Calls::All, key(66).public().clone(), Wall(3));
    world.order(0, thief, true);
    world.until(A, secs(10), |e| *e == Event::RecordDoubt(Doubt::OtherOfficer));
    connect(&mut world, A, B);
    part(&mut world, A, B);
    world.order(0, order(Calls::None), true);
    world.until(A, secs(10), |e| *e == Event::RecordDoubt(Doubt::OldOrder));
    connect(&mut world, A, B);
    part(&mut world, A, B);
    all_proved(&mut world, A);
    let (entries, findings) = read(&world, &[key(2)]);
    assert_eq!((entries.len(), findings.len()), (2, 0), "to the officer's key, both");
    // And after it is started again, from its own disk.
    world.kill_party(A);
    world.start_party(A);
    lines_up(&mut world);
    let now = world.now;
    let record = world.parties[A].view(now).record;
    assert_eq!(
        (record.calls, record.officer),
        (Calls::All, Some(fingerprint(&officer(1).public())))
    );
}

#[test]
fn keys_rotate_and_officers_follow_each_other() {
    let mut world = kept(5, Calls::Answered);
    connect(&mut world, A, B);
    part(&mut world, A, B);
    let second =
        order(Calls::Answered).next(&officer(1), Calls::Answered, key(2).public().clone(), Wall(2));
    let third = second.succeed(&officer(1), &officer(3), key(3).public().clone(), Wall(3)).unwrap();
    let fourth = third.succeed(&officer(3), &officer(4), key(4).public().clone(), Wall(4)).unwrap();
    // The handset was off while two of them came.
    world.order(0, second, false);
    world.until(A, secs(10), |e| *e == Event::RecordOrder);
    world.kill_party(A);
    world.order(0, third, false);
    world.order(0, fourth, false);
    world.start_party(A);
    lines_up(&mut world);
    world.until(A, secs(10), |e| *e == Event::RecordOrder);
    connect(&mut world, A, B);
    part(&mut world, A, B);
    all_proved(&mut world, A);
    let (entries, findings) = read(&world, &[key(1), key(4)]);
    assert_eq!(
        (entries.len(), findings.len()),
        (2, 0),
        "old entries by the old key, new ones by the new"
    );
    let now = world.now;
    let officer_now = fingerprint(&officer(4).public());
    assert_eq!(world.parties[A].view(now).record.officer, Some(officer_now));
}

#[test]
fn entries_wait_for_an_exchange_that_is_down_and_come_once() {
    let mut world = kept(6, Calls::All);
    world.kill_office(0);
    world.run(secs(10));
    for _ in 0..3 {
        world.command(A, Command::Call { contact: 1 }).unwrap();
        hang_up(&mut world, A);
    }
    let now = world.now;
    assert_eq!(world.parties[A].view(now).record.waiting, 3);
    world.run(secs(1));
    world.kill_party(A);
    world.start_party(A);
    world.start_office(0);
    lines_up(&mut world);
    world.run(secs(1));
    world.kill_office(0);
    world.run(secs(1));
    world.start_office(0);
    lines_up(&mut world);
    all_proved(&mut world, A);
    let (entries, findings) = read(&world, &[key(1)]);
    assert_eq!((entries.len(), findings.len()), (3, 0));
}

#[test]
fn no_call_is_made_that_the_record_cannot_take() {
    let mut world = kept(7, Calls::All);
    world.kill_office(0);
    world.run(secs(10));
    let mut placed = 0;
    let refused = loop {
        match world.command(A, Command::Call { contact: 1 }) {
            Ok(()) => placed += 1,
            Err(error) => break error,
        }
        hang_up(&mut world, A);
        let id = call(&mut world, A);
        // Off the screen, so that the next one fits.
        world.command(A, Command::HangUp { call: id }).unwrap();
    };
    assert_eq!(placed, 1_000);
    assert!(refused.to_string().contains("operator"), "{refused}");
}

#[test]
fn an_exchange_restored_from_an_old_backup_is_noticed_by_handset_and_officer() {
    let mut world = kept(8, Calls::Answered);
    connect(&mut world, A, B);
    part(&mut world, A, B);
    all_proved(&mut world, A);
    let backup = world.offices[0].rows.clone();
    for _ in 0..2 {
        connect(&mut world, A, B);
        part(&mut world, A, B);
        all_proved(&mut world, A);
    }
    world.kill_office(0);
    world.offices[0].rows = backup;
    world.start_office(0);
    lines_up(&mut world);
    // The trunk is made anew, too.
    world.run(secs(60));
    connect(&mut world, A, B);
    part(&mut world, A, B);
    world.until(A, secs(20), |e| *e == Event::RecordDoubt(Doubt::RolledBack));
    all_proved(&mut world, A);
    let (_, findings) = read(&world, &[key(1)]);
    assert!(
        findings.iter().any(|f| matches!(f, Finding::Gap { from: 2, to: 3, .. })),
        "{findings:?}"
    );
    assert!(
        findings.iter().any(|f| matches!(f, Finding::RolledBack { size: 3, .. })),
        "{findings:?}"
    );
}

/// One call on the record, with a note; the handset dies at its batch `at` from then on.
fn story(death: Option<Death>) -> (World, u64) {
    let mut world = kept(9, Calls::Answered);
    let before = world.parties[A].batches;
    let at = |death: Death| Death { batch: before + death.batch, ..death };
    world.parties[A].death = death.map(at);
    for party in [A, B] {
        world.parties[party].plays = false;
    }
    let _ = world.command(A, Command::Call { contact: 1 });
    let alive = |w: &World| w.parties[A].phone.is_some();
    world.run_until(secs(5), |w| !alive(w) || state(w, B) == Some(CallState::RingingHere));
    if state(&mut world, B) == Some(CallState::RingingHere) {
        answer(&mut world, B);
    }
    world.run_until(secs(3), |w| !alive(w) || state(w, A) == Some(CallState::Connected));
    if alive(&world) {
        let id = call(&mut world, A);
        let _ = world.command(A, Command::Minute { call: id, text: "noted".into() });
    }
    world.run_until(secs(3), |w| !alive(w));
    if alive(&world) {
        let id = call(&mut world, A);
        let _ = world.command(A, Command::HangUp { call: id });
    }
    world.run_until(secs(20), |w| !alive(w));
    world.parties[A].death = None;
    if !alive(&world) {
        world.start_party(A);
    }
    lines_up(&mut world);
    all_proved(&mut world, A);
    world.run(secs(1));
    let batches = world.parties[A].batches - before;
    (world, batches)
}

#[test]
fn a_handset_killed_at_every_batch_leaves_a_record_without_gap_or_copy() {
    let (world, batches) = story(None);
    assert_eq!(read(&world, &[key(1)]).0.len(), 2);
    assert!(batches > 5, "{batches}");
    let mut orphans = 0;
    for batch in 1..=batches {
        for written in [false, true] {
            let (world, _) = story(Some(Death { batch, written }));
            let (entries, findings) = read(&world, &[key(1)]);
            let what = format!("dies at {batch}, written: {written}");
            assert_eq!(findings, [], "{what}");
            let calls = calls(&entries);
            assert!(calls.len() <= 1, "{what}: one call, one entry");
            // A note never stands alone: the call that it was taken in is there too.
            let noted = entries.len() > calls.len();
            assert!(!noted || calls.len() == 1, "{what}: a note without its call");
            orphans += usize::from(calls.iter().any(|call| call.end.is_none()));
        }
    }
    assert!(orphans > 0, "some deaths were in the call");
}

#[test]
fn an_entry_says_how_urgent_the_call_was() {
    let mut world = kept(40, Calls::All);
    let own = phone::ContactRules { precedence: wire::Precedence::Flash, ..Default::default() };
    world.command(A, Command::SetRules { contact: 1, rules: own }).unwrap();
    world.run(secs(3));
    for precedence in [wire::Precedence::Flash, wire::Precedence::Routine] {
        let urgent = Command::CallUrgent { contact: 1, principal: None, precedence };
        world.command(B, urgent).unwrap();
        world.until(A, secs(10), |e| matches!(e, Event::Incoming { .. }));
        hang_up(&mut world, B);
        world.run(secs(15));
    }
    all_proved(&mut world, A);
    let (entries, findings) = read(&world, &[key(1)]);
    assert_eq!(findings, []);
    let said: Vec<&str> = calls(&entries).iter().map(|call| call.policy.as_str()).collect();
    assert_eq!(said, ["direct; precedence flash", "direct"]);
}
