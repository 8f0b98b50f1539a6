//! The command line: `hotline exchange | phone | record | demo | bench | lab`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A telephone exchange that an office runs for itself.
#[derive(Parser)]
#[command(name = "hotline", version, long_version = crate::web::assets::VERSION, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The exchange of an office: set it up, run it, let handsets in
    #[command(subcommand)]
    Exchange(ExchangeCommand),
    /// A handset in this terminal, or without a screen
    Phone(crate::phone::cli::PhoneOptions),
    /// Two offices on this machine, and a call between them
    Demo(crate::demo::DemoOptions),
    /// The office's record of its calls: for the records officer
    #[command(subcommand)]
    Record(crate::record::RecordCommand),
    /// Measure this machine
    #[command(subcommand)]
    Bench(crate::bench::BenchCommand),
    /// Attack Hotline as its adversaries would
    #[command(subcommand)]
    Lab(crate::lab::LabCommand),
}

/// Where an exchange's folder is.
#[derive(clap::Args)]
struct Folder {
    /// The exchange's folder
    #[arg(long, env = "HOTLINE_DIR", default_value = "hotline-exchange")]
    dir: PathBuf,
}

#[derive(Subcommand)]
enum ExchangeCommand {
    /// Make a new exchange: its key, store and settings
    Init {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        settings: crate::exchange::settings::Settings,
    },
    /// Run the exchange until it is told to stop (Ctrl-C)
    Run {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        settings: crate::exchange::settings::Settings,
    },
    /// Let one new handset in: prints a link that works once
    Enroll {
        #[command(flatten)]
        folder: Folder,
        /// Whose handset it is; a name that is enrolled already gets a further handset
        name: String,
        /// For how many hours the link is good
        #[arg(long, default_value_t = 48, value_parser = clap::value_parser!(u64).range(1..=720))]
        hours: u64,
        /// Print the link for a native handset only
        #[arg(long)]
        quiet: bool,
        /// Print the link for a browser only
        #[arg(long, conflicts_with = "quiet")]
        web: bool,
        /// A card that the handset in the browser redeems at once: a first contact, without a further step
        #[arg(long, value_name = "hotline:card/...")]
        card: Option<String>,
    },
    /// Shut a person's handsets out, or one of them
    Revoke {
        #[command(flatten)]
        folder: Folder,
        /// Whose
        name: String,
        /// Only this handset, by its number in `status`
        #[arg(long)]
        device: Option<u8>,
    },
    /// Keep a record of calls, as its records officer orders
    Record {
        #[command(flatten)]
        folder: Folder,
        /// The officer's order: the file `record.order` that `hotline record` wrote
        order: PathBuf,
        /// The officer of the order in force did not name this one's: handsets then ask their owners
        #[arg(long)]
        anew: bool,
    },
    /// Say when a person's handsets call other offices and are rung from there, or that staff arranges those calls
    Rule {
        #[command(flatten)]
        folder: Folder,
        /// Whose handsets
        name: String,
        /// No call with another office: only calls within this one, into which staff brings others
        #[arg(long, group = "which", required_unless_present_any = ["hours", "none"])]
        staff: bool,
        /// Calls with other offices in these hours only, like "Mon-Fri 09:00-18:00 +01:00"
        #[arg(long, group = "which")]
        hours: Option<String>,
        /// No rule any more
        #[arg(long, group = "which")]
        none: bool,
        /// Who can lift it: the person whom it stops reads this; 64 bytes at most
        #[arg(long, required_unless_present = "none")]
        ask: Option<String>,
    },
    /// The rules about own lines that are in force
    Rules {
        #[command(flatten)]
        folder: Folder,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// The lines to other offices: which are up, and how their line tests went
    Trunks {
        #[command(flatten)]
        folder: Folder,
        /// First digits of another exchange's key: all its tests that are kept
        key: Option<String>,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// How the exchange stands
    Status {
        #[command(flatten)]
        folder: Folder,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // An exchange tells its operator how it goes; the others show it themselves.
    crate::host::log(match &cli.command {
        Command::Exchange(_) => tracing::Level::INFO,
        _ => tracing::Level::WARN,
    });
    crate::host::harden();
    let result = match cli.command {
        Command::Exchange(command) => exchange(command),
        Command::Phone(options) => crate::phone::cli::run(options),
        Command::Demo(options) => crate::demo::run(options),
        Command::Record(command) => crate::record::run(command),
        Command::Bench(command) => crate::bench::run(command),
        Command::Lab(command) => crate::lab::run(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            crate::host::say_error(&e.to_string());
            ExitCode::FAILURE
        }
    }
}

/// What a command ends with if it did not do its work; its text is for the person who typed it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

fn exchange(command: ExchangeCommand) -> Result<(), Failure> {
    use crate::exchange::{command, settings::Settings};
    match command {
        ExchangeCommand::Init { folder, settings } => command::init(&folder.dir, settings),
        ExchangeCommand::Run { folder, settings } => {
            let settings = settings.over(Settings::read(&folder.dir)?).resolve()?;
            command::run(&folder.dir, &settings)
        }
        ExchangeCommand::Enroll { folder, name, hours, quiet, web, card } => {
            let printed = match (quiet, web) {
                (true, _) => command::Printed::Native,
                (_, true) => command::Printed::Web,
                _ => command::Printed::All,
            };
            command::enroll(&folder.dir, name, hours, printed, card.as_deref())
        }
        ExchangeCommand::Revoke { folder, name, device } => {
            command::revoke(&folder.dir, name, device)
        }
        ExchangeCommand::Record { folder, order, anew } => {
            command::order(&folder.dir, &order, anew)
        }
        ExchangeCommand::Rule { folder, name, staff, hours, none: _, ask } => {
            command::rule(&folder.dir, name, staff, hours, ask.unwrap_or_default())
        }
        ExchangeCommand::Rules { folder, json } => command::list_rules(&folder.dir, json),
        ExchangeCommand::Trunks { folder, key, json } => command::trunks(&folder.dir, key, json),
        ExchangeCommand::Status { folder, json } => command::status(&folder.dir, json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
