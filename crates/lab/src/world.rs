//! Whole offices in virtual time.
//!
//! ```text
//!  Party{Phone} ══ cells over Net ══ Office{Exchange} ══ cells over Net ══ Office ══ Party
//!     └ rows, disk that can fail, or die with the process        └ killed, restarted from its rows
//! ```
//!
//! Here is what a scenario says; the loop behind it is in `turn.rs`.

mod turn;

use core::time::Duration;
use std::collections::BTreeMap;

use exchange::{Conn, Input as ExchangeInput};
use phone::{Command, Event, Input, InputError};
use wire::{Time, Wall};

use turn::Happening;

use crate::middle::{Meddler, Middle, To, What};
use crate::net::{Conditions, Net};
use crate::office::Office;
use crate::party::Party;

/// A trunk that is up.
struct Trunk {
    ends: [(usize, Conn); 2],
    ways: [Net<Vec<u8>>; 2],
    /// In whose hands it is.
    middle: Option<Middle>,
}

/// Offices, parties, and what is between them.
pub struct World {
    /// Virtual time.
    pub now: Time,
    start: (Time, Wall),
    /// Offices.
    pub offices: Vec<Office>,
    /// People.
    pub parties: Vec<Party>,
    trunks: Vec<Trunk>,
    queue: BTreeMap<(Time, u64), Happening>,
    sequence: u64,
    seed: u64,
    /// How lines are.
    pub lines: Conditions,
    /// How trunks are.
    pub trunk: Conditions,
    commands: u64,
    fine: bool,
    /// Whose line is in somebody's hands, and what he does there; from when the line next comes up.
    pub line_meddlers: BTreeMap<usize, Meddler>,
    /// The same for all trunks. Near is the exchange that dialled.
    pub trunk_meddler: Option<Meddler>,
}

impl World {
    /// `n` offices with nobody in them.
    #[must_use]
    pub fn new(n: u8, seed: u64) -> World {
        let (now, wall) = (Time(1_000_000), Wall(1_700_000_000));
        World {
            now,
            start: (now, wall),
            offices: (0..n).map(|i| Office::new(i, seed, now, wall)).collect(),
            parties: Vec::new(),
            trunks: Vec::new(),
            queue: BTreeMap::new(),
            sequence: 0,
            seed,
            lines: Conditions::perfect(Duration::from_millis(3)),
            trunk: Conditions::perfect(Duration::from_millis(10)),
            commands: 0,
            fine: false,
            line_meddlers: BTreeMap::new(),
            trunk_meddler: None,
        }
    }

    /// Time of day.
    #[must_use]
    pub fn wall(&self) -> Wall {
        Wall(self.start.1.0 + self.now.since(self.start.0).as_secs())
    }

    /// A person at an office, with a new handset that is enrolled as soon as time goes on.
    ///
    /// # Panics
    /// If the phone refuses its link.
    pub fn hire(&mut self, name: &str, office: usize) -> usize {
        let id = self.parties.len();
        let seed = self.seed << 8 | (id as u64 + 1);
        self.parties.push(Party::new(name, office, seed, self.now, self.wall()));
        if self.fine {
            self.code_finely();
        }
        let link = self.token(name, office);
        if let Err(error) = self.command(id, Command::Enrol(link)) {
            panic!("cannot enrol: {error}");
        }
        id
    }

    /// Somebody listens: from now on everybody's speech is coded as well as people's is. Otherwise it is coded with a tenth of the work.
    ///
    /// # Panics
    /// Without memory.
    pub fn code_finely(&mut self) {
        self.fine = true;
        for party in &mut self.parties {
            party.fine = true;
            if let Some(Err(error)) = party.phone.as_mut().map(|phone| phone.code_coarsely(false)) {
                panic!("no coder: {error}");
            }
        }
    }

    /// A link from the operator of an office.
    pub fn token(&mut self, principal: &str, office: usize) -> wire::enrol::EnrolLink {
        let wall = self.wall();
        let (command, link) = self.offices[office].token(principal, wall);
        self.commands += 1;
        let id = self.commands;
        self.office_input(office, ExchangeInput::Command { id, command });
        link
    }

    /// The operator of an office puts a records officer's order into force.
    pub fn order(&mut self, office: usize, order: record::Order, anew: bool) {
        self.commands += 1;
        let command = exchange::Command::SetOrder { order: Box::new(order), anew };
        self.office_input(office, ExchangeInput::Command { id: self.commands, command });
    }

    /// The operator of an office makes a rule about the lines of one of its people, or lifts it.
    pub fn rule(&mut self, office: usize, principal: &str, rule: Option<exchange::OfficeRule>) {
        self.commands += 1;
        let principal = crate::office::text(principal);
        let command = exchange::Command::SetRule { principal, rule };
        self.office_input(office, ExchangeInput::Command { id: self.commands, command });
    }

    /// A person wants something.
    ///
    /// # Errors
    /// What the phone says.
    pub fn command(&mut self, party: usize, command: Command) -> Result<(), InputError> {
        let (now, wall) = (self.now, self.wall());
        let result = self.parties[party].command(now, wall, command);
        self.drain_party(party);
        result
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time pass until something is so; `false` if it is not after `most`.
    pub fn run_until(&mut self, most: Duration, mut so: impl FnMut(&mut World) -> bool) -> bool {
        let end = self.now + most;
        loop {
            if so(self) {
                return true;
            }
            if !self.step(end) {
                self.now = end;
                return so(self);
            }
        }
    }

    /// Lets time pass until a party sees an event; when that was.
    ///
    /// # Panics
    /// If it does not come within `most`.
    pub fn until(&mut self, party: usize, most: Duration, wanted: impl Fn(&Event) -> bool) -> Time {
        let from = self.now;
        let mut seen = self.parties[party].events.len();
        let came = self.run_until(most, |world| {
            let events = &world.parties[party].events;
            let new = events[seen..].iter().any(|(_, e)| wanted(e));
            seen = events.len();
            new
        });
        match self.parties[party].saw(from, &wanted) {
            Some(at) if came => at,
            _ => panic!(
                "party {party} did not see it within {most:?}; it saw {:?}",
                self.parties[party].events.iter().filter(|(at, _)| *at >= from).collect::<Vec<_>>()
            ),
        }
    }

    /// SIGKILL of an exchange.
    pub fn kill_office(&mut self, office: usize) {
        self.offices[office].exchange = None;
        self.offices[office].timeout = Time::NEVER;
        self.queue
            .retain(|_, h| !matches!(h, Happening::OfficeStored { office: o, .. } if *o == office));
        for party in 0..self.parties.len() {
            if self.parties[party].office == office {
                self.line_gone(party);
            }
        }
        self.trunks_gone(office);
    }

    /// Starts an exchange from what is on its disk.
    pub fn start_office(&mut self, office: usize) {
        let (now, wall) = (self.now, self.wall());
        self.offices[office].start(now, wall);
        self.drain_office(office);
    }

    /// The exchange of an office is started again, and tests its trunks so often.
    pub fn test_lines(&mut self, office: usize, every: Duration) {
        self.kill_office(office);
        self.offices[office].test_lines(every);
        self.start_office(office);
    }

    /// Trunks as their operator sees them.
    ///
    /// # Panics
    /// If the exchange does not answer at once.
    pub fn list_trunks(&mut self, office: usize) -> Vec<exchange::TrunkInfo> {
        self.commands += 1;
        let command = exchange::Command::ListTrunks;
        self.office_input(office, ExchangeInput::Command { id: self.commands, command });
        // The reply waits for the disk.
        self.run(Duration::from_millis(20));
        match self.offices[office].replies.last() {
            Some(exchange::Reply::Trunks(trunks)) => trunks.clone(),
            _ => panic!("the exchange did not list its trunks"),
        }
    }

    /// Cells sent and lost so far on a trunk: from the end that dialled, and to it.
    #[must_use]
    pub fn trunk_counts(&self, trunk: usize) -> Option<[(u64, u64); 2]> {
        self.trunks.get(trunk).map(|t| [t.ways[0].counts(), t.ways[1].counts()])
    }

    /// Whether an office dialled the trunk.
    #[must_use]
    pub fn dialled_by(&self, trunk: usize, office: usize) -> bool {
        self.trunks.get(trunk).is_some_and(|t| t.ends[0].0 == office)
    }

    /// SIGKILL of a phone.
    pub fn kill_party(&mut self, party: usize) {
        self.parties[party].phone = None;
        self.parties[party].timeout = Time::NEVER;
        self.queue
            .retain(|_, h| !matches!(h, Happening::PhoneStored { party: p, .. } if *p == party));
        self.line_gone(party);
    }

    /// Starts a phone from what is on its disk.
    pub fn start_party(&mut self, party: usize) {
        let (now, wall) = (self.now, self.wall());
        let wall = self.parties[party].wall(wall);
        self.parties[party].start(now, wall);
        self.drain_party(party);
    }

    /// The network of a party goes away, or comes back.
    pub fn reach(&mut self, party: usize, reachable: bool) {
        self.parties[party].reachable = reachable;
        if !reachable {
            self.line_gone(party);
        }
    }

    /// All trunks of an office go away, and cannot be made; or can be again.
    pub fn cut_trunks(&mut self, office: usize, cut: bool) {
        self.offices[office].cut_off = cut;
        if cut {
            self.trunks_gone(office);
        }
    }

    /// The trunks that are up, and those that come up later, are like this from now on.
    pub fn degrade_trunks(&mut self, conditions: Conditions) {
        self.trunk = conditions;
        for way in self.trunks.iter_mut().flat_map(|trunk| &mut trunk.ways) {
            way.set(conditions);
        }
    }

    fn line_gone(&mut self, party: usize) {
        let Some(wire) = self.parties[party].wire.take() else { return };
        let office = self.parties[party].office;
        self.office_input(office, ExchangeInput::Down { conn: wire.conn });
        self.phone_input(party, Input::LinkDown);
    }

    fn trunks_gone(&mut self, office: usize) {
        let (gone, stay) = core::mem::take(&mut self.trunks)
            .into_iter()
            .partition(|t: &Trunk| t.ends.iter().any(|(o, _)| *o == office));
        self.trunks = stay;
        for trunk in gone {
            for (office, conn) in trunk.ends {
                self.office_input(office, ExchangeInput::Down { conn });
            }
        }
    }

    fn later(&mut self, after: Duration, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), happening);
    }

    fn net(&mut self, conditions: Conditions) -> Net<Vec<u8>> {
        self.sequence += 1;
        Net::new(self.seed ^ (self.sequence << 20), conditions)
    }

    /// Whoever holds a party's line says something on it.
    ///
    /// # Panics
    /// If nobody holds it.
    pub fn meddle(&mut self, party: usize, to: To, what: What) {
        match self.parties[party].wire.as_mut().and_then(|w| w.middle.as_mut()) {
            Some(middle) => middle.say(to, what),
            None => panic!("nobody holds the line of party {party}"),
        }
    }

    /// Whoever holds the trunks says something on one of them.
    ///
    /// # Panics
    /// If nobody holds it.
    pub fn meddle_trunk(&mut self, trunk: usize, to: To, what: What) {
        match self.trunks.get_mut(trunk).and_then(|t| t.middle.as_mut()) {
            Some(middle) => middle.say(to, what),
            None => panic!("nobody holds trunk {trunk}"),
        }
    }
}
