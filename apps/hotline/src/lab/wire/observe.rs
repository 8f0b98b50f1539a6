//! The observer: every detector on one capture, the product's links first, then what leaks.

use std::time::Instant;

use super::capture::Run;
use super::detect::{self, Effort, Finding, SECOND, TASKS, Task};
use super::leaky::Leak;
use super::play::Captured;
use super::report::Report;
use super::{active, equal, features, pairs, progress, stats, timing};

/// Looks at `captured` with everything there is.
pub(super) fn look(captured: &Captured, start: Instant) -> Report {
    let Captured { lines, trunks, product, relay, .. } = captured;
    let effort = Effort { rounds: captured.rounds, seed: captured.seed };
    let tasks = tasks(lines);
    let mut detectors = detect::classify("line", lines, &tasks, effort);
    detectors.extend(detect::classify("trunk", trunks, &tasks, effort));
    let jobs: Vec<(&'static str, &[Run], usize)> = vec![
        ("line up", lines, 0),
        ("line down", lines, 1),
        ("trunk", trunks, 0),
        ("trunk back", trunks, 1),
    ];
    let timing = detect::in_parallel(&jobs, |(link, runs, way)| {
        TASKS[..2]
            .iter()
            .flat_map(|t| timing::test(link, runs, *way, t, effort))
            .collect::<Vec<_>>()
    });
    detectors.extend(timing.into_iter().flatten());
    detectors.extend(pairs::find("lines of two offices", product, effort));
    detectors.extend(active::find(product, effort));
    progress(start, "the product is done; now what leaks");

    let mut found: Vec<Finding> = Vec::new();
    for (leak, runs) in &captured.leaky {
        found.extend(detect::classify(leak.name(), runs, &tasks[..1], effort));
        // Sizes are no matter of time.
        if *leak != Leak::Sizes {
            found.extend(timing::test(leak.name(), runs, 0, &TASKS[0], effort));
        }
    }
    let relay_name = "leaky: forwards on arrival";
    // Counts are the same on constant lines: they are aimed at voice on demand, whose cells are too few for the other two.
    let counts = |f: &Finding| f.detector == pairs::DETECTORS[0];
    found.extend(pairs::find(relay_name, relay, effort).into_iter().filter(|f| !counts(f)));
    let on_demand = Leak::OnDemand.name();
    found.extend(pairs::find(on_demand, &captured.spoken, effort).into_iter().filter(counts));
    found.extend(active::find_on_relay(relay, relay_name, effort));

    let mut report = Report {
        passed: false,
        max_auc: 0.5,
        max_auc_low: 0.5,
        max_auc_high: 0.5,
        min_p: 1.0,
        told_apart: 0,
        leaky_min_auc: 1.0,
        equality: equal::check(lines, trunks),
        real_time: captured.real_time,
        pairs: lines.len(),
        partners: product.a.len(),
        late_p99_us: late(lines, trunks),
        seconds: start.elapsed().as_secs_f64(),
        detectors,
        leaky: found,
    };
    report.decide();
    report
}

/// The tasks, with the windows that fit into the stretches of `runs`.
fn tasks(runs: &[Run]) -> Vec<Task> {
    let quiet = |run: &Run| {
        run.stretches
            .iter()
            .filter(|s| s.until - s.from > 3 * SECOND)
            .map(|s| s.until - s.from)
            .min()
    };
    let shortest = runs.iter().filter_map(quiet).min().unwrap_or(0);
    let fits = |task: &Task| match shortest >= 10 * SECOND {
        true => *task,
        false => Task { lengths: &[2], ..*task },
    };
    TASKS.iter().map(fits).collect()
}

/// 99th percentile of how late cells leave. Microseconds.
fn late(lines: &[Run], trunks: &[Run]) -> f64 {
    let mut late: Vec<f64> = lines
        .iter()
        .chain(trunks)
        .flat_map(|run| &run.links)
        .flat_map(features::grids)
        .flat_map(|grid| grid.cells.into_iter().map(|c| c.late))
        .collect();
    late.sort_by(f64::total_cmp);
    stats::quantile(&late, 0.99)
}
