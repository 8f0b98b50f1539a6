//! The only signatures that an exchange checks: a line's over its challenge, an envelope's.
//!
//! Labels as in `docs/wire.md`. Ed25519, strictly (RFC 8032, no small-order keys).

use ed25519_dalek::{Signature as Ed25519, VerifyingKey};
use wire::{Envelope, ExchangePub, LinePub, Nonce, PairwisePub, Signature};

/// What a line signs before the exchange's key and the nonce.
pub(crate) const LINE_LABEL: &[u8] = b"hotline line v1";

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
    let message = [LINE_LABEL, &exchange.0, &nonce.0].concat();
    check(&line.0, &message, signature)
}

/// Whether `key` signed `envelope`.
pub(crate) fn envelope(key: &PairwisePub, envelope: &Envelope) -> bool {
    let message = Envelope::signed(
        &envelope.address,
        envelope.device,
        envelope.counter,
        envelope.body.as_bytes(),
    );
    check(&key.0, &message, &envelope.signature)
}

fn check(key: &[u8; 32], message: &[u8], signature: &Signature) -> bool {
    VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(message, &Ed25519::from_bytes(&signature.0)).is_ok())
}
