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
//! | `capture`, `features` | what an observer has, and what of it a classifier is shown |
//! | `equal`, `learn`, `detect`, `timing`, `pairs`, `active` | detectors |
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
mod pairs;
mod partners;
mod people;
mod plot;
mod report;
mod states;
mod stats;
#[cfg(test)]
mod tests;
mod timing;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use capture::{Run, State};
use detect::{Effort, Finding, TASKS};
use leaky::{Door, Leak, Relaying, Sender, Sending};
use people::Room;

use crate::cli::Failure;
use crate::host::Clock;
use crate::phone::sound::read_wav_bytes;

pub use report::Report;

static SPEECH: &[u8] = include_bytes!("../../../assets/speech/caller.wav");

/// Lines of each leaky build.
const LEAKY_LINES: usize = 8;

/// What `hotline lab wire` is told.
#[derive(clap::Args, Clone, Debug)]
pub struct WireOptions {
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
    /// Draw idle and talking side by side into this SVG file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
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
        use State::{Hold, Idle, Ringing, Silence, Talking, Text, TwoCalls};
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
                    &[Ringing, Silence, Hold, Text, TwoCalls],
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
    let random = crate::host::seed()?.first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
    let seed = options.seed.unwrap_or(random);
    let plan = Plan::new(options, seed);
    // Whether it can be written is better known now than in four minutes.
    let open = |path: &PathBuf| {
        std::fs::File::create(path).map_err(|e| format!("cannot write {}: {e}", path.display()))
    };
    let picture = options.plot.as_ref().map(open).transpose()?;
    let start = Instant::now();
    progress(start, &format!("seed {seed}"));
    let (report, rows) = measure(&plan, start)?;
    print!("{}", report.table());
    if let (Some(mut file), Some(path)) = (picture, &options.plot) {
        let rows: Vec<plot::Row<'_>> =
            rows.iter().map(|(name, run)| plot::Row { name, run }).collect();
        file.write_all(plot::svg(&rows).as_bytes())
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

type Rows = Vec<(&'static str, Run)>;

/// Leaky lines beside the product.
struct Leaky {
    door: Door,
    senders: Vec<(Leak, Sender)>,
}

impl Leaky {
    fn start(plan: &Plan, room: &Room, start: Instant) -> Result<Leaky, Failure> {
        let door = Door::open(Relaying::Clock)?;
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

fn measure(plan: &Plan, start: Instant) -> Result<(Report, Rows), Failure> {
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
    let (product, relay) =
        partners::play(&folder.path().join("partners"), &room, &plan.partners, start)?;
    progress(start, "captured; the observer trains");

    let effort = plan.effort;
    let mut detectors = detect::classify("line", &played.lines, &tasks(plan), effort);
    detectors.extend(detect::classify("trunk", &played.trunks, &tasks(plan), effort));
    let jobs: Vec<(&'static str, &[Run], usize)> = vec![
        ("line up", &played.lines, 0),
        ("line down", &played.lines, 1),
        ("trunk", &played.trunks, 0),
        ("trunk back", &played.trunks, 1),
    ];
    let timing = detect::in_parallel(&jobs, |(link, runs, way)| {
        TASKS[..2]
            .iter()
            .flat_map(|t| timing::test(link, runs, *way, t, effort))
            .collect::<Vec<_>>()
    });
    detectors.extend(timing.into_iter().flatten());
    detectors.extend(pairs::find("lines of two offices", &product, effort));
    detectors.extend(active::find(&product, effort));
    progress(start, "the product is done; now what leaks");

    let mut found: Vec<Finding> = Vec::new();
    for (leak, runs) in &leaky {
        found.extend(detect::classify(leak.name(), runs, &tasks(plan)[..1], effort));
        found.extend(timing::test(leak.name(), runs, 0, &TASKS[0], effort));
    }
    let relay_name = "leaky: forwards on arrival";
    // Counts are the same on such a relay: only the other two are aimed at it.
    let aimed = |f: &Finding| f.detector != pairs::DETECTORS[0];
    found.extend(pairs::find(relay_name, &relay, effort).into_iter().filter(aimed));
    found.extend(active::find_on_relay(&relay, relay_name, effort));

    let mut report = Report {
        passed: false,
        max_auc: 0.5,
        max_auc_low: 0.5,
        max_auc_high: 0.5,
        min_p: 1.0,
        told_apart: 0,
        leaky_min_auc: 1.0,
        equality: equal::check(&played.lines, &played.trunks),
        real_time: crate::net::has_real_time(),
        pairs: states.pairs,
        partners: plan.partners.pairs,
        late_p99_us: late(&played),
        seconds: start.elapsed().as_secs_f64(),
        detectors,
        leaky: found,
    };
    report.decide();
    let mut rows: Rows = played.lines.into_iter().take(1).map(|run| ("Hotline", run)).collect();
    for (leak, runs) in leaky {
        rows.extend(runs.into_iter().take(1).map(|run| (leak.name(), run)));
    }
    Ok((report, rows))
}

/// The tasks whose windows fit into the plan's stretches.
fn tasks(plan: &Plan) -> Vec<detect::Task> {
    let long = plan.states.stretch >= Duration::from_secs(10);
    let fits = |task: &detect::Task| match long {
        true => *task,
        false => detect::Task { lengths: &[2], ..*task },
    };
    TASKS.iter().map(fits).collect()
}

/// 99th percentile of how late cells leave. Microseconds.
fn late(played: &states::Played) -> f64 {
    let mut late: Vec<f64> = played
        .lines
        .iter()
        .chain(&played.trunks)
        .flat_map(|run| &run.links)
        .flat_map(features::grids)
        .flat_map(|grid| grid.cells.into_iter().map(|c| c.late))
        .collect();
    late.sort_by(f64::total_cmp);
    stats::quantile(&late, 0.99)
}
