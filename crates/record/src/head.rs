//! A signed tree head, as a note (C2SP tlog-checkpoint on C2SP signed-note), signed by the exchange's key.
//!
//! ```text
//!  hotline-record/2f9c...e1                              origin: the exchange's key, hex
//!  1734                                                  entries
//!  CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=          root
//!
//!  — hotline-record/2f9c...e1 Az3grlgtzPICa5OS8npVmf...  key id 4 B | Ed25519 64 B, over the lines above
//! ```
//!
//! Such a note begins with its origin, and nothing else that an exchange's key signs begins like that.

use base64ct::{Base64, Encoding};
use seal::office::{self, ExchangeKey};
use sha2::{Digest, Sha256};
use wire::{ExchangePub, Signature};

use crate::tree::Hash;

const PREFIX: &str = "hotline-record/";
/// Longest note that is looked at. Bytes.
pub const NOTE_MAX: usize = 4_096;
/// Most signatures of a note that are looked at.
const SIGNATURES_MAX: usize = 16;

/// How far a log had come: verified, or signed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose log.
    pub exchange: ExchangePub,
    /// Entries.
    pub size: u64,
    /// Over these entries.
    pub root: Hash,
    /// By the exchange's key.
    pub signature: Signature,
}

/// Why a note is no head of the log that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Not a checkpoint note.
    #[error("this is not a checkpoint of a record: the file is damaged, or another one")]
    Damaged,
    /// Of another log.
    #[error("this checkpoint is of another exchange's record")]
    Other,
    /// The signature.
    #[error("this checkpoint was not signed by the exchange's key: it is forged, or damaged")]
    Signature,
}

/// The name of the log of an exchange.
#[must_use]
pub fn origin(exchange: &ExchangePub) -> String {
    use core::fmt::Write as _;
    exchange.0.iter().fold(String::from(PREFIX), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn text(exchange: &ExchangePub, size: u64, root: &Hash) -> String {
    format!("{}\n{size}\n{}\n", origin(exchange), Base64::encode_string(root))
}

/// The key id of an Ed25519 key in signed notes.
fn key_id(name: &str, key: &[u8; 32]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', 1]).chain_update(key);
    let hash: Hash = hash.finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

impl Head {
    /// Signs a head.
    #[must_use]
    pub fn sign(key: &ExchangeKey, size: u64, root: Hash) -> Head {
        let exchange = key.public();
        let signature = key.sign_note(text(&exchange, size, &root).as_bytes());
        Head { exchange, size, root, signature }
    }

    /// A head that came without its note.
    ///
    /// # Errors
    /// [`HeadError::Signature`].
    pub fn verify(
        exchange: ExchangePub,
        size: u64,
        root: Hash,
        signature: Signature,
    ) -> Result<Head, HeadError> {
        office::verify_note(&exchange, text(&exchange, size, &root).as_bytes(), &signature)
            .map_err(|_| HeadError::Signature)?;
        Ok(Head { exchange, size, root, signature })
    }

    /// The head as a note.
    #[must_use]
    pub fn note(&self) -> String {
        let origin = origin(&self.exchange);
        let mut signature = key_id(&origin, &self.exchange.0).to_vec();
        signature.extend(self.signature.0);
        let body = text(&self.exchange, self.size, &self.root);
        format!("{body}\n\u{2014} {origin} {}\n", Base64::encode_string(&signature))
    }

    /// The head that a note of the log of `exchange` is. Signatures of others (witnesses) may stand beside.
    ///
    /// # Errors
    /// Any [`HeadError`].
    pub fn parse(note: &str, exchange: &ExchangePub) -> Result<Head, HeadError> {
        if note.len() > NOTE_MAX {
            return Err(HeadError::Damaged);
        }
        let (body, signatures) = note.rsplit_once("\n\n").ok_or(HeadError::Damaged)?;
        let mut lines = body.split('\n');
        let (Some(name), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(HeadError::Damaged);
        };
        let origin = origin(exchange);
        if name != origin {
            return Err(if name.starts_with(PREFIX) {
                HeadError::Other
            } else {
                HeadError::Damaged
            });
        }
        let number: u64 = size.parse().map_err(|_| HeadError::Damaged)?;
        let root: Hash = decode(root).ok_or(HeadError::Damaged)?;
        // One way to write a head: what is signed is made anew from what was read.
        if format!("{body}\n") != text(exchange, number, &root) {
            return Err(HeadError::Damaged);
        }
        let signatures = signatures.strip_suffix('\n').ok_or(HeadError::Damaged)?;
        let id = key_id(&origin, &exchange.0);
        for line in signatures.split('\n').take(SIGNATURES_MAX) {
            let signed = line.strip_prefix("\u{2014} ").and_then(|line| line.split_once(' '));
            let (name, signed) = signed.ok_or(HeadError::Damaged)?;
            let Some(signed) = decode::<68>(signed).filter(|s| name == origin && s[..4] == id)
            else {
                continue;
            };
            let mut signature = Signature([0; 64]);
            signature.0.copy_from_slice(&signed[4..]);
            return Head::verify(*exchange, number, root, signature);
        }
        Err(HeadError::Signature)
    }

    /// Whose log a note says that it is of. Nothing is verified.
    #[must_use]
    pub fn names(note: &str) -> Option<ExchangePub> {
        let digits = note.strip_prefix(PREFIX)?.get(..64)?;
        let mut key = [0; 32];
        for (byte, two) in key.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(core::str::from_utf8(two).ok()?, 16).ok()?;
        }
        Some(ExchangePub(key))
    }
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    // It is refused if it has another length.
    (Base64::decode(text, &mut bytes).ok()?.len() == N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> ExchangeKey {
        ExchangeKey::from_bytes(&[seed; 32])
    }

    #[test]
    fn key_ids_and_signatures_are_those_of_signed_notes() {
        // The example of the documentation of Go's package note.
        let name = "PeterNeumann";
        let key: [u8; 33] = decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let key: [u8; 32] = key[1..].try_into().unwrap();
        assert_eq!(key_id(name, &key), [0xc7, 0x4f, 0x20, 0xa3]);
        let signed: [u8; 68] = decode("x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=").unwrap();
        assert_eq!(signed[..4], [0xc7, 0x4f, 0x20, 0xa3]);
        let text = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let signature = Signature(signed[4..].try_into().unwrap());
        assert_eq!(office::verify_note(&ExchangePub(key), text, &signature), Ok(()));
    }

    #[test]
    fn a_note_comes_back_and_each_change_of_it_is_found() {
        let head = Head::sign(&key(1), 1_734, [7; 32]);
        let note = head.note();
        assert_eq!(Head::parse(&note, &key(1).public()), Ok(head));
        assert_eq!(Head::names(&note), Some(key(1).public()));
        assert_eq!(Head::parse(&note, &key(2).public()), Err(HeadError::Other));
        for at in (0..note.len()).filter(|at| note.is_char_boundary(*at)) {
            assert!(Head::parse(&note[..at], &key(1).public()).is_err(), "cut at {at}");
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(Head::parse(&changed, &key(1).public()).is_err(), "changed at {at}");
            }
        }
    }

    #[test]
    fn sizes_are_written_one_way_and_other_signatures_may_stand_beside() {
        let head = Head::sign(&key(1), 7, [7; 32]);
        let note = head.note();
        let zero = note.replacen("\n7\n", "\n07\n", 1);
        assert_eq!(Head::parse(&zero, &key(1).public()), Err(HeadError::Damaged));
        let line = note.rsplit_once("\n\n").unwrap().1.to_owned();
        let witness = "\u{2014} witness.example AAAAAAAA\n";
        let witnessed = note.replace(&line, &format!("{witness}{line}"));
        assert_eq!(Head::parse(&witnessed, &key(1).public()), Ok(head));
        let alone = note.replace(&line, witness);
        assert_eq!(Head::parse(&alone, &key(1).public()), Err(HeadError::Signature));
        let forged = Head::sign(&key(2), 7, [7; 32]);
        let forged = Head { exchange: key(1).public(), ..forged }.note();
        assert_eq!(Head::parse(&forged, &key(1).public()), Err(HeadError::Signature));
    }
}
