//! `hotline lab probe`, briefly: on real sockets, nothing is told apart, and the leaky exchange is found out.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use serde_json::Value;

#[test]
fn no_prober_tells_states_apart_by_time_and_the_leaky_exchange_is_found_out() {
    let output = common::run(&["lab", "probe", "--rounds", "4", "--probers", "3", "--json"]);
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{}", common::text(&output));
    let report: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(report["comparisons"], 42);
    assert_eq!(report["told_apart"], Value::Array(vec![]), "{said}");
    assert!(report["leaky_p"].as_f64().unwrap() <= report["level"].as_f64().unwrap(), "{said}");
}
