//! What `hotline bench speech` found, as a table and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

/// How speech came through.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// Quality: wide-band PESQ (MOS-LQO), 1.04 to 4.64.
    pub pesq: f32,
    /// Intelligibility: STOI, 0 to 1.
    pub stoi: f32,
}

/// One rate and kind of loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Row {
    /// Loss that was asked for, per cent of packets.
    pub loss_percent: u32,
    /// In bursts, or each packet by itself.
    pub bursts: bool,
    /// Loss that there was, per cent of packets.
    pub lost_percent: f32,
    /// Of the frames whose packet was missing, those rebuilt from DRED, per cent.
    pub rebuilt_percent: f32,
    /// Delay of our jitter buffer, ms.
    pub delay_ms: f32,
    /// Ours: capped variable rate with DRED, through our jitter buffer.
    pub dred: Score,
    /// Constant rate with in-band FEC.
    pub fec: Score,
    /// Constant rate, concealment only.
    pub plc: Score,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpeechReport {
    /// Bytes of every packet, in all three.
    pub packet_bytes: usize,
    /// Seconds of speech scored in each row.
    pub seconds: u32,
    /// One for each loss.
    pub rows: Vec<Row>,
}

impl SpeechReport {
    pub(super) fn new(rows: Vec<Row>, seconds: u32) -> Self {
        Self { packet_bytes: voice::PACKET_LEN, seconds, rows }
    }

    /// One JSON object in one line.
    pub fn json(&self) -> String {
        // Plain figures always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A table for people.
    pub fn table(&self) -> String {
        let mut table = format!(
            "Speech over loss: {} s each, every packet {} bytes. PESQ 1 (bad) to 4.6, STOI 0 to 1.\n\n\
             loss          DRED (Hotline)   in-band FEC      concealment      rebuilt  delay\n\
             \x20             PESQ   STOI     PESQ   STOI      PESQ   STOI\n",
            self.seconds, self.packet_bytes
        );
        for row in &self.rows {
            let kind = if row.bursts { "bursts" } else { "random" };
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "{:>3} % {kind}  {:>5.2}  {:>5.3}    {:>5.2}  {:>5.3}     {:>5.2}  {:>5.3}    {:>4.0} %  {:>3.0} ms",
                row.loss_percent,
                row.dred.pesq,
                row.dred.stoi,
                row.fec.pesq,
                row.fec.stoi,
                row.plc.pesq,
                row.plc.stoi,
                row.rebuilt_percent,
                row.delay_ms,
            );
        }
        table
    }
}
