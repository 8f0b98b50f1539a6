//! `hotline lab wire`: the observer of every link (adversary A1), against the product and against senders that leak.
//!
//! ```text
//!  people, states ─┬─ real exchanges and handsets ─ taps ─► capture ─► features ─► learn, timing ┐
//!                  └─ leaky senders beside them ──── taps ─►    "           "           "        ├► stats ─► report, plot
//!  partners ─── all talk; then some are meddled with ─────► capture ─► pairs, active ────────────┘
//! ```
//!
//! | file | is |
//! |---|---|
//! | `people`, `states`, `partners` | what is played, on loopback sockets |
//! | `leaky`, `meddler` | senders and a relay that leak; somebody who drops and delays |
//! | `play` | all of that in one go; and what was captured, kept in a file and looked at again |
//! | `capture`, `features` | what an observer has, and what of it a classifier is shown |
//! | `equal`, `learn`, `detect`, `timing`, `pairs`, `active` | detectors |
//! | `observe` | all detectors, on one capture |
//! | `stats` | AUC, intervals, permutations, Holm |
//! | `report`, `plot` | what was found |
//!
//! Everything runs at the same time on the same machine, so that the leaky senders, which have to be found, are looked at
//! through the same noise as the product, which must not.

mod active;
mod capture;
mod detect;
mod equal;
mod features;
mod leaky;
mod learn;
mod meddler;
mod observe;
mod pairs;
mod partners;
mod people;
mod play;
mod plot;
mod report;
mod states;
mod stats;
#[cfg(test)]
mod tests;
mod timing;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use capture::State;
use detect::Effort;
use play::Captured;

use crate::cli::Failure;

pub use report::Report;

/// What `hotline lab wire` is told.
#[derive(clap::Args, Clone, Debug)]
pub struct WireOptions {
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
    /// Draw idle and talking side by side into this SVG file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Keep what was captured (times, sizes, states: no content) in this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
    /// Look again at what was captured before, with the choices of that run
    #[arg(long, value_name = "FILE", conflicts_with_all = ["capture", "brief", "pairs", "seed"])]
    pub replay: Option<PathBuf>,
    /// Half a minute with a few handsets: finds large leaks only
    #[arg(long)]
    pub brief: bool,
    /// Pairs of handsets [default: 8, brief: 4]
    #[arg(long, value_parser = clap::value_parser!(u8).range(4..=40))]
    pub pairs: Option<u8>,
    /// Makes the orders of states and all choices of the analysis; printed if it is not given
    #[arg(long)]
    pub seed: Option<u64>,
}

/// What is played, and how hard it is looked at.
struct Plan {
    states: states::Plan,
    partners: partners::Plan,
    effort: Effort,
    /// Stretches of each state in a leaky line.
    leaky: usize,
}

impl Plan {
    fn new(options: &WireOptions, seed: u64) -> Plan {
        use State::{Conference, Hold, Idle, Ringing, Silence, Talking, Text, TwoCalls};
        let seconds = Duration::from_secs_f64;
        let effort = Effort { rounds: 50_000, seed };
        let pairs = |usual| options.pairs.map_or(usual, usize::from);
        if options.brief {
            return Plan {
                states: states::Plan {
                    pairs: pairs(4),
                    states: vec![Idle, Ringing, Talking, Hold],
                    stretch: seconds(4.1),
                    seed,
                },
                partners: partners::Plan {
                    pairs: 4,
                    talk: seconds(4.0),
                    slot: seconds(0.4),
                    slots: 8,
                    seed,
                },
                effort,
                leaky: 2,
            };
        }
        Plan {
            states: states::Plan {
                // Few enough that two cores are not kept busy: who is late for want of a core hides what is looked for.
                pairs: pairs(8),
                // What matters most stands three times.
                states: [
                    [Idle; 3].as_slice(),
                    &[Talking; 3],
                    &[Ringing, Silence, Hold, Text, TwoCalls, Conference],
                ]
                .concat(),
                stretch: seconds(10.1),
                seed,
            },
            partners: partners::Plan {
                pairs: partners::PAIRS_MAX,
                talk: seconds(20.0),
                slot: seconds(1.0),
                slots: 8,
                seed,
            },
            effort,
            leaky: 4,
        }
    }
}

/// Tells a person at the terminal how it goes.
#[allow(clippy::print_stderr, reason = "progress goes to standard error")]
fn progress(start: Instant, what: &str) {
    eprintln!("  {:>5.0} s  {what}", start.elapsed().as_secs_f64());
}

/// Runs the lab.
///
/// # Errors
/// Something can be told apart, a leak was not found, or the lab could not be run.
#[allow(clippy::print_stdout, reason = "the report goes to standard output")]
pub fn run(options: &WireOptions) -> Result<(), Failure> {
    // Whether they can be written is better known now than in four minutes.
    let open = |path: &PathBuf| {
        std::fs::File::create(path).map_err(|e| format!("cannot write {}: {e}", path.display()))
    };
    let picture = options.plot.as_ref().map(open).transpose()?;
    let kept = options.capture.as_ref().map(open).transpose()?;
    let start = Instant::now();
    let captured = match &options.replay {
        Some(path) => Captured::load(path)?,
        None => {
            let random = crate::host::seed()?.first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
            let seed = options.seed.unwrap_or(random);
            progress(start, &format!("seed {seed}"));
            play::play(&Plan::new(options, seed), start)?
        }
    };
    if let (Some(file), Some(path)) = (kept, &options.capture) {
        captured.save(file, path)?;
        println!("What was captured: {}", path.display());
    }
    progress(start, "captured; the observer trains");
    let report = observe::look(&captured, start);
    print!("{}", report.table());
    if let (Some(mut file), Some(path)) = (picture, &options.plot) {
        file.write_all(plot::svg(&captured.rows()).as_bytes())
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        println!("Idle and talking side by side: {}", path.display());
    }
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    }
    match report.failures()[..] {
        [] => Ok(()),
        _ => Err(report.failures().join("\n  ").into()),
    }
}
