//! What happens in the demo, step by step.
#![allow(clippy::print_stdout, reason = "the demo shows its progress")]

use std::path::Path;
use std::time::{Duration, Instant};

use call::{CallState, End};
use phone::{Command, ContactView, Event};

use super::DemoOptions;
use super::measure;
use super::office::{Handset, Office, Offices};
use super::report::Report;
use crate::cli::Failure;
use crate::host::Clock;
use crate::net::Direction;
use crate::phone::sound::{Recorder, Recording, read_wav_bytes, write_wav};

/// How long any step may take before the demo says that it failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the line is watched in each state.
const WATCH: Duration = Duration::from_secs(2);
/// Silence after the speech, so that its end is heard.
const TAIL: Duration = Duration::from_millis(400);
/// Cells by which two windows may differ: one at each edge.
const EDGE: usize = 2;

static CALLER: &[u8] = include_bytes!("../../assets/speech/caller.wav");
static CALLEE: &[u8] = include_bytes!("../../assets/speech/callee.wav");

/// One line for each step, with the time that it took.
struct Progress {
    since: Instant,
}

impl Progress {
    fn done(&mut self, what: &str) {
        println!("  {:>6.2} s  {what}", self.since.elapsed().as_secs_f64());
        self.since = Instant::now();
    }
}

/// Plays the whole demo; the offices stay up.
pub(super) fn play(
    folder: &Path,
    options: &DemoOptions,
    clock: Clock,
) -> Result<(Report, Offices), Failure> {
    println!("Hotline: two offices on this machine, and a call between them\n");
    let mut step = Progress { since: Instant::now() };

    let ministry = Office::start(&folder.join("ministry"), "Ministry")?;
    let embassy = Office::start(&folder.join("embassy"), "Embassy")?;
    step.done("two exchanges are up: Ministry, Embassy");

    let (to_say, to_answer) = (read_wav_bytes(CALLER)?, read_wav_bytes(CALLEE)?);
    let speech = Duration::from_secs_f64(
        to_say.len().max(to_answer.len()) as f64 / voice::SAMPLE_RATE as f64,
    );
    let recorder = || Box::new(Recorder::new(clock.now(), None));
    let people = [("Anna", to_say.clone()), ("Boris", to_answer.clone())];
    let voice = |samples| Box::new(Recording::new(samples, false));
    let mut anna = Handset::start(&ministry, "Anna", clock, voice(to_say), recorder())?;
    let mut boris = Handset::start(&embassy, "Boris", clock, voice(to_answer), recorder())?;
    for handset in [&mut anna, &mut boris] {
        handset.wait("its line coming up", PATIENCE, |e| (*e == Event::LineUp).then_some(()))?;
    }
    step.done("a handset in each is enrolled: Anna, Boris; their lines are up and stay up");

    let contacts = exchange_cards(&mut anna, &mut boris, &mut step)?;
    let (a, b) = (contact(&anna, contacts.0)?, contact(&boris, contacts.1)?);
    let words = |view: &phone::View, id| {
        let found = view.contacts.iter().find(|c: &&ContactView| c.id == id);
        found.and_then(|c| {
            c.words.as_ref().map(|(mine, theirs)| (mine.to_string(), theirs.to_string()))
        })
    };
    let safety_words_match = match (words(&a, contacts.0), words(&b, contacts.1)) {
        (Some((anna_says, anna_picks)), Some((boris_says, boris_picks))) => {
            step.done(&format!("safety words: Anna says “{anna_says}”, Boris says “{boris_says}”"));
            anna_says == boris_picks && boris_says == anna_picks
        }
        _ => false,
    };
    for (handset, contact) in [(&anna, contacts.0), (&boris, contacts.1)] {
        handset.command(Command::Verify { contact, matches: safety_words_match })?;
    }
    let mls_ciphersuite = a
        .contacts
        .iter()
        .find(|c| c.id == contacts.0)
        .map(|c| c.suite.to_string())
        .ok_or("the contact is gone")?;

    for (handset, contact) in [(&mut anna, contacts.0), (&mut boris, contacts.1)] {
        handset.wait("keys for the next call", PATIENCE, |e| {
            (*e == Event::ContactReady { contact }).then_some(())
        })?;
    }
    let mut windows = vec![watch()];
    step.done("keys for the next call are in stock; the line was watched while idle");

    // The call.
    let tapped = clock.now();
    anna.command(Command::Call { contact: contacts.0 })?;
    let (rang, incoming) = boris.wait("ringing", PATIENCE, |e| match e {
        Event::Incoming { call, .. } => Some(*call),
        _ => None,
    })?;
    let ms = |from: wire::Time, to: wire::Time| to.since(from).as_secs_f64() * 1000.0;
    let tap_to_ring_ms = ms(tapped, rang.at);
    let (_, outgoing) = anna.wait("ringing there", PATIENCE, |e| match e {
        Event::Call { call, state: CallState::Ringing } => Some(*call),
        _ => None,
    })?;
    step.done(&format!("Anna taps Boris; it rings there after {tap_to_ring_ms:.0} ms"));
    windows.push(watch());

    let answered = clock.now();
    boris.command(Command::Answer { call: incoming })?;
    let heard = |call| move |e: &Event| (*e == Event::Voice { call }).then_some(());
    let (voice_back, ()) = boris.wait("the caller's voice", PATIENCE, heard(incoming))?;
    let (voice, ()) = anna.wait("the callee's voice", PATIENCE, heard(outgoing))?;
    let answer_to_voice_ms = ms(answered, voice.at);
    step.done(&format!("Boris answers; Anna hears him after {answer_to_voice_ms:.0} ms"));

    windows.push(watch());
    let talking = Instant::now() - WATCH;
    let left = (speech + TAIL).saturating_sub(WATCH);
    no_event(&mut anna, outgoing, left)?;
    step.done("both have spoken");
    // A call's voice is counted from its beginning.
    let heard_in_call = [anna.handle.view().voice, boris.handle.view().voice];

    anna.command(Command::HangUp { call: outgoing })?;
    boris.wait("the end of the call", PATIENCE, |e| {
        (*e == Event::Call { call: incoming, state: CallState::Ended(End::ByOther) }).then_some(())
    })?;
    step.done("Anna hangs up; both handsets say so");

    let idle_rates = anna.wire.rates(windows[0], WATCH);
    let rates = anna.wire.rates(talking, WATCH);
    let looks = |direction| {
        let seen = windows.iter().map(|from| anna.wire.between(*from, WATCH));
        seen.map(|seen| measure::look(&seen, direction)).collect::<Vec<_>>()
    };
    let (up, down) = (looks(Direction::Out), looks(Direction::In));
    let wire_looks_the_same = measure::same(&up, EDGE) && measure::same(&down, EDGE);
    if !wire_looks_the_same {
        println!("  up:   {up:?}\n  down: {down:?}");
    }

    let (anna, boris) = (anna.stop()?, boris.stop()?);
    let timelines = |left: &crate::phone::host::Left| {
        left.said.clone().zip(left.heard.clone()).ok_or("nothing was recorded")
    };
    let (anna_said, anna_heard) = timelines(&anna)?;
    let (boris_said, boris_heard) = timelines(&boris)?;
    if let Some(folder) = &options.recordings {
        std::fs::create_dir_all(folder)?;
        write_wav(&folder.join("anna-heard.wav"), anna_heard.samples())?;
        write_wav(&folder.join("boris-heard.wav"), boris_heard.samples())?;
    }
    let a_to_b = measure::hearing(&anna_said, &boris_heard)?;
    let b_to_a = measure::hearing(&boris_said, &anna_heard)?;
    step.done("what was heard is compared with what was said\n");

    let sum = |f: fn(&voice::Stats) -> u64| -> u64 { heard_in_call.iter().map(f).sum() };
    let lost = sum(|s| s.rebuilt + s.concealed);
    let report = Report {
        tap_to_ring_ms,
        answer_to_voice_ms,
        answer_to_voice_back_ms: ms(answered, voice_back.at),
        mouth_to_ear_ms: a_to_b.mouth_to_ear_ms.max(b_to_a.mouth_to_ear_ms),
        mouth_to_ear_a_to_b_ms: a_to_b.mouth_to_ear_ms,
        mouth_to_ear_b_to_a_ms: b_to_a.mouth_to_ear_ms,
        voice_cells_sent: sum(|s| s.played) + lost,
        voice_cells_lost: lost,
        pesq_a_to_b: a_to_b.pesq,
        pesq_b_to_a: b_to_a.pesq,
        stoi_a_to_b: a_to_b.stoi,
        stoi_b_to_a: b_to_a.stoi,
        safety_words_match,
        mls_ciphersuite,
        tls_group: anna.tls_group.unwrap_or_else(|| "unknown".into()),
        line_kbit_up: rates.up,
        line_kbit_down: rates.down,
        idle_kbit_up: idle_rates.up,
        idle_kbit_down: idle_rates.down,
        wire_looks_the_same,
    };
    Ok((report, Offices { offices: [ministry, embassy], people }))
}

/// Anna gives Boris a card in person; the numbers of the contacts that come of it.
fn exchange_cards(
    anna: &mut Handset,
    boris: &mut Handset,
    step: &mut Progress,
) -> Result<(u32, u32), Failure> {
    let ttl = Duration::from_secs(24 * 3600);
    anna.command(Command::IssueCard { hint: "Boris".into(), in_person: true, ttl })?;
    let (_, card) = anna.wait("the card", PATIENCE, |e| match e {
        Event::CardIssued { card } => Some(*card),
        _ => None,
    })?;
    let view = anna.handle.view();
    let link = view.cards.iter().find(|c| c.id == card).and_then(|c| c.link.clone());
    let text = link.ok_or("the card cannot be shown")?;
    step.done(&format!("Anna has made a card of {} characters, for one use", text.len()));
    boris.command(Command::RedeemCard { text, in_person: true })?;
    let (_, at_anna) = anna.wait("the card being redeemed", PATIENCE, |e| match e {
        Event::CardUsed { contact, .. } => Some(*contact),
        _ => None,
    })?;
    let (_, at_boris) = boris.wait("the contact", PATIENCE, |e| match e {
        Event::ContactAccepted { contact } => Some(*contact),
        _ => None,
    })?;
    step.done("Boris has redeemed it: each is the other's contact, with keys of their own");
    Ok((at_anna, at_boris))
}

/// The handset's view, once it shows the contact.
fn contact(handset: &Handset, id: u32) -> Result<std::sync::Arc<phone::View>, Failure> {
    let view = handset.handle.view();
    if view.contacts.iter().any(|c| c.id == id) {
        return Ok(view);
    }
    Err(format!("{}'s handset does not show the contact", handset.person).into())
}

/// Lets the line be as it is for [`WATCH`]; the window's start.
fn watch() -> Instant {
    let from = Instant::now();
    std::thread::sleep(WATCH);
    from
}

/// The call goes on for `time`.
fn no_event(handset: &mut Handset, call: u32, time: Duration) -> Result<(), Failure> {
    let ended = handset.wait("", time, |e| match e {
        Event::Call { call: c, state } if *c == call && *state != CallState::Connected => {
            Some(*state)
        }
        _ => None,
    });
    match ended {
        Ok((_, state)) => Err(format!("the call did not last: {state:?}").into()),
        Err(_) => Ok(()),
    }
}
