//! A phone is killed at every batch that it asks its host to write, before and after it is written, and
//! started again from what was on its disk. Whatever it had acknowledged is still there; the card still
//! makes one contact, and the contact still makes calls.

use call::CallState;
use call::contact::{CardState, Progress};
use lab::party::Death;
use lab::world::World;
use phone::{Command, LineState};

use crate::support::*;

/// Starts whoever was killed.
fn revive(world: &mut World) {
    for party in 0..world.parties.len() {
        if world.parties[party].phone.is_none() {
            world.start_party(party);
        }
    }
}

/// Goes on until something is so, whoever dies meanwhile. A person taps again when nothing happened.
fn insist(
    world: &mut World,
    what: &str,
    mut tap: impl FnMut(&mut World),
    so: impl Fn(&mut World) -> bool,
) -> Result<(), String> {
    for _ in 0..12 {
        if world.parties.iter().all(|p| p.phone.is_some()) && so(world) {
            return Ok(());
        }
        revive(world);
        if world.parties.iter().all(|p| p.phone.is_some()) && so(world) {
            return Ok(());
        }
        tap(world);
        world.run_until(secs(8), |w| w.parties.iter().any(|p| p.phone.is_none()) || so(w));
    }
    Err(format!("{what} does not come about"))
}

fn alive(world: &mut World, party: usize) -> bool {
    world.parties[party].phone.is_some()
}

/// The whole story, with a death in it.
fn story(victim: usize, death: Option<Death>) -> Result<World, String> {
    let mut world = World::new(2, 60);
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    world.parties[victim].death = death;
    for party in [A, B] {
        world.parties[party].plays = false;
    }
    let links: Vec<_> = [("Anna", 0), ("Boris", 1)].map(|(n, o)| world.token(n, o)).into();
    insist(
        &mut world,
        "lines",
        |w| {
            for (party, link) in links.iter().enumerate() {
                let now = w.now;
                if alive(w, party) && w.parties[party].view(now).line == LineState::NotEnrolled {
                    let _ = w.command(party, Command::Enrol(link.clone()));
                }
            }
        },
        |w| {
            let now = w.now;
            [A, B].iter().all(|p| alive(w, *p) && w.parties[*p].view(now).line == LineState::Up)
        },
    )?;
    insist(
        &mut world,
        "a card",
        |w| {
            let now = w.now;
            if alive(w, A) && w.parties[A].view(now).cards.is_empty() {
                let (hint, ttl) = ("Boris".to_owned(), secs(86_400));
                let _ = w.command(A, Command::IssueCard { hint, in_person: true, ttl });
            }
        },
        |w| {
            let now = w.now;
            alive(w, A) && w.parties[A].view(now).cards.iter().any(|c| c.state == CardState::Issued)
        },
    )?;
    let now = world.now;
    let text = world.parties[A].view(now).cards[0].link.clone().unwrap();
    insist(
        &mut world,
        "a contact",
        |w| {
            let now = w.now;
            if alive(w, B) && w.parties[B].view(now).contacts.is_empty() {
                let _ = w.command(B, Command::RedeemCard { text: text.clone(), in_person: true });
            }
        },
        |w| {
            let now = w.now;
            [A, B].iter().all(|p| {
                alive(w, *p)
                    && w.parties[*p]
                        .view(now)
                        .contacts
                        .iter()
                        .any(|c| c.progress == Progress::Accepted)
            })
        },
    )?;
    for (from, to) in [(A, B), (B, A)] {
        insist(
            &mut world,
            "a call",
            |w| {
                if state(w, from).is_none_or(|s| matches!(s, CallState::Ended(_))) {
                    let _ = w.command(from, Command::Call { contact: 1 });
                }
                w.run_until(secs(3), |w| {
                    !alive(w, to) || !alive(w, from) || state(w, to) == Some(CallState::RingingHere)
                });
                if alive(w, to) && state(w, to) == Some(CallState::RingingHere) {
                    answer(w, to);
                }
            },
            |w| [A, B].iter().all(|p| alive(w, *p) && state(w, *p) == Some(CallState::Connected)),
        )?;
        let id = call(&mut world, to);
        let _ = world.command(to, Command::HangUp { call: id });
        world.run(secs(2));
        revive(&mut world);
    }
    world.run(secs(2));
    revive(&mut world);
    lines_up(&mut world);
    world.run(secs(3));
    world.parties[victim].death = None;
    revive(&mut world);
    lines_up(&mut world);
    Ok(world)
}

/// What must be so at the end of every story.
fn check(world: &mut World, what: &str) {
    let now = world.now;
    for party in [A, B] {
        let view = world.parties[party].view(now);
        assert_eq!(view.contacts.len(), 1, "{what}: one card, one contact");
        assert!(view.calls.iter().all(|c| matches!(c.state, CallState::Ended(_))), "{what}");
    }
    let (a, b) = (contact(world, A, 1).words.unwrap(), contact(world, B, 1).words.unwrap());
    assert!(a.0 == b.1 && a.1 == b.0, "{what}: the same words");
    // The envelope counters never went back: a message arrives.
    let before = world.parties[A].view(now).notes.len();
    world.command(B, Command::Note { contact: 1, text: "after all".into() }).unwrap();
    let came = world.run_until(secs(30), |w| {
        let now = w.now;
        w.parties[A].view(now).notes.len() == before + 1
    });
    assert!(came, "{what}: a note arrives");
}

fn at_every_batch(victim: usize, written: bool) {
    let mut world = story(victim, None).unwrap();
    let batches = world.parties[victim].batches;
    check(&mut world, "nobody dies");
    assert!(batches > 12, "the story has {batches} batches");
    for batch in 1..=batches {
        let what = format!("party {victim} dies at batch {batch}, written: {written}");
        let story = story(victim, Some(Death { batch, written }));
        let mut world = story.unwrap_or_else(|error| panic!("{what}: {error}"));
        check(&mut world, &what);
    }
}

#[test]
fn the_issuer_before_each_write() {
    at_every_batch(A, false);
}

#[test]
fn the_issuer_after_each_write() {
    at_every_batch(A, true);
}

#[test]
fn the_redeemer_before_each_write() {
    at_every_batch(B, false);
}

#[test]
fn the_redeemer_after_each_write() {
    at_every_batch(B, true);
}
