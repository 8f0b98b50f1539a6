//! What an attendant asks of a principal's first handset about the principal's contacts, and what that one answers.
//!
//! ```text
//!  attendant ── Manage{number, ask} ══ mail ══► right? new number? ─► done, written down ── Managed{number, answer} ══ mail ══►
//! ```
//!
//! Keys, words, rules, history and texts do not stand in any of it, so none of them can be asked for or changed.

use crate::codec::{Blob, DecodeError, Field, Reader, Text, Writer, codes, messages};
use crate::limits::{CARD_MAX, LISTED_MAX, NAME_MAX};

messages! {
    /// What is asked.
    ManageAsk, "request about contacts" {
        /// Contacts with numbers above this one, as many as fit.
        1 => List { after: u32 },
        /// A card for whoever is called that.
        2 => Card { name: Text<NAME_MAX> },
        /// Use this card.
        3 => Redeem { card: Blob<CARD_MAX> },
        /// Call that contact so.
        4 => Rename { contact: u32, name: Text<NAME_MAX> },
        /// Withdraw that contact.
        5 => Revoke { contact: u32 },
    }
}

messages! {
    /// What comes of it.
    ManageAnswer, "answer about contacts" {
        /// Some contacts, in the order of their numbers: [`Listed`], one after the other. `more`: there are others.
        1 => Contacts { list: Blob<LISTED_MAX>, more: bool },
        /// The card, which the exchange has: it can be handed on.
        2 => Card { card: Blob<CARD_MAX> },
        /// Done; a card that was to be used is used.
        3 => Done { },
        /// Not done.
        4 => Refused { why: ManageRefusal },
    }
}

codes! {
    /// Why it is not done.
    ManageRefusal {
        /// The principal does not let you, or no longer.
        1 => NoRight,
        /// There is no such contact.
        2 => NoSuch,
        /// That contact is not for you to change: it is a handset of the principal's, or has a delegation itself.
        3 => NotYours,
        /// Too many requests are open, too many cards are out, or too much was changed today.
        4 => Limit,
        /// The card is not valid (any more).
        5 => NotValid,
        /// Its issuer is a contact already, or the principal.
        6 => Known,
        /// The request makes no sense here: another version, or no name.
        7 => NotUnderstood,
        /// A call with that contact is under way.
        8 => InCall,
    }
}

codes! {
    /// How far a contact is.
    Standing {
        /// Its card is being used.
        1 => Redeeming,
        /// Its issuer has not accepted yet.
        2 => Redeemed,
        /// Both have each other.
        3 => Accepted,
        /// The card was not valid.
        4 => Refused,
        /// The principal withdrew it.
        5 => Revoked,
        /// It ended it.
        6 => Gone,
    }
}

/// A contact of the principal's, in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The principal's first handset's number of it.
    pub number: u32,
    /// Its name there.
    pub name: Text<NAME_MAX>,
    /// Its office.
    pub office: Text<NAME_MAX>,
    /// How far it is.
    pub standing: Standing,
}

impl Field for Listed {
    fn write(&self, w: &mut Writer) {
        self.number.write(w);
        self.name.write(w);
        self.office.write(w);
        self.standing.write(w);
    }
    fn read(r: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        Ok(Listed {
            number: Field::read(r, field)?,
            name: Field::read(r, field)?,
            office: Field::read(r, field)?,
            standing: Field::read(r, field)?,
        })
    }
}

/// Contacts as they stand in [`ManageAnswer::Contacts`]; what does not fit any more is left out, and `false`.
#[must_use]
pub fn list(contacts: impl IntoIterator<Item = Listed>) -> (Blob<LISTED_MAX>, bool) {
    let (mut bytes, mut whole) = (Vec::new(), true);
    for contact in contacts {
        let mut w = Writer::new();
        contact.write(&mut w);
        let one = w.finish();
        if bytes.len() + one.len() > LISTED_MAX {
            whole = false;
            break;
        }
        bytes.extend(one);
    }
    (Blob::new(bytes).unwrap_or_default(), whole)
}

/// The contacts in a list.
///
/// # Errors
/// The first field that is not what it should be.
pub fn listed(list: &Blob<LISTED_MAX>) -> Result<Vec<Listed>, DecodeError> {
    let mut r = Reader::new(list.as_bytes());
    let mut contacts = Vec::new();
    while r.left() > 0 {
        contacts.push(Listed::read(&mut r, "contact")?);
    }
    Ok(contacts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(number: u32, name: &str) -> Listed {
        let (name, office) = (Text::new(name).unwrap(), Text::new("Embassy").unwrap());
        Listed { number, name, office, standing: Standing::Accepted }
    }

    #[test]
    fn a_list_is_read_as_it_was_written_and_goes_on_where_it_ends() {
        let few = vec![contact(1, "Boris"), contact(7, ""), contact(u32::MAX, "Zoë")];
        let (bytes, whole) = list(few.clone());
        assert_eq!((listed(&bytes), whole), (Ok(few), true));
        for cut in 1..bytes.as_bytes().len() {
            let cut = listed(&Blob::new(bytes.as_bytes()[..cut].to_vec()).unwrap());
            assert!(cut.is_err() || cut.is_ok_and(|some| some.len() < 3));
        }
        let long = "n".repeat(NAME_MAX);
        let (bytes, whole) = list((1..100).map(|n| contact(n, &long)));
        let first = listed(&bytes).unwrap();
        assert!(!whole && first.len() >= 16, "{}", first.len());
        assert_eq!(first.last().unwrap().number as usize, first.len());
        assert!(listed(&Blob::new(vec![0xff; 40]).unwrap()).is_err());
    }
}
