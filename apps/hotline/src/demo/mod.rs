//! `hotline demo`: two offices on this machine, a handset in each, and a call between them, all on real
//! sockets with real keys and real speech.
//!
//! ```text
//!  office.rs   starts an exchange, enrols a handset, on loopback and in a folder of its own
//!  script.rs   card ─ redeem ─ words ─ ring ─ answer ─ speech both ways ─ hang up
//!  measure.rs  what was heard against what was said; times; the line as seen at the socket
//!  report.rs   the table, and the JSON line
//!  browsers.rs links for two browser windows, and the handsets that let them in
//! ```

mod browsers;
pub(crate) mod measure;
pub(crate) mod office;
mod report;
mod script;

use std::path::PathBuf;

use crate::cli::Failure;

pub use report::Report;

/// What `hotline demo` is told.
#[derive(clap::Args, Clone, Debug)]
pub struct DemoOptions {
    /// Stop after the call; the exit code says whether everything worked
    #[arg(long)]
    pub once: bool,
    /// Print one JSON object as the last line
    #[arg(long)]
    pub json: bool,
    /// Keep the offices in this folder [default: a new one, removed at the end]
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Write what each side heard into this folder, as WAV
    #[arg(long)]
    pub recordings: Option<PathBuf>,
}

/// Runs the demo.
///
/// # Errors
/// The first step that did not work, in words.
#[allow(clippy::print_stdout, reason = "the demo talks to the person at the terminal")]
pub fn run(options: DemoOptions) -> Result<(), Failure> {
    let temporary;
    let folder = match &options.dir {
        Some(dir) => dir.clone(),
        None => {
            temporary = tempfile::Builder::new().prefix("hotline-demo-").tempdir()?;
            temporary.path().to_path_buf()
        }
    };
    let clock = crate::host::Clock::start();
    let (report, mut offices) = script::play(&folder, &options, clock)?;
    print!("{}", report.table());
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    }
    let wrong = report.failures().join("; ");
    if options.once {
        offices.stop()?;
        let shown = wrong.is_empty().then_some(());
        return shown
            .ok_or_else(|| format!("the demo did not show what it should: {wrong}").into());
    }
    if !wrong.is_empty() {
        // A person at a machine that is busy with something else can still try it out.
        println!("\nThe call did not show what it should: {wrong}.");
    }
    offices.by_hand(clock)?;
    offices.stop()
}
