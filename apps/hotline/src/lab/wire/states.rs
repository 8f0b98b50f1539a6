//! The product through all its states: many pairs at once, each in an order of its own.
//!
//! ```text
//!  pair 0   idle ─ talking ─ hold ─ ringing ─ talking ─ idle ─ ...      each has its own two exchanges and trunk,
//!  pair 1   ringing ─ two calls ─ idle ─ text ─ ...                     and its own clocks
//!  ...                                                                  one third office for second calls and conferences
//! ```
//!
//! The order of each pair is drawn at random, so that what the machine does meanwhile falls on all states alike.

use std::path::Path;
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::capture::{self, Link, Run, State, Stretch, Way, since};
use super::people::{Line, Pair, Room, introduce, office};
use super::stats::{below, shuffle};
use crate::cli::Failure;
use crate::demo::measure::WireLog;
use crate::demo::office::Office;
use crate::net::{ConnId, Direction, DoorId, Tapped};

/// How long a command's own window is, and how long nothing else is looked at after one.
const COMMAND: Duration = Duration::from_secs(2);
/// From the last command to the next stretch, at least.
const SETTLE: Duration = Duration::from_millis(700);
/// Pairs for each person of the third office.
const SHARE: usize = 2;
/// People of the third office.
const THIRD: [&str; 4] = ["Cleo", "Carl", "Cora", "Cyril"];

/// What is played.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Pairs of handsets.
    pub(super) pairs: usize,
    /// Each pair is in each of these once, in random order.
    pub(super) states: Vec<State>,
    /// How long in each.
    pub(super) stretch: Duration,
    /// Orders and pauses come from it.
    pub(super) seed: u64,
}

/// What was captured.
pub(super) struct Played {
    /// The two lines of each pair; up, then down.
    pub(super) lines: Vec<Run>,
    /// The trunk of each pair.
    pub(super) trunks: Vec<Run>,
}

struct Offices {
    a: (Office, WireLog),
    b: (Office, WireLog),
    pair: Pair,
}

fn set_up(folder: &Path, room: &Room, third: &Third, n: usize) -> Result<Offices, Failure> {
    let a = office(&folder.join("a"), "Ministry")?;
    let b = office(&folder.join("b"), "Embassy")?;
    let mut anna = Line::new(&a.0, "Anna", room, None)?;
    let mut boris = Line::new(&b.0, "Boris", room, None)?;
    let (to_b, _) = introduce(&mut anna.handset, &mut boris.handset)?;
    let mut pair = Pair::new(anna, boris, to_b);
    if let Some(c) = third.people.get(n / SHARE % third.people.len().max(1)) {
        let mut person = c.lock().map_err(|_| "another pair failed")?;
        let (to_c, _) = introduce(&mut pair.a.handset, &mut person.handset)?;
        pair.third = Some((to_c, c.clone()));
    }
    Ok(Offices { a, b, pair })
}

/// Whether somebody of the third office is in it.
fn needs_third(state: State) -> bool {
    matches!(state, State::TwoCalls | State::Conference)
}

/// The third office, for second calls and for calls of three.
struct Third {
    office: Office,
    people: Vec<Arc<Mutex<Line>>>,
}

impl Third {
    fn start(folder: &Path, room: &Room, plan: &Plan) -> Result<Third, Failure> {
        let office = office(folder, "Consulate")?.0;
        let calls = plan.states.iter().any(|s| needs_third(*s));
        let wanted = if calls { plan.pairs.div_ceil(SHARE) } else { 0 };
        let people = THIRD.iter().take(wanted);
        let people = people.map(|p| Ok(Arc::new(Mutex::new(Line::new(&office, p, room, None)?))));
        let people = people.collect::<Result<_, Failure>>()?;
        Ok(Third { office, people })
    }

    fn stop(self) -> Result<(), Failure> {
        for person in self.people {
            let line = Arc::into_inner(person).and_then(|m| m.into_inner().ok());
            line.map(|line| line.handset.stop()).transpose()?;
        }
        self.office.stop()
    }
}

/// Plays `plan` in `folder`; `told` hears of each stretch.
pub(super) fn play(
    folder: &Path,
    room: &Room,
    plan: &Plan,
    start: Instant,
    ready: impl FnOnce(),
    told: &(impl Fn() + Sync),
) -> Result<Played, Failure> {
    let third = Third::start(&folder.join("third"), room, plan)?;
    let failed = Mutex::new(None);
    // All pairs are set up before any begins, and all are done before any stops.
    let (begin, end) = (Barrier::new(plan.pairs + 1), Barrier::new(plan.pairs));
    let runs: Vec<Option<(Run, Run)>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.pairs)
            .map(|n| {
                let (third, failed, begin, end) = (&third, &failed, &begin, &end);
                let folder = folder.join(n.to_string());
                scope.spawn(move || {
                    let mut offices = set_up(&folder, room, third, n);
                    begin.wait();
                    let stretches = match &mut offices {
                        Ok(offices) => script(&mut offices.pair, plan, n, start, told),
                        Err(_) => Ok(Vec::new()),
                    };
                    end.wait();
                    let run = offices.and_then(|o| finish(o, stretches?, start));
                    run.map_err(|e| failed.lock().map(|mut f| f.get_or_insert(e).to_string())).ok()
                })
            })
            .collect();
        begin.wait();
        ready();
        threads.into_iter().map(|t| t.join().ok().flatten()).collect()
    });
    if let Ok(Some(why)) = failed.into_inner() {
        return Err(why);
    }
    third.stop()?;
    let runs: Option<Vec<(Run, Run)>> = runs.into_iter().collect();
    let (lines, trunks) = runs.ok_or("a pair of the lab panicked")?.into_iter().unzip();
    Ok(Played { lines, trunks })
}

fn script(
    pair: &mut Pair,
    plan: &Plan,
    n: usize,
    start: Instant,
    told: &impl Fn(),
) -> Result<Vec<Stretch>, Failure> {
    let mut rng = ChaCha20Rng::seed_from_u64(plan.seed ^ (n as u64 + 1) << 32);
    let mut order = plan.states.clone();
    shuffle(&mut rng, &mut order);
    std::thread::sleep(Duration::from_millis(below(&mut rng, 2_500) as u64));
    let mut stretches = Vec::new();
    // A stretch begins when its commands have settled, and at no round time after them.
    let mut pause = || SETTLE + Duration::from_millis(below(&mut rng, 300) as u64);
    for state in order {
        let pause = pause();
        let mut begin = |commanded: Option<Instant>| {
            let mut from = Instant::now() + pause;
            if let Some(at) = commanded {
                from = from.max(at + COMMAND);
                stretches.push(Stretch {
                    state: State::Change,
                    from: since(start, at),
                    until: since(start, at + COMMAND),
                });
            }
            let until = from + plan.stretch;
            stretches.push(Stretch { state, from: since(start, from), until: since(start, until) });
            until
        };
        if needs_third(state) {
            pair.with_third(state, |commanded| {
                let until = begin(commanded);
                std::thread::sleep(until.saturating_duration_since(Instant::now()));
                Ok(())
            })?;
        } else {
            let commanded = pair.enter(state)?;
            let until = begin(commanded);
            pair.stay(state, until)?;
        }
        told();
    }
    pair.enter(State::Idle)?;
    Ok(stretches)
}

/// Connections of one door, in the order in which they came up.
pub(super) fn connections(seen: &[Tapped], line: bool) -> Vec<(ConnId, Vec<&Tapped>)> {
    let mut found: Vec<(ConnId, Vec<&Tapped>)> = Vec::new();
    let out = seen.iter().filter(|t| t.direction == Direction::Out);
    for tapped in out.filter(|t| (t.door == DoorId::FIRST) == line) {
        let Some(conn) = tapped.conn else { continue };
        match found.iter_mut().find(|(c, _)| *c == conn) {
            Some((_, datagrams)) => datagrams.push(tapped),
            None => found.push((conn, vec![tapped])),
        }
    }
    found
}

/// The line that an exchange has, from it to its handset; it must have been one and the same all the time.
fn only(start: Instant, seen: &[Tapped]) -> Result<Way, Failure> {
    match &connections(seen, true)[..] {
        [(_, line)] => Ok(capture::way(start, line.iter().copied())),
        found => Err(format!(
            "a line went down while it was watched ({} connections): this machine is too busy; try again when it is idle",
            found.len()
        )
        .into()),
    }
}

/// A tick of a line. Nanoseconds.
pub(super) const LINE_TICK: i64 = 20_000_000;
/// A tick of a trunk. Nanoseconds.
pub(super) const TRUNK_TICK: i64 = 10_000_000;

fn finish(
    offices: Offices,
    stretches: Vec<Stretch>,
    start: Instant,
) -> Result<(Run, Run), Failure> {
    let Offices { a, b, pair } = offices;
    let ups = [&pair.a, &pair.b].map(|line| capture::way(start, &line.handset.wire.all()));
    let seen = [a.1.all(), b.1.all()];
    let mut lines = Vec::new();
    for (up, exchange) in ups.into_iter().zip(&seen) {
        lines.push(Link { ways: vec![up, only(start, exchange)?], tick: LINE_TICK });
    }
    // The pair's own trunk came up first; the one to the third office after it.
    let trunk = seen.iter().map(|exchange| {
        let found = connections(exchange, false);
        found.first().map(|(_, trunk)| capture::way(start, trunk.iter().copied()))
    });
    let ways = trunk.collect::<Option<Vec<Way>>>().ok_or("an exchange has no trunk")?;
    let trunk = Link { ways, tick: TRUNK_TICK };
    pair.stop()?;
    a.0.stop()?;
    b.0.stop()?;
    let trunks = Run { stretches: stretches.clone(), links: vec![trunk] };
    Ok((Run { stretches, links: lines }, trunks))
}
