//! `hotline lab probe`, briefly: on real sockets, all is compared, and the leaky exchange is found out. Whether states are told apart is a
//! figure of the machine (SECURITY.md): the command's own exit code says it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use serde_json::Value;

#[test]
fn every_state_is_compared_and_the_leaky_exchange_is_found_out() {
    let output = common::run(&["lab", "probe", "--rounds", "4", "--probers", "3", "--json"]);
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    let line = said.lines().last().unwrap_or_default();
    let report: Value =
        serde_json::from_str(line).unwrap_or_else(|_| panic!("{}", common::text(&output)));
    assert_eq!(report["comparisons"], 42);
    assert!(report["leaky_p"].as_f64().unwrap() <= report["level"].as_f64().unwrap(), "{said}");
    let clean = report["told_apart"].as_array().unwrap().is_empty();
    assert_eq!(output.status.success(), clean, "the exit code says what the report says: {said}");
}
