//! From the worker to the page.

use serde::{Deserialize, Serialize};

use crate::rules::Rule;
use crate::view::{CallMeter, CallState, Stats, View};

/// What the browser's store holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreState {
    /// No handset: first use.
    Empty,
    /// A handset that a passphrase opens.
    Passphrase,
    /// A handset that a passkey opens.
    Passkey {
        /// Which, base64url.
        credential: String,
        /// What PRF has to be asked for, base64url.
        salt: String,
    },
    /// A handset is open in another window of this browser.
    ElsewhereOpen,
    /// The browser refuses to store for this page: only a handset that is kept nowhere is possible.
    Unusable,
}

/// What went wrong, for the page to say in the person's language. The text beside it is English and has details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is said in words in the page's string tables")]
pub enum ErrorCode {
    /// The passphrase is wrong, or the store damaged.
    WrongSecret,
    /// The store is of a later version or holds something else.
    StoreForeign,
    /// The browser refuses to store.
    StorageRefused,
    /// The browser has no WebTransport.
    NoWebTransport,
    /// The exchange's page or door does not prove the key of the enrolment link.
    WrongExchange,
    /// The link is no enrolment link, or damaged.
    BadEnrolLink,
    /// The card is damaged, or no card.
    BadCard,
    CardExpired,
    OwnCard,
    KnownContact,
    NotAttached,
    NotNow,
    TooLong,
    TooMany,
    NoSuchHours,
    CallFull,
    Gone,
    Alarmed,
    ByRule(Rule),
    /// Only the first handset of a person can.
    Other,
}

/// A problem, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind.
    pub code: ErrorCode,
    /// In English, with details.
    pub text: String,
}

/// Something happened; names and texts are in the view that was sent just before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is an event of crate phone, and documented there")]
pub enum Event {
    LineUp,
    LineDown,
    /// The exchange does not admit this handset (any more).
    Refused,
    ClockWrong {
        seconds: i64,
    },
    CardIssued {
        card: u32,
    },
    CardUsed {
        card: u32,
        contact: u32,
    },
    ContactAccepted {
        contact: u32,
    },
    ContactRefused {
        contact: u32,
    },
    Admitted,
    ContactReady {
        contact: u32,
    },
    Incoming {
        call: u32,
        contact: u32,
    },
    Call {
        call: u32,
        state: CallState,
    },
    Voice {
        call: u32,
    },
    Muted {
        call: u32,
        on: bool,
    },
    Text {
        call: u32,
    },
    TextArrived {
        call: u32,
    },
    Behalf {
        call: u32,
    },
    Delegated {
        contact: u32,
    },
    OfficeLine {
        contact: u32,
        fails: bool,
    },
    Recall {
        call: u32,
    },
    Preempted {
        call: u32,
    },
    NightService {
        on: bool,
    },
    Night {
        call: u32,
    },
    Offered {
        offer: u32,
    },
    Moving {
        call: u32,
    },
    Moved {
        call: u32,
    },
    MoveFailed {
        call: u32,
    },
    Shift,
    CampOver {
        contact: u32,
    },
    Reminder {
        appointment: u32,
    },
    Missed {
        contact: u32,
    },
    RefusedByRule {
        contact: u32,
    },
    Relay {
        call: u32,
    },
    Joins {
        contact: u32,
    },
    Managed {
        contact: u32,
    },
    ManageAnswered {
        principal: u32,
    },
    Lamp {
        contact: u32,
    },
    Note {
        contact: u32,
    },
    CardHanded {
        contact: u32,
    },
    ContactGone {
        contact: u32,
    },
    RecordOrder,
    RecordAsked,
    RecordDoubt,
    Recorded,
    OnRecord {
        call: u32,
    },
    Room {
        call: u32,
    },
    Forged {
        call: u32,
        leaf: u32,
    },
    StoreFails,
    StoreWorks,
}

/// What the worker tells.
#[derive(Clone, Serialize, Deserialize)]
pub enum FromWorker {
    /// The worker runs; nothing is open.
    Ready {
        /// What there is to open.
        store: StoreState,
    },
    /// A handset is open.
    Opened,
    /// `Create` or `Unlock` did not work; nothing was changed.
    Refused(Problem),
    /// How things stand: at each event, after each command, and once a second if anything changed.
    View(Box<View>),
    /// What moves all the time, ten times a second: replaces the same fields of the last view.
    Meters {
        /// `View::mic`.
        mic: f32,
        /// `View::stats`.
        stats: Stats,
        /// Of each call in the view.
        calls: Vec<CallMeter>,
    },
    /// Something happened.
    Event(Event),
    /// A command is done and on disk.
    Done {
        /// Which.
        ask: u32,
    },
    /// A command was refused.
    Failed {
        /// Which; 0: the card of the link that made this handset.
        ask: u32,
        /// Why.
        problem: Problem,
    },
    /// The own words of a contact, and four choices of theirs.
    Choices {
        /// With whom.
        contact: u32,
        /// To be read to the other side.
        mine: String,
        /// To be compared with what the other side says.
        options: Vec<String>,
    },
    /// A card's link and code.
    CardCode {
        /// Which.
        card: u32,
        /// `hotline:card/...`
        link: String,
        /// The rows of its QR code, `#` dark; without border.
        code: Vec<String>,
    },
    /// The worker cannot go on; the page has to be loaded anew.
    Broken(Problem),
}
