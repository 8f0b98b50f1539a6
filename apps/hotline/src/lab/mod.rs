//! What `hotline lab` runs: attacks on Hotline, as its adversaries would make them, and what they find.

pub mod wire;

use crate::cli::Failure;

/// What can be attacked.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum LabCommand {
    /// Watch every link of some offices, and try to tell what their people do
    Wire(wire::WireOptions),
}

/// Runs an attack.
///
/// # Errors
/// It succeeded, or could not be made.
pub fn run(command: LabCommand) -> Result<(), Failure> {
    match command {
        LabCommand::Wire(options) => wire::run(&options),
    }
}
