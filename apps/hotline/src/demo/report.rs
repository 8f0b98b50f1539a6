//! What the demo found, as a table and as JSON.

use serde::Serialize;

/// Figures of one run. Every one of them was measured in it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// From the caller's tap to the callee's ringing.
    pub tap_to_ring_ms: f64,
    /// From the callee's answer to the first of its voice at the caller's ear.
    pub answer_to_voice_ms: f64,
    /// From the callee's answer to the first of the caller's voice at the callee's ear.
    pub answer_to_voice_back_ms: f64,
    /// From mouth to ear, the slower direction.
    pub mouth_to_ear_ms: f64,
    /// Caller to callee.
    pub mouth_to_ear_a_to_b_ms: f64,
    /// Callee to caller.
    pub mouth_to_ear_b_to_a_ms: f64,
    /// Voice frames due at both ears while both spoke: those that the other side had sent.
    pub voice_cells_sent: u64,
    /// Of those, not heard: lost on the way or too late.
    pub voice_cells_lost: u64,
    /// PESQ (wide-band MOS-LQO, 1.04 to 4.64) of the caller's speech as the callee heard it.
    pub pesq_a_to_b: f64,
    /// PESQ of the callee's speech as the caller heard it.
    pub pesq_b_to_a: f64,
    /// STOI (0 to 1), caller to callee.
    pub stoi_a_to_b: f64,
    /// STOI, callee to caller.
    pub stoi_b_to_a: f64,
    /// Both saw the same words.
    pub safety_words_match: bool,
    /// Of the contact's group, as negotiated.
    pub mls_ciphersuite: String,
    /// Of the line's TLS handshake, as negotiated.
    pub tls_group: String,
    /// Caller's line, with IP and UDP headers, during the call. kbit/s.
    pub line_kbit_up: f64,
    /// Likewise, down.
    pub line_kbit_down: f64,
    /// The same line while idle, up.
    pub idle_kbit_up: f64,
    /// The same line while idle, down.
    pub idle_kbit_down: f64,
    /// Sizes and counts at the caller's socket are the same idle, ringing and talking.
    pub wire_looks_the_same: bool,
}

/// PESQ below which speech did not come through: what is left is for the listener to judge.
const PESQ_FLOOR: f64 = 2.5;

impl Report {
    /// What a working system cannot show. Times are figures, not tests: machines differ.
    pub(super) fn failures(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if !self.safety_words_match {
            wrong.push("the safety words differ".into());
        }
        if !self.wire_looks_the_same {
            wrong.push("the line looks different idle, ringing and talking".into());
        }
        for (way, pesq) in
            [("caller to callee", self.pesq_a_to_b), ("callee to caller", self.pesq_b_to_a)]
        {
            if pesq.is_nan() || pesq < PESQ_FLOOR {
                wrong.push(format!("speech from {way} was not heard well (PESQ {pesq:.2})"));
            }
        }
        wrong
    }

    /// For a person, beside the targets.
    pub(super) fn table(&self) -> String {
        use std::fmt::Write;
        let mut out = String::new();
        let mut row = |name: &str, value: String, target: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "  {name:<34} {value:>22}   {target}");
        };
        let ms = |value: f64| format!("{value:.1} ms");
        row("", "measured".into(), "target");
        row("tap to ring", ms(self.tap_to_ring_ms), "< 100 ms");
        row("answer to voice", ms(self.answer_to_voice_ms), "< 100 ms");
        row("  and back to the callee", ms(self.answer_to_voice_back_ms), "");
        row("mouth to ear, caller to callee", ms(self.mouth_to_ear_a_to_b_ms), "<= 80 ms");
        row("mouth to ear, callee to caller", ms(self.mouth_to_ear_b_to_a_ms), "<= 80 ms");
        row("PESQ, caller to callee", format!("{:.2}", self.pesq_a_to_b), "of 4.64");
        row("PESQ, callee to caller", format!("{:.2}", self.pesq_b_to_a), "of 4.64");
        row("STOI, both ways", format!("{:.3} {:.3}", self.stoi_a_to_b, self.stoi_b_to_a), "of 1");
        row(
            "voice frames sent, not heard",
            format!("{} {}", self.voice_cells_sent, self.voice_cells_lost),
            "",
        );
        row(
            "line in the call, up / down",
            format!("{:.1} / {:.1} kbit/s", self.line_kbit_up, self.line_kbit_down),
            "<= 120 / 220",
        );
        row(
            "line while idle, up / down",
            format!("{:.1} / {:.1} kbit/s", self.idle_kbit_up, self.idle_kbit_down),
            "the same",
        );
        row(
            "wire idle, ringing, talking",
            if self.wire_looks_the_same { "the same" } else { "DIFFERENT" }.into(),
            "the same",
        );
        row(
            "safety words",
            if self.safety_words_match { "match" } else { "DIFFER" }.into(),
            "match",
        );
        row("contact and call keys (MLS)", self.mls_ciphersuite.clone(), "");
        row("line keys (TLS)", self.tls_group.clone(), "");
        out
    }
}
