//! What goes into an [`crate::Exchange`] and what comes out.

use core::time::Duration;

use wire::limits::{HOST_MAX, LIFTS_MAX, NAME_MAX};
use wire::rows::Change;
use wire::{ExchangePub, ExchangeRef, Hours, LinePub, OfficerPub, Text, Time, Token, Wall};

use crate::quality::TestResult;

/// The host's name for one connection. Never used twice by one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conn(pub u64);

/// Where a connection comes from, as far as rates are concerned: the host's hash of a network prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u64);

/// With which exchanges trunks are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrunkPolicy {
    /// With all: whoever holds a card of this office can redeem it.
    Open,
    /// With these only.
    Listed(Vec<ExchangePub>),
}

/// What the operator decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// As handsets show it.
    pub office: Text<NAME_MAX>,
    /// `host:port` of the own trunk door, as it stands on cards.
    pub host: Text<HOST_MAX>,
    /// With whom.
    pub trunks: TrunkPolicy,
    /// Cells of each trunk tick. Both ends must have the same.
    pub trunk_cells: u16,
    /// How often each trunk is tested, if at all. Tests of other exchanges are answered in any case.
    pub line_test: Option<Duration>,
}

/// What happened outside.
#[derive(Debug)]
pub enum Input<'a> {
    /// A handset connected.
    LineUp {
        /// Its connection.
        conn: Conn,
        /// Where it comes from.
        source: SourceId,
    },
    /// A trunk is up; the key is proved by the handshake.
    TrunkUp {
        /// Its connection.
        conn: Conn,
        /// Whose.
        peer: ExchangePub,
        /// By us, after [`Output::Dial`].
        dialled: bool,
    },
    /// A cell arrived.
    Cell {
        /// On this connection.
        conn: Conn,
        /// The datagram's payload.
        bytes: &'a [u8],
    },
    /// A connection is gone; also after [`Output::Close`], or not, as the host likes.
    Down {
        /// Which.
        conn: Conn,
    },
    /// Nobody there, or not the exchange with that key.
    DialFailed {
        /// Who was dialled.
        peer: ExchangePub,
    },
    /// [`Output::Store`] is on disk.
    Stored {
        /// Which.
        batch: u64,
    },
    /// [`Output::Store`] could not be written; nothing of it was. It comes again.
    StoreFailed {
        /// Which.
        batch: u64,
    },
    /// The operator wants something.
    Command {
        /// Comes back in [`Output::Reply`].
        id: u64,
        /// What.
        command: Command,
    },
    /// The time of the last [`Output::Timeout`] has come.
    Tick,
}

/// What an operator can want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Let `token` admit one new handset of the principal of that name, who is made if there is none.
    Enrol {
        /// Shown on the handset.
        principal: Text<NAME_MAX>,
        /// Fresh and secret; works once.
        token: Token,
        /// First second at which it no longer works.
        expires: Wall,
    },
    /// Put a records officer's order into force, and tell all handsets.
    SetOrder {
        /// Signed by the officer.
        order: Box<record::Order>,
        /// Also if it is not by the officer of the order in force, nor of one whom that officer named: handsets
        /// then ask their owners.
        anew: bool,
    },
    /// The handset may not attach any more; its link goes down.
    RevokeLine {
        /// Which.
        line: LinePub,
    },
    /// All handsets, addresses and mail of the principal are deleted.
    RevokePrincipal {
        /// Which.
        principal: Text<NAME_MAX>,
    },
    /// From now on this rule holds for calls between the principal's lines and other offices, in place of the one before; or none.
    SetRule {
        /// Whose lines.
        principal: Text<NAME_MAX>,
        /// The rule.
        rule: Option<OfficeRule>,
    },
    /// All rules about own lines.
    ListRules,
    /// All lines.
    ListLines,
    /// All trunks.
    ListTrunks,
    /// Health.
    Status,
    /// Write everything, close everything, and say [`Reply::Stopped`].
    Shutdown,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done, and on disk.
    Done,
    /// There is no such line or principal.
    NotFound,
    /// The disk cannot be written, or the exchange stops.
    Unavailable,
    /// To [`Command::SetOrder`]: a newer order is in force.
    Outdated,
    /// To [`Command::SetOrder`]: the officer of the order in force did not name this one's.
    OtherOfficer,
    /// To [`Command::ListRules`]. Everything in it is on disk.
    Rules(Vec<RuleInfo>),
    /// To [`Command::ListLines`].
    Lines(Vec<LineInfo>),
    /// To [`Command::ListTrunks`]. Everything in it is on disk, unless the disk cannot be written.
    Trunks(Vec<TrunkInfo>),
    /// To [`Command::Status`].
    Status(Status),
    /// Everything is on disk and closed: the process can end.
    Stopped,
}

/// The office's rule about the lines of one principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeRule {
    /// They place no call to another office, and none rings there: staff arranges this person's calls.
    pub staff: bool,
    /// They place calls to other offices, and are rung from there, in these hours only.
    pub hours: Option<Hours>,
    /// Who can lift it, as the handset shows it.
    pub lifts: Text<LIFTS_MAX>,
}

/// Whose lines have which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Whose.
    pub principal: Text<NAME_MAX>,
    /// Which.
    pub rule: OfficeRule,
}

/// One enrolled line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineInfo {
    /// Its key.
    pub line: LinePub,
    /// Whose.
    pub principal: Text<NAME_MAX>,
    /// Which handset of the principal's, 0 to 7.
    pub device: u8,
    /// Whether it is up.
    pub attached: bool,
}

/// One other exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkInfo {
    /// Which, and where it is.
    pub peer: ExchangeRef,
    /// Whether the trunk is in service.
    pub up: bool,
    /// Since when its line tests fail, if the last two did.
    pub failing_since: Option<Wall>,
    /// How tests went, oldest first.
    pub results: Vec<TestResult>,
}

/// Health at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The disk takes writes.
    pub store_works: bool,
    /// Lines up and attached.
    pub lines_attached: u64,
    /// Lines enrolled.
    pub lines_enrolled: u64,
    /// Trunks up.
    pub trunks_up: u64,
    /// Trunks whose line tests fail.
    pub trunks_failing: u64,
    /// Other exchanges known.
    pub peers: u64,
    /// Mail waiting, for handsets and for other exchanges. Pieces.
    pub mail_waiting: u64,
    /// Entries of the record.
    pub record_entries: u64,
    /// The records officer, if there is one.
    pub officer: Option<OfficerPub>,
}

/// Why the exchange closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// Too many lines, trunks or attempts.
    Limit,
    /// The line was refused and told so.
    Refused,
    /// It did not say who it is in time.
    Silent,
    /// It broke the protocol.
    Protocol,
    /// Its cells have another length: the two exchanges are configured differently.
    Shape,
    /// It does not take what is sent to it.
    Slow,
    /// A newer connection serves the same other end.
    Replaced,
    /// The operator revoked it.
    Revoked,
    /// The operator's list of exchanges does not have it.
    NotListed,
    /// It speaks another version.
    Version,
    /// The exchange stops.
    Stopping,
}

/// For logs and counters: kinds only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A line was attached.
    LineAttached,
    /// A new handset was enrolled.
    LineEnrolled,
    /// An attached line went down.
    LineDown,
    /// A line was refused.
    LineRefused,
    /// A link was closed by the exchange.
    Closed(CloseReason),
    /// A trunk is in service.
    TrunkUp,
    /// A trunk is out of service.
    TrunkDown,
    /// A line test is over: the line works, or a call would not have gone well; `None`: the test says neither.
    LineTested(Option<bool>),
    /// Two line tests of a trunk in a row failed. The operator has to act.
    TrunkFails,
    /// A line test of a trunk that had failed went well.
    TrunkWorks,
    /// The disk could not be written. The operator has to act.
    StoreFailed,
    /// The disk can be written again.
    StoreWorks,
}

/// What the host does for the machine.
#[derive(Debug)]
pub enum Output<'a> {
    /// Send this cell now.
    Transmit {
        /// On this connection.
        conn: Conn,
        /// The datagram's payload.
        cell: &'a [u8],
    },
    /// Close this connection.
    Close {
        /// Which.
        conn: Conn,
        /// Why.
        reason: CloseReason,
    },
    /// Connect a trunk; answer with `TrunkUp` or `DialFailed`.
    Dial {
        /// Whom.
        peer: ExchangeRef,
    },
    /// Write these changes in one transaction; answer with `Stored` or `StoreFailed`.
    Store {
        /// Its number.
        batch: u64,
        /// In order.
        changes: Vec<Change>,
    },
    /// For logs and counters.
    Event(Event),
    /// The answer to a command.
    Reply {
        /// The command's.
        id: u64,
        /// The answer.
        reply: Reply,
    },
    /// Last of all: come back with `Tick` at this time, or earlier with something else.
    Timeout(Time),
}

/// The host made a mistake; the machine is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The connection is known already.
    #[error("this connection number is in use: the host must not use a number twice")]
    ConnInUse,
    /// Not the batch that was asked for.
    #[error("this batch is not being stored: the host must answer each batch once")]
    NoSuchBatch,
}
