//! What `hotline lab` runs: attacks on Hotline, as its adversaries would make them, and what they find.

pub mod probe;
pub mod wire;

use crate::cli::Failure;

/// What can be attacked.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum LabCommand {
    /// Watch every link of some offices, and try to tell what their people do
    Wire(wire::WireOptions),
    /// Ask an exchange about addresses, and try to tell by the time of its answers what is the matter with them
    Probe(probe::ProbeOptions),
}

/// Runs an attack.
///
/// # Errors
/// It succeeded, or could not be made.
pub fn run(command: LabCommand) -> Result<(), Failure> {
    match command {
        LabCommand::Wire(options) => wire::run(&options),
        LabCommand::Probe(options) => probe::run(&options),
    }
}
