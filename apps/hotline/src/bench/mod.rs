//! What `hotline bench` runs.

pub mod compare;
pub mod exchange;
pub mod lines;
pub mod record;
pub mod speech;

use crate::cli::Failure;

/// What can be measured.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum BenchCommand {
    /// The exchange's CPU for a forwarded cell, beside a plain UDP forwarder
    Exchange(compare::ExchangeOptions),
    /// How long verifying a record takes
    Record(record::RecordOptions),
    /// Speech under loss: DRED, in-band FEC, plain concealment
    Speech(speech::SpeechOptions),
}

/// Runs a measurement.
///
/// # Errors
/// What kept it from measuring.
pub fn run(command: BenchCommand) -> Result<(), Failure> {
    match command {
        BenchCommand::Exchange(options) => compare::run(options),
        BenchCommand::Record(options) => record::run(&options),
        BenchCommand::Speech(options) => {
            speech::run(options)?;
            Ok(())
        }
    }
}
