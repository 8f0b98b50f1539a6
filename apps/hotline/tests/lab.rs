//! The observer of every link, in brief: what it must find, and that the link layer looks the same in all states.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use serde_json::Value;

#[test]
fn the_lab_finds_leaky_senders_and_equal_links_of_the_product() {
    let folder = tempfile::tempdir().unwrap();
    let plot = folder.path().join("wire.svg");
    let output = common::run(&[
        "lab",
        "wire",
        "--brief",
        "--json",
        "--seed",
        "7",
        "--plot",
        plot.to_str().unwrap(),
    ]);
    let said = common::text(&output);
    let report: Value = std::str::from_utf8(&output.stdout)
        .unwrap()
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok())
        .unwrap_or_else(|| panic!("no JSON: {said}"));
    let number = |name: &str| report[name].as_f64().unwrap_or_else(|| panic!("{name}: {said}"));

    // The link layer: each tick one cell of one size, idle, ringing, talking and held.
    assert_eq!(report["equality"]["equal"], true, "{said}");
    for way in ["line up", "line down", "trunk out", "trunk back"] {
        assert_eq!(report["equality"]["sizes"][way].as_array().unwrap().len(), 1, "{way}: {said}");
    }
    assert!(report["equality"]["ticks"].as_u64().unwrap() > 10_000, "{said}");

    // Whatever a busy machine does to timing, counts and sizes of leaky senders are found on it.
    for leak in ["leaky: voice on demand", "leaky: variable sizes"] {
        let found: Vec<&Value> =
            report["leaky"].as_array().unwrap().iter().filter(|f| f["link"] == leak).collect();
        assert!(found.len() >= 5, "{leak}: {said}");
        for f in found {
            assert!(f["auc"].as_f64().is_none_or(|auc| auc >= 0.99), "{leak}: {f}");
        }
    }

    // The verdict is what the figures say, and so is the exit code.
    let detectors = report["detectors"].as_array().unwrap();
    assert!(detectors.len() > 60, "{said}");
    let apart = detectors.iter().filter(|f| f["told_apart"] == true).count();
    assert_eq!(report["told_apart"].as_u64().unwrap(), apart as u64);
    let found_all = number("leaky_min_auc") >= 0.99;
    assert_eq!(report["passed"], apart == 0 && found_all, "{said}");
    assert_eq!(output.status.success(), report["passed"] == true, "{said}");
    assert!(
        number("max_auc_low") <= number("max_auc") && number("max_auc") <= number("max_auc_high")
    );

    let svg = std::fs::read_to_string(plot).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
}

#[test]
fn a_plot_that_cannot_be_written_is_told_before_minutes_are_spent() {
    let output = common::run(&["lab", "wire", "--brief", "--plot", "/nowhere/wire.svg"]);
    assert!(!output.status.success());
    assert!(common::text(&output).contains("/nowhere/wire.svg"), "{}", common::text(&output));
    assert!(!common::text(&output).contains("are up"), "it began all the same");
}
