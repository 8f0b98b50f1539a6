//! `hotline phone` as typed.

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use phone::Command;
use seal::vault::Params;
use wire::EnrolLink;
use zeroize::Zeroizing;

use super::device;
use super::host::{self, Running};
use super::sound::{Recorder, Recording, Silence, Sink, Source};
use crate::cli::Failure;
use crate::host::Clock;

/// What `hotline phone` is told. The passphrase is asked for, or read from a file: never a flag.
#[derive(clap::Args, Clone, Debug)]
pub struct PhoneOptions {
    /// The handset's folder
    #[arg(long, env = "HOTLINE_PHONE_DIR", default_value = "hotline-phone")]
    dir: PathBuf,
    /// A link from the operator: makes this folder a handset of that office
    #[arg(long)]
    enroll: Option<String>,
    /// The owner's name, as it will stand on cards (with --enroll)
    #[arg(long)]
    name: Option<String>,
    /// Read the passphrase from the first line of this file
    #[arg(long, env = "HOTLINE_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
    /// No screen: commands on standard input, events as JSON lines
    #[arg(long)]
    headless: bool,
    /// Speak this WAV file (48 kHz) in calls instead of a microphone
    #[arg(long = "in", value_name = "WAV")]
    input: Option<PathBuf>,
    /// Speak the file again and again
    #[arg(long, requires = "input")]
    repeat: bool,
    /// Write what is heard to this WAV file instead of a loudspeaker
    #[arg(long = "out", value_name = "WAV")]
    output: Option<PathBuf>,
    /// With --headless: do these before standard input is read (as typed there; can be repeated)
    #[arg(long = "do", value_name = "COMMAND", requires = "headless")]
    first: Vec<String>,
}

/// Runs a handset until its person ends it.
///
/// # Errors
/// What keeps it from running, in words.
pub fn run(options: PhoneOptions) -> Result<(), Failure> {
    let clock = Clock::start();
    let link = options.enroll.as_deref().map(EnrolLink::parse).transpose()?;
    let is_new = !host::exists(&options.dir);
    if is_new && link.is_none() {
        return Err(format!(
            "there is no handset in {}; ask the operator of your office for a link, then: hotline phone --dir {} --enroll 'hotline:enroll/...'",
            options.dir.display(),
            options.dir.display()
        )
        .into());
    }
    if !is_new && link.is_some() {
        return Err(format!(
            "{} is a handset already, and stays as it is: give --dir for another one",
            options.dir.display()
        )
        .into());
    }
    let passphrase = passphrase(options.passphrase_file.as_deref(), is_new)?;
    let name = match (is_new, options.name) {
        (true, None) => return Err("give your name as it will stand on cards: --name \"…\"".into()),
        (_, name) => name.unwrap_or_default(),
    };
    let (dir, input, repeat, output) = (options.dir, options.input, options.repeat, options.output);
    let headless = options.headless;
    let (notice, notices) = mpsc::channel();
    let Running { handle, happened, thread } = host::spawn(move || {
        let opened = match is_new {
            true => host::create(&dir, &passphrase, Params::STRONG, &name, clock)?,
            false => host::open(&dir, &passphrase, clock)?,
        };
        let files = headless || input.is_some() || output.is_some();
        let devices = if files { None } else { Some(device::open(clock.now())) };
        let (source, sink): (Box<dyn Source>, Box<dyn Sink>) = match devices {
            Some(Ok((microphone, loudspeaker))) => (Box::new(microphone), Box::new(loudspeaker)),
            failed => {
                if let Some(Err(e)) = failed {
                    // The screen says it; it may have ended.
                    let _ = notice.send(format!("You will neither be heard nor hear: {e}."));
                }
                let source: Box<dyn Source> = match input {
                    Some(path) => Box::new(Recording::read(&path, repeat)?),
                    None => Box::new(Silence),
                };
                (source, Box::new(Recorder::new(clock.now(), output)))
            }
        };
        Ok(opened.host(source, sink))
    })?;
    let stopper = handle.clone();
    crate::host::on_signals(move || stopper.stop())?;
    if let Some(link) = link {
        handle.command(Command::Enrol(link))?;
    }
    let result = if headless {
        super::headless::run(&handle, happened, options.first)
    } else {
        super::screen::run(&handle, &happened, notices.try_recv().ok())
    };
    handle.stop();
    thread.join().map_err(|_| "the handset panicked; what it acknowledged is in its store")??;
    result
}

/// From the file, or asked for on the terminal; twice if it is new.
fn passphrase(file: Option<&Path>, is_new: bool) -> Result<Zeroizing<String>, Failure> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|e| format!("cannot read the passphrase from {}: {e}", path.display()))?;
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            return Err(format!(
                "the first line of {} is empty: write the passphrase there",
                path.display()
            )
            .into());
        }
        return Ok(Zeroizing::new(line.into()));
    }
    let ask = |prompt: &str| -> Result<Zeroizing<String>, Failure> {
        Ok(Zeroizing::new(rpassword::prompt_password(prompt).map_err(|e| {
            format!("no terminal to ask for the passphrase on ({e}): use --passphrase-file")
        })?))
    };
    if !is_new {
        return ask("Passphrase: ");
    }
    let first = ask("New passphrase for this handset (it cannot be recovered): ")?;
    if first.is_empty() {
        return Err("an empty passphrase protects nothing".into());
    }
    if first.as_str() != ask("Again: ")?.as_str() {
        return Err("the two were different; nothing was made".into());
    }
    Ok(first)
}
