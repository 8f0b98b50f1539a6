//! What comes out of a [`crate::Phone`].

use call::{CallState, End};
use wire::limits::HOST_MAX;
use wire::line::Refusal;
use wire::rows::Change;
use wire::{ExchangePub, Rule, Text, Time};

/// What the host does for the machine.
pub enum Output {
    /// Connect to the exchange; answer with `LinkUp` or `LinkDown`.
    Connect {
        /// `host:port` of the line door.
        door: Text<HOST_MAX>,
        /// The key that the other end has to prove.
        exchange: ExchangePub,
    },
    /// Take the connection down; no answer is awaited.
    Disconnect,
    /// Send this cell now.
    Transmit(Vec<u8>),
    /// Write these changes in one transaction; answer with `Stored` or `StoreFailed`. One at a time.
    Store {
        /// Its number.
        batch: u64,
        /// In order.
        changes: Vec<Change>,
    },
    /// Something a person may want to know.
    Event(Event),
    /// Last of all: come back with `Tick` at this time, or earlier with something else.
    Timeout(Time),
}

impl core::fmt::Debug for Output {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Output::Connect { .. } => f.write_str("Connect"),
            Output::Disconnect => f.write_str("Disconnect"),
            Output::Transmit(cell) => write!(f, "Transmit({} bytes)", cell.len()),
            Output::Store { batch, changes } => write!(f, "Store({batch}, {changes:?})"),
            Output::Event(event) => write!(f, "{event:?}"),
            Output::Timeout(time) => write!(f, "{time:?}"),
        }
    }
}

/// Something happened. Numbers only: names and texts are in the [`crate::View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The line is attached.
    LineUp,
    /// The line is down, and is being made anew.
    LineDown,
    /// The exchange does not admit this line.
    Refused(Refusal),
    /// This device's clock differs from the exchange's by so many seconds (positive: it is behind). Corrected
    /// time is used for expiries.
    ClockWrong {
        /// Seconds.
        seconds: i64,
    },
    /// The card can be shown now.
    CardIssued {
        /// Which.
        card: u32,
    },
    /// Somebody redeemed the card.
    CardUsed {
        /// Which.
        card: u32,
        /// By whom.
        contact: u32,
    },
    /// The issuer accepted: calls are possible.
    ContactAccepted {
        /// Who.
        contact: u32,
    },
    /// The card was used, withdrawn, expired or never issued; nobody is told which. If somebody else used
    /// it, the issuer has an unknown contact now: tell the issuer by another way.
    ContactRefused {
        /// Which.
        contact: u32,
    },
    /// This handset is a further device of the principal whose device card it presented.
    Admitted,
    /// The contact ended it.
    ContactGone {
        /// Who.
        contact: u32,
    },
    /// The keys of the next call to this contact are there: answering it will cost no handshake.
    ContactReady {
        /// Who.
        contact: u32,
    },
    /// A call comes in. Of one that an attendant was asked about, or answered in vain: once more when it rings here after all.
    Incoming {
        /// Which.
        call: u32,
        /// From whom.
        contact: u32,
    },
    /// The state of a call changed.
    Call {
        /// Which.
        call: u32,
        /// New state.
        state: CallState,
    },
    /// The first voice of a call was heard.
    Voice {
        /// Which.
        call: u32,
    },
    /// The other side of a call muted itself, or no longer.
    Muted {
        /// Which.
        call: u32,
        /// Muted or not.
        on: bool,
    },
    /// The other side holds a call because a more urgent one came to it.
    Preempted {
        /// Which.
        call: u32,
    },
    /// This handset is in night service from now on, or no longer.
    NightService {
        /// On or off.
        on: bool,
    },
    /// The other side of a call that is placed is in night service: the call rings aloud nowhere that says so.
    Night {
        /// Which call.
        call: u32,
    },
    /// Somebody in a call of more than two speaks in the name of the member at `leaf`: nothing in that name is played for
    /// a while.
    Forged {
        /// Which call.
        call: u32,
        /// In whose name.
        leaf: u32,
    },
    /// Who is in a call of more than two changed, or how far it is.
    Room {
        /// Which.
        call: u32,
    },
    /// Text beside voice came.
    Text {
        /// In which call.
        call: u32,
    },
    /// The other handset has the text.
    TextArrived {
        /// In which call.
        call: u32,
    },
    /// The caller of a call that comes in says on whose behalf it calls.
    Behalf {
        /// Which call.
        call: u32,
    },
    /// Who answers a call for its person changed: attendants who are asked, one who comes in, or nobody.
    Relay {
        /// Which call.
        call: u32,
    },
    /// An attendant of the owner's comes into a call, by the right that the owner gave.
    Joins {
        /// Which call.
        call: u32,
        /// Who.
        contact: u32,
    },
    /// What a contact lets the owner do in its name changed.
    Delegated {
        /// Who.
        contact: u32,
    },
    /// An attendant changed, or is changing, something of the owner's contacts: it is in the view.
    Managed {
        /// Who.
        contact: u32,
    },
    /// A principal's handset answered a request about its contacts.
    ManageAnswered {
        /// Whose.
        principal: u32,
        /// Which.
        number: u64,
    },
    /// Tests of the line to another office fail, two or more in a row; or do no longer.
    OfficeLine {
        /// A contact there.
        contact: u32,
        /// Whether they fail.
        fails: bool,
    },
    /// A parked call has waited as long as it was to.
    Recall {
        /// Which.
        call: u32,
    },
    /// Another handset of this person offers a call.
    Offered {
        /// Which offer.
        offer: u32,
    },
    /// Another handset of this person is about to have the call: the microphone is closed here.
    Moving {
        /// Which.
        call: u32,
    },
    /// The call is on another handset: this one, or another one of the other side's person.
    Moved {
        /// Which.
        call: u32,
    },
    /// A call is not on another handset after all: it stays where it is.
    MoveFailed {
        /// Which.
        call: u32,
    },
    /// A hand-over of the position began, went on, or is over.
    Shift,
    /// A contact that was busy is not rung again: its time is over.
    CampOver {
        /// Whom.
        contact: u32,
    },
    /// An appointment comes near, or its time has passed, and its person has not been told in this run of the program.
    Reminder {
        /// Which.
        appointment: u32,
    },
    /// A call was missed.
    Missed {
        /// From whom.
        contact: u32,
    },
    /// A call did not ring: a rule of the owner's kept it from doing so. It is in the history.
    RefusedByRule {
        /// From whom.
        contact: u32,
        /// Which rule.
        rule: Rule,
    },
    /// What is shown of a contact's lamp changed.
    Lamp {
        /// Whose.
        contact: u32,
    },
    /// A text came from a contact.
    Note {
        /// From whom.
        contact: u32,
    },
    /// A contact handed a card on.
    CardHanded {
        /// Who.
        contact: u32,
    },
    /// The records officer's order is in force, or another one than before.
    RecordOrder,
    /// The office has a records officer whom nobody vouched for: the owner has to compare the fingerprint and
    /// accept, or nothing is recorded.
    RecordAsked,
    /// The record does not look right.
    RecordDoubt(Doubt),
    /// An entry is in the record, and proved to be.
    Recorded,
    /// The other side's office keeps a record of a call.
    OnRecord {
        /// Which.
        call: u32,
    },
    /// The host could not store; it is tried again.
    StoreFails,
    /// The host stores again.
    StoreWorks,
}

/// What does not look right about the record. The own exchange, or whoever has it in his hands, is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// An order of somebody whom the pinned officer did not name: not obeyed, unless the owner accepts them.
    OtherOfficer,
    /// An order older than the one in force: not obeyed.
    OldOrder,
    /// An entry was acknowledged without a proof that it is in the log: it is kept, and sent again.
    BadProof,
    /// The log has fewer entries than it had.
    RolledBack,
}

impl Event {
    pub(crate) fn ended(call: u32, end: End) -> Event {
        Event::Call { call, state: CallState::Ended(end) }
    }
}
