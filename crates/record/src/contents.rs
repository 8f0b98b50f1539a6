//! Whether the log is what the handsets made and saw. Only the officer can tell: it takes opened entries.
//!
//! ```text
//!  each handset counts its entries 1, 2, 3 ..        a gap: entries were left out     one twice: a copy
//!  each entry names the newest head that was shown   the log has another root there: two logs were shown
//!  each entry is signed by a device                  a device or person that nobody knows: made up, or new
//! ```
//!
//! What cannot be seen: entries of a handset that were left out at the end, after all that the log has of it,
//! until its next entry comes. The handset knows: it was shown no proof, and says that entries wait.

use std::collections::{BTreeMap, BTreeSet};

use seal::identity::{DevicePub, PrincipalId, VerifiedDevice};

use crate::sealing::{OpenError, Opened};
use crate::tree::Tree;

/// Something that is wrong with what a log says. Entries are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// An entry does not open.
    #[error("entry {index} does not open: {why}")]
    Unopened {
        /// Which.
        index: u64,
        /// Why.
        why: OpenError,
    },
    /// Entries of a handset are not there.
    #[error("{} of {who} left out before entry {index}: its numbers {from} to {to}", if from == to { "an entry" } else { "entries" })]
    Gap {
        /// The entry after the gap.
        index: u64,
        /// Whose.
        who: String,
        /// First number left out.
        from: u64,
        /// Last number left out.
        to: u64,
    },
    /// An entry is there twice.
    #[error("entry {index} is a copy of entry {of}")]
    Copy {
        /// The second.
        index: u64,
        /// The first.
        of: u64,
    },
    /// An entry came out of its handset's order.
    #[error("entry {index} of {who} is out of order")]
    Disorder {
        /// Which.
        index: u64,
        /// Whose.
        who: String,
    },
    /// A handset was shown another log.
    #[error(
        "entry {index}: {who} was shown a record of {size} entries that is not this one: two records were kept, or this one was rewritten"
    )]
    OtherLog {
        /// Which entry says so.
        index: u64,
        /// Whose.
        who: String,
        /// How long that log was.
        size: u64,
    },
    /// A handset was shown more entries than there were when its own came.
    #[error(
        "entry {index}: {who} was shown {size} entries before this one: the record was rolled back since"
    )]
    RolledBack {
        /// Which entry says so.
        index: u64,
        /// Whose.
        who: String,
        /// How many it was shown.
        size: u64,
    },
    /// Two people of one name.
    #[error(
        "two different people sign as {who}: entries {one} and {other}; one of them may be made up"
    )]
    Namesakes {
        /// The name.
        who: String,
        /// An entry of one.
        one: u64,
        /// An entry of the other.
        other: u64,
    },
    /// A handset had to let entries go.
    #[error(
        "entry {index}: {who} could not take down {count} calls before it, because the exchange did not take its entries for too long"
    )]
    Lost {
        /// Which entry says so.
        index: u64,
        /// Whose.
        who: String,
        /// How many.
        count: u32,
    },
}

/// What stands for a person in the record, at the officer's and on that person's own handset: 128 bits of the
/// identity key's hash, in eight groups.
#[must_use]
pub fn mark(principal: &PrincipalId) -> String {
    crate::order::groups("hotline record author v1", &principal.0)
}

/// One handset, as far as its entries tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// As its exchange called its owner, in its newest entry.
    pub name: String,
    /// Number of the handset.
    pub device: u8,
    /// The owner's identity key.
    pub principal: PrincipalId,
    /// Index of its first entry.
    pub first: u64,
    /// Its entries.
    pub entries: u64,
    /// The highest number.
    pub last_number: u64,
}

/// Takes opened entries in order.
#[derive(Default)]
pub struct Contents {
    authors: BTreeMap<DevicePub, Author>,
    /// Where each number of each device stands.
    numbers: BTreeMap<(DevicePub, u64), u64>,
    names: BTreeMap<String, (PrincipalId, u64)>,
    namesakes: BTreeSet<String>,
    /// Heads that handsets saw: which entry says so, whose, and what.
    seen: Vec<(u64, String, crate::entry::Seen)>,
    findings: Vec<Finding>,
}

impl Contents {
    /// The next entry, as it was opened.
    pub fn entry(&mut self, index: u64, opened: &Result<Opened, OpenError>) {
        let Opened { author, entry } = match opened {
            Ok(opened) => opened,
            Err(why) => return self.findings.push(Finding::Unopened { index, why: *why }),
        };
        let name = entry.principal.as_str().to_owned();
        let who = format!("{name}'s handset {}", entry.device);
        let key = (author.device(), entry.number);
        if let Some(of) = self.numbers.get(&key) {
            return self.findings.push(Finding::Copy { index, of: *of });
        }
        self.numbers.insert(key, index);
        self.namesake(&name, author, index);
        let known = self.authors.entry(author.device()).or_insert_with(|| Author {
            name: name.clone(),
            device: entry.device,
            principal: author.principal(),
            first: index,
            entries: 0,
            last_number: 0,
        });
        known.name = name;
        known.entries += 1;
        let (last, number) = (known.last_number, entry.number);
        if number > last + 1 {
            let (from, to) = (last + 1, number - 1);
            self.findings.push(Finding::Gap { index, who: who.clone(), from, to });
        } else if number <= last {
            self.findings.push(Finding::Disorder { index, who: who.clone() });
        }
        known.last_number = last.max(number);
        if entry.lost > 0 {
            self.findings.push(Finding::Lost { index, who: who.clone(), count: entry.lost });
        }
        if let Some(seen) = &entry.seen {
            self.seen.push((index, who, seen.clone()));
        }
    }

    fn namesake(&mut self, name: &str, author: &VerifiedDevice, index: u64) {
        let (principal, one) =
            *self.names.entry(name.to_owned()).or_insert((author.principal(), index));
        if principal != author.principal() && self.namesakes.insert(name.to_owned()) {
            let who = name.to_owned();
            self.findings.push(Finding::Namesakes { who, one, other: index });
        }
    }

    /// The end: the handsets that wrote, and what is wrong. Each log that a handset was shown is looked for in
    /// `tree`.
    #[must_use]
    pub fn finish(mut self, tree: &Tree) -> (Vec<Author>, Vec<Finding>) {
        for (index, who, seen) in self.seen {
            if seen.size > index {
                self.findings.push(Finding::RolledBack { index, who, size: seen.size });
            } else if tree.root(seen.size) != Some(seen.root) {
                self.findings.push(Finding::OtherLog { index, who, size: seen.size });
            }
        }
        (self.authors.into_values().collect(), self.findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::{call, entry, text};
    use crate::entry::{Body, Entry, Seen};
    use crate::tree::{Frontier, leaf};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;
    use seal::identity::{Device, IdentityKey};

    fn author(seed: u64) -> VerifiedDevice {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        Device::first(&IdentityKey::generate(&mut rng), &mut rng).verified()
    }

    /// A log as it comes about: each entry names the head before it.
    struct Office {
        frontier: Frontier,
        log: Vec<Opened>,
    }

    fn bytes(opened: &Opened) -> Vec<u8> {
        opened.entry.encode()
    }

    impl Office {
        fn new() -> Office {
            Office { frontier: Frontier::default(), log: Vec::new() }
        }

        fn write(&mut self, seed: u64, number: u64) {
            let seen = Seen { size: self.frontier.size(), root: self.frontier.root() };
            let name = if seed == 1 { "Anna" } else { "Carla" };
            let entry = Entry {
                seen: Some(seen),
                principal: text(name),
                ..entry(number, Body::Call(call()))
            };
            let opened = Opened { author: author(seed), entry };
            self.frontier.append(leaf(&bytes(&opened)));
            self.log.push(opened);
        }
    }

    fn office() -> Vec<Opened> {
        let mut office = Office::new();
        for number in 1..=5 {
            office.write(1, number);
            office.write(2, number);
        }
        office.log
    }

    fn found(log: &[Opened]) -> Vec<Finding> {
        let tree = Tree::new(log.iter().map(|opened| leaf(&bytes(opened))).collect());
        let mut contents = Contents::default();
        for (index, opened) in log.iter().enumerate() {
            contents.entry(index as u64, &Ok(opened.clone()));
        }
        contents.finish(&tree).1
    }

    #[test]
    fn what_handsets_made_and_saw_has_no_findings() {
        let log = office();
        assert_eq!(found(&log), []);
        let mut contents = Contents::default();
        log.iter().enumerate().for_each(|(i, o)| contents.entry(i as u64, &Ok(o.clone())));
        let (authors, _) = contents.finish(&Tree::new(vec![]));
        assert_eq!(
            authors.iter().map(|a| (a.entries, a.last_number)).collect::<Vec<_>>(),
            [(5, 5); 2]
        );
    }

    #[test]
    fn an_entry_left_out_shows_twice() {
        let mut log = office();
        log.remove(4);
        let found = found(&log);
        assert!(matches!(&found[0], Finding::Gap { index: 5, from: 3, to: 3, .. }), "{found:?}");
        assert!(
            found
                .iter()
                .any(|f| matches!(f, Finding::OtherLog { .. } | Finding::RolledBack { .. }))
        );
    }

    #[test]
    fn the_last_entries_of_a_handset_can_be_left_out_unseen_until_the_next_one() {
        let mut log = office();
        log.truncate(8);
        assert_eq!(found(&log), [], "honest: nothing shows yet");
        // Its next entry names what it was shown.
        let seen = Some(Seen { size: 10, root: [9; 32] });
        let entry = Entry { seen, ..entry(6, Body::Call(call())) };
        log.push(Opened { author: author(1), entry });
        let found = found(&log);
        assert!(matches!(found[0], Finding::Gap { index: 8, from: 5, to: 5, .. }), "{found:?}");
        assert!(matches!(found[1], Finding::RolledBack { index: 8, size: 10, .. }), "{found:?}");
    }

    #[test]
    fn copies_disorder_and_losses_are_named() {
        let mut log = office();
        log.push(log[2].clone());
        assert_eq!(found(&log), [Finding::Copy { index: 10, of: 2 }]);
        let mut log = office();
        log.swap(0, 2);
        let who = "Anna's handset 0".to_owned();
        assert!(found(&log).contains(&Finding::Disorder { index: 2, who: who.clone() }));
        let mut log = office();
        log[9].entry.lost = 3;
        let who = "Carla's handset 0".to_owned();
        assert_eq!(found(&log), [Finding::Lost { index: 9, who, count: 3 }]);
    }

    #[test]
    fn two_records_shown_to_two_handsets_meet_at_the_officer() {
        // The exchange keeps another log for Carla, and gives the officer Anna's with Carla's entries put in.
        let (mut anna, mut carla) = (Office::new(), Office::new());
        for number in 1..=3 {
            anna.write(1, number);
            carla.write(2, number);
        }
        let merged: Vec<Opened> =
            anna.log.iter().zip(&carla.log).flat_map(|(a, c)| [a.clone(), c.clone()]).collect();
        let found = found(&merged);
        assert!(found.iter().any(|f| matches!(f, Finding::OtherLog { .. })), "{found:?}");
    }

    #[test]
    fn made_up_people_do_not_pass_for_known_ones() {
        let mut log = office();
        log.push(Opened { author: author(3), entry: entry(1, Body::Call(call())) });
        let who = "Anna".to_owned();
        assert_eq!(found(&log), [Finding::Namesakes { who, one: 0, other: 10 }]);
    }
}
