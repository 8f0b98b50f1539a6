//! Figures for the operator: counts and kinds, never names, addresses or keys.

use core::time::Duration;

/// Upper bounds of the tick lateness histogram, in microseconds; the last bucket has none.
pub const LATENESS_US: [u64; 7] = [250, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

/// Everything that is counted. Counters run from the start of the process; gauges are as of now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Gauge: lines attached.
    pub lines_attached: u64,
    /// Gauge: lines up that have not said who they are.
    pub lines_strange: u64,
    /// Gauge: lines enrolled.
    pub lines_enrolled: u64,
    /// Gauge: trunks up.
    pub trunks_up: u64,
    /// Gauge: trunks whose line tests fail.
    pub trunks_failing: u64,
    /// Gauge: other exchanges known.
    pub peers: u64,
    /// Gauge: legs in use, on lines and trunks.
    pub legs: u64,
    /// Gauge: addresses.
    pub addresses: u64,
    /// Gauge: pieces of mail that wait for a handset.
    pub mail_waiting: u64,
    /// Gauge: pieces of mail that wait for another exchange.
    pub mail_outbox: u64,
    /// Gauge: entries of the record.
    pub record_entries: u64,
    /// Calls opened, from lines and trunks.
    pub calls: u64,
    /// Calls taken.
    pub calls_taken: u64,
    /// Calls joined to others, by one of their lines.
    pub calls_joined: u64,
    /// Calls refused to own lines because all voice paths of the trunk were in use.
    pub calls_full: u64,
    /// Calls to other offices that were not placed: a rule of the own office's.
    pub calls_barred: u64,
    /// Calls of other offices that did not ring: the same.
    pub calls_withheld: u64,
    /// Line tests made, or wanted and not made.
    pub line_tests: u64,
    /// Line tests that failed.
    pub line_tests_failed: u64,
    /// Line tests of other exchanges.
    pub line_tests_answered: u64,
    /// Cells received.
    pub cells_in: u64,
    /// Cells sent.
    pub cells_out: u64,
    /// Ticks that came a whole tick late or later, so that cells were sent late.
    pub cells_late: u64,
    /// Voice frames forwarded.
    pub voice_forwarded: u64,
    /// Voice frames for a leg that is closed, not taken yet, or never was.
    pub voice_dropped: u64,
    /// Mail dropped because the handset's mailbox is full.
    pub mail_full: u64,
    /// Envelopes that were forged, copied, or for an address that does not take them.
    pub envelopes_dropped: u64,
    /// Entries of the record that were not taken: no order is in force, too many at once, or the disk.
    pub record_refused: u64,
    /// Batches given to the store.
    pub store_batches: u64,
    /// Batches that the store could not write.
    pub store_failed: u64,
    /// Lines refused: other version.
    pub refused_version: u64,
    /// Lines refused: unknown line or bad proof.
    pub refused_unknown: u64,
    /// Lines refused: bad token.
    pub refused_token: u64,
    /// Lines refused: too many attempts, or too many lines.
    pub refused_limit: u64,
    /// Links closed because the other end broke the protocol.
    pub protocol_errors: u64,
    /// Redemptions that were valid.
    pub redeemed: u64,
    /// Redemptions that were not.
    pub redeem_refused: u64,
    /// Ticks by how late they were: one bucket for each of [`LATENESS_US`], and one for all above.
    pub tick_lateness: [u64; LATENESS_US.len() + 1],
}

impl Metrics {
    pub(crate) fn tick(&mut self, late: Duration) {
        let late = late.as_micros();
        let bucket = LATENESS_US.partition_point(|max| u128::from(*max) < late);
        self.tick_lateness[bucket] += 1;
    }
}
