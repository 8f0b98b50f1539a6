//! What is probed: an exchange as it is sold; and one that is leaky on purpose, which the same probers must find out.
//!
//! ```text
//!  product  exchange::host, in a thread, with its own disk
//!  leaky    the same machine and disk; but what concerns an address that is somebody's is written 100 ms later than what
//!           concerns none, as in an exchange that spares itself the work when there is nothing to do
//! ```

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use exchange::{Command, Config, Conn, Exchange, Input, Output, SourceId, TrunkPolicy};
use wire::rows::Change;
use wire::{EnrolLink, ExchangePub, Text, Time, Token, Wall};

use super::people::RULED;
use crate::cli::Failure;
use crate::exchange::control::{Answer, Request};
use crate::exchange::settings::Settings;
use crate::exchange::{folder, host};
use crate::host::Clock;
use crate::net::{ConnId, Endpoint, Event, Limits, Party, Role};
use crate::store::{Outcome, Plain, Store};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// By how much the leaky exchange is later where there is something to do.
const LEAK: Duration = Duration::from_millis(100);

/// An exchange that runs in a thread.
pub(super) struct Target {
    /// Its line door.
    pub(super) line: SocketAddr,
    /// Its trunk door.
    pub(super) trunk: SocketAddr,
    /// Its key.
    pub(super) key: ExchangePub,
    /// A link for each of those who are to be let in.
    pub(super) links: Vec<EnrolLink>,
    stop: Box<dyn Fn() + Send + Sync>,
    thread: JoinHandle<Result<(), Failure>>,
}

impl Target {
    /// Ends it in order.
    pub(super) fn stop(self) -> Result<(), Failure> {
        (self.stop)();
        self.thread.join().map_err(|_| "the exchange that was probed panicked")?
    }
}

fn settings() -> Settings {
    Settings {
        office: Some("Laboratory".into()),
        line_listen: Some(ANY),
        trunk_listen: Some(ANY),
        metrics_listen: Some(ANY),
        web_listen: Some("off".into()),
        ..Settings::default()
    }
}

/// The exchange as it is, in `dir`.
pub(super) fn product(dir: &Path, people: &[&str]) -> Result<Target, Failure> {
    folder::create(dir, &settings(), crate::host::seed()?)?;
    let (handle, thread) = host::spawn(dir, &settings().resolve()?)?;
    let enrol =
        |name: &&str| match handle.ask(Request::Enroll { principal: (*name).into(), hours: 1 }) {
            Some(Answer::Enrolled { link, .. }) => Ok(EnrolLink::parse(&link)?),
            _ => Err(Failure::from("the exchange lets nobody in")),
        };
    let links = people.iter().map(enrol).collect::<Result<_, Failure>>()?;
    let rule = Request::Rule {
        principal: RULED.into(),
        staff: true,
        hours: None,
        lifts: "Ada, room 12".into(),
    };
    let Some(Answer::Ruled) = handle.ask(rule) else {
        return Err("the exchange takes no rule".into());
    };
    let (line, trunk, key) = (handle.line, handle.trunk, handle.key);
    // A thread that turns the host's error into ours.
    let thread = std::thread::spawn(move || match thread.join() {
        Ok(result) => Ok(result?),
        Err(_) => Err("the exchange panicked".into()),
    });
    Ok(Target { line, trunk, key, links, stop: Box::new(move || handle.stop()), thread })
}

/// The leaky one, in `dir`.
pub(super) fn leaky(dir: &Path, people: &[&str]) -> Result<Target, Failure> {
    folder::create(dir, &settings(), crate::host::seed()?)?;
    let dir = dir.to_path_buf();
    let stop: Arc<AtomicBool> = Arc::default();
    let (opened, doors) = mpsc::channel();
    let (until, people) = (stop.clone(), people.iter().map(|p| (*p).to_owned()).collect());
    let thread = std::thread::spawn(move || {
        let mut leaky = Leaky::open(&dir, people)?;
        let line = leaky.net.local_addr(leaky.net.door())?;
        // The caller waits for it.
        let _ = opened.send((line, leaky.trunk, leaky.key, leaky.links.clone()));
        leaky.run(&until)
    });
    let Ok((line, trunk, key, links)) = doors.recv() else {
        return Err(match thread.join() {
            Ok(Err(e)) => e,
            _ => "the leaky exchange did not start".into(),
        });
    };
    let stop = Box::new(move || stop.store(true, Ordering::Relaxed));
    Ok(Target { line, trunk, key, links, stop, thread })
}

/// A loop around the machine with one fault.
struct Leaky {
    net: Endpoint,
    machine: Exchange,
    store: Store,
    clock: Clock,
    timeout: Time,
    trunk: SocketAddr,
    key: ExchangePub,
    links: Vec<EnrolLink>,
    held: Option<(Time, u64, Vec<Change>)>,
}

impl Leaky {
    fn open(dir: &Path, people: Vec<String>) -> Result<Leaky, Failure> {
        let (identity, clock) = (folder::identity(dir)?, Clock::start());
        let leaf = identity.issue_leaf(SystemTime::now())?;
        let role = Role::Line { identity: &identity, leaf: &leaf };
        let mut net = Endpoint::bind(ANY, role, Limits::default(), crate::host::seed()?)?;
        let door = net.open(ANY, Role::Trunk { identity: &identity })?;
        let (line, trunk) = (net.local_addr(net.door())?, net.local_addr(door)?);
        let waker = net.waker();
        let (store, rows) = folder::store(dir)?.start(Plain, Box::new(move || waker.wake()))?;
        let key = ExchangePub(identity.key().0);
        let config = Config {
            office: Text::new("Laboratory")?,
            host: Text::new(trunk.to_string())?,
            trunks: TrunkPolicy::Open,
            trunk_cells: 1,
            line_test: None,
        };
        let (now, wall) = (clock.now(), clock.wall());
        let mut machine = Exchange::new(config, key, crate::host::seed()?, rows, now, wall)?;
        let mut links = Vec::new();
        for (id, name) in (1..).zip(people) {
            let token = Token(crate::host::seed()?[..16].try_into()?);
            let principal = Text::new(name)?;
            let expires = Wall(wall.0 + 3_600);
            let command = Command::Enrol { principal, token, expires };
            machine.handle(now, wall, Input::Command { id, command })?;
            links.push(EnrolLink {
                exchange: key,
                token,
                host: Text::new(line.to_string())?,
                officer: None,
            });
        }
        let held = None;
        Ok(Leaky { net, machine, store, clock, timeout: now, trunk, key, links, held })
    }

    fn feed(&mut self, input: Input<'_>) -> Result<(), Failure> {
        Ok(self.machine.handle(self.clock.now(), self.clock.wall(), input)?)
    }

    fn run(&mut self, stop: &AtomicBool) -> Result<(), Failure> {
        while !stop.load(Ordering::Relaxed) {
            while let Some(outcome) = self.store.outcome() {
                match outcome {
                    Outcome::Stored(batch) => self.feed(Input::Stored { batch })?,
                    Outcome::Refused(batch, _) => self.feed(Input::StoreFailed { batch })?,
                }
            }
            let now = self.clock.now();
            if let Some((_, batch, changes)) = self.held.take_if(|(at, ..)| *at <= now) {
                self.store.commit(batch, changes);
            }
            if now >= self.timeout {
                self.feed(Input::Tick)?;
            }
            self.drain();
            self.wait()?;
        }
        Ok(())
    }

    fn drain(&mut self) {
        let now = self.clock.now();
        let instant = self.clock.instant(now);
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Transmit { conn, cell } => {
                    // A connection that is gone is reported by the endpoint.
                    let _ = self.net.send(instant, ConnId::from_number(conn.0), cell);
                }
                Output::Close { conn, reason } => {
                    self.net.close(instant, ConnId::from_number(conn.0), reason as u32);
                }
                Output::Store { batch, changes } => {
                    // Here is the fault: rows that stand for nothing are all zeros.
                    let something = changes.iter().any(|change| match change {
                        Change::Put(row) => row.value.iter().any(|byte| *byte != 0),
                        Change::Delete { .. } => false,
                    });
                    match something {
                        true => self.held = Some((now + LEAK, batch, changes)),
                        false => self.store.commit(batch, changes),
                    }
                }
                Output::Timeout(at) => self.timeout = at,
                Output::Dial { .. } | Output::Event(_) | Output::Reply { .. } => {}
            }
        }
        self.net.flush();
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let now = self.clock.now();
        let soon = now + Duration::from_millis(10);
        let deadline = self.held.as_ref().map_or(soon, |(at, ..)| soon.min(*at));
        let deadline = self.clock.instant(self.timeout.min(deadline));
        let (machine, clock) = (&mut self.machine, &self.clock);
        let mut links = Vec::new();
        self.net.poll(deadline, |event| match event {
            Event::Cell { conn, cell } => {
                let conn = Conn(conn.number());
                // Cells of a link that the machine has closed may still arrive.
                let _ =
                    machine.handle(clock.now(), clock.wall(), Input::Cell { conn, bytes: cell });
            }
            Event::Connected { conn, party } => links.push((conn, party)),
            Event::Closed { conn, .. } => {
                let down = Input::Down { conn: Conn(conn.number()) };
                let _ = machine.handle(clock.now(), clock.wall(), down);
            }
        })?;
        for (conn, party) in links {
            let conn = Conn(conn.number());
            match party {
                Party::Handset => self.feed(Input::LineUp { conn, source: SourceId(1) })?,
                Party::Exchange(key) => {
                    let peer = ExchangePub(key.0);
                    self.feed(Input::TrunkUp { conn, peer, dialled: false })?;
                }
            }
        }
        Ok(())
    }
}
