//! `hotline lab probe`: can the state of an address be told from how long an exchange takes? Real sockets, disk, keys.
//!
//! ```text
//!  people    handsets of those whose addresses are asked about: eight states
//!  prober    exchanges that ask: a former contact, whose key fits, and an outsider, whose key does not
//!  target    the exchange as it is; and a leaky one, which must be found out, or the run has proved nothing
//!  tell      each state against the others: permutations within blocks, corrected after Holm
//! ```
//!
//! What is compared are times alone. That bytes and sizes are the same, and that nothing differs in virtual time, the
//! tests of crate `exchange` show (`tests/probing.rs`).
#![allow(clippy::print_stdout, reason = "the measurement is the output")]

mod people;
mod prober;
mod target;
mod tell;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use seal::pairwise::PairwiseKey;
use serde::Serialize;

use crate::cli::Failure;
use people::{PEOPLE, People};
use prober::{Prober, Question};
use target::Target;
use tell::Block;

/// What can be the matter with an address.
const STATES: [&str; 8] =
    ["unknown", "revoked", "expired", "used", "offline", "busy", "declining", "ruled"];
/// Those that are bound to somebody: what the leaky exchange gives away.
const BOUND: [bool; 8] = [false, false, false, false, true, true, true, true];
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// A difference is one if chance gives it so rarely, over all comparisons together.
const LEVEL: f64 = 0.001;
/// Most permutations of one comparison.
const PERMUTATIONS: u32 = 100_000;

/// What `hotline lab probe` is told.
#[derive(Clone, Debug, clap::Args)]
pub struct ProbeOptions {
    /// How often each exchange asks about each state in each way
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(4..=1000))]
    pub rounds: u16,
    /// Exchanges that ask at the same time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..=16))]
    pub probers: u8,
    /// Print one JSON object instead of the table
    #[arg(long)]
    pub json: bool,
}

/// One state against the others.
#[derive(Clone, Debug, Serialize)]
struct Compared {
    prober: &'static str,
    question: &'static str,
    state: &'static str,
    /// Median of its times. ms.
    median_ms: f64,
    /// Largest distance of the distributions, 0 to 1.
    distance: f64,
    /// How often chance gives as much, corrected for all comparisons.
    p: f64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
struct Report {
    samples_per_state: usize,
    comparisons: usize,
    /// The smallest p of all, corrected.
    smallest_p: f64,
    /// What was told apart: nothing may be.
    told_apart: Vec<String>,
    /// The p at which the leaky exchange was found out.
    leaky_p: f64,
    level: f64,
    compared: Vec<Compared>,
}

/// Measures, and prints.
///
/// # Errors
/// What kept it from measuring; that states were told apart; that the leaky exchange was not found out.
pub fn run(options: &ProbeOptions) -> Result<(), Failure> {
    let mut rng = ChaCha20Rng::from_seed(crate::host::seed()?);
    let leaky_p = found_out(options, &mut rng)?;
    let report = measure(options, leaky_p, &mut rng)?;
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", table(&report));
    }
    if leaky_p > LEVEL {
        return Err("the leaky exchange was not found out: this run proves nothing. Run it again \
                    with more --rounds, or when the machine is less busy"
            .into());
    }
    match report.told_apart.is_empty() {
        true => Ok(()),
        false => Err("states of addresses can be told apart by time".into()),
    }
}

/// Probers in threads; the blocks of all.
fn ask(
    target: &Target,
    key: u8,
    probers: u8,
    plan: &[(Question, u16)],
    rng: &mut ChaCha20Rng,
) -> Result<Vec<Vec<Block>>, Failure> {
    let blocks = Mutex::new(vec![Vec::new(); plan.len()]);
    let done: Result<Vec<()>, String> = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for _ in 0..probers {
            let Ok(rng) = ChaCha20Rng::from_rng(&mut *rng) else { continue };
            let blocks = &blocks;
            threads.push(scope.spawn(move || -> Result<(), Failure> {
                let key = PairwiseKey::from_bytes(&[key; 32]);
                let mut prober = Prober::dial(target, key, rng)?;
                let most = plan.iter().map(|(_, n)| *n).max().unwrap_or(0);
                for round in 0..most {
                    for (n, (question, _)) in
                        plan.iter().enumerate().filter(|(_, (_, rounds))| round < *rounds)
                    {
                        let block = prober.block(*question)?;
                        if let Ok(mut blocks) = blocks.lock() {
                            blocks[n].push(block);
                        }
                    }
                }
                Ok(())
            }));
        }
        let joined = threads.into_iter().map(|t| match t.join() {
            Ok(result) => result.map_err(|e| e.to_string()),
            Err(_) => Err("a prober panicked".to_owned()),
        });
        joined.collect()
    });
    done?;
    Ok(blocks.into_inner().unwrap_or_default())
}

/// With the key of the people's contact, or with another one.
const CONTACT: u8 = 71;
const OUTSIDER: u8 = 72;

/// Redemptions that one trunk may try at once; above that it is told the same without a look at the address.
const REDEEMS: u16 = 4;

/// Runs `asked` against an exchange with people in it, and ends both.
fn with<T>(
    target: Target,
    rng: &mut ChaCha20Rng,
    asked: impl FnOnce(&Target, &mut ChaCha20Rng) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let contact = PairwiseKey::from_bytes(&[CONTACT; 32]).public();
    let mut own = ChaCha20Rng::from_seed(crate::host::seed()?);
    let (stop, (ready, settled)) = (AtomicBool::new(false), mpsc::channel());
    let (result, lived) = std::thread::scope(|scope| {
        let (target, stop) = (&target, &stop);
        // Sockets stay in the thread that made them.
        let people = scope.spawn(move || -> Result<(), Failure> {
            let mut people = People::settle(target, contact, &mut own)?;
            // Whoever waits for it has gone only if the whole has failed.
            let _ = ready.send(());
            while !stop.load(Ordering::Relaxed) {
                people.turn()?;
            }
            Ok(())
        });
        let result = settled.recv().ok().map(|()| asked(target, rng));
        stop.store(true, Ordering::Relaxed);
        (result, people.join())
    });
    target.stop()?;
    lived.map_err(|_| "the handsets' thread panicked")??;
    result.unwrap_or_else(|| Err("the handsets did not settle".into()))
}

/// The leaky exchange: how sure it is that its answers differ. One prober, so that no answer waits for another.
fn found_out(options: &ProbeOptions, rng: &mut ChaCha20Rng) -> Result<f64, Failure> {
    let dir = tempfile::tempdir()?;
    let target = target::leaky(&dir.path().join("leaky"), &PEOPLE)?;
    let rounds = options.rounds.clamp(6, 12);
    let plan = [(Question::Mail, rounds)];
    let blocks = with(target, rng, |target, rng| ask(target, CONTACT, 1, &plan, rng))?;
    Ok(tell::compare(&blocks[0], &BOUND, PERMUTATIONS, rng).p)
}

fn measure(options: &ProbeOptions, leaky_p: f64, rng: &mut ChaCha20Rng) -> Result<Report, Failure> {
    let dir = tempfile::tempdir()?;
    let target = target::product(&dir.path().join("product"), &PEOPLE)?;
    let plan = [
        (Question::Open, options.rounds),
        (Question::Mail, options.rounds),
        (Question::Redeem, options.rounds.min(REDEEMS)),
    ];
    let probers = [("former contact", CONTACT), ("outsider", OUTSIDER)];
    let seen = with(target, rng, |target, rng| {
        probers
            .iter()
            .map(|(_, key)| ask(target, *key, options.probers, &plan, rng))
            .collect::<Result<Vec<_>, Failure>>()
    })?;
    let mut compared = Vec::new();
    for ((prober, _), blocks) in probers.iter().zip(&seen) {
        for ((question, _), blocks) in plan.iter().zip(blocks) {
            for (state, name) in STATES.iter().enumerate() {
                let group: Vec<bool> = (0..STATES.len()).map(|s| s == state).collect();
                let verdict = tell::compare(blocks, &group, PERMUTATIONS, rng);
                compared.push(Compared {
                    prober,
                    question: question.name(),
                    state: name,
                    median_ms: median(blocks.iter().map(|block| block[state])),
                    distance: verdict.distance,
                    p: verdict.p,
                });
            }
        }
    }
    let adjusted = tell::holm(&compared.iter().map(|c| c.p).collect::<Vec<_>>());
    for (one, p) in compared.iter_mut().zip(&adjusted) {
        one.p = *p;
    }
    let apart = compared.iter().filter(|c| c.p <= LEVEL);
    Ok(Report {
        samples_per_state: usize::from(options.rounds) * usize::from(options.probers),
        comparisons: compared.len(),
        smallest_p: adjusted.iter().copied().fold(1.0, f64::min),
        told_apart: apart
            .map(|c| format!("{} by {} of {}", c.state, c.question, c.prober))
            .collect(),
        leaky_p,
        level: LEVEL,
        compared,
    })
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(0.0)
}

fn table(report: &Report) -> String {
    use std::fmt::Write;
    let mut text = format!(
        "{:<16} {:<8} {:<10} {:>10} {:>9} {:>8}\n",
        "prober", "asks to", "state", "median ms", "distance", "p"
    );
    for c in &report.compared {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<16} {:<8} {:<10} {:>10.2} {:>9.3} {:>8.4}",
            c.prober, c.question, c.state, c.median_ms, c.distance, c.p
        );
    }
    let apart = match report.told_apart.is_empty() {
        true => "nothing is told apart".to_owned(),
        false => format!("TOLD APART: {}", report.told_apart.join(", ")),
    };
    let _ = writeln!(
        text,
        "\n{apart} (p of all {} comparisons together, after Holm; level {}).\n\
         The leaky exchange was found out at p = {:.5}.",
        report.comparisons, report.level, report.leaky_p
    );
    text
}
