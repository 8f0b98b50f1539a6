//! How much of everything one exchange takes. Each limit says what it protects.
//!
//! Units stand in the names or in the type. Rates are [`Rate`]s: one every `every`, `burst` at once.

use core::time::Duration;

use crate::Rate;

/// Handsets of one principal: device numbers 0 to 7.
pub const DEVICES: usize = 8;
/// Lines that are up at once, attached or not: memory and ticks of one core.
pub const LINES_UP: usize = 8_192;
/// Lines that are up and have not said who they are: memory against floods.
pub const STRANGERS: usize = 1_024;
/// The same from one source: one network must not keep all others out.
pub const STRANGERS_PER_SOURCE: usize = 128;
/// Sources whose refused attempts are remembered.
pub const SOURCES: usize = 4_096;
/// How long a line may take to say who it is.
pub const ATTACH_WITHIN: Duration = Duration::from_secs(10);
/// How long a refused line stays up, so that the refusal arrives.
pub const LINGER: Duration = Duration::from_secs(1);
/// Refused attempts of one source before it is no longer listened to.
pub const REFUSED_PER_SOURCE: Rate = Rate { every: Duration::from_secs(5), burst: 10 };
/// Refused attempts of all sources together.
pub const REFUSED: Rate = Rate { every: Duration::from_millis(20), burst: 200 };

/// Addresses of one principal, and how many of them may wait for their card to be redeemed (each with
/// an offer of up to 4 KiB).
pub const ADDRESSES: u32 = 2_000;
/// See [`ADDRESSES`].
pub const ADDRESSES_OPEN: u32 = 200;
/// Redemptions of one line that wait for an answer.
pub const REDEEMS_WAITING: usize = 8;
/// How long a line waits for the other exchange to answer a redemption.
pub const REDEEM_WITHIN: Duration = Duration::from_secs(15);
/// Redemptions on their way on one trunk; the others wait here. Each answer takes 4 KiB of the trunk.
pub const REDEEMS_ON_TRUNK: usize = 32;
/// What another exchange may have on its way to us; above it, its redemptions are not answered.
pub const REDEEMS_ACCEPTED: usize = 2 * REDEEMS_ON_TRUNK;
/// Redemptions that one trunk may try: guessing, and writing our disk full.
pub const REDEEMS_PER_TRUNK: Rate = Rate { every: Duration::from_secs(1), burst: 30 };

/// Mail that waits for one handset, and mail of one principal that waits for other exchanges. Pieces.
pub const MAIL_PIECES: u32 = 500;
/// See [`MAIL_PIECES`]. Bytes of bodies.
pub const MAIL_BYTES: u64 = 4 << 20;
/// Mail on its way to one handset and not acknowledged. Bytes; one piece always goes.
pub const DELIVERY_WINDOW: usize = 32 * 1024;
/// Mail on its way to one other exchange and not acknowledged. Pieces.
pub const TRUNK_MAIL_WINDOW: usize = 32;
/// What another exchange may have on its way to us; above it, its mail is dropped unacknowledged.
pub const TRUNK_MAIL_ACCEPTED: usize = 2 * TRUNK_MAIL_WINDOW;

/// Legs of one line, calling and called: of a switchboard position, eight calls that wait, one that is spoken in, and those that are
/// parked or rung.
pub const LEGS_PER_LINE: usize = 16;
/// Ends of a joined call: each frame of voice is copied to all but one of them.
pub const JOINED: usize = 8;
/// Voices that one leg of a joined call has room for: as many as one cell of an office line brings.
pub const VOICES_PER_LEG: usize = 3;
/// Signalling that may wait on a link before rings and data of calls are no longer taken for it. The rest of
/// its room stays free for what keeps order: closing, answering. Bytes.
pub const DATA_BACKLOG: usize = 32 * 1024;
/// How long a leg that nobody takes is kept.
pub const RING_FOR: Duration = Duration::from_secs(120);
/// Calls that one line opens.
pub const OPENS_PER_LINE: Rate = Rate { every: Duration::from_millis(500), burst: 10 };
/// Calls that one trunk opens.
pub const OPENS_PER_TRUNK: Rate = Rate { every: Duration::from_millis(20), burst: 100 };
/// Rings of one address: a contact must not be able to keep a handset busy.
pub const RINGS_PER_ADDRESS: Rate = Rate { every: Duration::from_secs(1), burst: 5 };

/// Entries of the record of one line: some 70 MB a day at most. A call makes one, and one for each note.
pub const RECORDS_PER_LINE: Rate = Rate { every: Duration::from_secs(5), burst: 500 };

/// What one line says aside: a change of its lamp to a whole office at once. Above it, nothing is passed on.
pub const ASIDES_PER_LINE: Rate = Rate { every: Duration::from_millis(100), burst: 1_000 };
/// Exchanges whose line tests one line is told of.
pub const WATCHES_PER_LINE: usize = 32;
/// Mail and the like that may wait on a link before nothing is said aside on it: whatever is kept goes first. Bytes.
pub const ASIDE_BACKLOG: usize = 32 * 1024;

/// Other exchanges that are remembered.
pub const PEERS: usize = 4_096;
/// New exchanges that the lines of one principal name.
pub const NEW_PEERS: Rate = Rate { every: Duration::from_secs(30), burst: 30 };
/// Trunks of exchanges with which there is no relation yet.
pub const STRANGE_TRUNKS: usize = 64;
/// How long the other end of a trunk may take to say hello.
pub const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// First and longest wait before dialling again.
pub const DIAL_AGAIN: Duration = Duration::from_millis(500);
/// See [`DIAL_AGAIN`].
pub const DIAL_AGAIN_MAX: Duration = Duration::from_secs(30);
/// An exchange that was never reached, and that nothing waits for, is forgotten after so many attempts.
pub const DIALS_IN_VAIN: u32 = 20;
/// A trunk from which nothing came for so long gives way to a new one, whoever dialled that.
pub const TRUNK_SILENT: Duration = Duration::from_secs(2);

/// Frames of one line test: five seconds of voice.
pub const TEST_FRAMES: u16 = 250;
/// From one to the next, as in a call.
pub const TEST_FRAME: Duration = Duration::from_millis(20);
/// Frames that may go back above one each [`TEST_FRAME`]: a network brings several together.
pub const TEST_AHEAD: u128 = 25;
/// How long the other exchange may take to answer.
pub const TEST_ANSWER: Duration = Duration::from_secs(5);
/// How long the last frames may take.
pub const TEST_SETTLE: Duration = Duration::from_secs(1);
/// Longest time that another exchange's test holds a voice path.
pub const TEST_MOST: Duration = Duration::from_secs(30);
/// Tests that one trunk may open.
pub const TESTS_PER_TRUNK: Rate = Rate { every: Duration::from_secs(10), burst: 4 };
/// A line that loses more than this on one of both ways is failing: speech is still understood, and people ask what is wrong. Percent.
pub const TEST_LOSS_PERCENT: u32 = 5;
/// Failures in a row from which on the operator is alarmed.
pub const TEST_ALARM: u32 = 2;
/// Results of each trunk that are kept: four days of one each hour.
pub const TESTS_KEPT: usize = 100;
/// The first test is made between [`TEST_SOONEST`] and so much later after a trunk is up, or after the start.
pub const TEST_FIRST: Duration = Duration::from_secs(60);
/// A trunk has to have come up, and handsets reconnect first.
pub const TEST_SOONEST: Duration = Duration::from_secs(10);
/// How long after a first failure the next test is made, if that is earlier.
pub const TEST_CONFIRM: Duration = Duration::from_secs(120);
/// How often a line that fails is tested, if that is more often.
pub const TEST_FAILING: Duration = Duration::from_secs(15 * 60);

/// Whoever asks about an address is answered so long after it came, or twice, three times as long: longer than the
/// disk takes, and no longer than a person minds. Without it the disk's time would tell what was found.
pub const ANSWER_EVERY: Duration = Duration::from_millis(50);

/// Changes that wait for the disk. Above it nothing new is taken. Bytes.
pub const UNSTORED: usize = 64 << 20;
/// How long after a failed write the next attempt is made.
pub const STORE_AGAIN: Duration = Duration::from_secs(1);
/// How long the links stay up after the last write when the exchange stops, so that answers arrive.
pub const STOP_LINGER: Duration = Duration::from_millis(300);
