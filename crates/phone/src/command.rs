//! What goes into a [`crate::Phone`], and why it may be refused.

use core::time::Duration;

use seal::delegation::Rights;
use wire::enrol::{EnrolLink, LinkError as EnrolLinkError};
use wire::talk::Role;
use wire::{Precedence, Rule};

use crate::agenda::Appointment;
use crate::manage::asks::Manage;
use crate::night::NightRules;
use crate::rules::ContactRules;

/// What a new phone is made of.
pub struct Setup {
    /// How its owner is called; stands on cards.
    pub name: String,
    /// Fresh randomness for this run of the program. Never used twice.
    pub seed: [u8; 32],
    /// How long outgoing calls ring. [`call::PATIENCE`] is usual.
    pub patience: Duration,
}

/// What a person wants. Numbers of contacts, calls and cards are those of [`crate::View`].
pub enum Command {
    /// Be a handset of the office whose operator made this link.
    Enrol(EnrolLink),
    /// Make a card for one counterpart.
    IssueCard {
        /// For whom, as a reminder; not on the card.
        hint: String,
        /// It will be handed over in person, so that whoever redeems it is known.
        in_person: bool,
        /// How long it can be redeemed.
        ttl: Duration,
    },
    /// Make a card for a further handset of the same person, at the same exchange. Whoever redeems it becomes
    /// a device of this principal once the words on both screens were compared ([`Command::Verify`]).
    AdmitDevice {
        /// How long it can be redeemed.
        ttl: Duration,
    },
    /// Use a card: its text, as scanned or typed.
    RedeemCard {
        /// The card.
        text: String,
        /// It was handed over in person by its issuer.
        in_person: bool,
    },
    /// Withdraw a card that nobody has redeemed.
    RevokeCard {
        /// Which.
        card: u32,
    },
    /// Withdraw the contact's address and forget its keys.
    RevokeContact {
        /// Whom.
        contact: u32,
    },
    /// Call a contact by another name.
    RenameContact {
        /// Whom.
        contact: u32,
        /// New name.
        name: String,
    },
    /// The safety words were compared.
    Verify {
        /// With whom.
        contact: u32,
        /// Whether they were the same.
        matches: bool,
    },
    /// May know that it rings, that the owner is busy or declines, and the owner's rules. `None`: as its keys deserve.
    SetTrusted {
        /// Whom.
        contact: u32,
        /// Whether.
        trusted: Option<bool>,
    },
    /// Never rings.
    SetBlocked {
        /// Whom.
        contact: u32,
        /// Whether.
        blocked: bool,
    },
    /// The owner's rules for calls with a contact, in place of those before. On the first handset only.
    SetRules {
        /// With whom.
        contact: u32,
        /// All of them.
        rules: ContactRules,
    },
    /// How urgent calls of a contact may be: that one of the owner's rules alone. On the first handset only.
    SetPrecedence {
        /// Of whom.
        contact: u32,
        /// At most.
        highest: Precedence,
    },
    /// A contact of the own office sees what the owner is doing, or no longer. On the first handset only.
    SetLamp {
        /// Whom.
        contact: u32,
        /// Whether.
        shown: bool,
    },
    /// The owner does not want to be disturbed, or no longer: calls come in silently, here and on the owner's other handsets.
    SetAway {
        /// Away or not.
        on: bool,
    },
    /// Let a contact do things in the owner's name, in place of what it was let do before. On the first handset only.
    Delegate {
        /// Whom.
        contact: u32,
        /// What.
        rights: Rights,
        /// For how long.
        ttl: Duration,
    },
    /// Take that back.
    RevokeDelegation {
        /// Which: its number.
        number: u64,
    },
    /// Ask a principal's first handset to do something with the principal's contacts, which that one delegated.
    Manage {
        /// Whose contacts: a contact of the owner's.
        principal: u32,
        /// What.
        ask: Manage,
    },
    /// Ring a contact.
    Call {
        /// Whom.
        contact: u32,
    },
    /// Ring a contact in the name of another one, who delegated that.
    CallFor {
        /// Whom.
        contact: u32,
        /// In whose name.
        principal: u32,
    },
    /// Come into the call that a contact is in, who delegated that.
    Join {
        /// Whose.
        contact: u32,
        /// As a note-taker, who never sends voice.
        listens: bool,
    },
    /// Ring a contact with a precedence that it grants, perhaps in the name of another one.
    CallUrgent {
        /// Whom.
        contact: u32,
        /// In whose name, if in another's.
        principal: Option<u32>,
        /// How urgent it is.
        precedence: Precedence,
    },
    /// Answer an incoming call.
    Answer {
        /// Which.
        call: u32,
    },
    /// Do not take an incoming call; a trusted caller is told.
    Decline {
        /// Which.
        call: u32,
    },
    /// Silence an incoming call; nobody is told.
    Ignore {
        /// Which.
        call: u32,
    },
    /// Give an outgoing call up before it is answered.
    Cancel {
        /// Which.
        call: u32,
    },
    /// End a call.
    HangUp {
        /// Which.
        call: u32,
    },
    /// Put a call on hold, or resume it (other calls are then held).
    Hold {
        /// Which.
        call: u32,
        /// Hold or resume.
        on: bool,
    },
    /// Be a switchboard position: calls that come in while another is under way ring beside it, and wait. Or no longer.
    SetPosition {
        /// After how long a parked call is recalled, 10 s to an hour; `None`: no position.
        recall: Option<Duration>,
    },
    /// When this handset is in night service by itself, what rings aloud all the same, and who answers instead.
    SetNight {
        /// All of it.
        rules: NightRules,
    },
    /// Night service from now on, or none, until the hours in which this handset is staffed change.
    Night {
        /// On or off.
        on: bool,
    },
    /// Put a call aside: it is held, and recalled after a while. Resumed as any held call.
    Park {
        /// Which.
        call: u32,
        /// Why, as a reminder; at most 200 bytes.
        reason: String,
        /// After how long it is recalled; `None`: as the position says.
        recall: Option<Duration>,
    },
    /// Offer a call between two to another handset of the same person. It goes on here until it is taken there.
    Move {
        /// Which.
        call: u32,
        /// To which handset: its number as a contact.
        to: u32,
    },
    /// It is not offered any more.
    StayHere {
        /// Which.
        call: u32,
    },
    /// Go on here with a call that another handset offers.
    Continue {
        /// Which offer.
        offer: u32,
    },
    /// Leave it there; that handset is told.
    LeaveThere {
        /// Which offer.
        offer: u32,
    },
    /// Go on here with a call that was here before, and is with another handset.
    TakeBack {
        /// Which, of [`crate::View::elsewhere`].
        number: u32,
    },
    /// Hand the switchboard position over to another handset of the same person: parked calls, appointments, a note.
    HandOver {
        /// To which handset: its number as a contact.
        to: u32,
        /// For whoever has the next shift; at most 2,000 bytes.
        note: String,
    },
    /// Take that back: what has not gone stays. After its end: it was read.
    EndHandOver,
    /// Take the position that another handset hands over.
    TakeShift,
    /// Do not, or no further: what has not come stays there. After its end: the note was read.
    LeaveShift,
    /// Ring a contact whose last call found it busy again, until it is free.
    Camp {
        /// Whom.
        contact: u32,
        /// For how long; an hour at most.
        time: Duration,
    },
    /// Ring it no longer.
    EndCamp {
        /// Whom.
        contact: u32,
    },
    /// Make an appointment, or change one.
    Schedule {
        /// Which; `None`: a new one.
        id: Option<u32>,
        /// All of it.
        appointment: Appointment,
    },
    /// It will not be.
    Unschedule {
        /// Which.
        id: u32,
    },
    /// Its reminder was seen, and is not shown again.
    Reminded {
        /// Of which.
        id: u32,
    },
    /// Make the call of an appointment now: ring the first of its people.
    Start {
        /// Which.
        id: u32,
    },
    /// Mute the microphone in all calls, or no longer.
    Mute {
        /// Mute or not.
        on: bool,
    },
    /// Text beside voice.
    Say {
        /// In which call.
        call: u32,
        /// At most 2,000 bytes.
        text: String,
    },
    /// Text to a contact, in or out of calls.
    Note {
        /// Whom.
        contact: u32,
        /// At most 2,000 bytes.
        text: String,
    },
    /// Hand somebody else's card on to a contact.
    HandCard {
        /// Whom.
        contact: u32,
        /// The card's text.
        text: String,
    },
    /// A note for the office's record, in a call that is on it. The records officer reads it, and nobody else.
    Minute {
        /// In which call.
        call: u32,
        /// At most 2,000 bytes.
        text: String,
    },
    /// Vouch for the records officer that the exchange names: the fingerprint, as that person read it out.
    AcceptOfficer {
        /// Eight groups; case and spaces do not count.
        fingerprint: String,
    },
    /// Ring a contact, to bring it into a call under way. Whoever brings a principal in is an attendant from then on.
    Bring {
        /// Into which call.
        call: u32,
        /// Whom.
        contact: u32,
        /// As what.
        role: Role,
        /// Who is expected of the other side, as it is to be shown to that person.
        expected: String,
        /// How urgent it is, as that contact grants it.
        precedence: Precedence,
    },
    /// Speak to those who are held, or no longer.
    Announce {
        /// In which call.
        call: u32,
        /// Speak or not.
        on: bool,
    },
    /// The attendants leave, and those who stay are connected.
    Connect {
        /// Which call.
        call: u32,
    },
    /// The owner has seen the missed calls.
    ClearMissed,
}

/// What happened outside.
pub enum Input<'a> {
    /// A person wants something.
    Command(Command),
    /// The connection that [`crate::Output::Connect`] asked for is up; its other end proved the key.
    LinkUp,
    /// A datagram arrived.
    Cell(&'a [u8]),
    /// The connection is gone, or could not be made.
    LinkDown,
    /// [`crate::Output::Store`] is on disk.
    Stored {
        /// Which.
        batch: u64,
    },
    /// [`crate::Output::Store`] could not be written; nothing of it was. It comes again.
    StoreFailed {
        /// Which.
        batch: u64,
    },
    /// The time of the last [`crate::Output::Timeout`] has come.
    Tick,
}

/// Why an input was refused. The phone is as it was, unless said otherwise.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// No office yet.
    #[error("this handset belongs to no office yet: enrol it with a link from its operator")]
    NotEnrolled,
    /// Has an office already.
    #[error("this handset is enrolled already: use another store for another office")]
    AlreadyEnrolled,
    /// The line has never been attached.
    #[error("the line to the own exchange has not been up yet: wait for it, then try again")]
    NotAttached,
    /// No such number.
    #[error("there is no {0} with this number (any more)")]
    NoSuch(&'static str),
    /// Not in this state.
    #[error("that cannot be done now: {0}")]
    WrongState(&'static str),
    /// Too much.
    #[error("{what} is longer than {max} bytes")]
    TooLong {
        /// What.
        what: &'static str,
        /// Limit.
        max: usize,
    },
    /// A limit of this handset.
    #[error("too many {0}: remove some first")]
    TooMany(&'static str),
    /// A limit of the call.
    #[error("the call is full: four can speak, eight can be in it, two can be rung at a time")]
    CallFull,
    /// The enrolment link is wrong.
    #[error(transparent)]
    EnrolLink(#[from] EnrolLinkError),
    /// The card is wrong.
    #[error(transparent)]
    Card(#[from] seal::card::CardError),
    /// One's own card.
    #[error("this is your own card: it is for somebody else to use")]
    OwnCard,
    /// Somebody who is a contact already.
    #[error("the issuer of this card is a contact already: revoke that one first to replace it")]
    KnownContact,
    /// The words differed.
    #[error(
        "the safety words of this contact differed: somebody may be in between; make the contact anew with a card handed over in person"
    )]
    Alarmed,
    /// A rule keeps the call from coming about; whose it is decides who can lift it.
    #[error("{0}")]
    ByRule(call::Barred),
    /// The call is to be more urgent than the contact lets calls of the owner's be.
    #[error(
        "this contact's rule for you says {} at most: call as that, or ask the contact to lift it", .highest.word()
    )]
    NotGranted {
        /// As what it may be placed.
        highest: Precedence,
    },
    /// Those who stay cannot be connected yet.
    #[error("{}", missing(*.0))]
    Missing(Rule),
    /// The fingerprint is not that of the officer who is asked about.
    #[error(
        "that is not the fingerprint of the officer whom the exchange names: ask the records officer to read it out again; if it stays so, do not accept, and tell them"
    )]
    OtherOfficer,
    /// Calls have to go on the record, and the exchange takes no entries.
    #[error(
        "calls of your office go on the record, and its exchange has not taken the entries of the last ones: tell its operator; no further call can be made until it does"
    )]
    RecordFull,
    /// The other end of the link broke the protocol; the link is taken down.
    #[error("the exchange broke the line protocol, the line is made anew: {0}")]
    Link(#[from] link::LinkError),
    /// The exchange sent something that is no line message; the link is taken down.
    #[error("the exchange sent something undefined, the line is made anew: {0}")]
    Line(#[from] wire::DecodeError),
    /// Keys failed.
    #[error(transparent)]
    Group(#[from] seal::group::GroupError),
    /// Voice failed.
    #[error(transparent)]
    Voice(#[from] voice::Error),
    /// The host's mistake.
    #[error("batch is not being stored: the host must answer each batch once")]
    NoSuchBatch,
}

fn missing(rule: Rule) -> &'static str {
    match rule {
        Rule::NoteTaker => {
            "by a rule of somebody in this call, those who stay are connected only with a note-taker: bring one in, or have \
             the rule lifted by whoever made it"
        }
        _ => {
            "by a rule of somebody in this call, those who stay are connected only with an interpreter: bring one in, or have \
             the rule lifted by whoever made it"
        }
    }
}

/// Why rows do not make a phone. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// No row of the phone itself.
    #[error("the store holds no handset: it is empty, or of something else")]
    Empty,
    /// A row that cannot be read.
    #[error("row of space {space} is damaged ({reason}): restore the store from a copy")]
    Damaged {
        /// Table.
        space: u8,
        /// What is wrong.
        reason: String,
    },
    /// Voice failed.
    #[error(transparent)]
    Voice(#[from] voice::Error),
}
