//! The observer of every link, in brief: what it must find, and that the link layer looks the same in all states.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use serde_json::Value;

fn json(output: &std::process::Output) -> Value {
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines().rev();
    lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .next()
        .unwrap_or_else(|| panic!("no JSON: {}", common::text(output)))
}

#[test]
fn the_lab_finds_leaky_senders_and_equal_links_of_the_product() {
    let folder = tempfile::tempdir().unwrap();
    let plot = folder.path().join("wire.svg");
    let captured = folder.path().join("wire.json");
    let output = common::run(&[
        "lab",
        "wire",
        "--brief",
        "--json",
        "--seed",
        "7",
        "--plot",
        plot.to_str().unwrap(),
        "--capture",
        captured.to_str().unwrap(),
    ]);
    let said = common::text(&output);
    let report = json(&output);
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
    let leaky = report["leaky"].as_array().unwrap();
    let tested = leaky.iter().filter(|f| f["auc"].is_null()).all(|f| f["told_apart"] == true);
    let found_all = number("leaky_min_auc") >= 0.99 && tested;
    assert_eq!(report["passed"], apart == 0 && found_all, "{said}");
    assert_eq!(output.status.success(), report["passed"] == true, "{said}");
    assert!(
        number("max_auc_low") <= number("max_auc") && number("max_auc") <= number("max_auc_high")
    );

    // Whoever looks at the same capture again finds the same.
    let again = common::run(&["lab", "wire", "--json", "--replay", captured.to_str().unwrap()]);
    let mut second = json(&again);
    second["seconds"] = report["seconds"].clone();
    assert_eq!(report, second);
    assert_eq!(output.status.code(), again.status.code());

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

#[test]
fn a_file_that_is_no_capture_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wire.json");
    for wrong in ["", "{}", "[1, 2]", "\0\u{1}"] {
        std::fs::write(&file, wrong).unwrap();
        let output = common::run(&["lab", "wire", "--replay", file.to_str().unwrap()]);
        assert!(!output.status.success());
        assert!(common::text(&output).contains("cannot read"), "{}", common::text(&output));
    }
}
