//! The loop: the earliest thing that is due happens next. Hosts do what real ones do, and nothing else.
//!
//! ```text
//!  next ─► step ─┬ a cell or a word arrives ─► party, office ─► what they put out ─► nets, later
//!                ├ a timeout, a block to be played
//!                └ happen: a disk, a connection, a death that was put off
//! ```

use core::time::Duration;

use exchange::{Conn, Input as ExchangeInput, Output as ExchangeOutput, SourceId};
use link::Shape;
use phone::{Input, Output};
use wire::rows::Change;
use wire::{ExchangePub, Time};

use super::{Trunk, World};
use crate::middle::{Middle, To};
use crate::net::Net;
use crate::office::{Office, write};
use crate::party::Wire;

/// How long a write takes.
const DISK: Duration = Duration::from_millis(1);
/// How long a disk hangs before its process dies. Whoever speaks too early is heard by then.
const HANG: Duration = Duration::from_millis(400);
/// How long a connection takes to come up.
const CONNECT: Duration = Duration::from_millis(10);
/// What a player asks for at once.
const BLOCK: Duration = Duration::from_millis(10);

/// What happens after a while.
pub(super) enum Happening {
    PhoneStored { party: usize, batch: u64, changes: Vec<Change> },
    OfficeStored { office: usize, batch: u64, changes: Vec<Change> },
    Dies { party: usize },
    Connected { party: usize, exchange: ExchangePub },
    Dialled { office: usize, peer: ExchangePub },
}

impl World {
    fn next(&self) -> Time {
        let mut at = self.queue.first_key_value().map_or(Time::NEVER, |((at, _), _)| *at);
        for party in &self.parties {
            at = at.min(party.timeout);
            if let Some(wire) = &party.wire {
                at = [&wire.up, &wire.down]
                    .iter()
                    .filter_map(|n| n.next_arrival())
                    .chain(wire.middle.as_ref().map(Middle::next_tick))
                    .fold(at, Time::min);
            }
            if party.plays && party.phone.is_some() {
                at = at.min(party.next_block);
            }
        }
        for office in &self.offices {
            at = at.min(office.timeout);
        }
        let ways = self.trunks.iter().flat_map(|t| &t.ways);
        let middles = self.trunks.iter().filter_map(|t| t.middle.as_ref());
        ways.filter_map(Net::next_arrival).chain(middles.map(Middle::next_tick)).fold(at, Time::min)
    }

    /// Does what is due next, if that is before `end`.
    pub(super) fn step(&mut self, end: Time) -> bool {
        let at = self.next();
        if at > end || at == Time::NEVER {
            return false;
        }
        self.now = self.now.max(at);
        let now = self.now;
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let happening = entry.remove();
            self.happen(happening);
        }
        for party in 0..self.parties.len() {
            self.step_party(party);
        }
        for trunk in 0..self.trunks.len() {
            for way in 0..2 {
                while let Some(cell) = self.trunks.get_mut(trunk).and_then(|t| t.ways[way].pop(now))
                {
                    if let (Some(middle), Some(meddler)) =
                        (&mut self.trunks[trunk].middle, &mut self.trunk_meddler)
                    {
                        let from = if way == 0 { To::Near } else { To::Far };
                        middle.cell(now, from, &cell, meddler);
                        continue;
                    }
                    let (office, conn) = self.trunks[trunk].ends[1 - way];
                    self.office_input(office, ExchangeInput::Cell { conn, bytes: &cell });
                }
            }
            let cells = self.trunks.get_mut(trunk).and_then(|t| Some(t.middle.as_mut()?.tick(now)));
            for (to, cell) in cells.unwrap_or_default() {
                let Some(trunk) = self.trunks.get(trunk) else { break };
                let (office, conn) = trunk.ends[usize::from(to == To::Far)];
                self.office_input(office, ExchangeInput::Cell { conn, bytes: &cell });
            }
        }
        for office in 0..self.offices.len() {
            if self.offices[office].timeout <= now {
                self.office_input(office, ExchangeInput::Tick);
            }
        }
        true
    }

    fn step_party(&mut self, id: usize) {
        let now = self.now;
        let office = self.parties[id].office;
        while let Some((conn, cell)) =
            self.parties[id].wire.as_mut().and_then(|w| Some((w.conn, w.up.pop(now)?)))
        {
            if let (Some(wire), Some(meddler)) =
                (&mut self.parties[id].wire, self.line_meddlers.get_mut(&id))
                && let Some(middle) = &mut wire.middle
            {
                middle.cell(now, To::Near, &cell, meddler);
                continue;
            }
            self.office_input(office, ExchangeInput::Cell { conn, bytes: &cell });
        }
        self.tick_middle(id);
        while let Some(cell) = self.parties[id].wire.as_mut().and_then(|w| w.down.pop(now)) {
            self.phone_input(id, Input::Cell(&cell));
        }
        let party = &mut self.parties[id];
        if party.timeout <= now {
            let frame = party.speak();
            if let Some(phone) = &mut party.phone {
                phone.capture(now, &frame);
            }
            self.phone_input(id, Input::Tick);
        }
        let party = &mut self.parties[id];
        let Some(phone) = party.phone.as_mut().filter(|_| party.plays) else { return };
        party.next_block = party.next_block.max(now - BLOCK * 2);
        while party.next_block <= now {
            let mut block = [0.0; 480];
            phone.render(party.next_block, &mut block);
            if let Some(heard) = &mut party.heard {
                heard.extend_from_slice(&block);
            }
            party.next_block += BLOCK;
        }
    }

    fn tick_middle(&mut self, id: usize) {
        let now = self.now;
        let Some(wire) = &mut self.parties[id].wire else { return };
        let (conn, cells) = (wire.conn, wire.middle.as_mut().map(|m| m.tick(now)));
        for (to, cell) in cells.unwrap_or_default() {
            if to == To::Far {
                let office = self.parties[id].office;
                self.office_input(office, ExchangeInput::Cell { conn, bytes: &cell });
            } else if let Some(wire) = &mut self.parties[id].wire {
                wire.down.send(now, cell);
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::PhoneStored { party, batch, changes } => {
                if self.parties[party].disk_full {
                    return self.phone_input(party, Input::StoreFailed { batch });
                }
                write(&mut self.parties[party].rows, changes);
                self.phone_input(party, Input::Stored { batch });
            }
            Happening::OfficeStored { office, batch, changes } => {
                write(&mut self.offices[office].rows, changes);
                self.office_input(office, ExchangeInput::Stored { batch });
            }
            Happening::Dies { party } => self.kill_party(party),
            Happening::Connected { party, exchange } => self.connected(party, exchange),
            Happening::Dialled { office, peer } => self.dialled(office, peer),
        }
    }

    fn conn(&mut self) -> Conn {
        self.sequence += 1;
        Conn(self.sequence)
    }

    fn connected(&mut self, party: usize, exchange: ExchangePub) {
        let office = self.parties[party].office;
        let there = self.parties[party].reachable
            && self.offices[office].exchange.is_some()
            && self.offices[office].key == exchange;
        if !there || self.parties[party].phone.is_none() {
            return self.phone_input(party, Input::LinkDown);
        }
        let conn = self.conn();
        let (up, down) = (self.net(self.lines), self.net(self.lines));
        let middle = self.line_meddlers.contains_key(&party);
        let middle = middle.then(|| {
            Middle::new(Shape::OFFICE_EXCHANGE, Shape::OFFICE_HANDSET, self.now + CONNECT)
        });
        self.parties[party].wire = Some(Wire { conn, up, down, middle });
        self.office_input(office, ExchangeInput::LineUp { conn, source: SourceId(party as u64) });
        self.phone_input(party, Input::LinkUp);
    }

    fn dialled(&mut self, office: usize, peer: ExchangePub) {
        let other = self.offices.iter().position(|o| o.key == peer);
        let up = |o: usize| self.offices[o].exchange.is_some() && !self.offices[o].cut_off;
        match other {
            Some(other) if up(office) && up(other) => {
                let ends = [(office, self.conn()), (other, self.conn())];
                let ways = [self.net(self.trunk), self.net(self.trunk)];
                let middle = self.trunk_meddler.is_some().then(|| {
                    let shape = Shape::trunk(1);
                    Middle::new(shape, shape, self.now + CONNECT / 3)
                });
                self.trunks.push(Trunk { ends, ways, middle });
                let own = self.offices[office].key;
                for ((office, conn), peer, dialled) in
                    [(ends[0], peer, true), (ends[1], own, false)]
                {
                    self.office_input(office, ExchangeInput::TrunkUp { conn, peer, dialled });
                }
            }
            _ => self.office_input(office, ExchangeInput::DialFailed { peer }),
        }
    }

    pub(super) fn phone_input(&mut self, party: usize, input: Input<'_>) {
        let (now, wall) = (self.now, self.wall());
        // What a phone refuses from outside shows in what it does; commands tell their caller.
        let _ = self.parties[party].handle(now, wall, input);
        self.drain_party(party);
    }

    pub(super) fn drain_party(&mut self, id: usize) {
        let now = self.now;
        loop {
            let party = &mut self.parties[id];
            let Some(output) = party.phone.as_mut().and_then(phone::Phone::poll) else { return };
            match output {
                Output::Connect { exchange, .. } => {
                    self.later(CONNECT, Happening::Connected { party: id, exchange });
                }
                Output::Disconnect => {
                    if let Some(wire) = party.wire.take() {
                        let office = party.office;
                        self.office_input(office, ExchangeInput::Down { conn: wire.conn });
                    }
                }
                Output::Transmit(cell) => {
                    party.cells.push_back((now, cell.len()));
                    if party.cells.len() > 100_000 {
                        party.cells.pop_front();
                    }
                    if let Some(wire) = &mut party.wire {
                        wire.up.send(now, cell);
                    }
                }
                Output::Store { batch, changes } => {
                    party.batches += 1;
                    match party.death {
                        Some(death) if death.batch == party.batches => {
                            party.death = None;
                            if death.written {
                                write(&mut party.rows, changes);
                                return self.kill_party(id);
                            }
                            self.later(HANG, Happening::Dies { party: id });
                        }
                        _ => self.later(DISK, Happening::PhoneStored { party: id, batch, changes }),
                    }
                }
                Output::Event(event) => party.events.push((now, event)),
                Output::Timeout(at) => party.timeout = at,
            }
        }
    }

    pub(super) fn office_input(&mut self, office: usize, input: ExchangeInput<'_>) {
        let (now, wall) = (self.now, self.wall());
        if let Some(exchange) = &mut self.offices[office].exchange
            && let Err(error) = exchange.handle(now, wall, input)
        {
            panic!("the lab made a mistake: {error}");
        }
        self.drain_office(office);
    }

    pub(super) fn drain_office(&mut self, id: usize) {
        let now = self.now;
        let mut later = Vec::new();
        let mut closed = Vec::new();
        let Office { exchange: Some(exchange), events, replies, timeout, .. } =
            &mut self.offices[id]
        else {
            return;
        };
        while let Some(output) = exchange.poll() {
            match output {
                ExchangeOutput::Transmit { conn, cell } => {
                    let line = self.parties.iter_mut().enumerate().find_map(|(party, p)| {
                        let mine = |w: &&mut Wire| p.office == id && w.conn == conn;
                        Some((party, p.wire.as_mut().filter(mine)?))
                    });
                    if let Some((party, wire)) = line {
                        match (&mut wire.middle, self.line_meddlers.get_mut(&party)) {
                            (Some(middle), Some(meddler)) => {
                                middle.cell(now, To::Far, cell, meddler);
                            }
                            _ => wire.down.send(now, cell.to_vec()),
                        }
                        continue;
                    }
                    for trunk in &mut self.trunks {
                        if let Some(end) = trunk.ends.iter().position(|e| *e == (id, conn)) {
                            trunk.ways[end].send(now, cell.to_vec());
                        }
                    }
                }
                ExchangeOutput::Close { conn, .. } => closed.push(conn),
                ExchangeOutput::Dial { peer } => {
                    later.push((CONNECT, Happening::Dialled { office: id, peer: peer.key }));
                }
                ExchangeOutput::Store { batch, changes } => {
                    later.push((DISK, Happening::OfficeStored { office: id, batch, changes }));
                }
                ExchangeOutput::Event(event) => events.push(event),
                ExchangeOutput::Reply { reply, .. } => replies.push(reply),
                ExchangeOutput::Timeout(at) => *timeout = at,
            }
        }
        for (after, happening) in later {
            self.later(after, happening);
        }
        for conn in closed {
            self.closed(id, conn);
        }
    }

    /// An exchange closed a connection: the other end notices.
    fn closed(&mut self, office: usize, conn: Conn) {
        let party = self
            .parties
            .iter()
            .position(|p| p.office == office && p.wire.as_ref().is_some_and(|w| w.conn == conn));
        if let Some(party) = party {
            self.parties[party].wire = None;
            return self.phone_input(party, Input::LinkDown);
        }
        let trunk = self.trunks.iter().position(|t| t.ends.contains(&(office, conn)));
        if let Some(trunk) = trunk {
            for (other, conn) in self.trunks.remove(trunk).ends {
                if other != office {
                    self.office_input(other, ExchangeInput::Down { conn });
                }
            }
        }
    }
}
