//! The records officer's order: which calls go on the record, and to which key they are sealed.
//!
//! ```text
//!  Order = version u8 = 1 | serial u64 | since u64 | calls u8 | sealing key 1,216
//!          | predecessors u8, each: officer key 32 | its signature over the next officer key 64
//!          | officer key 32 | signature 64 by it over all before
//!
//!  new sealing key, other calls:   the same officer key, a higher serial
//!  new officer key:                the old one signs it; a handset that pinned any predecessor follows the chain
//! ```
//!
//! The exchange hands the order on and cannot make one. A handset obeys an order of the officer that it pinned
//! (enrolment link, or its owner's word), or of one whom that officer named, and never an older one again.

use core::fmt;

use seal::office::{OfficerKey, verify_officer};
use sha2::{Digest, Sha256};
use wire::limits::ORDER_MAX;
use wire::{DecodeError, Field, OfficerPub, Reader, Signature, Wall, Writer};

const VERSION: u8 = 1;
const ORDER: &str = "hotline record order v1";
const SUCCESSOR: &str = "hotline record successor v1";
/// Length of a sealing key: X-Wing, ML-KEM-768 with X25519. Bytes.
pub const SEAL_KEY_LEN: usize = 1_216;
/// Most changes of the officer key that an order tells of.
pub const PREDECESSORS_MAX: usize = 32;

/// Which calls go on the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// None.
    None,
    /// Those that were answered.
    Answered,
    /// All, missed and failed ones too.
    All,
}

impl Calls {
    /// As it stands in an order.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Calls::None => 0,
            Calls::Answered => 1,
            Calls::All => 2,
        }
    }

    fn from_code(code: u8) -> Option<Calls> {
        [Calls::None, Calls::Answered, Calls::All].into_iter().find(|calls| calls.code() == code)
    }
}

/// The public key that entries are sealed to.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey(Box<[u8; SEAL_KEY_LEN]>);

/// Names a sealing key: SHA-256 of a label and the key.
pub type KeyId = [u8; 32];

impl SealKey {
    /// Wraps an encoded key.
    #[must_use]
    pub fn new(bytes: [u8; SEAL_KEY_LEN]) -> Self {
        SealKey(Box::new(bytes))
    }

    /// The encoded key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; SEAL_KEY_LEN] {
        &self.0
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        Sha256::new().chain_update("hotline record key v1").chain_update(*self.0).finalize().into()
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// What people compare of an officer key: 128 bits in eight groups.
#[must_use]
pub fn fingerprint(officer: &OfficerPub) -> String {
    groups("hotline records officer v1", &officer.0)
}

/// 128 bits of the hash of a label and a key, in eight groups of four hex digits.
pub(crate) fn groups(label: &str, key: &[u8; 32]) -> String {
    let hash = Sha256::new().chain_update(label).chain_update(key);
    let hash: [u8; 32] = hash.finalize().into();
    let groups: Vec<String> =
        hash[..16].chunks_exact(2).map(|two| format!("{:02x}{:02x}", two[0], two[1])).collect();
    groups.join(" ")
}

/// Why bytes are no order. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Not an order.
    #[error(
        "this is not an order of a records officer ({0}): take the file that `hotline record` wrote"
    )]
    Damaged(#[from] DecodeError),
    /// Longer than any order.
    #[error("this is not an order of a records officer: it is too long")]
    Long,
    /// A signature.
    #[error("the order was not signed by the officer key that it names: it is forged, or damaged")]
    Signature,
}

/// An order whose signatures are good. Who its officer is, is another question: [`Order::follows`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    serial: u64,
    since: Wall,
    calls: Calls,
    key: SealKey,
    before: Vec<(OfficerPub, Signature)>,
    officer: OfficerPub,
    bytes: Vec<u8>,
}

impl Order {
    /// A first order.
    #[must_use]
    pub fn first(officer: &OfficerKey, calls: Calls, key: SealKey, since: Wall) -> Order {
        Order::make(officer, 1, since, calls, key, Vec::new())
    }

    /// The order after this one, by the same officer.
    #[must_use]
    pub fn next(&self, officer: &OfficerKey, calls: Calls, key: SealKey, since: Wall) -> Order {
        Order::make(officer, self.serial + 1, since, calls, key, self.before.clone())
    }

    /// The order after this one, by a new officer key, which the present one names. `None`: the key was
    /// changed too often; begin anew, and let the handsets' owners confirm.
    #[must_use]
    pub fn succeed(
        &self,
        old: &OfficerKey,
        new: &OfficerKey,
        key: SealKey,
        since: Wall,
    ) -> Option<Order> {
        let mut before = self.before.clone();
        before.push((old.public(), old.sign(SUCCESSOR, &[&new.public().0])));
        (before.len() <= PREDECESSORS_MAX)
            .then(|| Order::make(new, self.serial + 1, since, self.calls, key, before))
    }

    fn make(
        officer: &OfficerKey,
        serial: u64,
        since: Wall,
        calls: Calls,
        key: SealKey,
        before: Vec<(OfficerPub, Signature)>,
    ) -> Order {
        let mut w = Writer::new();
        VERSION.write(&mut w);
        serial.write(&mut w);
        since.write(&mut w);
        calls.code().write(&mut w);
        w.bytes(key.as_bytes());
        // At most `PREDECESSORS_MAX`.
        (before.len() as u8).write(&mut w);
        for (key, signature) in &before {
            key.write(&mut w);
            signature.write(&mut w);
        }
        officer.public().write(&mut w);
        let mut bytes = w.finish();
        let signature = officer.sign(ORDER, &[&bytes]);
        bytes.extend(signature.0);
        Order { serial, since, calls, key, before, officer: officer.public(), bytes }
    }

    /// The order that `bytes` are; every signature in it is checked.
    ///
    /// # Errors
    /// Any [`OrderError`].
    pub fn parse(bytes: &[u8]) -> Result<Order, OrderError> {
        if bytes.len() > ORDER_MAX {
            return Err(OrderError::Long);
        }
        let undefined = |field, value: u8| DecodeError::Undefined { field, value: value.into() };
        let mut r = Reader::new(bytes);
        match r.u8("Order.version")? {
            VERSION => {}
            value => return Err(undefined("Order.version", value).into()),
        }
        let serial = r.u64("Order.serial")?;
        if serial == 0 || serial > u64::MAX / 2 {
            return Err(DecodeError::Undefined { field: "Order.serial", value: serial }.into());
        }
        let since = Wall::read(&mut r, "Order.since")?;
        let code = r.u8("Order.calls")?;
        let calls = Calls::from_code(code).ok_or(undefined("Order.calls", code))?;
        let key = SealKey::new(r.array("Order.key")?);
        let count = r.u8("Order.predecessors")?;
        if usize::from(count) > PREDECESSORS_MAX {
            return Err(undefined("Order.predecessors", count).into());
        }
        let mut before = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let key = OfficerPub::read(&mut r, "Order.predecessor")?;
            before.push((key, Signature::read(&mut r, "Order.successor")?));
        }
        let officer = OfficerPub::read(&mut r, "Order.officer")?;
        let signature = Signature::read(&mut r, "Order.signature")?;
        r.end()?;
        let signed = &bytes[..bytes.len() - signature.0.len()];
        verify_officer(&officer, ORDER, &[signed], &signature)
            .map_err(|_| OrderError::Signature)?;
        let next = before.iter().skip(1).map(|(key, _)| key).chain([&officer]);
        for ((key, signature), next) in before.iter().zip(next) {
            verify_officer(key, SUCCESSOR, &[&next.0], signature)
                .map_err(|_| OrderError::Signature)?;
        }
        Ok(Order { serial, since, calls, key, before, officer, bytes: bytes.to_vec() })
    }

    /// The order as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Counts up with each order.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// When it was made.
    #[must_use]
    pub fn since(&self) -> Wall {
        self.since
    }

    /// Which calls.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.calls
    }

    /// To which key.
    #[must_use]
    pub fn key(&self) -> &SealKey {
        &self.key
    }

    /// By whom.
    #[must_use]
    pub fn officer(&self) -> OfficerPub {
        self.officer
    }

    /// Whether it is by `pinned`, or by somebody whom `pinned` named, directly or through others.
    #[must_use]
    pub fn follows(&self, pinned: &OfficerPub) -> bool {
        self.officer == *pinned || self.before.iter().any(|(key, _)| key == pinned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn officer(seed: u8) -> OfficerKey {
        OfficerKey::from_bytes(&[seed; 32])
    }

    fn key(n: u8) -> SealKey {
        SealKey::new([n; SEAL_KEY_LEN])
    }

    fn first() -> Order {
        Order::first(&officer(1), Calls::Answered, key(1), Wall(5))
    }

    #[test]
    fn an_order_comes_back_as_it_was_and_each_change_is_found() {
        let second = first().succeed(&officer(1), &officer(2), key(2), Wall(6)).unwrap();
        for order in [first(), second] {
            let bytes = order.as_bytes();
            assert_eq!(Order::parse(bytes), Ok(order.clone()));
            for at in 0..bytes.len() {
                assert!(Order::parse(&bytes[..at]).is_err(), "cut at {at}");
                let mut changed = bytes.to_vec();
                changed[at] ^= 1;
                assert!(Order::parse(&changed).is_err(), "changed at {at}");
            }
            assert!(Order::parse(&[bytes, &[0]].concat()).is_err());
        }
        assert_eq!(Order::parse(&[0; ORDER_MAX + 1]), Err(OrderError::Long));
    }

    #[test]
    fn whoever_pinned_any_predecessor_follows_and_nobody_else_does() {
        let mut order = first();
        for n in 1..=5 {
            order = order.succeed(&officer(n), &officer(n + 1), key(n + 1), Wall(9)).unwrap();
        }
        let order = Order::parse(order.as_bytes()).unwrap();
        assert_eq!((order.serial(), order.officer()), (6, officer(6).public()));
        assert!((1..=6).all(|n| order.follows(&officer(n).public())));
        assert!(!order.follows(&officer(7).public()));
    }

    #[test]
    fn a_thief_of_the_exchange_cannot_name_himself_the_successor() {
        // Signed by himself all over, with the true officer's key as a predecessor.
        let thief = officer(66);
        let named = (officer(1).public(), thief.sign(SUCCESSOR, &[&thief.public().0]));
        let forged = Order::make(&thief, 2, Wall(7), Calls::All, key(66), vec![named]);
        assert!(forged.follows(&officer(1).public()), "it says so");
        assert_eq!(Order::parse(forged.as_bytes()), Err(OrderError::Signature));
        // A true chain, with somebody else at its end.
        let true_chain = first().succeed(&officer(1), &officer(2), key(2), Wall(6)).unwrap();
        let forged = Order::make(&thief, 3, Wall(7), Calls::All, key(66), true_chain.before);
        assert_eq!(Order::parse(forged.as_bytes()), Err(OrderError::Signature));
    }

    #[test]
    fn the_longest_chain_fits_and_ends() {
        let mut order = first();
        for n in 0..PREDECESSORS_MAX as u8 {
            order = order.succeed(&officer(n + 1), &officer(n + 2), key(0), Wall(0)).unwrap();
        }
        assert!(order.as_bytes().len() <= ORDER_MAX);
        assert!(Order::parse(order.as_bytes()).is_ok());
        assert!(order.succeed(&officer(99), &officer(100), key(0), Wall(0)).is_none());
    }

    #[test]
    fn fingerprints_differ_and_are_eight_groups() {
        let (a, b) = (fingerprint(&officer(1).public()), fingerprint(&officer(2).public()));
        assert_ne!(a, b);
        assert_eq!(a.split(' ').map(str::len).collect::<Vec<_>>(), [4; 8]);
    }
}
