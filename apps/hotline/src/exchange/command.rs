//! The operator's commands, as typed.
#![allow(clippy::print_stdout, reason = "what a command answers goes to standard output")]

use std::path::Path;

use super::control::{self, Answer, Request, Status};
use super::folder::{self, hex};
use super::host::Host;
use super::settings::{Resolved, Settings};
use super::{rules, trunks};
use crate::cli::Failure;
use crate::web::assets;

/// `hotline exchange init`.
///
/// # Errors
/// Settings that cannot be used, or a folder that has an exchange.
pub fn init(folder: &Path, settings: Settings) -> Result<(), Failure> {
    settings.clone().resolve()?;
    let identity = folder::create(folder, &settings, crate::host::seed()?)?;
    let dir = folder.display();
    println!("Made an exchange in {dir}. Its key, which cards and trunks pin:");
    println!("  {}", hex(&identity.key().0));
    println!("Keep a copy of {dir}/exchange.key in a safe: it cannot be made again.");
    println!("Next: hotline exchange run --dir {dir}");
    println!("Then: hotline exchange enroll --dir {dir} \"Name of a person\"");
    Ok(())
}

/// `hotline exchange run`: until SIGINT or SIGTERM.
///
/// # Errors
/// What keeps it from running.
pub fn run(folder: &Path, settings: &Resolved) -> Result<(), Failure> {
    let host = Host::open(folder, settings)?;
    let handle = host.handle();
    let stopper = handle.clone();
    crate::host::on_signals(move || stopper.stop())?;
    tracing::info!(line = %handle.line, trunk = %handle.trunk, metrics = %handle.metrics, "exchange is up");
    let build = assets::BUILD;
    match &handle.web {
        None => tracing::info!("the web handset is off"),
        Some(_) if assets::ASSETS.is_empty() => {
            tracing::warn!(
                "this build holds no web handset: `make web`, and build the program again"
            )
        }
        Some(origin) => tracing::info!(%origin, %build, "the web handset is served"),
    }
    if settings.line_host.is_none() || settings.trunk_host.is_none() {
        tracing::warn!(
            "line_host and trunk_host are not both set: links and cards name this machine as it names itself"
        );
    }
    host.run()?;
    tracing::info!("exchange has stopped; everything acknowledged is on disk");
    Ok(())
}

fn ask(folder: &Path, request: &Request) -> Result<Answer, Failure> {
    let answer = control::ask(folder, request)?.ok_or_else(|| {
        format!(
            "no exchange runs in {dir}: start it with `hotline exchange run --dir {dir}`",
            dir = folder.display()
        )
    })?;
    match answer {
        Answer::Refused { why } => Err(why.into()),
        answer => Ok(answer),
    }
}

fn unexpected() -> Failure {
    "the exchange answered something else: it is of another version; restart it".into()
}

/// What `hotline exchange enroll` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Printed {
    /// Both links, a QR code, and what to do with them.
    All,
    /// The link for a native handset.
    Native,
    /// The link for a browser.
    Web,
}

/// `hotline exchange enroll`; `card` is put into the link for a browser, which then redeems it.
///
/// # Errors
/// No exchange runs, or it refuses; there is no web handset to put into a link.
pub fn enroll(
    folder: &Path,
    principal: String,
    hours: u64,
    printed: Printed,
    card: Option<&str>,
) -> Result<(), Failure> {
    let card = card.map(card_value).transpose()?;
    let Answer::Enrolled { link, web } = ask(folder, &Request::Enroll { principal, hours })? else {
        return Err(unexpected());
    };
    let web = web.map(|web| card.map_or(web.clone(), |card| format!("{web}&card={card}")));
    match (printed, web) {
        (Printed::Native, _) => println!("{link}"),
        (Printed::Web, Some(web)) => println!("{web}"),
        (Printed::Web, None) => {
            return Err("this exchange does not serve the web handset: see `web_listen`".into());
        }
        (Printed::All, web) => {
            println!("{}", seal::card::qr::terminal(web.as_ref().unwrap_or(&link))?);
            if let Some(web) = web {
                println!("Open on a phone or computer, in a browser:\n  {web}\n");
                println!("Or on a native handset:");
            } else {
                println!("On the handset:");
            }
            println!("  hotline phone --name '<name>' --enroll '{link}'\n");
            println!(
                "It lets one handset in, once, within {hours} hours. Hand it over like a key."
            );
        }
    }
    Ok(())
}

/// What stands for a card in a link.
fn card_value(card: &str) -> Result<&str, Failure> {
    let value = card.strip_prefix(seal::card::LINK).unwrap_or(card);
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if value.is_empty() || !value.chars().all(letter) {
        return Err(format!("`{card}` is not a card: it begins with {}", seal::card::LINK).into());
    }
    Ok(value)
}

/// `hotline exchange revoke`.
///
/// # Errors
/// No exchange runs, or nobody of that name is enrolled.
pub fn revoke(folder: &Path, principal: String, device: Option<u8>) -> Result<(), Failure> {
    let Answer::Revoked { handsets } = ask(folder, &Request::Revoke { principal, device })? else {
        return Err(unexpected());
    };
    println!("Shut out: {handsets} handset(s).");
    Ok(())
}

/// `hotline exchange record`: puts a records officer's order into force.
///
/// # Errors
/// No such file, no order, no exchange runs, or it refuses.
pub fn order(folder: &Path, file: &Path, anew: bool) -> Result<(), Failure> {
    let bytes = std::fs::read(file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
    let request = Request::Order { order: hex(&bytes), anew };
    let Answer::Ordered { officer, calls } = ask(folder, &request)? else {
        return Err(unexpected());
    };
    println!("The record is kept by this officer, and calls on it are: {calls}");
    println!("  {officer}");
    println!(
        "Handsets that are enrolled from now on know the officer by their link. Each one that was"
    );
    println!("enrolled before asks its owner, who compares this fingerprint and accepts.");
    Ok(())
}

/// `hotline exchange rule`.
///
/// # Errors
/// No exchange runs, nobody of that name is enrolled, or the rule cannot be read.
pub fn rule(
    folder: &Path,
    principal: String,
    staff: bool,
    hours: Option<String>,
    lifts: String,
) -> Result<(), Failure> {
    let lifted = !staff && hours.is_none();
    let request = Request::Rule { principal, staff, hours, lifts };
    let Answer::Ruled = ask(folder, &request)? else { return Err(unexpected()) };
    println!("{}", if lifted { "Lifted." } else { "In force for calls from now on." });
    Ok(())
}

/// `hotline exchange rules`.
///
/// # Errors
/// No exchange runs.
pub fn list_rules(folder: &Path, json: bool) -> Result<(), Failure> {
    let Answer::Rules { rules: list } = ask(folder, &Request::Rules)? else {
        return Err(unexpected());
    };
    if json {
        println!("{}", serde_json::json!({ "rules": list }));
    } else {
        print!("{}", rules::page(&list));
    }
    Ok(())
}

/// `hotline exchange trunks`; `key`: first digits of the keys of those that are wanted, with all their tests.
///
/// # Errors
/// No exchange runs, or it has no such trunk.
pub fn trunks(folder: &Path, key: Option<String>, json: bool) -> Result<(), Failure> {
    let request = Request::Trunks { key: key.clone() };
    let Answer::Trunks { every_s, trunks: list } = ask(folder, &request)? else {
        return Err(unexpected());
    };
    if let (Some(key), true) = (&key, list.is_empty()) {
        return Err(format!("no key of another exchange begins with `{key}`").into());
    }
    if json {
        println!("{}", serde_json::json!({ "every_s": every_s, "trunks": list }));
    } else {
        print!("{}", trunks::page(every_s, &list, crate::host::Clock::start().wall()));
    }
    Ok(())
}

/// `hotline exchange status`.
///
/// # Errors
/// No exchange runs.
pub fn status(folder: &Path, json: bool) -> Result<(), Failure> {
    let Answer::Status(status) = ask(folder, &Request::Status)? else { return Err(unexpected()) };
    if json {
        println!("{}", serde_json::to_string(&status)?);
    } else {
        print!("{}", page(&status));
    }
    Ok(())
}

fn page(s: &Status) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let up = s.lines.iter().filter(|l| l.up).count();
    let store = if s.storage_ok { "works" } else { "REFUSES TO WRITE: make room on the disk" };
    let minutes = s.uptime_s / 60;
    // Writing to a string cannot fail.
    let _ = writeln!(out, "office    {}", s.office);
    let _ = writeln!(out, "key       {}", s.key);
    let _ = writeln!(out, "doors     lines {}   trunks {}", s.line_listen, s.trunk_listen);
    let web = s.web.as_deref().unwrap_or("off");
    let _ = writeln!(out, "web       {web}   build {}", s.web_build);
    let _ = writeln!(out, "up for    {} h {} min", minutes / 60, minutes % 60);
    let _ = writeln!(out, "store     {store}");
    let failing = match s.trunks_failing {
        0 => String::new(),
        n => format!("   LINE TEST FAILS ON {n}: see hotline exchange trunks"),
    };
    let _ = writeln!(out, "trunks    {} up of {}{failing}", s.trunks_up, s.trunks_known);
    let _ = writeln!(out, "legs      {}", s.legs);
    let _ = writeln!(out, "mail      {} waiting", s.mail_waiting);
    let officer = s.record_officer.as_deref().unwrap_or("none: no record is kept");
    let _ = writeln!(out, "record    {} entries   officer {officer}", s.record_entries);
    let _ = writeln!(out, "handsets  {up} up of {}", s.lines.len());
    for line in &s.lines {
        let lamp = if line.up { "up  " } else { "down" };
        let _ = writeln!(out, "  {lamp}  {} (handset {})", line.principal, line.device);
    }
    out
}
