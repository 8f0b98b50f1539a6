//! The links of an exchange: each stands in a port, whatever it is.
//!
//! ```text
//!   Conn (host) ──► PortId{index, generation} ──► Port{ link, legs, Role::{Line, Trunk} }
//! ```
//!
//! A `PortId` that outlives its link finds nothing: what waits for the disk can name one without care.

use std::collections::{BTreeSet, HashMap, VecDeque};

use link::Link;
use wire::{ExchangePub, LinePub, MailId, Nonce, Time};

use crate::admission::Meter;
use crate::api::{Conn, SourceId};
use crate::legs::LegTable;

/// Names one link from its coming up to its going down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PortId {
    index: u32,
    generation: u32,
}

/// One link.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) conn: Conn,
    pub(crate) link: Link,
    pub(crate) legs: LegTable,
    pub(crate) role: Role,
    /// When the last cell came.
    pub(crate) heard: Time,
    /// Since when the port's timer runs, if one does.
    pub(crate) timer: Option<Time>,
}

/// What the link is.
#[derive(Debug)]
pub(crate) enum Role {
    Line(LinePort),
    Trunk(TrunkPort),
}

/// A line.
#[derive(Debug)]
pub(crate) struct LinePort {
    pub(crate) source: SourceId,
    pub(crate) phase: Phase,
    pub(crate) opens: Meter,
    pub(crate) records: Meter,
    pub(crate) asides: Meter,
    /// Exchanges whose line tests it wants to be told of.
    pub(crate) watches: BTreeSet<ExchangePub>,
    pub(crate) redeems: usize,
    /// Last piece of mail that went out on this link.
    pub(crate) sent: u64,
    /// Mail on its way: number and length.
    pub(crate) flying: VecDeque<(u64, usize)>,
}

/// How far a line has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It was sent this nonce.
    Challenged(Nonce),
    /// Its token was good; the disk has to know.
    Enrolling,
    /// In service.
    Attached(Attached),
    /// It is told so, and not listened to any more.
    Refused,
}

/// Which line it is: only a verified proof makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) line: LinePub,
    pub(crate) principal: u32,
    pub(crate) device: u8,
}

/// A trunk.
#[derive(Debug)]
pub(crate) struct TrunkPort {
    pub(crate) peer: ExchangePub,
    pub(crate) dialled: bool,
    /// The other end said hello.
    pub(crate) ready: bool,
    pub(crate) opens: Meter,
    pub(crate) redeems: Meter,
    pub(crate) tests: Meter,
    /// Its mail that waits for our disk.
    pub(crate) mail_in: usize,
    /// Its redemptions that do.
    pub(crate) redeems_in: usize,
    /// Our mail on its way, by its name on this trunk.
    pub(crate) flying: HashMap<MailId, u64>,
    /// Last piece of the outbox that went out on this link.
    pub(crate) sent: u64,
}

impl Port {
    /// The line in service on this port.
    pub(crate) fn attached(&self) -> Option<Attached> {
        match &self.role {
            Role::Line(LinePort { phase: Phase::Attached(attached), .. }) => Some(*attached),
            _ => None,
        }
    }

    pub(crate) fn line_mut(&mut self) -> Option<&mut LinePort> {
        match &mut self.role {
            Role::Line(line) => Some(line),
            Role::Trunk(_) => None,
        }
    }

    pub(crate) fn trunk(&self) -> Option<&TrunkPort> {
        match &self.role {
            Role::Trunk(trunk) => Some(trunk),
            Role::Line(_) => None,
        }
    }

    pub(crate) fn trunk_mut(&mut self) -> Option<&mut TrunkPort> {
        match &mut self.role {
            Role::Trunk(trunk) => Some(trunk),
            Role::Line(_) => None,
        }
    }
}

/// All links.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    slots: Vec<(u32, Option<Box<Port>>)>,
    free: Vec<u32>,
    by_conn: HashMap<Conn, PortId>,
}

impl Ports {
    pub(crate) fn len(&self) -> usize {
        self.by_conn.len()
    }

    pub(crate) fn insert(&mut self, port: Port) -> PortId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let slot = &mut self.slots[index as usize];
        let id = PortId { index, generation: slot.0 };
        self.by_conn.insert(port.conn, id);
        slot.1 = Some(Box::new(port));
        id
    }

    pub(crate) fn remove(&mut self, id: PortId) -> Option<Port> {
        let slot = self.slots.get_mut(id.index as usize).filter(|s| s.0 == id.generation)?;
        let port = slot.1.take()?;
        slot.0 = slot.0.wrapping_add(1);
        self.free.push(id.index);
        self.by_conn.remove(&port.conn);
        Some(*port)
    }

    pub(crate) fn find(&self, conn: Conn) -> Option<PortId> {
        self.by_conn.get(&conn).copied()
    }

    pub(crate) fn get(&self, id: PortId) -> Option<&Port> {
        match self.slots.get(id.index as usize) {
            Some((generation, Some(port))) if *generation == id.generation => Some(port),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, id: PortId) -> Option<&mut Port> {
        match self.slots.get_mut(id.index as usize) {
            Some((generation, Some(port))) if *generation == id.generation => Some(port),
            _ => None,
        }
    }

    pub(crate) fn ids(&self) -> Vec<PortId> {
        let mut ids: Vec<_> = self.by_conn.values().copied().collect();
        ids.sort_unstable();
        ids
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Port> {
        self.slots.iter().filter_map(|(_, port)| port.as_deref())
    }
}
