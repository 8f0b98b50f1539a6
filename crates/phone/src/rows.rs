//! What stands in the rows: one record type for each space.
//!
//! ```text
//!  space  key                 value
//!   1     -                   OwnRow       this handset
//!   2     card number u32     CardRow      and the private half of its key package
//!   3     contact number u32  ContactRow
//!   4     contact number u32  snapshot of the contact group
//!   5     order u64           MailRow      mail that has not been posted
//!   6     order u64           HistoryRow   calls that are over
//!   7     order u64           NoteRow      texts
//!   8     order u64           HeldRow      messages of an epoch that is still to come
//!   9     address 16          -            address to be withdrawn
//!  20     contact number u32  RulesRow     rules for calls with that contact
//!  21     contact number u32  LampRow      lamps between this handset and that contact
//!  22     -                   AwayRow      whether the owner is away
//!  23     number u64          DelegationRow  what the owner lets a contact do
//!  24     contact number u32  WarrantRow   what a contact lets the owner do
//!  26     contact number u32  GrantRow     how urgent calls with that contact may be
//!  30     -                   RecordRow    the records officer, and how far the record is
//!  31     number u64          an entry of the record, sealed, that the exchange has not proved to have
//!  32     contact u32, name   facts of a call under way that belongs on the record
//!  40     -                   PositionRow  this handset is a switchboard position, or was
//!  41     number u32          AppointmentRow
//!  42     0 or 1              ShiftRow     hand-over of the position: from here, to here
//!  45     -                   NightRow     night service of this handset
//!  50     -                   OfficeRow    what the exchange said of the office's rules
//!  51     order u64           ManagedRow   what an attendant did with the owner's contacts
//!  52     contact u32, device 32  ManagerRow  the last number of that attendant's handset
//!  53     number u64          RequestRow   what the owner asked of a principal
//! ```
//!
//! All of it is secret: the host seals it (`seal::vault`).

use core::time::Duration;

use call::{Direction, End, Entry};
use record::entry::Seen;
use seal::delegation::Rights;
use wire::limits::{
    BODY_MAX, CARD_MAX, DELEGATION_MAX, HOST_MAX, INSTEAD_MAX, LIFTS_MAX, MANAGE_MAX, NAME_MAX,
    ORDER_MAX, TEXT_MAX,
};
use wire::manage::ManageRefusal;
use wire::{
    Address, Blob, CallId, DecodeError, Envelope, ExchangePub, ExchangeRef, Field, Hours,
    IdentityPub, MailId, OfficerPub, PairwisePub, Precedence, Reader, Rules, Text, Token, Wall,
    Writer,
};

use crate::behalf::DelegationState;
use crate::night::Night;
use crate::shift::NUMBERS_MAX;

mod restore;

pub(crate) const OWN: u8 = 1;
pub(crate) const CARD: u8 = 2;
pub(crate) const CONTACT: u8 = 3;
pub(crate) const GROUP: u8 = 4;
pub(crate) const MAIL: u8 = 5;
pub(crate) const HISTORY: u8 = 6;
pub(crate) const NOTE: u8 = 7;
pub(crate) const HELD: u8 = 8;
pub(crate) const WITHDRAW: u8 = 9;
pub(crate) const RULES: u8 = 20;
pub(crate) const LAMP: u8 = 21;
pub(crate) const AWAY: u8 = 22;
pub(crate) const DELEGATION: u8 = 23;
pub(crate) const WARRANT: u8 = 24;
pub(crate) const GRANT: u8 = 26;
pub(crate) const RECORD: u8 = 30;
pub(crate) const ENTRY: u8 = 31;
pub(crate) const DRAFT: u8 = 32;
pub(crate) const POSITION: u8 = 40;
pub(crate) const AGENDA: u8 = 41;
pub(crate) const SHIFT: u8 = 42;
pub(crate) const NIGHT: u8 = 45;
pub(crate) const OFFICE: u8 = 50;
pub(crate) const MANAGED: u8 = 51;
pub(crate) const MANAGER: u8 = 52;
pub(crate) const REQUEST: u8 = 53;

/// Longest snapshot of a key package's private half. Bytes.
const PACKAGE_MAX: usize = 60_000;

macro_rules! record {
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident : $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub(crate) struct $name { $($(#[$fmeta])* pub(crate) $field: $ty),* }

        impl $name {
            pub(crate) fn encode(&self) -> Vec<u8> {
                let mut w = Writer::new();
                $( self.$field.write(&mut w); )*
                w.finish()
            }
            pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                let mut r = Reader::new(bytes);
                let record = $name { $( $field: Field::read(&mut r, stringify!($field))? ),* };
                r.end()?;
                Ok(record)
            }
        }
    };
}

record! {
    /// This handset.
    OwnRow {
        name: Text<NAME_MAX>,
        identity: Option<[u8; 32]>,
        device: Blob<512>,
        line: [u8; 32],
        door: Option<Text<HOST_MAX>>,
        exchange: Option<ExchangePub>,
        token: Option<Token>,
        office: Text<NAME_MAX>,
        principal: Text<NAME_MAX>,
        number: u8,
        host: Option<Text<HOST_MAX>>,
    }
}

record! {
    /// A card that this handset issued.
    CardRow {
        hint: Text<NAME_MAX>,
        /// 0 issuing, 1 issued, 2 used, 3 revoked.
        state: u8,
        contact: u32,
        in_person: bool,
        /// For a further handset.
        device: bool,
        address: Address,
        expiry: Wall,
        issued: Wall,
        text: Blob<CARD_MAX>,
        pairwise: [u8; 32],
        offer: Blob<{ wire::limits::OFFER_MAX }>,
        packages: Blob<PACKAGE_MAX>,
    }
}

record! {
    /// Somebody.
    ContactRow {
        name: Text<NAME_MAX>,
        office: Text<NAME_MAX>,
        progress: u8,
        keys: u8,
        /// 0 as its keys deserve, 1 no, 2 yes.
        trusted: u8,
        blocked: bool,
        identity: IdentityPub,
        /// Where it reaches this handset.
        mine: Address,
        /// To whose key that is bound.
        bound: Option<PairwisePub>,
        /// The own exchange has not confirmed that yet.
        unbound: bool,
        exchange: ExchangeRef,
        /// Where this handset reaches it.
        theirs: Address,
        pairwise: [u8; 32],
        counter: u64,
        words: Option<[u8; 32]>,
        said: u32,
        healed: Wall,
        used: bool,
        /// Another handset of the same principal; `used`: admitted.
        sibling: bool,
        /// On a further handset: the first one's number of this contact. 0 elsewhere.
        shared: u32,
        /// Private halves with which this handset can be let into the group.
        packages: Blob<PACKAGE_MAX>,
        /// What binds the group that is to be made to the card.
        card: Option<[u8; 32]>,
    }
}

record! {
    /// Rules for calls with a contact. A contact without such a row has none.
    RulesRow {
        /// [`RULES_VERSION`].
        version: u8,
        /// Who arranges calls, as the first handset numbers contacts; 0: nobody.
        staff: u32,
        /// The owner's.
        own: Rules,
        /// What the contact told of its own.
        theirs: Rules,
        /// What the contact was told of the owner's.
        said: Rules,
    }
}

/// The only version of a [`RulesRow`] so far.
const RULES_VERSION: u8 = 1;

impl RulesRow {
    /// No rules.
    pub(crate) fn none() -> Self {
        let (own, theirs, said) = (Rules::default(), Rules::default(), Rules::default());
        RulesRow { version: RULES_VERSION, staff: 0, own, theirs, said }
    }
}

record! {
    /// How urgent calls with a contact may be. A contact without such a row: routine, both ways.
    GrantRow {
        /// [`GRANT_VERSION`].
        version: u8,
        /// Calls of it, by the owner's word.
        own: Precedence,
        /// Calls to it, as it told.
        theirs: Precedence,
        /// What it was told of the owner's.
        said: Precedence,
    }
}

/// The only version of a [`GrantRow`] so far.
const GRANT_VERSION: u8 = 1;

impl GrantRow {
    /// Routine, both ways.
    pub(crate) fn none() -> Self {
        let (own, theirs, said) = Default::default();
        GrantRow { version: GRANT_VERSION, own, theirs, said }
    }
}

record! {
    /// Lamps between this handset and a contact. Without such a row there are none.
    LampRow {
        /// [`LAMP_VERSION`].
        version: u8,
        /// The owner shows it the lamp.
        shown: bool,
        /// It told its own.
        told: bool,
        /// The epoch of the contact group in which
        epoch: u64,
        /// so much was said aside.
        asides: u32,
    }
}

record! {
    /// Whether the owner is away. Without such a row: no.
    AwayRow {
        /// [`LAMP_VERSION`].
        version: u8,
        away: bool,
    }
}

/// The only version of a [`LampRow`] and an [`AwayRow`] so far.
const LAMP_VERSION: u8 = 1;

impl LampRow {
    /// No lamps.
    pub(crate) fn none() -> Self {
        LampRow { version: LAMP_VERSION, shown: false, told: false, epoch: 0, asides: 0 }
    }
}

impl AwayRow {
    pub(crate) fn new(away: bool) -> Self {
        AwayRow { version: LAMP_VERSION, away }
    }
}

record! {
    /// What the owner lets a contact do in the owner's name.
    DelegationRow {
        /// [`DELEGATION_VERSION`].
        version: u8,
        contact: u32,
        rights: u8,
        /// Until when the owner gave it.
        until: Wall,
        /// Until when what was signed last holds.
        signed: Wall,
        revoked: bool,
    }
}

record! {
    /// What a contact lets the owner do in its name.
    WarrantRow {
        /// [`DELEGATION_VERSION`].
        version: u8,
        delegation: Blob<DELEGATION_MAX>,
        /// Until when that one means to sign it anew.
        until: Wall,
    }
}

/// The only version of a [`DelegationRow`] and a [`WarrantRow`] so far.
const DELEGATION_VERSION: u8 = 1;

impl DelegationRow {
    pub(crate) fn new(contact: u32, rights: Rights, until: Wall) -> Self {
        let (version, rights) = (DELEGATION_VERSION, rights.0);
        DelegationRow { version, contact, rights, until, signed: Wall(0), revoked: false }
    }

    pub(crate) fn state(&self, now: Wall) -> DelegationState {
        match (self.revoked, now >= self.until) {
            (true, _) => DelegationState::Revoked,
            (false, true) => DelegationState::Expired,
            (false, false) => DelegationState::InForce,
        }
    }
}

impl WarrantRow {
    pub(crate) fn new(delegation: Blob<DELEGATION_MAX>, until: Wall) -> Self {
        WarrantRow { version: DELEGATION_VERSION, delegation, until }
    }
}

record! {
    MailRow {
        mail: MailId,
        contact: u32,
        exchange: ExchangeRef,
        envelope: Envelope,
        /// Not to be posted before the return address is bound.
        waits: bool,
    }
}

record! {
    HistoryRow {
        call: CallId,
        contact: u32,
        received: bool,
        at: Wall,
        talked: u64,
        /// Why it ended, in the lower six bits; how urgent it was, above routine, in the others.
        end: u8,
        unseen: bool,
    }
}

/// Bits of [`HistoryRow::end`].
const END_BITS: u8 = 6;

record! {
    NoteRow {
        contact: u32,
        id: [u8; 16],
        sent: bool,
        at: Wall,
        text: Text<TEXT_MAX>,
        /// A card that was handed on, instead of a text.
        card: Option<Blob<CARD_MAX>>,
    }
}

record! {
    HeldRow {
        contact: u32,
        at: Wall,
        message: Blob<BODY_MAX>,
    }
}

record! {
    /// The record, but for what waits.
    RecordRow {
        /// Pinned.
        officer: Option<OfficerPub>,
        /// In force.
        order: Option<Blob<ORDER_MAX>>,
        /// Of the newest entry.
        number: u64,
        /// Entries that could not be taken down since.
        lost: u32,
        /// The newest head of the log that was proved: entries, root.
        seen: Option<Seen>,
    }
}

record! {
    /// A switchboard position.
    PositionRow {
        /// [`POSITION_VERSION`].
        version: u8,
        on: bool,
        /// After how long parked calls are recalled. Seconds.
        recall: u32,
    }
}

/// The only version of a [`PositionRow`] so far.
const POSITION_VERSION: u8 = 1;

impl PositionRow {
    pub(crate) fn new(recall: Option<Duration>) -> Self {
        let secs = recall.unwrap_or(crate::position::RECALL).as_secs();
        let recall_secs = u32::try_from(secs).unwrap_or(u32::MAX);
        PositionRow { version: POSITION_VERSION, on: recall.is_some(), recall: recall_secs }
    }
}

record! {
    /// Night service.
    NightRow {
        /// [`NIGHT_VERSION`].
        version: u8,
        staffed: Option<Hours>,
        aloud: Option<Precedence>,
        instead: Text<INSTEAD_MAX>,
        /// By hand: on or off,
        hand: Option<bool>,
        /// since when,
        since: Wall,
        /// and until when.
        until: Option<Wall>,
    }
}

/// The only version of a [`NightRow`] so far.
const NIGHT_VERSION: u8 = 1;

impl NightRow {
    pub(crate) fn new(night: &Night) -> Self {
        let hand = night.service.hand;
        NightRow {
            version: NIGHT_VERSION,
            staffed: night.service.staffed,
            aloud: night.aloud,
            instead: night.instead.clone(),
            hand: hand.map(|hand| hand.on),
            since: hand.map_or(Wall(0), |hand| hand.since),
            until: hand.and_then(|hand| hand.until),
        }
    }
}

record! {
    /// What the exchange said of the office's rules about this line.
    OfficeRow {
        /// [`OFFICE_VERSION`].
        version: u8,
        lifts: Text<LIFTS_MAX>,
    }
}

/// The only version of an [`OfficeRow`] so far.
const OFFICE_VERSION: u8 = 1;

impl OfficeRow {
    pub(crate) fn new(lifts: Text<LIFTS_MAX>) -> Self {
        OfficeRow { version: OFFICE_VERSION, lifts }
    }
}

record! {
    /// What an attendant did with the owner's contacts.
    ManagedRow {
        /// [`MANAGE_VERSION`].
        version: u8,
        /// Who,
        contact: u32,
        /// as it was called then,
        by: Text<NAME_MAX>,
        /// by which device and request.
        device: [u8; 32],
        number: u64,
        at: Wall,
        /// What, with whom.
        what: u8,
        subject: Text<NAME_MAX>,
        before: Text<NAME_MAX>,
        /// The card or contact.
        thing: u32,
        /// 0 open, 1 done, 2 came to nothing.
        state: u8,
    }
}

record! {
    /// The last number that an attendant's device used.
    ManagerRow {
        /// [`MANAGE_VERSION`].
        version: u8,
        last: u64,
    }
}

record! {
    /// What the owner asked of a principal about its contacts.
    RequestRow {
        /// [`MANAGE_VERSION`].
        version: u8,
        contact: u32,
        at: Wall,
        ask: Blob<MANAGE_MAX>,
        /// It was answered.
        done: bool,
        refused: Option<ManageRefusal>,
        card: Option<Blob<CARD_MAX>>,
    }
}

/// The only version of a [`ManagedRow`], a [`ManagerRow`] and a [`RequestRow`] so far.
pub(crate) const MANAGE_VERSION: u8 = 1;

impl ManagerRow {
    pub(crate) fn new(last: u64) -> Self {
        ManagerRow { version: MANAGE_VERSION, last }
    }
}

record! {
    /// A call that is to be made.
    AppointmentRow {
        /// [`AGENDA_VERSION`].
        version: u8,
        at: Wall,
        agenda: Text<TEXT_MAX>,
        /// Numbers of contacts, four bytes each.
        people: Blob<64>,
        language: Text<NAME_MAX>,
        /// Two's complement, minutes.
        here: u16,
        there: u16,
        note: Text<TEXT_MAX>,
        remind: u16,
        /// The reminder was.
        seen: bool,
    }
}

/// The only version of an [`AppointmentRow`] so far.
pub(crate) const AGENDA_VERSION: u8 = 1;

record! {
    /// A hand-over of the position.
    ShiftRow {
        /// [`SHIFT_VERSION`].
        version: u8,
        id: [u8; 16],
        /// To or from which handset.
        sibling: u32,
        at: Wall,
        note: Text<TEXT_MAX>,
        /// [`crate::ShiftStage`].
        stage: u8,
        appointments: u16,
        calls: u8,
        /// Seconds; 0: it is no position.
        recall: u32,
        /// Appointments that the next one has.
        gone: u16,
        /// Numbers of those on their way, four bytes each.
        waiting: Blob<NUMBERS_MAX>,
        /// Of those that stay.
        left: Blob<NUMBERS_MAX>,
    }
}

/// The only version of a [`ShiftRow`] so far.
pub(crate) const SHIFT_VERSION: u8 = 1;

/// Numbers in a row. There are no more of them than fit.
pub(crate) fn numbers(list: &[u32]) -> Blob<NUMBERS_MAX> {
    let list = list.iter().take(NUMBERS_MAX / 4);
    Blob::new(list.flat_map(|n| n.to_be_bytes()).collect()).unwrap_or_default()
}

/// The numbers in a row.
pub(crate) fn listed(row: &Blob<NUMBERS_MAX>) -> Vec<u32> {
    row.as_bytes().as_chunks().0.iter().map(|n| u32::from_be_bytes(*n)).collect()
}

impl From<&Entry> for HistoryRow {
    fn from(entry: &Entry) -> Self {
        HistoryRow {
            call: entry.call,
            contact: entry.contact,
            received: entry.direction == Direction::Received,
            at: entry.at,
            talked: u64::try_from(entry.talked.as_micros()).unwrap_or(u64::MAX),
            end: entry.end.code() | (entry.precedence as u8) << END_BITS,
            unseen: entry.unseen,
        }
    }
}

impl HistoryRow {
    fn entry(&self) -> Result<Entry, String> {
        Ok(Entry {
            call: self.call,
            contact: self.contact,
            direction: if self.received { Direction::Received } else { Direction::Placed },
            at: self.at,
            talked: Duration::from_micros(self.talked),
            end: End::from_code(self.end & ((1 << END_BITS) - 1))
                .ok_or("an end that this program does not know")?,
            unseen: self.unseen,
            precedence: Precedence::ALL[usize::from(self.end >> END_BITS)],
        })
    }
}

/// The key of a numbered row.
pub(crate) fn key32(number: u32) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// The key of an ordered row.
pub(crate) fn key64(order: u64) -> Vec<u8> {
    order.to_be_bytes().to_vec()
}
