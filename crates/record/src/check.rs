//! Whether a log is whole: entry by entry, against the head that the exchange signed and heads that were kept.
//!
//! ```text
//!  rows: index, leaf hash, entry ──► Check::entry ──► Check::finish(head, kept) ──► Tree, findings
//!                        │ leaf(entry) == leaf hash?         │ root of all == head?  root of the first k == kept?
//!                        └ which entry was changed, moved    └ whether any was, and since which kept head
//! ```
//!
//! A hasty hand (one byte, a row deleted, two swapped) is named by the leaf hashes beside the entries. A careful
//! one that recomputes them is found by the signed head, and one that holds the exchange's key and signs a new
//! head is found by a head that somebody kept: an officer, a handset.

use std::collections::{BTreeMap, HashMap};

use wire::ExchangePub;

use crate::head::{Head, HeadError};
use crate::tree::{Hash, Tree, leaf};

/// Something that is wrong with a log. Entries are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A row is not there.
    #[error("entry {index} is missing")]
    Missing {
        /// Which.
        index: u64,
    },
    /// The entry has another hash than the one beside it.
    #[error("entry {index} was changed")]
    Changed {
        /// Which.
        index: u64,
    },
    /// Two entries stand in each other's place.
    #[error("entries {one} and {other} were swapped")]
    Swapped {
        /// One.
        one: u64,
        /// The other.
        other: u64,
    },
    /// An entry stands in the place of another one.
    #[error("entry {from} was moved to the place of entry {to}")]
    Moved {
        /// Where it belongs.
        from: u64,
        /// Where it stands.
        to: u64,
    },
    /// The log ends before its head.
    #[error(
        "the record has {entries} entries, and its signed checkpoint has {signed}: the end was cut off"
    )]
    Truncated {
        /// Entries there.
        entries: u64,
        /// Entries signed.
        signed: u64,
    },
    /// The log goes on after its head.
    #[error("the record has {entries} entries, and its signed checkpoint has {signed}: {} were added, or the checkpoint was put back", entries - signed)]
    Unsigned {
        /// Entries there.
        entries: u64,
        /// Entries signed.
        signed: u64,
    },
    /// The log does not have the head's root.
    #[error(
        "the entries are not those of the signed checkpoint: some were changed, replaced or reordered, and the hashes beside them with them"
    )]
    OtherRoot,
    /// There is no head.
    #[error("the record has no signed checkpoint")]
    NoHead,
    /// The head is not good.
    #[error("the record's checkpoint: {0}")]
    BadHead(HeadError),
    /// A head that was kept is larger.
    #[error(
        "the checkpoint is a rolled-back one: it has {now} entries, and one that was kept has {kept}"
    )]
    RolledBack {
        /// Size kept.
        kept: u64,
        /// Size now.
        now: u64,
    },
    /// A head that was kept is not of this log.
    #[error(
        "the first {kept} entries are not those of the checkpoint that was kept: history was rewritten, and signed anew"
    )]
    Rewritten {
        /// Size kept.
        kept: u64,
    },
}

/// Takes the entries of a log in order.
#[derive(Default)]
pub struct Check {
    leaves: Vec<Hash>,
    /// Entries whose hash is not the one beside them: both.
    odd: BTreeMap<u64, (Hash, Hash)>,
    missing: Vec<u64>,
}

impl Check {
    /// The next entry. `index` never falls; `beside` is the hash that stands beside it, if one does.
    pub fn entry(&mut self, index: u64, beside: Option<&Hash>, entry: &[u8]) {
        // Rows that a damaged store names beyond all others would take all memory: they are not believed.
        while (self.leaves.len() as u64) < index && self.missing.len() < MISSING_MAX {
            self.missing.push(self.leaves.len() as u64);
            self.leaves.push([0; 32]);
        }
        let hash = leaf(entry);
        if let Some(beside) = beside.filter(|beside| **beside != hash) {
            self.odd.insert(self.leaves.len() as u64, (hash, *beside));
        }
        self.leaves.push(hash);
    }

    /// The end. `head`: what the exchange signed last; `kept`: heads that were kept earlier, all of the same
    /// exchange.
    #[must_use]
    pub fn finish(
        self,
        exchange: &ExchangePub,
        head: Option<Result<Head, HeadError>>,
        kept: &[Head],
    ) -> (Tree, Vec<Finding>) {
        let mut findings: Vec<Finding> =
            self.missing.iter().map(|index| Finding::Missing { index: *index }).collect();
        findings.extend(self.misplaced());
        let named = !findings.is_empty();
        let tree = Tree::new(self.leaves);
        match head {
            None => findings.push(Finding::NoHead),
            Some(Err(error)) => findings.push(Finding::BadHead(error)),
            Some(Ok(head)) if head.exchange != *exchange => {
                findings.push(Finding::BadHead(HeadError::Other));
            }
            Some(Ok(head)) => {
                let (entries, signed) = (tree.size(), head.size);
                if entries < signed {
                    findings.push(Finding::Truncated { entries, signed });
                } else if entries > signed {
                    findings.push(Finding::Unsigned { entries, signed });
                }
                // What was named already makes another root.
                if tree.root(signed).is_some_and(|root| root != head.root) && !named {
                    findings.push(Finding::OtherRoot);
                }
                let most = kept.iter().map(|kept| kept.size).max().unwrap_or(0);
                if most > signed {
                    findings.push(Finding::RolledBack { kept: most, now: signed });
                }
            }
        }
        let mut kept: Vec<&Head> = kept.iter().collect();
        kept.sort_by_key(|kept| kept.size);
        let rewritten =
            kept.iter().find(|kept| tree.root(kept.size).is_some_and(|root| root != kept.root));
        if let Some(kept) = rewritten {
            findings.push(Finding::Rewritten { kept: kept.size });
        }
        (tree, findings)
    }

    /// Entries with a hash of their own: whose place do they stand in?
    fn misplaced(&self) -> Vec<Finding> {
        let belongs: HashMap<&Hash, u64> =
            self.odd.iter().map(|(index, (_, beside))| (beside, *index)).collect();
        let mut findings = Vec::new();
        for (index, (hash, beside)) in &self.odd {
            let from = belongs.get(hash).copied();
            let back = from.and_then(|from| self.odd.get(&from)).map(|(hash, _)| hash);
            match from {
                Some(from) if back == Some(beside) => {
                    if from > *index {
                        findings.push(Finding::Swapped { one: *index, other: from });
                    }
                }
                Some(from) => findings.push(Finding::Moved { from, to: *index }),
                None => findings.push(Finding::Changed { index: *index }),
            }
        }
        findings
    }
}

/// Most missing rows that are looked for one by one.
const MISSING_MAX: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use seal::office::ExchangeKey;

    type Row = (u64, Hash, Vec<u8>);

    fn key() -> ExchangeKey {
        ExchangeKey::from_bytes(&[1; 32])
    }

    fn log(n: u64) -> Vec<Row> {
        (0..n)
            .map(|i| {
                let entry = i.to_be_bytes().repeat(8);
                (i, leaf(&entry), entry)
            })
            .collect()
    }

    fn tree(rows: &[Row]) -> Tree {
        Tree::new(rows.iter().map(|(.., entry)| leaf(entry)).collect())
    }

    fn head(rows: &[Row]) -> Head {
        let tree = tree(rows);
        Head::sign(&key(), tree.size(), tree.root(tree.size()).unwrap())
    }

    /// What is found of `rows` under `head`, given `kept`.
    fn found(rows: &[Row], head: Head, kept: &[Head]) -> Vec<Finding> {
        let mut check = Check::default();
        for (index, beside, entry) in rows {
            check.entry(*index, Some(beside), entry);
        }
        check.finish(&key().public(), Some(Ok(head)), kept).1
    }

    /// Puts hashes and numbers right again, as somebody careful would.
    fn careful(rows: &mut [Row]) {
        for (n, (index, beside, entry)) in rows.iter_mut().enumerate() {
            (*index, *beside) = (n as u64, leaf(entry));
        }
    }

    #[test]
    fn a_whole_log_has_no_findings() {
        for n in [0, 1, 2, 3, 40] {
            let kept: Vec<_> = (0..=n).map(|k| head(&log(k))).collect();
            assert_eq!(found(&log(n), head(&log(n)), &kept), []);
        }
    }

    #[test]
    fn a_hasty_hand_is_named() {
        let (whole, signed) = (log(40), head(&log(40)));
        for at in [0, 1, 17, 39] {
            let mut rows = whole.clone();
            rows[at].2[3] ^= 1;
            assert_eq!(found(&rows, signed, &[]), [Finding::Changed { index: at as u64 }]);
            let mut rows = whole.clone();
            rows[at].1[3] ^= 1;
            assert_eq!(found(&rows, signed, &[]), [Finding::Changed { index: at as u64 }]);
        }
        let mut rows = whole.clone();
        rows.remove(17);
        assert_eq!(found(&rows, signed, &[]), [Finding::Missing { index: 17 }]);
        let mut rows = whole.clone();
        (rows[5].2, rows[30].2) = (whole[30].2.clone(), whole[5].2.clone());
        assert_eq!(found(&rows, signed, &[]), [Finding::Swapped { one: 5, other: 30 }]);
        let mut rows = whole.clone();
        (rows[5].2, rows[6].2, rows[7].2) =
            (whole[6].2.clone(), whole[7].2.clone(), whole[5].2.clone());
        assert_eq!(found(&rows, signed, &[]).len(), 3);
        assert_eq!(
            found(&whole[..30], signed, &[]),
            [Finding::Truncated { entries: 30, signed: 40 }]
        );
    }

    #[test]
    fn a_careful_hand_is_found_by_the_signed_checkpoint() {
        let (whole, signed) = (log(40), head(&log(40)));
        let mut changed = whole.clone();
        changed[17].2[3] ^= 1;
        let mut swapped = whole.clone();
        swapped.swap(5, 30);
        for mut rows in [changed, swapped] {
            careful(&mut rows);
            assert_eq!(found(&rows, signed, &[]), [Finding::OtherRoot]);
        }
        let mut dropped = whole.clone();
        dropped.remove(17);
        careful(&mut dropped);
        assert_eq!(found(&dropped, signed, &[]), [Finding::Truncated { entries: 39, signed: 40 }]);
        let added = log(41);
        assert_eq!(found(&added, signed, &[]), [Finding::Unsigned { entries: 41, signed: 40 }]);
    }

    #[test]
    fn who_holds_the_exchange_s_key_is_found_by_a_kept_checkpoint() {
        let (whole, kept) = (log(40), [head(&log(20)), head(&log(40))]);
        let mut changed = whole.clone();
        changed[17].2[3] ^= 1;
        let mut dropped = whole.clone();
        dropped.remove(17);
        dropped.extend(log(45).split_off(40));
        let mut swapped = whole.clone();
        swapped.swap(5, 30);
        for mut rows in [changed, dropped, swapped] {
            careful(&mut rows);
            let signed = head(&rows);
            assert_eq!(found(&rows, signed, &[]), [], "signed anew");
            assert_eq!(found(&rows, signed, &kept), [Finding::Rewritten { kept: 20 }]);
        }
        let late = {
            let mut rows = whole.clone();
            rows[33].2[3] ^= 1;
            careful(&mut rows);
            rows
        };
        assert_eq!(found(&late, head(&late), &kept), [Finding::Rewritten { kept: 40 }]);
        let back = &whole[..30];
        assert_eq!(found(back, head(back), &kept), [Finding::RolledBack { kept: 40, now: 30 }]);
    }

    #[test]
    fn heads_that_are_missing_forged_or_of_another_log_are_found() {
        let run = |head| {
            let mut check = Check::default();
            check.entry(0, None, b"entry");
            check.finish(&key().public(), head, &[]).1
        };
        assert_eq!(run(None), [Finding::NoHead]);
        let error = HeadError::Signature;
        assert_eq!(run(Some(Err(error))), [Finding::BadHead(error)]);
        let other = Head::sign(&ExchangeKey::from_bytes(&[2; 32]), 1, leaf(b"entry"));
        assert_eq!(run(Some(Ok(other))), [Finding::BadHead(HeadError::Other)]);
    }
}
