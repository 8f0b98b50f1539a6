//! The demo, as a new user runs it: real processes' code on real sockets with real keys and speech.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use serde_json::Value;

#[test]
fn two_offices_hold_a_call_and_its_figures_are_measured() {
    let output = common::run(&["demo", "--once", "--json"]);
    assert!(output.status.success(), "{}", common::text(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let number =
        |name: &str| report[name].as_f64().unwrap_or_else(|| panic!("{name} is missing: {report}"));

    assert_eq!(report["safety_words_match"], true);
    assert_eq!(report["wire_looks_the_same"], true, "{said}");
    assert_eq!(report["mls_ciphersuite"], "MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519");
    assert_eq!(report["tls_group"], "X25519MLKEM768");
    for way in ["pesq_a_to_b", "pesq_b_to_a"] {
        assert!(number(way) > 2.5, "speech did not come through: {said}");
    }
    assert!(number("voice_cells_sent") > 300.0, "{said}");
    assert!(number("voice_cells_lost") < number("voice_cells_sent") / 5.0, "{said}");
    // The line's rate is a constant of its shape.
    assert!(number("line_kbit_up") <= 120.0 && number("line_kbit_up") > 90.0, "{said}");
    assert!(number("line_kbit_down") <= 225.0 && number("line_kbit_down") > 190.0, "{said}");
    assert!((number("line_kbit_up") - number("idle_kbit_up")).abs() < 4.0, "{said}");
    // Times are figures of a machine, not tests of the program: only that they were measured.
    for time in ["tap_to_ring_ms", "answer_to_voice_ms", "mouth_to_ear_ms"] {
        assert!(number(time) > 0.0 && number(time) < 10_000.0, "{said}");
    }
}
