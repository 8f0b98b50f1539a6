//! The Merkle tree (RFC 6962 §2.1), its proofs, and their verification (RFC 9162 §2.1.3, §2.1.4).
//!
//! ```text
//!            root                 Frontier: the roots of the full subtrees, left to right. Enough to append,
//!           /    \                          and to prove the newest leaf; log2(n) hashes.
//!         f        leaf 4         Tree:     all hashes. Proves any leaf, and any two sizes of the log.
//!       /   \
//!      d     e                    leaf = SHA-256(0x00 | entry)     node = SHA-256(0x01 | left | right)
//!     / \   / \
//!    0   1 2   3
//! ```

use sha2::{Digest, Sha256};

/// A hash of the tree. Bytes.
pub type Hash = [u8; 32];

/// The root of a log without entries: SHA-256 of nothing.
#[must_use]
pub fn empty() -> Hash {
    Sha256::digest([]).into()
}

/// The hash of an entry.
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of two hashes.
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The right edge of a log: what is needed to append to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of full subtrees, the largest first; one for each bit of `size`.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// From what [`Frontier::size`] and [`Frontier::peaks`] gave; `None` if they do not fit together.
    #[must_use]
    pub fn restore(size: u64, peaks: Vec<Hash>) -> Option<Frontier> {
        (peaks.len() == size.count_ones() as usize).then_some(Frontier { size, peaks })
    }

    /// Entries so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the full subtrees, the largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends a leaf; proof of it in the tree that comes out.
    pub fn append(&mut self, leaf: Hash) -> Vec<Hash> {
        let proof = self.peaks.iter().rev().copied().collect();
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            // One peak for each bit that is set.
            let Some(left) = self.peaks.pop() else { break };
            hash = node(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
        proof
    }

    /// The root as of now.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty() };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}

/// All hashes of a log.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Level 0: leaves. Level k: roots of full subtrees of 2^k leaves.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree over these leaves.
    #[must_use]
    pub fn new(leaves: Vec<Hash>) -> Tree {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            levels.push(below.chunks_exact(2).map(|two| node(&two[0], &two[1])).collect());
        }
        Tree { levels }
    }

    /// Entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels[0].len() as u64
    }

    /// The hash of an entry.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        self.levels[0].get(usize::try_from(index).ok()?).copied()
    }

    /// The root when the log had `size` entries; `None` if it has fewer now.
    #[must_use]
    pub fn root(&self, size: u64) -> Option<Hash> {
        match size {
            0 => Some(empty()),
            size if size <= self.size() => Some(self.range(0, size)),
            _ => None,
        }
    }

    /// Root of the leaves from `from` to before `to`, which a proof asks for: `from` is a multiple of the
    /// largest power of two below the length.
    fn range(&self, from: u64, to: u64) -> Hash {
        let len = to - from;
        if len.is_power_of_two() {
            let level = len.trailing_zeros();
            // Full subtrees of a tree of this size are all there.
            return self.levels[level as usize][(from >> level) as usize];
        }
        let middle = from + split(len);
        node(&self.range(from, middle), &self.range(middle, to))
    }

    /// Proof that entry `index` is in the log of `size` entries, from the leaf upwards.
    #[must_use]
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut from, mut to, mut proof) = (0, size, Vec::new());
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                proof.push(self.range(middle, to));
                to = middle;
            } else {
                proof.push(self.range(from, middle));
                from = middle;
            }
        }
        proof.reverse();
        Some(proof)
    }

    /// Proof that the log of `new` entries begins with that of `old` entries.
    #[must_use]
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        if old == 0 || old > new || new > self.size() {
            return None;
        }
        let (mut from, mut to, mut proof) = (0, new, Vec::new());
        // The subtree in which the old log ends; `whole`: the old log is all that is left of it.
        while to != old {
            let middle = from + split(to - from);
            if old <= middle {
                proof.push(self.range(middle, to));
                to = middle;
            } else {
                proof.push(self.range(from, middle));
                from = middle;
            }
        }
        if from != 0 {
            proof.push(self.range(from, to));
        }
        proof.reverse();
        Some(proof)
    }
}

/// The largest power of two below `len`, which is at least 2.
fn split(len: u64) -> u64 {
    1 << (u64::BITS - 1 - (len - 1).leading_zeros())
}

/// Whether `proof` shows that `leaf` is entry `index` of the log of `size` entries with this root.
#[must_use]
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for other in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(other, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, other);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the log of `new` entries begins with the log of `old` entries.
#[must_use]
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> bool {
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 || old > new {
        return false;
    }
    let mut proof = proof.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { proof.next() };
    let Some(first) = first else { return false };
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut small, mut large) = (*first, *first);
    for other in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            small = node(other, &small);
            large = node(other, &large);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            large = node(&large, other);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && small == *old_root && large == *new_root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Hash {
        core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
    }

    fn leaves(n: u64) -> Vec<Hash> {
        (0..n).map(|i| leaf(&i.to_be_bytes())).collect()
    }

    /// The definition of RFC 6962 §2.1, word for word.
    fn definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty(),
            [one] => *one,
            many => {
                let k = split(many.len() as u64) as usize;
                node(&definition(&many[..k]), &definition(&many[k..]))
            }
        }
    }

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let entries: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::default();
        assert_eq!(
            frontier.root(),
            hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        );
        for (entry, root) in entries.iter().zip(roots) {
            frontier.append(leaf(entry));
            assert_eq!(frontier.root(), hex(root), "{}", frontier.size());
        }
    }

    #[test]
    fn frontier_and_tree_agree_with_the_definition() {
        let all = leaves(70);
        let mut frontier = Frontier::default();
        for n in 0..=70u64 {
            let root = definition(&all[..n as usize]);
            assert_eq!(frontier.root(), root);
            assert_eq!(Tree::new(all.clone()).root(n), Some(root));
            let again = Frontier::restore(frontier.size(), frontier.peaks().to_vec());
            assert_eq!(again.as_ref(), Some(&frontier));
            if let Some(next) = all.get(n as usize) {
                let proof = frontier.append(*next);
                assert!(verify_inclusion(n, n + 1, next, &proof, &frontier.root()));
            }
        }
        assert_eq!(Frontier::restore(3, vec![empty()]), None);
        assert_eq!(Tree::new(all).root(71), None);
    }

    #[test]
    fn every_leaf_is_proved_in_every_size_and_nowhere_else() {
        let tree = Tree::new(leaves(20));
        for size in 1..=20 {
            let root = tree.root(size).unwrap();
            for index in 0..size {
                let proof = tree.inclusion(index, size).unwrap();
                let leaf = tree.leaf(index).unwrap();
                assert!(verify_inclusion(index, size, &leaf, &proof, &root));
                for other in (0..=size).filter(|other| *other != index) {
                    assert!(!verify_inclusion(other, size, &leaf, &proof, &root));
                }
                assert!(!verify_inclusion(index, size, &empty(), &proof, &root));
                assert!(!verify_inclusion(index, size, &leaf, &proof, &empty()));
                let longer = [&proof[..], &[empty()]].concat();
                assert!(!verify_inclusion(index, size, &leaf, &longer, &root));
                if let Some((_, shorter)) = proof.split_last() {
                    assert!(!verify_inclusion(index, size, &leaf, shorter, &root));
                }
            }
            assert_eq!(tree.inclusion(size, size), None);
        }
    }

    #[test]
    fn two_sizes_of_one_log_are_consistent_and_those_of_two_are_not() {
        let (tree, mut other) = (Tree::new(leaves(20)), leaves(20));
        other[3] = empty();
        let other = Tree::new(other);
        for new in 1..=20 {
            let new_root = tree.root(new).unwrap();
            for old in 1..=new {
                let (old_root, proof) =
                    (tree.root(old).unwrap(), tree.consistency(old, new).unwrap());
                assert!(verify_consistency(old, new, &old_root, &new_root, &proof), "{old} {new}");
                let elsewhere = other.root(old).unwrap();
                if old > 3 {
                    assert!(!verify_consistency(old, new, &elsewhere, &new_root, &proof));
                }
                if old < new {
                    let longer = [&proof[..], &[empty()]].concat();
                    assert!(!verify_consistency(old, new, &old_root, &new_root, &longer));
                    assert!(!verify_consistency(old, new, &old_root, &empty(), &proof));
                    assert!(!verify_consistency(old, new, &old_root, &new_root, &[]));
                }
            }
        }
        assert!(!verify_consistency(0, 5, &empty(), &tree.root(5).unwrap(), &[]));
        assert!(!verify_consistency(6, 5, &empty(), &empty(), &[]));
    }
}
