//! From the page to the worker.

use serde::{Deserialize, Serialize};

use crate::console::Appointment;
use crate::night::NightRules;
use crate::room::Role;
use crate::rules::Rules;
use crate::staff::{Manage, Right};
use crate::view::Precedence;

/// How the store at rest is locked.
#[derive(Clone, Serialize, Deserialize)]
pub enum LockChoice {
    /// By a passphrase that the person types.
    Passphrase {
        /// The passphrase.
        secret: String,
    },
    /// By a passkey: WebAuthn's PRF gave the secret.
    Passkey {
        /// What PRF gave, base64url.
        secret: String,
        /// Which credential gives it again, base64url.
        credential: String,
        /// What PRF has to be asked for, base64url.
        salt: String,
    },
    /// Not at all: nothing is kept, and the handset is gone with its window.
    Nothing,
}

/// What the page wants.
#[derive(Clone, Serialize, Deserialize)]
pub enum ToWorker {
    /// A new handset. Answered with `Opened` or `Refused`; then `View`s come.
    Create {
        /// The person's name, as on cards.
        name: String,
        /// The operator's link, `hotline:enroll/...`.
        enrol: String,
        /// A card to redeem at once, `hotline:card/...`.
        card: Option<String>,
        /// How it is kept.
        lock: LockChoice,
    },
    /// Opens the handset in the store. Answered with `Opened` or `Refused`.
    Unlock {
        /// The passphrase, or what the passkey's PRF gave (base64url).
        secret: String,
    },
    /// Takes the line down, forgets all keys in memory. Answered with `Ready`.
    Lock,
    /// As `Lock`, and removes the store. Answered with `Ready`.
    Wipe,
    /// Lock by something else from now on. Answered with `Done`.
    ChangeLock {
        /// Comes back in the answer.
        ask: u32,
        /// How it is kept; `Nothing` is refused.
        lock: LockChoice,
    },
    /// A command. Answered with `Done` once it is on disk, or `Failed`.
    Do {
        /// Comes back in the answer.
        ask: u32,
        /// What is wanted.
        command: Command,
    },
    /// Show the words of a contact and four choices for theirs. Answered with `Choices`.
    Choices {
        /// With whom.
        contact: u32,
    },
    /// The person picked. Answered as `Do`.
    Pick {
        /// Comes back in the answer.
        ask: u32,
        /// With whom.
        contact: u32,
        /// Which of the choices; `None`: none matches.
        picked: Option<usize>,
    },
    /// Show the code of a card of this handset. Answered with `CardCode`.
    CardCode {
        /// Which.
        card: u32,
    },
}

/// What a person wants. The same as the machine's commands.
#[derive(Clone, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is a command of crate phone, and documented there")]
pub enum Command {
    IssueCard { hint: String, in_person: bool, hours: u32 },
    AdmitDevice { hours: u32 },
    RedeemCard { text: String, in_person: bool },
    RevokeCard { card: u32 },
    RevokeContact { contact: u32 },
    RenameContact { contact: u32, name: String },
    SetTrusted { contact: u32, trusted: Option<bool> },
    SetBlocked { contact: u32, blocked: bool },
    SetLamp { contact: u32, shown: bool },
    SetAway { on: bool },
    Delegate { contact: u32, rights: Vec<Right>, days: u32 },
    RevokeDelegation { number: u64 },
    Call { contact: u32 },
    CallFor { contact: u32, principal: u32 },
    Join { contact: u32, listens: bool },
    Manage { principal: u32, ask: Manage },
    CallUrgent { contact: u32, precedence: Precedence },
    SetPrecedence { contact: u32, highest: Precedence },
    SetRules { contact: u32, rules: Rules<u32>, highest: Precedence },
    Answer { call: u32 },
    Decline { call: u32 },
    Ignore { call: u32 },
    Cancel { call: u32 },
    HangUp { call: u32 },
    Hold { call: u32, on: bool },
    SetPosition { recall: Option<u32> },
    SetNight { rules: NightRules },
    Night { on: bool },
    Park { call: u32, reason: String, recall: Option<u32> },
    Move { call: u32, to: u32 },
    StayHere { call: u32 },
    Continue { offer: u32 },
    LeaveThere { offer: u32 },
    TakeBack { number: u32 },
    HandOver { to: u32, note: String },
    EndHandOver,
    TakeShift,
    LeaveShift,
    Camp { contact: u32, minutes: u32 },
    EndCamp { contact: u32 },
    Schedule { id: Option<u32>, appointment: Appointment },
    Unschedule { id: u32 },
    Reminded { id: u32 },
    Start { id: u32 },
    Mute { on: bool },
    Say { call: u32, text: String },
    Note { contact: u32, text: String },
    HandCard { contact: u32, text: String },
    Minute { call: u32, text: String },
    AcceptOfficer { fingerprint: String },
    Bring { call: u32, contact: u32, role: Role, expected: String, precedence: Precedence },
    Announce { call: u32, on: bool },
    Connect { call: u32 },
    ClearMissed,
}
