//! The only signatures that an exchange checks: a line's over its challenge, an envelope's.
//!
//! `seal` is linked here without its groups: there is no code in an exchange that could open anything.

use wire::{Envelope, ExchangePub, LinePub, Nonce, PairwisePub, Signature};

/// A key that nobody uses (the curve's base point): what names no known key is checked against it, so that
/// it takes the same steps.
pub(crate) const NOBODY: PairwisePub = PairwisePub({
    let mut bytes = [0x66; 32];
    bytes[0] = 0x58;
    bytes
});

/// Whether `line` made `signature` over this challenge of this exchange.
pub(crate) fn line(
    exchange: &ExchangePub,
    nonce: &Nonce,
    line: &LinePub,
    signature: &Signature,
) -> bool {
    seal::office::verify_line(line, exchange, nonce, signature).is_ok()
}

/// Whether `key` signed `envelope`.
pub(crate) fn envelope(key: &PairwisePub, envelope: &Envelope) -> bool {
    seal::pairwise::verify(key, envelope).is_ok()
}
