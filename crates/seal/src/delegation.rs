//! What an attendant may do for a principal: signed by the principal's identity key, for that attendant, until it expires.
//!
//! ```text
//!   delegation, 146 B = version u8 = 1 | principal 32 | attendant 32 | rights u8 | number u64 | expiry u64 | signature 64
//!
//!   bytes ──► UnverifiedDelegation ── verify(attendant, now) ──► VerifiedDelegation
//! ```
//!
//! It says who signed it, and not whether that is who one thinks: that the principal's key is somebody's, a contact's pinned key tells.

use wire::Wall;

use crate::identity::{IdentityKey, PrincipalId};
use crate::sig;

/// Version of the delegation.
const VERSION: u8 = 1;
/// What the identity key signs it under.
const LABEL: &str = "hotline delegation v1";
/// Length of a delegation. Bytes.
pub const DELEGATION_LEN: usize = SIGNED + 64;
const SIGNED: usize = 1 + 32 + 32 + 1 + 8 + 8;

/// What an attendant may do: a set. Bits of a later version say nothing to this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(pub u8);

impl Rights {
    /// Call somebody in the principal's name, and so arrange a call.
    pub const PLACE: Rights = Rights(1);
    /// Answer a call that rings at the principal's.
    pub const RECEIVE: Rights = Rights(2);
    /// Be asked before it rings at the principal's.
    pub const SCREEN: Rights = Rights(4);
    /// Come into a call of the principal's that is under way.
    pub const JOIN: Rights = Rights(8);
    /// Manage the principal's contacts.
    pub const MANAGE: Rights = Rights(16);
    /// Each of them.
    pub const ALL: [Rights; 5] =
        [Rights::PLACE, Rights::RECEIVE, Rights::SCREEN, Rights::JOIN, Rights::MANAGE];

    /// Whether there is something in it, and nothing that is not known here.
    #[must_use]
    pub fn is_meant(self) -> bool {
        let known = Rights::ALL.iter().fold(0, |all, right| all | right.0);
        self.0 != 0 && self.0 & !known == 0
    }

    /// These, and `other`.
    #[must_use]
    pub fn and(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    /// Whether these hold all of `other`.
    #[must_use]
    pub fn hold(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Why a delegation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DelegationError {
    /// Not a delegation.
    #[error("delegation has {0} bytes instead of {DELEGATION_LEN}: its sender is at fault")]
    Length(usize),
    /// Of a later (or no) version.
    #[error(
        "delegation has the unknown version {0}: update this handset, or its sender is at fault"
    )]
    Version(u8),
    /// The principal that it names did not sign this.
    #[error("delegation was not signed by the principal that it names: it is forged, or altered")]
    Signature,
    /// It is genuine, and somebody else's.
    #[error("delegation is for another attendant than the one who shows it")]
    OtherAttendant,
    /// It has run out.
    #[error("delegation has expired: the principal's handset has to renew it")]
    Expired,
}

/// Signs a delegation of this principal for `attendant`.
#[must_use]
pub fn sign(
    identity: &IdentityKey,
    attendant: &PrincipalId,
    rights: Rights,
    number: u64,
    expiry: Wall,
) -> [u8; DELEGATION_LEN] {
    let mut out = [0; DELEGATION_LEN];
    out[0] = VERSION;
    out[1..33].copy_from_slice(&identity.principal().0);
    out[33..65].copy_from_slice(&attendant.0);
    out[65] = rights.0;
    out[66..74].copy_from_slice(&number.to_be_bytes());
    out[74..SIGNED].copy_from_slice(&expiry.0.to_be_bytes());
    let signature = identity.sign(LABEL, &[&out[..SIGNED]]);
    out[SIGNED..].copy_from_slice(&signature);
    out
}

/// A delegation from outside.
#[derive(Clone)]
pub struct UnverifiedDelegation([u8; DELEGATION_LEN]);

impl UnverifiedDelegation {
    /// Takes the bytes, and trusts none of them.
    ///
    /// # Errors
    /// [`DelegationError::Length`], [`DelegationError::Version`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DelegationError> {
        let bytes: &[u8; DELEGATION_LEN] =
            bytes.try_into().map_err(|_| DelegationError::Length(bytes.len()))?;
        match bytes[0] {
            VERSION => Ok(UnverifiedDelegation(*bytes)),
            other => Err(DelegationError::Version(other)),
        }
    }

    /// Checks that the principal that it names signed it for `attendant`, and that it has not expired at `now`.
    ///
    /// # Errors
    /// [`DelegationError::Signature`], [`DelegationError::OtherAttendant`], [`DelegationError::Expired`], in this order.
    pub fn verify(
        &self,
        attendant: &PrincipalId,
        now: Wall,
    ) -> Result<VerifiedDelegation, DelegationError> {
        let (signed, signature) = self.0.split_at(SIGNED);
        let (mut principal, mut named, mut sealed) = ([0; 32], [0; 32], [0; 64]);
        let (mut number, mut expiry) = ([0; 8], [0; 8]);
        principal.copy_from_slice(&signed[1..33]);
        named.copy_from_slice(&signed[33..65]);
        number.copy_from_slice(&signed[66..74]);
        expiry.copy_from_slice(&signed[74..]);
        sealed.copy_from_slice(signature);
        sig::verify(&principal, LABEL, &[signed], &sealed)
            .map_err(|_| DelegationError::Signature)?;
        if named != attendant.0 {
            return Err(DelegationError::OtherAttendant);
        }
        let expiry = Wall(u64::from_be_bytes(expiry));
        if now >= expiry {
            return Err(DelegationError::Expired);
        }
        Ok(VerifiedDelegation {
            principal: wire::IdentityPub(principal),
            rights: Rights(signed[65]),
            number: u64::from_be_bytes(number),
            expiry,
        })
    }
}

/// A delegation that its principal signed for the one who shows it, and that holds: only the verifier makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedDelegation {
    principal: PrincipalId,
    rights: Rights,
    number: u64,
    expiry: Wall,
}

impl VerifiedDelegation {
    /// Who signed it.
    #[must_use]
    pub fn principal(&self) -> PrincipalId {
        self.principal
    }

    /// What the attendant may do.
    #[must_use]
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// Its number among those of the principal.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Until when.
    #[must_use]
    pub fn expiry(&self) -> Wall {
        self.expiry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng as _;

    #[test]
    fn it_holds_for_the_attendant_that_it_names_until_it_expires_and_unaltered() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let keys: Vec<IdentityKey> = (0..3).map(|_| IdentityKey::generate(&mut rng)).collect();
        let (anna, ada, carla) = (&keys[0], keys[1].principal(), keys[2].principal());
        let bytes = sign(anna, &ada, Rights::PLACE, 7, Wall(1_000));
        let read = |bytes: &[u8], by: &PrincipalId, now| {
            UnverifiedDelegation::parse(bytes).and_then(|d| d.verify(by, Wall(now)))
        };
        let good = read(&bytes, &ada, 999).unwrap();
        assert_eq!(
            (good.principal(), good.number(), good.expiry()),
            (anna.principal(), 7, Wall(1_000))
        );
        assert!(good.rights().hold(Rights::PLACE) && !Rights::RECEIVE.hold(Rights::PLACE));
        let both = Rights::RECEIVE.and(Rights::JOIN);
        assert!(both.is_meant() && both.hold(Rights::JOIN) && !both.hold(Rights::SCREEN));
        assert!(!Rights(0).is_meant() && !both.and(Rights(128)).is_meant());
        assert_eq!(read(&bytes, &ada, 1_000), Err(DelegationError::Expired));
        assert_eq!(read(&bytes, &carla, 999), Err(DelegationError::OtherAttendant));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes;
                bad[at] ^= 1 << bit;
                let wanted = if at == 0 {
                    DelegationError::Version(bad[0])
                } else {
                    DelegationError::Signature
                };
                assert_eq!(read(&bad, &ada, 999), Err(wanted), "byte {at}, bit {bit}");
            }
        }
        for len in [0, 1, DELEGATION_LEN - 1] {
            assert_eq!(read(&bytes[..len], &ada, 0), Err(DelegationError::Length(len)));
        }
        // What the same key signed for another purpose is none.
        let mut other = bytes;
        other[SIGNED..].copy_from_slice(&anna.sign("hotline card v1", &[&bytes[..SIGNED]]));
        assert_eq!(read(&other, &ada, 0), Err(DelegationError::Signature));
    }
}
