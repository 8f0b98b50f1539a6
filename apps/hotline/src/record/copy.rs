//! A copy of a log, to carry to where the officer works: C2SP tlog-tiles, which other tools read too.
//!
//! ```text
//!  checkpoint               the signed head, as a note
//!  tile/entries/000         256 entries, each: length u16, entry          tile/entries/001.p/17   the last, 17 of them
//!  tile/0/000               their 256 hashes                              tile/1/000   hashes over 256 of those, ..
//! ```
//!
//! A copy that is there is continued, if the log begins with it; the checkpoint is written last.

use std::path::{Path, PathBuf};

use record::check::Check;
use record::{Hash, Tree, tree};

use super::source::{Row, Source};
use super::{officer, replace};
use crate::cli::Failure;

/// Entries, or hashes, of a full tile.
pub(super) const TILE: u64 = 256;
/// The signed head.
pub(super) const CHECKPOINT: &str = "checkpoint";

/// The path of a tile: three digits a folder, all but the last with an `x`.
fn name(level: &str, number: u64, width: u64) -> PathBuf {
    let mut path = format!("{:03}", number % 1_000);
    let mut rest = number / 1_000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1_000);
        rest /= 1_000;
    }
    if width < TILE {
        path = format!("{path}.p/{width}");
    }
    Path::new("tile").join(level).join(path)
}

/// A tile of a copy, the widest that is there.
pub(super) fn tile(folder: &Path, level: &str, number: u64) -> Result<Option<Vec<u8>>, Failure> {
    for width in (1..=TILE).rev() {
        let path = folder.join(name(level, number, width));
        match std::fs::read(&path) {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                // No folder of partial ones: none of the narrower ones is there.
                if width == TILE - 1 && !path.parent().is_some_and(Path::exists) {
                    return Ok(None);
                }
            }
            Err(e) => return Err(format!("cannot read {}: {e}", path.display()).into()),
        }
    }
    Ok(None)
}

fn write(folder: &Path, level: &str, number: u64, width: u64, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name(level, number, width));
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)
            .map_err(|e| format!("cannot write {}: {e}", parent.display()))?;
    }
    replace(&path, bytes)
}

/// `hotline record copy`.
///
/// # Errors
/// The log is damaged, the copy is of another log, or the disk refuses.
pub(super) fn run(from: &Path, to: &Path) -> Result<(), Failure> {
    let source = Source::open(from)?;
    let head = source.head()?.ok_or("there is no record yet: no handset has sent an entry")??;
    let kept: Vec<_> = match std::fs::read_to_string(to.join(CHECKPOINT)) {
        Ok(note) => vec![officer::head(&note)?],
        Err(_) => Vec::new(),
    };
    if kept.iter().any(|kept| kept.exchange != head.exchange) {
        return Err(format!("{} is a copy of another exchange's record", to.display()).into());
    }
    let done = kept.first().map_or(0, |kept| kept.size);
    // First all of it is checked: nothing that is not whole is written over a good copy.
    let mut check = Check::default();
    source.each(&mut |Row { index, beside, entry }| {
        check.entry(index, beside.as_ref(), &entry);
        Ok(())
    })?;
    let (tree, findings) = check.finish(&head.exchange, Some(Ok(head)), &kept);
    if let Some(finding) = findings.first() {
        return Err(format!(
            "the record is not whole, and was not copied: {finding}; see `hotline record verify`"
        )
        .into());
    }
    let (mut bundle, mut number, mut width) = (Vec::new(), 0, 0);
    source.each(&mut |Row { entry, .. }| {
        let len = u16::try_from(entry.len()).map_err(|_| "an entry is too long to be one")?;
        bundle.extend(len.to_be_bytes());
        bundle.extend(entry);
        width += 1;
        if width == TILE {
            // Full tiles never change: what the copy has of them is what was checked.
            if (number + 1) * TILE > done {
                write(to, "entries", number, width, &bundle)?;
            }
            (number, width) = (number + 1, 0);
            bundle.clear();
        }
        Ok(())
    })?;
    if width > 0 {
        write(to, "entries", number, width, &bundle)?;
    }
    hashes(to, &tree)?;
    replace(&to.join(CHECKPOINT), head.note().as_bytes())?;
    println!("Copied {} entries, sealed, to {}.", head.size, to.display());
    Ok(())
}

/// Writes the tiles of hashes.
fn hashes(to: &Path, all: &Tree) -> Result<(), Failure> {
    let mut row: Vec<Hash> = (0..all.size()).filter_map(|index| all.leaf(index)).collect();
    for level in 0.. {
        let mut above = Vec::new();
        for (number, tile) in (0..).zip(row.chunks(256)) {
            let path = to.join(name(&level.to_string(), number, tile.len() as u64));
            if !path.exists() {
                write(to, &level.to_string(), number, tile.len() as u64, &tile.concat())?;
            }
            if tile.len() as u64 == TILE {
                above.push(tile_root(tile));
            }
        }
        if above.is_empty() {
            return Ok(());
        }
        row = above;
    }
    Ok(())
}

fn tile_root(tile: &[Hash]) -> Hash {
    let mut level = tile.to_vec();
    while level.len() > 1 {
        level = level.chunks_exact(2).map(|two| tree::node(&two[0], &two[1])).collect();
    }
    level[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_named_as_the_format_says() {
        assert_eq!(name("entries", 0, 256), Path::new("tile/entries/000"));
        assert_eq!(name("0", 5, 17), Path::new("tile/0/005.p/17"));
        assert_eq!(name("1", 1_234_067, 256), Path::new("tile/1/x001/x234/067"));
    }
}
