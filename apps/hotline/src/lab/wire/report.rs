//! What the lab found, as a table and as JSON.

use std::fmt::Write as _;

use super::detect::Finding;
use super::equal::Equality;
use super::stats::holm;

/// At most this chance of taking any wire for leaky that is not, over all detectors together.
pub(super) const LEVEL: f64 = 0.01;
/// What a detector has to reach on the leak that it is aimed at.
pub(super) const FOUND: f64 = 0.99;

/// One run of the lab.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report {
    /// Nobody tells anything apart on the product, and every leak was found.
    pub passed: bool,
    /// Largest AUC of any detector on the product.
    pub max_auc: f64,
    /// Lower end of its 95 % interval.
    pub max_auc_low: f64,
    /// Upper end of its 95 % interval.
    pub max_auc_high: f64,
    /// Smallest p-value of any detector on the product, not corrected.
    pub min_p: f64,
    /// Detectors whose null fell on the product (Holm, 1 %).
    pub told_apart: usize,
    /// Smallest AUC of any detector on the leak that it is aimed at.
    pub leaky_min_auc: f64,
    /// The link layer's sequences.
    pub equality: Equality,
    /// Senders had real-time priority.
    pub real_time: bool,
    /// Pairs of handsets that went through all states.
    pub pairs: usize,
    /// Pairs that all talked at once.
    pub partners: usize,
    /// How late cells left, 99th percentile over the product's lines and trunks. Microseconds.
    pub late_p99_us: f64,
    /// The whole took so long.
    pub seconds: f64,
    /// On the product.
    pub detectors: Vec<Finding>,
    /// On the leaky builds.
    pub leaky: Vec<Finding>,
}

impl Report {
    /// Decides.
    pub(super) fn decide(&mut self) {
        for found in [&mut self.detectors, &mut self.leaky] {
            let falls = holm(&found.iter().map(|f| f.p).collect::<Vec<_>>(), LEVEL);
            found.iter_mut().zip(falls).for_each(|(f, falls)| f.told_apart = falls);
        }
        let auc = |f: &&Finding| f.auc.unwrap_or(0.5);
        if let Some(most) = self.detectors.iter().max_by(|a, b| auc(a).total_cmp(&auc(b))) {
            self.max_auc = auc(&most);
            self.max_auc_low = most.auc_low.unwrap_or(0.5);
            self.max_auc_high = most.auc_high.unwrap_or(0.5);
        }
        self.min_p = self.detectors.iter().map(|f| f.p).fold(1.0, f64::min);
        self.told_apart = self.detectors.iter().filter(|f| f.told_apart).count();
        self.leaky_min_auc = self.leaky.iter().filter_map(|f| f.auc).fold(1.0, f64::min);
        self.passed = self.failures().is_empty();
    }

    /// Why the run fails, in words.
    pub(super) fn failures(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if !self.equality.equal {
            wrong.push(format!("ticks or sizes differ: {}", self.equality.differences.join("; ")));
        }
        for f in self.detectors.iter().filter(|f| f.told_apart) {
            wrong.push(format!(
                "{} tells apart on the {}: {} (p = {:.5})",
                f.detector, f.link, f.task, f.p
            ));
        }
        for f in self.leaky.iter().filter(|f| f.auc.is_some_and(|auc| auc < FOUND)) {
            wrong.push(format!(
                "{} ({} s) misses a leak it is aimed at, so that its silence proves nothing: {}, AUC {:.3}",
                f.detector,
                f.window_s,
                f.link,
                f.auc.unwrap_or(0.5)
            ));
        }
        for f in self.leaky.iter().filter(|f| f.auc.is_none() && !f.told_apart) {
            wrong.push(format!(
                "{} misses a leak it is aimed at, so that its silence proves nothing: {} (p = {:.5})",
                f.detector, f.link, f.p
            ));
        }
        if self.leaky.is_empty() || self.detectors.is_empty() {
            wrong.push("nothing was measured".into());
        }
        wrong
    }

    /// For a person.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        writeln!(
            to,
            "\nWhat an observer of all links can tell, from {} pairs of handsets and {} ticks:",
            self.pairs, self.equality.ticks
        )?;
        writeln!(
            to,
            "  each tick has its one cell of one size in every state: {}",
            yes(self.equality.equal)
        )?;
        let skipped: usize = self.equality.skipped.values().sum();
        if skipped > 0 {
            writeln!(
                to,
                "  ticks that this machine slept through: {skipped} {:?}",
                self.equality.skipped
            )?;
        }
        writeln!(
            to,
            "\n  {:<28} {:<26} {:>9}  {:>5}  {:<13} {:>8}",
            "link", "question", "detectors", "AUC", "95 %", "least p"
        )?;
        for found in [&self.detectors, &self.leaky] {
            rows(to, found)?;
            writeln!(to)?;
        }
        writeln!(
            to,
            "Product: largest AUC {:.3} [{:.3}, {:.3}] of {} detectors; {} tell something apart (Holm, 1 %).",
            self.max_auc,
            self.max_auc_low,
            self.max_auc_high,
            self.detectors.len(),
            self.told_apart
        )?;
        writeln!(
            to,
            "Leaky senders, which have to be found: smallest AUC {:.3} of {} detectors, {FOUND} wanted.",
            self.leaky_min_auc,
            self.leaky.len()
        )?;
        writeln!(
            to,
            "Cells leave within {:.0} us of their tick (99 %){}. {:.0} s.",
            self.late_p99_us,
            if self.real_time { ", with real-time priority" } else { "" },
            self.seconds
        )
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "NO" }
}

/// A row for each link and question: the largest AUC among its detectors on the product, the smallest on a control.
fn rows(to: &mut String, found: &[Finding]) -> std::fmt::Result {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for f in found {
        if !seen.contains(&(f.link, f.task)) {
            seen.push((f.link, f.task));
        }
    }
    for (link, task) in seen {
        let row: Vec<&Finding> =
            found.iter().filter(|f| (f.link, f.task) == (link, task)).collect();
        let leaky = link.starts_with("leaky");
        let auc = |f: &&&Finding| f.auc.map_or(0.5, |a| if leaky { -a } else { a });
        let shown = row.iter().filter(|f| f.auc.is_some()).max_by(|a, b| auc(a).total_cmp(&auc(b)));
        let p = row.iter().map(|f| f.p).fold(1.0, f64::min);
        let (value, interval) = match shown {
            Some(f) => (
                format!("{:.3}", f.auc.unwrap_or(0.5)),
                format!("{:.3}..{:.3}", f.auc_low.unwrap_or(0.5), f.auc_high.unwrap_or(0.5)),
            ),
            None => (String::new(), String::new()),
        };
        writeln!(
            to,
            "  {link:<28} {task:<26} {:>9}  {value:>5}  {interval:<13} {p:>8.5}",
            row.len()
        )?;
    }
    Ok(())
}
