//! Whose voice it is: each member tells, twice a second, which frames it sent, and nobody else's are played as its own.
//!
//! ```text
//!  Spoken  ── a tag for each tick with a frame ──► Digest ══ in the call group, signed by its leaf ══► Heard::told
//!                                                                                                        │
//!  voice frame ─► tag ─► Heard::frame ─► play, unless ── not told of for 2 s ───► late: not played until it is
//!                                                     └─ told of otherwise ─────► forged: dropped, and named
//! ```
//!
//! In a group every member can derive every other's voice key, so a frame that opens says only that a member made
//! it. A tag is the hash of a sealed frame. Frames have the numbers of their sender's ticks, so a digest tells of
//! all numbers in its range: with a frame, or without one. Frames that are lost on the way were never heard, and
//! miss nothing. **What was heard and is told of otherwise was made by somebody else.**

use std::collections::BTreeMap;

use wire::Blob;
use wire::limits::TAG_LEN;
use wire::talk::CallMessage;

/// Ticks that one digest tells of. Half a second.
pub const EVERY: u32 = 25;
/// Frames that are played before their sender has told of them. Two seconds.
pub const AHEAD: u32 = 100;
/// Tags that are kept of what was told: as many as frames may be late.
const KEPT: u32 = 128;
/// Numbers that have to be told of without a fault before a voice is played again. Ten seconds.
const CLEAN: u32 = 500;

/// The first bytes of the hash of a sealed frame.
pub type Tag = [u8; TAG_LEN];

/// What one member sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    first: u32,
    tags: Vec<Option<Tag>>,
}

impl Digest {
    /// Of the ticks from `first` on; `None` if there are more than [`EVERY`], or numbers end.
    #[must_use]
    pub fn new(first: u32, tags: Vec<Option<Tag>>) -> Option<Self> {
        let len = u32::try_from(tags.len()).ok()?;
        (len <= EVERY && first.checked_add(len).is_some()).then_some(Digest { first, tags })
    }

    /// As it is said.
    #[must_use]
    pub fn message(&self) -> CallMessage {
        let sent = (0..).zip(&self.tags).filter(|(_, tag)| tag.is_some());
        let sent = sent.fold(0u64, |bits, (at, _)| bits | 1 << at);
        let tags = self.tags.iter().flatten().flatten().copied().collect();
        // At most EVERY: they fit.
        let tags = Blob::new(tags).unwrap_or_default();
        CallMessage::Spoke { first: self.first, ticks: self.tags.len() as u8, sent, tags }
    }

    /// As it was said; nothing if it contradicts itself.
    #[must_use]
    pub fn read(first: u32, ticks: u8, sent: u64, tags: &[u8]) -> Option<Self> {
        let (tags, rest) = tags.as_chunks::<TAG_LEN>();
        let known = sent.count_ones() as usize == tags.len() && rest.is_empty();
        if !known || u32::from(ticks) > EVERY || sent >> ticks != 0 {
            return None;
        }
        let mut tags = tags.iter();
        let at = |bit: u8| if sent >> bit & 1 == 1 { tags.next().copied() } else { None };
        Digest::new(first, (0..ticks).map(at).collect())
    }

    fn next(&self) -> u32 {
        self.first.saturating_add(self.tags.len() as u32)
    }

    fn numbered(&self) -> impl Iterator<Item = (u32, Option<Tag>)> + '_ {
        self.tags.iter().copied().zip(self.first..).map(|(tag, number)| (number, tag))
    }
}

/// What this member says.
#[derive(Debug, Default)]
pub struct Spoken {
    /// The first number of all: what is older is not known here.
    began: Option<u32>,
    first: u32,
    tags: Vec<Option<Tag>>,
    /// What was sent, so that it is known again when somebody sends it back.
    sent: BTreeMap<u32, Tag>,
    /// How many ticks have to go by without anybody else in this name.
    suspect: u32,
}

impl Spoken {
    /// Tick `number` has gone by, with a frame or without one. A digest, when one is due.
    pub fn tick(&mut self, number: u32, frame: Option<Tag>) -> Option<Digest> {
        let due = if self.next() == number { None } else { self.flush() };
        let due = due.filter(|digest| !digest.tags.is_empty());
        self.began.get_or_insert(number);
        if self.tags.is_empty() {
            self.first = number;
        }
        self.tags.push(frame);
        if let Some(tag) = frame {
            self.sent.insert(number, tag);
        }
        prune(&mut self.sent, number);
        self.suspect = self.suspect.saturating_sub(1);
        match due {
            None if self.tags.len() >= EVERY as usize => self.flush(),
            due => due,
        }
    }

    fn next(&self) -> u32 {
        self.first.saturating_add(self.tags.len() as u32)
    }

    /// A digest of what was not told of yet; of nothing, it says where this member is.
    pub fn flush(&mut self) -> Option<Digest> {
        let (first, next) = (self.first, self.next());
        self.first = next;
        Digest::new(first, core::mem::take(&mut self.tags))
    }

    /// A frame came in this member's own name. `true` if it is one that it sent, or too old to know; else somebody else
    /// made it.
    pub fn mine(&mut self, number: u32, tag: &Tag) -> bool {
        let older = self.began.is_none_or(|began| number < began);
        let old = older || number.saturating_add(KEPT) < self.next();
        let mine = old || self.sent.get(&number) == Some(tag);
        if !mine {
            self.suspect = CLEAN;
        }
        mine
    }

    /// What is to be thought of voices in this member's name.
    #[must_use]
    pub fn trust(&self) -> Trust {
        if self.suspect > 0 { Trust::Forged } else { Trust::Vouched }
    }
}

/// What is to be thought of a member's voice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// It told of all that was heard in its name, up to two seconds ago.
    #[default]
    Vouched,
    /// It has not told of what comes in its name for two seconds: that is not played until it does.
    Late,
    /// Somebody else speaks in its name: nothing is played in its name until ten seconds were without a fault.
    Forged,
}

/// What was heard in one member's name.
#[derive(Debug, Default)]
pub struct Heard {
    /// All numbers below are told of, or lie before the first digest.
    end: Option<u32>,
    /// All numbers from here to `end` are told of, and their tags kept.
    from: u32,
    /// Nobody else has the keys: it may be played before the first digest.
    alone: bool,
    told: BTreeMap<u32, Tag>,
    /// Played, and not told of yet.
    waiting: BTreeMap<u32, Tag>,
    late: bool,
    /// How many numbers have to be told of without a fault.
    suspect: u32,
}

impl Heard {
    /// Of the other one of two, in whose name nobody else can speak.
    #[must_use]
    pub fn of_two() -> Self {
        Heard { alone: true, ..Heard::default() }
    }

    /// A third one has the keys, too.
    pub fn not_alone(&mut self) {
        self.alone = false;
    }

    /// What is to be thought of it now.
    #[must_use]
    pub fn trust(&self) -> Trust {
        match (self.suspect, self.late) {
            (0, false) => Trust::Vouched,
            (0, true) => Trust::Late,
            _ => Trust::Forged,
        }
    }

    /// Whether a frame with this number is to be opened at all: none before the first digest, and none two seconds
    /// ahead of what was told.
    pub fn admits(&mut self, number: u32) -> bool {
        let admits = match self.end {
            Some(end) => number < end.saturating_add(AHEAD),
            None => self.alone,
        };
        self.late |= !admits && self.end.is_some();
        admits
    }

    /// A frame that is admitted came, and opened; `true` if it is to be played.
    pub fn frame(&mut self, number: u32, tag: Tag) -> bool {
        match self.end {
            Some(end) if number < end => {
                if number < self.from {
                    // Nobody told of it, or too long ago: too late to be played, and no fault of anybody.
                    return false;
                }
                if self.told.get(&number) != Some(&tag) {
                    self.fault();
                }
            }
            _ => {
                self.waiting.insert(number, tag);
                if self.waiting.len() > 2 * AHEAD as usize {
                    // Of two, before the first digest.
                    self.waiting.pop_first();
                }
            }
        }
        self.trust() == Trust::Vouched
    }

    /// The member told of what it sent.
    pub fn told(&mut self, digest: &Digest) {
        let end = match self.end {
            Some(end) => end,
            None => {
                // What it sent before it told anything, while there were two.
                self.waiting = self.waiting.split_off(&digest.first);
                digest.first
            }
        };
        // A digest is missing: an exchange can do that, and accuses nobody by it.
        let gap = digest.first > end;
        if gap || self.end.is_none() {
            self.from = digest.first;
        }
        let (mut fault, mut clean) = (false, 0);
        for (number, tag) in digest.numbered().filter(|(number, _)| *number >= end) {
            let heard = self.waiting.remove(&number);
            fault |= heard.is_some() && heard != tag;
            if let Some(tag) = tag {
                self.told.insert(number, tag);
            }
            clean += 1;
        }
        let next = end.max(digest.next());
        self.waiting = self.waiting.split_off(&next);
        self.end = Some(next);
        self.from = self.from.max(next.saturating_sub(KEPT));
        self.late = gap || (self.late && clean == 0);
        prune(&mut self.told, next);
        if fault {
            self.fault();
        } else {
            self.suspect = self.suspect.saturating_sub(clean);
        }
    }

    fn fault(&mut self) {
        self.suspect = CLEAN;
    }
}

/// Keeps what may still come late.
fn prune(tags: &mut BTreeMap<u32, Tag>, newest: u32) {
    *tags = tags.split_off(&newest.saturating_sub(KEPT));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tag of a genuine frame, and of a forged one with its number.
    fn genuine(number: u32) -> Tag {
        [number as u8, 1, 0, 0, 0, 0]
    }
    const FORGED: Tag = [9; TAG_LEN];

    /// Half a second of one who speaks.
    fn spoke(first: u32) -> Digest {
        Digest::new(first, (first..first + EVERY).map(|n| Some(genuine(n))).collect()).unwrap()
    }

    /// Half a second of one who is silent.
    fn silence(first: u32) -> Digest {
        Digest::new(first, vec![None; EVERY as usize]).unwrap()
    }

    fn comes(heard: &mut Heard, number: u32, tag: Tag) -> bool {
        heard.admits(number) && heard.frame(number, tag)
    }

    /// Told of up to 1,000.
    fn known() -> Heard {
        let mut heard = Heard::default();
        heard.told(&silence(975));
        heard
    }

    #[test]
    fn what_is_told_all_the_time_is_played_with_losses_and_late_frames() {
        let mut heard = known();
        for first in (1_000..20_000).step_by(EVERY as usize) {
            for number in (first..first + EVERY).filter(|n| n % 5 != 0) {
                assert!(comes(&mut heard, number, genuine(number)));
            }
            heard.told(&spoke(first));
            // On its way for longer than its digest.
            assert!(comes(&mut heard, first + 5, genuine(first + 5)));
            assert_eq!(heard.trust(), Trust::Vouched);
        }
        assert!(heard.waiting.is_empty() && heard.told.len() <= KEPT as usize + 1);
    }

    #[test]
    fn a_frame_that_is_told_of_otherwise_is_forged_and_so_is_one_in_a_silence() {
        for digest in [spoke(1_000), silence(1_000)] {
            let mut heard = known();
            assert!(comes(&mut heard, 1_007, FORGED), "nobody can know yet");
            heard.told(&digest);
            assert_eq!(heard.trust(), Trust::Forged);
            assert!(!comes(&mut heard, 1_026, genuine(1_026)), "nothing is played in its name");
        }
    }

    #[test]
    fn a_forged_frame_in_the_place_of_one_that_was_lost_is_found_at_once() {
        let mut heard = known();
        heard.told(&spoke(1_000));
        assert!(!comes(&mut heard, 1_024, FORGED));
        assert_eq!(heard.trust(), Trust::Forged);
    }

    #[test]
    fn a_digest_that_is_missing_accuses_nobody_and_lets_nothing_be_played() {
        let mut heard = known();
        assert!(comes(&mut heard, 1_010, FORGED));
        heard.told(&spoke(1_050));
        assert_eq!(heard.trust(), Trust::Late);
        assert!(!comes(&mut heard, 1_080, genuine(1_080)));
        heard.told(&spoke(1_075));
        assert_eq!(heard.trust(), Trust::Vouched);
        assert!(heard.waiting.is_empty());
    }

    #[test]
    fn who_holds_digests_and_frames_back_makes_nobody_a_forger() {
        let mut heard = known();
        heard.told(&spoke(1_000));
        heard.told(&spoke(1_050));
        assert!(!comes(&mut heard, 1_030, genuine(1_030)), "its digest was held back");
        assert!(!comes(&mut heard, 974, genuine(974)), "older than the first digest");
        assert_eq!(heard.trust(), Trust::Late);
        heard.told(&spoke(1_075));
        assert!(comes(&mut heard, 1_099, genuine(1_099)));
        assert!(!comes(&mut heard, 1_051, FORGED));
        assert_eq!(heard.trust(), Trust::Forged, "and a forged one is still found");
    }

    #[test]
    fn what_nobody_tells_of_is_played_for_two_seconds_and_again_when_it_is_told() {
        let mut heard = known();
        for number in 1_000..1_100 {
            assert!(comes(&mut heard, number, genuine(number)));
        }
        assert!(!comes(&mut heard, 1_100, genuine(1_100)));
        assert_eq!(heard.trust(), Trust::Late);
        assert!(!heard.admits(u32::MAX), "nor a number from far ahead");
        for first in [1_000, 1_025, 1_050, 1_075] {
            heard.told(&spoke(first));
        }
        assert_eq!(heard.trust(), Trust::Vouched);
        assert!(comes(&mut heard, 1_101, genuine(1_101)));
    }

    #[test]
    fn a_voice_comes_back_after_ten_seconds_without_a_fault() {
        let mut heard = known();
        comes(&mut heard, 1_007, FORGED);
        heard.told(&spoke(1_000));
        let mut first = 1_000;
        while heard.trust() == Trust::Forged {
            first += EVERY;
            comes(&mut heard, first, genuine(first));
            heard.told(&spoke(first));
        }
        assert_eq!(first, 1_000 + CLEAN);
        comes(&mut heard, first + EVERY, FORGED);
        heard.told(&spoke(first + EVERY));
        assert_eq!(heard.trust(), Trust::Forged, "and goes again");
    }

    #[test]
    fn nobody_is_heard_before_its_first_digest_but_the_other_one_of_two() {
        let mut heard = Heard::default();
        assert!(!comes(&mut heard, 7, FORGED));
        heard.told(&Digest::new(900, Vec::new()).unwrap());
        assert!(comes(&mut heard, 900, genuine(900)));
        let mut heard = Heard::of_two();
        assert!(comes(&mut heard, 899, genuine(899)) && comes(&mut heard, 901, genuine(901)));
        heard.told(&spoke(900));
        assert_eq!(heard.trust(), Trust::Vouched, "what was sent before it told anything");
    }

    #[test]
    fn an_old_digest_changes_nothing() {
        let mut heard = known();
        comes(&mut heard, 1_001, genuine(1_001));
        heard.told(&spoke(1_000));
        let (end, told) = (heard.end, heard.told.clone());
        heard.told(&spoke(1_000));
        heard.told(&silence(900));
        assert_eq!((heard.end, heard.trust()), (end, Trust::Vouched));
        assert_eq!(heard.told, told);
    }

    #[test]
    fn what_this_member_says_is_told_in_full() {
        let mut spoken = Spoken::default();
        let mut digests = Vec::new();
        for number in 7..7 + 2 * EVERY {
            let frame = (number % 3 > 0).then(|| genuine(number));
            digests.extend(spoken.tick(number, frame));
        }
        assert_eq!(
            digests.iter().map(|d| (d.first, d.tags.len())).collect::<Vec<_>>(),
            [(7, 25), (32, 25)]
        );
        assert_eq!(digests[0].tags[..3], [Some(genuine(7)), Some(genuine(8)), None]);
        // Ticks that were skipped: what was not told is told first.
        assert_eq!(spoken.tick(57, None), None);
        assert_eq!(spoken.tick(120, None), Digest::new(57, vec![None]));
        assert_eq!(spoken.flush(), Digest::new(120, vec![None]));
        assert_eq!(spoken.flush(), Digest::new(121, Vec::new()), "where it is");
    }

    #[test]
    fn a_frame_in_the_own_name_is_known_or_forged() {
        let mut spoken = Spoken::default();
        spoken.tick(7, Some(genuine(7)));
        assert!(spoken.mine(7, &genuine(7)), "sent back");
        assert_eq!(spoken.trust(), Trust::Vouched);
        assert!(!spoken.mine(7, &FORGED) && !spoken.mine(8, &genuine(8)));
        assert_eq!(spoken.trust(), Trust::Forged);
        for number in 8..8 + CLEAN {
            spoken.tick(number, None);
        }
        assert_eq!(spoken.trust(), Trust::Vouched);
        assert!(spoken.mine(7, &genuine(7)), "sent back after long: too old to know");
        assert_eq!(spoken.trust(), Trust::Vouched);
        // Sent before there was anybody to tell, and sent back now.
        assert!(spoken.mine(6, &genuine(6)) && Spoken::default().mine(6, &genuine(6)));
    }

    #[test]
    fn a_digest_is_read_as_it_was_said_and_none_that_contradicts_itself() {
        for tags in
            [vec![], vec![None; 25], (0..25).map(|n| (n % 7 > 2).then(|| genuine(n))).collect()]
        {
            let digest = Digest::new(1_000, tags).unwrap();
            let CallMessage::Spoke { first, ticks, sent, tags } = digest.message() else {
                panic!()
            };
            assert_eq!(Digest::read(first, ticks, sent, tags.as_bytes()), Some(digest));
        }
        let tags = [7; 18];
        assert!(Digest::read(1, 5, 0b10101, &tags).is_some());
        for (ticks, sent, len) in [
            (5, 0b10101, 12),
            (5, 0b10101, 17),
            (5, 0b00101, 18),
            (4, 0b10101, 18),
            (26, 0b10101, 18),
            (255, 0b10101, 18),
        ] {
            assert_eq!(Digest::read(1, ticks, sent, &tags[..len]), None, "{ticks} {sent:b} {len}");
        }
        assert_eq!(Digest::read(u32::MAX - 2, 5, 0b10101, &tags), None);
    }

    #[test]
    fn a_digest_that_is_too_long_or_past_the_last_number_is_none() {
        assert!(Digest::new(0, vec![None; 26]).is_none());
        assert!(Digest::new(u32::MAX - 10, vec![None; 11]).is_none());
        let last = Digest::new(u32::MAX - 10, vec![None; 10]).unwrap();
        let mut heard = Heard::default();
        heard.told(&last);
        assert!(!heard.admits(0) || !heard.frame(0, FORGED), "read to its end");
    }
}
