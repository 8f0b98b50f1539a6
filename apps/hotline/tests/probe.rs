//! `hotline lab probe`, briefly: on real sockets, all is compared, nothing is told apart, and the leaky exchange is found out.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use serde_json::Value;

#[test]
fn no_state_is_told_apart_and_the_leaky_exchange_is_found_out() {
    let output = common::run(&["lab", "probe", "--rounds", "4", "--probers", "3", "--json"]);
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    let line = said.lines().last().unwrap_or_default();
    let report: Value =
        serde_json::from_str(line).unwrap_or_else(|_| panic!("{}", common::text(&output)));
    assert_eq!(report["comparisons"], 48);
    assert!(report["leaky_p"].as_f64().unwrap() <= report["level"].as_f64().unwrap(), "{said}");
    assert_eq!(report["told_apart"].as_array().unwrap().len(), 0, "{said}");
    assert!(output.status.success(), "{}", common::text(&output));
}
