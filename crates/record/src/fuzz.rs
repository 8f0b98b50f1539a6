//! Bodies of the fuzz targets: any bytes, no panic, and no forgery that passes.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use seal::identity::{Device, IdentityKey};
use seal::office::{ExchangeKey, OfficerKey};
use wire::{ExchangePub, Wall};

use crate::check::Check;
use crate::entry::Entry;
use crate::head::Head;
use crate::order::{Calls, Order, SEAL_KEY_LEN, SealKey};
use crate::sealing;

/// An order: no change of a genuine one is taken.
pub fn order(data: &[u8]) {
    if let Ok(order) = Order::parse(data) {
        assert_eq!(order.as_bytes(), data);
    }
    let key = SealKey::new([1; SEAL_KEY_LEN]);
    let genuine = Order::first(&OfficerKey::from_bytes(&[1; 32]), Calls::All, key, Wall(1));
    if let [a, b, change @ ..] = data {
        let mut bytes = genuine.as_bytes().to_vec();
        let at = usize::from(u16::from_be_bytes([*a, *b])) % bytes.len();
        bytes[at..].iter_mut().zip(change).for_each(|(byte, x)| *byte ^= x);
        let forged = bytes != genuine.as_bytes();
        assert!(Order::parse(&bytes).is_err() || !forged, "a forged order was accepted");
    }
}

/// A checkpoint note.
pub fn head(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let exchange = ExchangeKey::from_bytes(&[1; 32]).public();
    let named = Head::names(text).unwrap_or(exchange);
    if let Ok(head) = Head::parse(text, &named) {
        assert_eq!(Head::parse(&head.note(), &named), Ok(head));
    }
    // Behind a right first line.
    let body = format!("{}\n{text}", crate::head::origin(&exchange));
    assert!(Head::parse(&body, &exchange).is_err(), "a forged checkpoint was accepted");
}

/// What is in an entry: the plaintext, which whoever knows the officer's key can make up.
pub fn entry(data: &[u8]) {
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(entry.encode(), data, "one entry, two encodings");
    }
    let exchange = ExchangePub([1; 32]);
    assert!(sealing::unpack(data, &[2; 32], &exchange).is_err(), "an entry without a signature");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let device = Device::first(&IdentityKey::generate(&mut rng), &mut rng);
    let signature = device.sign_entry(&[&[2; 32], &exchange.0, data]);
    let mut w = wire::Writer::new();
    w.var(data).bytes(device.credential()).bytes(&signature.0);
    if let Ok(opened) = sealing::unpack(&w.finish(), &[2; 32], &exchange) {
        assert_eq!(opened.entry.encode(), data);
    }
}

/// A log as it stands on a disk that somebody had in his hands.
pub fn log(data: &[u8]) {
    let mut check = Check::default();
    let mut index = 0;
    for row in data.chunks(9) {
        index += u64::from(row[0] & 3);
        let beside = (row[0] & 4 == 0).then(|| crate::tree::leaf(row));
        check.entry(index, beside.as_ref(), row);
    }
    let key = ExchangeKey::from_bytes(&[1; 32]);
    let head = Head::sign(&key, index, [0; 32]);
    let _ = check.finish(&key.public(), Some(Ok(head)), &[head]);
}

#[cfg(test)]
mod tests {
    use rand_core::{RngCore as _, SeedableRng as _};

    #[test]
    fn bodies_hold() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(5);
        for _ in 0..200u32 {
            let mut data = vec![0; (rng.next_u32() % 200) as usize];
            rng.fill_bytes(&mut data);
            for body in [super::order, super::head, super::entry, super::log] {
                body(&data);
            }
        }
    }
}
