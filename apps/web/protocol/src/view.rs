//! Everything that the page shows. Made from `phone::View`; see there for what each field means.
#![allow(
    missing_docs,
    reason = "fields and states are those of phone::View and call, and documented there"
)]

use serde::{Deserialize, Serialize};

use crate::console::{AppointmentView, CampView, OfficeLineView, ParkedView};
use crate::night::{NightThere, NightView};
use crate::room::{Asked, MemberLevel, RoomView};
use crate::rules::{Barred, Rule, Rules};
use crate::staff::{ListView, ManagedView, Relay, RequestView, Right};
use crate::transfer::{ElsewhereView, MovingView, OfferView, ShiftView};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineState {
    NotEnrolled,
    Down,
    Connecting,
    Up,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    Redeeming,
    Redeemed,
    Accepted,
    Refused,
    Revoked,
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keys {
    Unverified,
    Pinned,
    Verified,
    Alarmed,
}

/// What a contact of the own office is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lamp {
    NotKnown,
    Free,
    Away,
    Ringing,
    OnCall,
}

/// How urgent a call is: of two the greater one is the more urgent.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Precedence {
    #[default]
    Routine,
    Priority,
    Immediate,
    Flash,
}

impl Precedence {
    /// All of them, the least urgent first.
    pub const ALL: [Precedence; 4] =
        [Precedence::Routine, Precedence::Priority, Precedence::Immediate, Precedence::Flash];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    Outgoing,
    Incoming,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallState {
    Calling,
    Reached,
    Ringing,
    RingingHere,
    Connecting,
    Connected,
    HeldByMe,
    HeldByOther,
    Reconnecting,
    Ended(End),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    ByMe,
    ByOther,
    Cancelled,
    Busy,
    Declined,
    NoAnswer,
    Unreachable,
    NoPath,
    Missed,
    DeclinedByMe,
    Elsewhere,
    Glare,
    Lost,
    NoKeys,
    /// A rule of either side's keeps it from coming about.
    ByRule(Rule),
    /// It goes on at another handset of this person.
    Moved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grade {
    Excellent,
    Good,
    Fair,
    Poor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CardState {
    Issuing,
    Issued,
    Used { contact: u32 },
    Expired,
    Revoked,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub name: String,
    pub office: String,
    pub line: LineState,
    /// Seconds that this device's clock is behind.
    pub clock_off: i64,
    pub store_fails: bool,
    /// Nothing is kept: the handset is gone with its window.
    pub kept: bool,
    /// Seconds after which parked calls are recalled, if this handset is a switchboard position.
    pub position: Option<u32>,
    pub camps: Vec<CampView>,
    pub handsets: Vec<u32>,
    pub offers: Vec<OfferView>,
    pub elsewhere: Vec<ElsewhereView>,
    pub shift_given: Option<ShiftView>,
    pub shift_taken: Option<ShiftView>,
    pub agenda: Vec<AppointmentView>,
    pub muted: bool,
    /// The person does not want to be disturbed.
    pub away: bool,
    pub night: NightView,
    /// Level of the microphone, dBFS.
    pub mic: f32,
    pub contacts: Vec<ContactView>,
    /// Who may do what in the person's name; the latest last.
    pub delegations: Vec<DelegationView>,
    /// What they did with the person's contacts; the latest first.
    pub managed: Vec<ManagedView>,
    /// What the person asked of principals; the latest first.
    pub requests: Vec<RequestView>,
    pub lists: Vec<ListView>,
    /// Lines to other offices, at a switchboard position.
    pub office_lines: Vec<OfficeLineView>,
    pub calls: Vec<CallView>,
    pub cards: Vec<CardView>,
    pub history: Vec<HistoryView>,
    pub missed: usize,
    pub notes: Vec<NoteView>,
    pub mail_waiting: usize,
    /// Only the first handset of a person issues and redeems cards.
    pub first_handset: bool,
    pub record: RecordView,
    pub stats: Stats,
}

/// What does not look right about the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Doubt {
    OtherOfficer,
    OldOrder,
    BadProof,
    RolledBack,
}

/// The office's record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    pub officer: Option<String>,
    pub asked: Option<String>,
    pub mark: String,
    pub waiting: usize,
    pub doubt: Option<Doubt>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContactView {
    pub id: u32,
    pub name: String,
    pub office: String,
    pub progress: Progress,
    pub keys: Keys,
    pub used: bool,
    pub trusted: bool,
    pub blocked: bool,
    /// It can be shown the own lamp.
    pub own_office: bool,
    pub lamp_shown: bool,
    pub lamp: Option<Lamp>,
    /// What the person may do for this contact.
    pub may: Vec<Right>,
    /// How urgent calls to it may be.
    pub may_claim: Precedence,
    /// How urgent its calls may be here, if it is trusted.
    pub granted: Precedence,
    pub rules: Rules<u32>,
    pub their_rules: Rules<String>,
    /// A call would break this rule, now.
    pub barred: Option<Barred>,
    pub own_device: bool,
    pub ready: bool,
    pub suite: String,
    /// Words can be compared.
    pub has_words: bool,
}

/// How a delegation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DelegationState {
    InForce,
    Expired,
    Revoked,
}

/// A contact that may do something in the person's name, or might.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DelegationView {
    pub number: u64,
    pub contact: u32,
    pub rights: Vec<Right>,
    /// Milliseconds since 1970.
    pub until_ms: f64,
    pub state: DelegationState,
    /// Until when what the contact has to show is accepted, also if it was taken back.
    pub shown_until_ms: f64,
}

/// In whose name a caller calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Behalf {
    /// Placed here.
    Mine {
        name: String,
    },
    Verified {
        name: String,
    },
    /// The caller says so, and nothing proves it.
    Claimed {
        name: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallView {
    pub id: u32,
    pub contact: u32,
    pub direction: Direction,
    pub state: CallState,
    /// When it began, milliseconds since 1970.
    pub came_ms: f64,
    pub parked: Option<ParkedView>,
    pub moving: Option<MovingView>,
    pub arriving: bool,
    pub moved: bool,
    /// Incoming: it rings audibly.
    pub rings: bool,
    /// Milliseconds for which both could speak.
    pub timer_ms: u64,
    pub level: f32,
    pub quality: Option<Quality>,
    pub muted_by_other: bool,
    pub texts: Vec<TextView>,
    pub on_record: bool,
    pub on_record_there: bool,
    pub minutes: Vec<String>,
    /// Who is in it, once it is a call of more than two.
    pub room: Option<RoomView>,
    /// Incoming: a contact asks this handset's person into a call of others.
    pub asked: Option<Asked>,
    pub behalf: Option<Behalf>,
    pub relay: Option<Relay>,
    /// Over, by this rule.
    pub barred: Option<Barred>,
    /// Placed: the other side is in night service.
    pub night: Option<NightThere>,
    pub precedence: Precedence,
    /// It rings, and is more urgent than the call under way.
    pub rings_over: bool,
    /// Held for a more urgent one: by this side, by the other.
    pub preempted_by_me: bool,
    pub preempted_by_other: bool,
    /// The more urgent call is over: it can be resumed.
    pub goes_back: bool,
}

/// What moves in a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallMeter {
    pub id: u32,
    pub timer_ms: u64,
    pub level: f32,
    pub quality: Option<Quality>,
    /// Of a call of more than two: each member that is heard here.
    pub levels: Vec<MemberLevel>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextView {
    pub mine: bool,
    pub text: String,
    pub arrived: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    pub grade: Grade,
    pub loss_percent: f32,
    pub rebuilt_percent: f32,
    pub delay_ms: f32,
    pub jitter_ms: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CardView {
    pub id: u32,
    pub hint: String,
    pub state: CardState,
    /// Milliseconds since 1970.
    pub expiry_ms: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryView {
    pub contact: u32,
    pub direction: Direction,
    /// Milliseconds since 1970.
    pub at_ms: f64,
    pub talked_ms: u64,
    pub end: End,
    pub unseen: bool,
    pub precedence: Precedence,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteView {
    pub contact: u32,
    pub sent: bool,
    /// Milliseconds since 1970.
    pub at_ms: f64,
    pub text: String,
    /// A card that was handed on.
    pub card: Option<String>,
}

/// Figures for "statistics", and for the tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    pub cells_sent: u64,
    pub cells_received: u64,
    pub cells_lost: u64,
    pub ticks_skipped: u64,
    pub round_trip_ms: f64,
    pub frames_played: u64,
    pub frames_rebuilt: u64,
    pub frames_concealed: u64,
    pub voice_refused: u64,
    /// Frames that the microphone did not bring in time.
    pub mic_gaps: u64,
    /// Captured sound that waits for its tick now.
    pub mic_waits_ms: f32,
    /// How often the player had nothing to play.
    pub player_gaps: u64,
}
