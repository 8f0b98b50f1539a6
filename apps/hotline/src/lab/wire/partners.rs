//! Two offices with many people who all talk: which of them talk to each other? And does one line move when somebody
//! meddles with another?
//!
//! ```text
//!  A0..A7 ─ meddler ─ exchange ══ one trunk ══ exchange ─ B0..B7      all talk for a while, left alone;
//!  such lines of the lab's own, through relays on arrival             then the ways up of A0..A7 are meddled with
//! ```

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::capture::{self, LONGEST, Link, State, Stretch, Way, since};
use super::leaky::{Door, Leak, Relaying, Sender, Sending};
use super::meddler::{self, Meddler, Meddling};
use super::people::{Line, Pair, Room, introduce, office};
use super::states::{LINE_TICK, TRUNK_TICK, connections};
use super::stats::{below, shuffle};
use crate::cli::Failure;
use crate::net::Tapped;

const A: [&str; 8] = ["Ada", "Ben", "Cem", "Dora", "Elif", "Fay", "Gus", "Hal"];
const B: [&str; 8] = ["Ida", "Jan", "Kim", "Lea", "Mia", "Nat", "Olga", "Per"];
/// Most pairs.
pub(super) const PAIRS_MAX: usize = A.len();

/// Most slots in which one line is meddled with.
const SLOTS_MAX: usize = 1_000;
/// In nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// What is played.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Pairs, up to [`PAIRS_MAX`].
    pub(super) pairs: usize,
    /// How long all talk undisturbed.
    pub(super) talk: Duration,
    /// Length of a slot of meddling.
    pub(super) slot: Duration,
    /// Slots of each kind of meddling.
    pub(super) slots: usize,
    /// Draws the slots.
    pub(super) seed: u64,
}

/// What was captured.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Partners {
    /// Lines of the callers: up, down. The nth calls the nth of `b`.
    pub(super) a: Vec<Link>,
    /// Lines of the called: up, down.
    pub(super) b: Vec<Link>,
    /// The trunk between, if there is one.
    pub(super) trunk: Option<Link>,
    /// When all talked undisturbed.
    pub(super) talk: (i64, i64),
    /// When meddling began, and how long a slot was.
    pub(super) slots: (i64, i64),
    /// What was done to each of `a`, slot by slot.
    pub(super) meddled: Vec<Vec<Meddling>>,
}

impl Partners {
    /// Whether each has its partner, and what was done to it.
    pub(super) fn is_whole(&self) -> bool {
        let mut all = self.a.iter().chain(&self.b).chain(&self.trunk);
        let ((from, until), (begin, slot)) = (self.talk, self.slots);
        all.all(|link| link.is_sound(2))
            && (1..=PAIRS_MAX).contains(&self.a.len())
            && self.a.len() == self.b.len()
            && self.a.len() == self.meddled.len()
            && self.meddled.iter().all(|slots| slots.len() <= SLOTS_MAX)
            && 0 <= from
            && from.saturating_add(LINE_TICK) < until
            && until <= LONGEST
            && (0..=LONGEST).contains(&begin)
            && (LINE_TICK..=60 * SECOND).contains(&slot)
    }
}

/// Undisturbed, then meddled with.
struct Course {
    talk: (i64, i64),
    slots: (i64, i64),
    meddled: Vec<Vec<Meddling>>,
}

fn course(plan: &Plan, meddlers: &[&Meddler], start: Instant) -> Course {
    let from = Instant::now() + Duration::from_millis(500);
    let until = from + plan.talk;
    std::thread::sleep(until.saturating_duration_since(Instant::now()));
    let mut rng = ChaCha20Rng::seed_from_u64(plan.seed);
    let kinds = [Meddling::Pass, Meddling::Drop, Meddling::Delay];
    let meddled: Vec<Vec<Meddling>> = (0..plan.pairs)
        .map(|_| {
            let mut slots: Vec<Meddling> =
                kinds.iter().flat_map(|kind| vec![*kind; plan.slots]).collect();
            shuffle(&mut rng, &mut slots);
            slots
        })
        .collect();
    let begin = Instant::now() + Duration::from_millis(300);
    for meddler in meddlers {
        meddler.meddle(meddler::Plan { from: begin, slot: plan.slot, lines: meddled.clone() });
    }
    let count = u32::try_from(plan.slots * kinds.len()).unwrap_or(u32::MAX);
    let end = begin + plan.slot * count;
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    let slot = i64::try_from(plan.slot.as_nanos()).unwrap_or(i64::MAX);
    Course {
        talk: (since(start, from), since(start, until)),
        slots: (since(start, begin), slot),
        meddled,
    }
}

/// What was captured, three times at the same time.
pub(super) struct Played {
    /// The product.
    pub(super) product: Partners,
    /// A relay that forwards on arrival what comes on constant lines.
    pub(super) relay: Partners,
    /// The same where lines have cells only while somebody speaks.
    pub(super) spoken: Partners,
}

/// Plays `plan` on the product, and beside it on relays that forward on arrival.
pub(super) fn play(
    folder: &Path,
    room: &Room,
    plan: &Plan,
    start: Instant,
) -> Result<Played, Failure> {
    let (north, north_log) = office(&folder.join("north"), "Ministry")?;
    let (south, south_log) = office(&folder.join("south"), "Embassy")?;
    let meddler = Meddler::start(north.exchange.line, plan.pairs)?;
    // One after the other: the exchange's connections come in the order of people.
    let mut pairs = Vec::new();
    for n in 0..plan.pairs {
        let mut a = Line::new(&north, A[n], room, Some(meddler.doors[n]))?;
        let mut b = Line::new(&south, B[n], room, None)?;
        let (to_b, _) = introduce(&mut a.handset, &mut b.handset)?;
        pairs.push(Pair::new(a, b, to_b));
    }
    let relay = Relayed::start(Leak::Steady, plan, room, start)?;
    let spoken = Relayed::start(Leak::OnDemand, plan, room, start)?;
    for pair in &mut pairs {
        pair.enter(State::Talking)?;
    }
    let course = course(plan, &[&meddler, &relay.meddler], start);
    for pair in &mut pairs {
        pair.enter(State::Idle)?;
    }

    let ups = |side: fn(&Pair) -> &Line| -> Vec<Way> {
        pairs.iter().map(|p| capture::way(start, &side(p).handset.wire.all())).collect()
    };
    let (up_a, up_b) = (ups(|p| &p.a), ups(|p| &p.b));
    let (north_seen, south_seen) = (north_log.all(), south_log.all());
    let (down_a, down_b) =
        (downs(start, &north_seen, plan.pairs)?, downs(start, &south_seen, plan.pairs)?);
    let trunk: Vec<Way> = [&north_seen, &south_seen]
        .iter()
        .flat_map(|seen| connections(seen, false).into_iter().take(1))
        .map(|(_, t)| capture::way(start, t.iter().copied()))
        .collect();
    let product = Partners {
        a: lines(up_a, down_a),
        b: lines(up_b, down_b),
        trunk: Some(Link { ways: trunk, tick: TRUNK_TICK }),
        talk: course.talk,
        slots: course.slots,
        meddled: course.meddled.clone(),
    };
    for pair in pairs {
        pair.stop()?;
    }
    north.stop()?;
    south.stop()?;
    meddler.stop()?;

    Ok(Played { product, relay: relay.stop(&course, start)?, spoken: spoken.stop(&course, start)? })
}

/// Lines of the lab's own through a relay that forwards on arrival: the nth even one talks to the nth odd one.
struct Relayed {
    door: Door,
    meddler: Meddler,
    senders: Vec<Sender>,
}

impl Relayed {
    fn start(leak: Leak, plan: &Plan, room: &Room, start: Instant) -> Result<Relayed, Failure> {
        let door = Door::open(Relaying::OnArrival)?;
        let meddler = Meddler::start(door.at, plan.pairs)?;
        let mut rng = ChaCha20Rng::seed_from_u64(plan.seed ^ 0x7a1c);
        let senders = (0..2 * plan.pairs)
            .map(|number| {
                let to = if number % 2 == 0 { meddler.doors[number / 2] } else { door.at };
                Sender::start(Sending {
                    leak,
                    number: u32::try_from(number).unwrap_or(u32::MAX),
                    to,
                    key: door.key,
                    speech: room.speech.clone(),
                    lengths: Arc::default(),
                    stretches: turns(&mut rng, since(start, Instant::now())),
                    start,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Relayed { door, meddler, senders })
    }

    fn stop(self, course: &Course, start: Instant) -> Result<Partners, Failure> {
        let count = self.senders.len();
        let ups = self.senders.into_iter().map(Sender::stop).collect::<Result<Vec<_>, _>>()?;
        let ups: Vec<Way> = ups.into_iter().flat_map(|r| r.links).flat_map(|l| l.ways).collect();
        let downs = self.door.close(start, count)?;
        self.meddler.stop()?;
        let half = |ways: &[Way], odd: usize| -> Vec<Way> {
            ways.iter().skip(odd).step_by(2).cloned().collect()
        };
        Ok(Partners {
            a: lines(half(&ups, 0), half(&downs, 0)),
            b: lines(half(&ups, 1), half(&downs, 1)),
            trunk: None,
            talk: course.talk,
            slots: course.slots,
            meddled: course.meddled.clone(),
        })
    }
}

/// Somebody who says something for a second or three, and is silent for as long: two minutes of it.
fn turns(rng: &mut ChaCha20Rng, from: i64) -> Vec<Stretch> {
    let mut moment = || (1_000 + below(rng, 2_000)) as i64 * 1_000_000;
    let mut at = from;
    (0..30)
        .map(|_| {
            let begins = at + moment();
            at = begins + moment();
            Stretch { state: State::Talking, from: begins, until: at }
        })
        .collect()
}

fn lines(up: Vec<Way>, down: Vec<Way>) -> Vec<Link> {
    up.into_iter()
        .zip(down)
        .map(|(up, down)| Link { ways: vec![up, down], tick: LINE_TICK })
        .collect()
}

fn downs(start: Instant, seen: &[Tapped], wanted: usize) -> Result<Vec<Way>, Failure> {
    let found = connections(seen, true);
    if found.len() != wanted {
        return Err("a line went down while it was watched: this machine is too busy".into());
    }
    Ok(found.iter().map(|(_, line)| capture::way(start, line.iter().copied())).collect())
}
