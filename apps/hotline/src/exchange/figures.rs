//! The machine's counters as figures for Prometheus, and what makes an exchange unhealthy.

use exchange::Exchange;

use super::metrics::Published;
use crate::net::Counters;

/// Figures of this moment.
pub(super) fn publish(machine: &Exchange, net: Counters) -> Published {
    let m = machine.metrics();
    let gauge = |name, help, value: u64| (name, help, false, value as f64);
    let count = |name, help, value: u64| (name, help, true, value as f64);
    let late = &m.tick_lateness;
    let figures = vec![
        gauge("lines_attached", "Lines up and attached.", m.lines_attached),
        gauge("lines_strange", "Lines up that have not said who they are.", m.lines_strange),
        gauge("lines_enrolled", "Lines enrolled.", m.lines_enrolled),
        gauge("trunks_up", "Trunks up.", m.trunks_up),
        gauge("trunks_failing", "Trunks whose line tests fail.", m.trunks_failing),
        gauge("peers", "Other exchanges known.", m.peers),
        gauge("legs", "Voice paths in use.", m.legs),
        gauge("addresses", "Addresses given out.", m.addresses),
        gauge("mail_waiting", "Mail that waits for handsets, pieces.", m.mail_waiting),
        gauge("mail_outbox", "Mail that waits for other exchanges, pieces.", m.mail_outbox),
        count("calls_total", "Calls opened.", m.calls),
        count("calls_taken_total", "Calls answered.", m.calls_taken),
        count("calls_joined_total", "Calls joined to others.", m.calls_joined),
        count("calls_full_total", "Calls refused for want of voice paths.", m.calls_full),
        count("calls_barred_total", "Calls not placed by the office's rules.", m.calls_barred),
        count("calls_withheld_total", "Calls not rung by the office's rules.", m.calls_withheld),
        count("line_tests_total", "Line tests, made or in vain.", m.line_tests),
        count("line_tests_failed_total", "Line tests that failed.", m.line_tests_failed),
        count("line_tests_answered_total", "Line tests of others.", m.line_tests_answered),
        count("cells_in_total", "Cells received.", m.cells_in),
        count("cells_out_total", "Cells sent.", m.cells_out),
        count("cells_late_total", "Ticks a whole tick late or later.", m.cells_late),
        count("voice_forwarded_total", "Voice frames forwarded.", m.voice_forwarded),
        count("voice_dropped_total", "Voice frames for no open leg.", m.voice_dropped),
        count("mail_full_total", "Mail dropped for want of room.", m.mail_full),
        count("envelopes_dropped_total", "Envelopes not for their address.", m.envelopes_dropped),
        count("store_batches_total", "Batches given to the store.", m.store_batches),
        count("store_failed_total", "Batches that the store refused.", m.store_failed),
        count("refused_version_total", "Lines refused: version.", m.refused_version),
        count("refused_unknown_total", "Lines refused: unknown.", m.refused_unknown),
        count("refused_token_total", "Lines refused: token.", m.refused_token),
        count("refused_limit_total", "Lines refused: limits.", m.refused_limit),
        count("protocol_errors_total", "Links closed for bad messages.", m.protocol_errors),
        count("redeemed_total", "Cards redeemed.", m.redeemed),
        count("redeem_refused_total", "Redemptions refused.", m.redeem_refused),
        count("ticks_total", "Link ticks.", late.iter().sum()),
        count("ticks_late_5ms_total", "Link ticks more than 5 ms late.", late[5..].iter().sum()),
        count("datagrams_strange_total", "Datagrams of no connection.", net.strangers),
        count("connections_turned_away_total", "Connections refused by limits.", net.turned_away),
    ];
    let trouble = (!machine.store_works())
        .then(|| "the disk cannot be written: make room, or check it".to_string());
    Published { figures, trouble }
}
