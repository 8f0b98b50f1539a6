//! What is played, and what was captured of it: the product in all its states, senders that leak beside it, then partners.
//!
//! ```text
//!  states ─┬─ pairs of handsets ─► lines, trunks ┐
//!          └─ leaky senders ─────► leaky         ├─ Captured ─► a file, and back ─► observe
//!  partners ─ product and relay ─► product, relay┘
//! ```
//!
//! A capture is all that the detectors see. The same capture gives the same figures, so that whoever doubts a figure, or has a
//! better detector, can look for himself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use super::capture::Run;
use super::leaky::{self, Door, Leak, Relaying, Sender, Sending};
use super::partners::{self, Partners};
use super::people::Room;
use super::{Plan, plot, progress, states};
use crate::cli::Failure;
use crate::host::Clock;
use crate::phone::sound::read_wav_bytes;

static SPEECH: &[u8] = include_bytes!("../../../assets/speech/caller.wav");

/// Most relabellings for one p-value.
const ROUNDS_MAX: usize = 1_000_000;
/// Lines of each leaky build.
const LEAKY_LINES: usize = 8;

/// Everything that an observer of all links had, in one run of the lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Captured {
    /// Made the orders of states, and makes all choices of the analysis.
    pub(super) seed: u64,
    /// Relabellings for each p-value.
    pub(super) rounds: usize,
    /// Senders had real-time priority.
    pub(super) real_time: bool,
    /// The two lines of each pair; up, then down.
    pub(super) lines: Vec<Run>,
    /// The trunk of each pair.
    pub(super) trunks: Vec<Run>,
    /// Senders that leak.
    pub(super) leaky: Vec<(Leak, Vec<Run>)>,
    /// Many who talk, through the product.
    pub(super) product: Partners,
    /// The same through a relay that forwards on arrival.
    pub(super) relay: Partners,
    /// The same where lines have cells only while somebody speaks.
    pub(super) spoken: Partners,
}

impl Captured {
    /// Writes it as JSON.
    pub(super) fn save(&self, file: std::fs::File, path: &Path) -> Result<(), Failure> {
        let mut to = std::io::BufWriter::new(file);
        let written = serde_json::to_writer(&mut to, self).map_err(std::io::Error::from);
        let flushed = written.and_then(|()| std::io::Write::flush(&mut to));
        Ok(flushed.map_err(|e| format!("cannot write {}: {e}", path.display()))?)
    }

    /// Reads what [`save`](Captured::save) wrote.
    pub(super) fn load(path: &Path) -> Result<Captured, Failure> {
        let wrong = |e: &dyn std::fmt::Display| format!("cannot read {}: {e}", path.display());
        let file = std::fs::File::open(path).map_err(|e| wrong(&e))?;
        let captured: Captured =
            serde_json::from_reader(std::io::BufReader::new(file)).map_err(|e| wrong(&e))?;
        match captured.is_whole() {
            true => Ok(captured),
            false => Err(wrong(&"it is not a whole capture of `hotline lab wire`").into()),
        }
    }

    /// Whether detectors find in it what they count on.
    fn is_whole(&self) -> bool {
        let mut own = self.lines.iter().chain(&self.trunks);
        let mut leaky = self.leaky.iter().flat_map(|(_, runs)| runs);
        (1..=ROUNDS_MAX).contains(&self.rounds)
            && !self.lines.is_empty()
            && own.all(|run| run.is_sound(2))
            && leaky.all(|run| run.is_sound(1))
            && self.product.is_whole()
            && self.relay.is_whole()
            && self.spoken.is_whole()
    }

    /// For the picture: the first of each.
    pub(super) fn rows(&self) -> Vec<plot::Row<'_>> {
        let product = self.lines.iter().take(1).map(|run| plot::Row { name: "Hotline", run });
        let leaky = self
            .leaky
            .iter()
            .filter_map(|(leak, runs)| Some(plot::Row { name: leak.name(), run: runs.first()? }));
        product.chain(leaky).collect()
    }
}

/// Leaky lines beside the product.
struct Leaky {
    door: Door,
    senders: Vec<(Leak, Sender)>,
}

impl Leaky {
    fn start(plan: &Plan, room: &Room, start: Instant) -> Result<Leaky, Failure> {
        let door = Door::open(Relaying::Clock)?;
        let lengths = Arc::new(leaky::lengths(&room.speech)?);
        let mut rng = ChaCha20Rng::seed_from_u64(plan.effort.seed ^ 0x1eac);
        let mut senders = Vec::new();
        let from = Instant::now() + Duration::from_secs(2);
        for leak in Leak::ALL {
            for _ in 0..LEAKY_LINES {
                let length = plan.states.stretch;
                let sending = Sending {
                    leak,
                    number: u32::try_from(senders.len()).unwrap_or(u32::MAX),
                    to: door.at,
                    key: door.key,
                    speech: room.speech.clone(),
                    lengths: lengths.clone(),
                    stretches: leaky::stretches(&mut rng, from, start, length, plan.leaky),
                    start,
                };
                senders.push((leak, Sender::start(sending)?));
            }
        }
        Ok(Leaky { door, senders })
    }

    fn stop(self, start: Instant) -> Result<Vec<(Leak, Vec<Run>)>, Failure> {
        let lines = self.senders.len();
        let mut runs: Vec<(Leak, Vec<Run>)> = Leak::ALL.map(|leak| (leak, Vec::new())).into();
        for (leak, sender) in self.senders {
            let run = sender.stop()?;
            runs.iter_mut().filter(|(l, _)| *l == leak).for_each(|(_, r)| r.push(run.clone()));
        }
        self.door.close(start, lines)?;
        Ok(runs)
    }
}

/// Plays everything, and captures it.
pub(super) fn play(plan: &Plan, start: Instant) -> Result<Captured, Failure> {
    let folder = tempfile::Builder::new().prefix("hotline-lab-").tempdir()?;
    let room = Room { clock: Clock::start(), speech: Arc::new(read_wav_bytes(SPEECH)?) };
    let states = &plan.states;
    let whole = states.pairs * states.states.len();
    let done = AtomicUsize::new(0);
    let tell = || {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(states.pairs * 2) {
            progress(start, &format!("{done} of {whole} stretches watched"));
        }
    };
    let mut leaky = None;
    let played = states::play(
        &folder.path().join("states"),
        &room,
        states,
        start,
        || {
            progress(
                start,
                &format!(
                    "{} pairs of handsets in {} offices are up; they go through {} states, each in an order of its own",
                    states.pairs,
                    2 * states.pairs + 1,
                    states.states.len()
                ),
            );
            leaky = Some(Leaky::start(plan, &room, start));
        },
        &tell,
    )?;
    let leaky = leaky.ok_or("the leaky senders were not started")??.stop(start)?;
    progress(
        start,
        &format!("{} pairs in two offices all talk, then are meddled with", plan.partners.pairs),
    );
    let partners = partners::play(&folder.path().join("partners"), &room, &plan.partners, start)?;
    Ok(Captured {
        seed: plan.effort.seed,
        rounds: plan.effort.rounds,
        real_time: crate::net::has_real_time(),
        lines: played.lines,
        trunks: played.trunks,
        leaky,
        product: partners.product,
        relay: partners.relay,
        spoken: partners.spoken,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    /// The least that is a capture.
    fn least() -> Value {
        let tick = super::super::states::LINE_TICK;
        let way = json!([[0, 255], [tick, 255]]);
        let link = json!({ "ways": [way, way], "tick": tick });
        let one_way = json!({ "ways": [way], "tick": tick });
        let stretches = json!([{ "state": "idle", "from": 0, "until": 10 * tick }]);
        let run = json!({ "stretches": stretches, "links": [link] });
        let partners = json!({
            "a": [link], "b": [link], "trunk": link, "meddled": [["Pass", "Drop"]],
            "talk": [0, 10 * tick], "slots": [10 * tick, 2 * tick],
        });
        json!({
            "seed": 1, "rounds": 100, "real_time": true, "lines": [run], "trunks": [run],
            "leaky": [["Steady", [{ "stretches": stretches, "links": [one_way] }]]],
            "product": partners, "relay": partners, "spoken": partners,
        })
    }

    fn is_taken(capture: &Value) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wire.json");
        std::fs::write(&path, capture.to_string()).unwrap();
        Captured::load(&path).is_ok()
    }

    #[test]
    fn a_capture_with_one_thing_that_detectors_cannot_work_with_is_refused() {
        assert!(is_taken(&least()));
        let day = super::super::capture::LONGEST;
        let wrong = [
            ("/rounds", json!(0)),
            ("/rounds", json!(u64::MAX)),
            ("/lines", json!([])),
            ("/lines/0/links", json!([])),
            ("/lines/0/links/0/tick", json!(0)),
            ("/lines/0/links/0/tick", json!(-20_000_000)),
            ("/lines/0/links/0/tick", json!(i64::MAX)),
            ("/lines/0/links/0/ways/1", json!([[9, 255], [8, 255]])),
            ("/lines/0/links/0/ways/1", json!([[-1, 255]])),
            ("/lines/0/links/0/ways/1", json!([[i64::MAX, 255]])),
            ("/lines/0/links/0/ways", json!([[]])),
            ("/trunks/0/links/0/ways", json!([])),
            ("/leaky/0/1/0/links/0/ways", json!([])),
            ("/lines/0/stretches/0/until", json!(-1)),
            ("/lines/0/stretches/0/until", json!(day + 1)),
            ("/product/a", json!([])),
            ("/product/meddled", json!([])),
            ("/relay/meddled/0", json!(vec!["Pass"; 1_001])),
            ("/relay/talk", json!([i64::MIN, i64::MAX])),
            ("/spoken/talk/1", json!(0)),
            ("/spoken/slots/0", json!(i64::MIN)),
            ("/spoken/slots/1", json!(1)),
            ("/spoken/slots/1", json!(i64::MAX)),
        ];
        for (at, value) in wrong {
            let mut capture = least();
            *capture.pointer_mut(at).unwrap() = value.clone();
            assert!(!is_taken(&capture), "{at} as {value}");
        }
    }
}
