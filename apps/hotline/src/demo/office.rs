//! One office of the demo: an exchange on loopback, in a thread, and one handset.
#![allow(clippy::print_stdout, reason = "the demo talks to the person at the terminal")]

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use phone::{Command, Event};
use seal::vault::Params;
use wire::EnrolLink;

use super::browsers::Standing;
use crate::cli::Failure;
use crate::exchange::control::{Answer, Request};
use crate::exchange::settings::Settings;
use crate::exchange::{folder, host as exchange_host};
use crate::host::Clock;
use crate::net::Tap;
use crate::phone::host::{Handle, Happened, Left, PhoneError, Running, create, spawn};
use crate::phone::sound::{Sink, Source};

/// The passphrase of the demo's handsets; it is printed, and protects nothing.
pub(super) const PASSPHRASE: &str = "demo";

/// An exchange that runs in a thread.
pub(crate) struct Office {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Its operator's hand.
    pub(crate) exchange: exchange_host::Handle,
    thread: JoinHandle<Result<(), exchange_host::HostError>>,
}

impl Office {
    /// Makes an exchange in `folder`, and runs it on free loopback ports.
    pub(super) fn start(folder: &Path, name: &'static str) -> Result<Office, Failure> {
        Office::start_tapped(folder, name, None)
    }

    /// Like [`Self::start`]; `tap` sees every datagram of the exchange.
    pub(crate) fn start_tapped(
        folder: &Path,
        name: &'static str,
        tap: Option<Tap>,
    ) -> Result<Office, Failure> {
        let any = "127.0.0.1:0".parse().ok();
        let settings = Settings {
            office: Some(name.into()),
            line_listen: any,
            trunk_listen: any,
            metrics_listen: any,
            web_listen: Some("127.0.0.1:0".into()),
            ..Settings::default()
        };
        let exchange = folder.join("exchange");
        folder::create(&exchange, &settings, crate::host::seed()?)?;
        let (handle, thread) = exchange_host::spawn_tapped(&exchange, &settings.resolve()?, tap)?;
        Ok(Office { name, folder: folder.into(), exchange: handle, thread })
    }

    /// An enrolment link for `person`.
    pub(crate) fn enroll(&self, person: &str) -> Result<String, Failure> {
        Ok(enroll(&self.exchange, person)?.0)
    }

    /// Gives links to the web handset for `person`, one at each call.
    pub(super) fn enroller(
        &self,
        person: &'static str,
    ) -> impl Fn() -> Result<String, Failure> + Send + use<> {
        let exchange = self.exchange.clone();
        move || enroll(&exchange, person)?.1.ok_or_else(|| "the web handset is off".into())
    }

    /// Ends the exchange in order.
    pub(crate) fn stop(self) -> Result<(), Failure> {
        self.exchange.stop();
        match self.thread.join() {
            Ok(result) => Ok(result?),
            Err(_) => Err(format!("the exchange of {} panicked", self.name).into()),
        }
    }
}

/// An enrolment link, and the same for a browser.
fn enroll(
    exchange: &exchange_host::Handle,
    person: &str,
) -> Result<(String, Option<String>), Failure> {
    match exchange.ask(Request::Enroll { principal: person.into(), hours: 12 }) {
        Some(Answer::Enrolled { link, web }) => Ok((link, web)),
        Some(Answer::Refused { why }) => Err(why.into()),
        _ => Err("the exchange does not answer".into()),
    }
}

/// A handset that runs in a thread.
pub(crate) struct Handset {
    /// Whose.
    pub(crate) person: &'static str,
    /// The person's hand.
    pub(crate) handle: Handle,
    happened: Receiver<Happened>,
    seen: Vec<Happened>,
    thread: JoinHandle<Result<Left, PhoneError>>,
    /// Datagrams at its socket.
    pub(crate) wire: super::measure::WireLog,
}

impl Handset {
    /// Makes a handset for `person`, enrolled at `office`.
    pub(super) fn start(
        office: &Office,
        person: &'static str,
        clock: Clock,
        source: Box<dyn Source>,
        sink: Box<dyn Sink>,
    ) -> Result<Handset, Failure> {
        let link = EnrolLink::parse(&office.enroll(person)?)?;
        Handset::start_with(office, person, link, clock, source, sink)
    }

    /// Like [`Self::start`], with an enrolment link that may lead by another way.
    pub(crate) fn start_with(
        office: &Office,
        person: &'static str,
        link: EnrolLink,
        clock: Clock,
        source: Box<dyn Source>,
        sink: Box<dyn Sink>,
    ) -> Result<Handset, Failure> {
        let folder = office.folder.join(person.to_lowercase());
        let wire = super::measure::WireLog::default();
        let (tap, at) = (wire.tap(), folder.clone());
        let Running { handle, happened, thread } = spawn(move || {
            let opened = create(&at, PASSPHRASE, Params::TEST, person, clock)?;
            let (mut host, happened) = opened.host(source, sink);
            host.set_tap(tap);
            Ok((host, happened))
        })?;
        let handset = Handset { person, handle, happened, seen: Vec::new(), thread, wire };
        handset.command(Command::Enrol(link))?;
        Ok(handset)
    }

    /// Does what the person wants.
    pub(crate) fn command(&self, command: Command) -> Result<(), Failure> {
        self.handle.command(command).map_err(|e| format!("{}: {e}", self.person).into())
    }

    /// Waits until `wanted` picks an event; those before it are passed over.
    pub(crate) fn wait<T>(
        &mut self,
        what: &str,
        patience: Duration,
        wanted: impl Fn(&Event) -> Option<T>,
    ) -> Result<(Happened, T), Failure> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let happened = match self.happened.recv_timeout(left) {
                Ok(happened) => happened,
                Err(RecvTimeoutError::Timeout) => {
                    let seen: Vec<_> = self.seen.iter().map(|h| h.event).collect();
                    return Err(format!(
                        "{}'s handset: {what} did not happen within {} s; it saw {seen:?}",
                        self.person,
                        patience.as_secs()
                    )
                    .into());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("{}'s handset has ended", self.person).into());
                }
            };
            self.seen.push(happened);
            if let Some(found) = wanted(&happened.event) {
                return Ok((happened, found));
            }
        }
    }

    /// Ends the handset; what it said and heard.
    pub(crate) fn stop(self) -> Result<Left, Failure> {
        self.handle.stop();
        match self.thread.join() {
            Ok(left) => Ok(left?),
            Err(_) => Err(format!("{}'s handset panicked", self.person).into()),
        }
    }
}

/// Both offices, after the scripted call.
pub(crate) struct Offices {
    /// The caller's and the callee's.
    pub(super) offices: [Office; 2],
    /// Who is in them, and what they say.
    pub(super) people: [(&'static str, Vec<f32>); 2],
}

impl Offices {
    /// Keeps both handsets on, lets browsers in, until a signal comes.
    pub(super) fn by_hand(&mut self, clock: Clock) -> Result<(), Failure> {
        let mut standing = Vec::new();
        for (office, (person, speech)) in self.offices.iter().zip(&mut self.people) {
            standing.push(Standing::start(office, person, std::mem::take(speech), clock)?);
        }
        println!(
            "\nBoth offices stay up. Open these two links in two browser windows, side by side; each works once.\n\
             Ctrl-C ends the demo."
        );
        wait_for_signal()?;
        standing.into_iter().try_for_each(Standing::stop)
    }

    /// Ends both exchanges.
    pub(crate) fn stop(self) -> Result<(), Failure> {
        for office in self.offices {
            office.stop()?;
        }
        Ok(())
    }
}

/// Until Ctrl-C or SIGTERM.
pub(super) fn wait_for_signal() -> Result<(), Failure> {
    let mut signals = signal_hook::iterator::Signals::new([
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
    ])?;
    signals.forever().next();
    Ok(())
}
