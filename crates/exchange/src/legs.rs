//! Legs: the paths of voice through the exchange, and the calls that they belong to.
//!
//! ```text
//!  caller's exchange                              callee's exchange
//!  ┌────────────────────────────┐                ┌─────────────────────────────────────────────┐
//!  │ Call: caller = line leg    │  trunk leg     │ Call: caller = trunk leg                    │
//!  │       callee = trunk leg ──┼────────────────┼─►     callee = Hole                         │
//!  └────────────────────────────┘                │              | Ringing[line legs]           │
//!                                                │              | Taken(line leg)              │
//!                                                └─────────────────────────────────────────────┘
//! ```
//!
//! A local call is the right half with a line as its caller.
//!
//! ```text
//!  Join: two answered calls of one line become one, and the line keeps one leg
//!        A ══ leg 1 ── trunk leg           trunk leg ──┐
//!        A ══ leg 3 ── line leg of P   ─►  A ══ leg 1 ─┼─ whatever comes in on one end goes to all others
//!                                          P's leg ────┘
//! ```
//!
//! Whoever joined them may leave: the others stay joined, until one is left alone. Joined calls at several
//! exchanges hang together by their trunk legs as a tree, so nothing comes back and nothing comes twice.
//!
//! A line test is a call between a trunk leg and the exchange itself (`legs/linetest.rs`); it makes room for others.
//!
//! **Voice**: [`Exchange::forward`] looks up where
//! a leg leads and queues the frame there; nothing else, and for nobody else. A leg leads somewhere from
//! `Take` on; before, it carries voice to nowhere.
//!
//! The caller's side is told nothing that depends on the address: `Hole` (unknown, revoked, bound to another,
//! replayed, rung too often, against a rule of the office's, nobody there) and `Ringing` end with the caller's `Close`, or after 120 s.

mod linetest;

use std::collections::HashMap;

use link::Channel;
use wire::limits::{BODY_MAX, VOICE_LEN};
use wire::line::{Closure, LineDown};
use wire::trunk::Trunk;
use wire::{Address, Blob, Envelope, ExchangeRef, Leg, Time};

use crate::addresses::For;
use crate::api::CloseReason;
use crate::clock::Timer;
use crate::limits;
use crate::machine::Exchange;
use crate::ports::{Attached, PortId};
use crate::quality::Echo;
use linetest::Running;

/// One end of a call: a leg on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) port: PortId,
    pub(crate) leg: Leg,
}

/// A leg that is in use on one link.
#[derive(Clone, Copy, Debug)]
struct Entry {
    leg: Leg,
    call: u64,
    /// Where its voice goes.
    to: To,
}

/// Where the voice of a leg goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Nowhere,
    One(End),
    /// To all other ends of its call.
    All,
    /// It is that of a line test.
    Test,
}

/// The legs of one link, sorted.
#[derive(Debug, Default)]
pub(crate) struct LegTable {
    entries: Vec<Entry>,
    /// The last leg that this end opened.
    last: u16,
}

impl LegTable {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn find(&self, leg: Leg) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&leg, |entry| entry.leg)
    }

    fn call(&self, leg: Leg) -> Option<u64> {
        self.find(leg).ok().map(|at| self.entries[at].call)
    }

    fn to(&self, leg: Leg) -> To {
        self.find(leg).map_or(To::Nowhere, |at| self.entries[at].to)
    }

    fn insert(&mut self, leg: Leg, call: u64) {
        if let Err(at) = self.find(leg) {
            self.entries.insert(at, Entry { leg, call, to: To::Nowhere });
        }
    }

    fn lead(&mut self, leg: Leg, to: To) {
        if let Ok(at) = self.find(leg) {
            self.entries[at].to = to;
        }
    }

    fn move_to(&mut self, leg: Leg, call: u64) {
        if let Ok(at) = self.find(leg) {
            self.entries[at].call = call;
            self.entries[at].to = To::All;
        }
    }

    fn remove(&mut self, leg: Leg) {
        if let Ok(at) = self.find(leg) {
            self.entries.remove(at);
        }
    }

    /// A free leg, odd or even. None is used again before all others were: what is on its way for the old
    /// one does not reach the new.
    fn allocate(&mut self, odd: bool) -> Leg {
        let mut leg = self.last;
        loop {
            leg = leg.wrapping_add(1);
            if leg % 2 == u16::from(odd) && leg != Leg::CHAFF.0 && self.find(Leg(leg)).is_err() {
                self.last = leg;
                return Leg(leg);
            }
        }
    }
}

/// One call, as far as this exchange sees it.
#[derive(Debug)]
struct Call {
    caller: End,
    callee: Callee,
    /// When it ends if nobody takes it; a call that goes on to another exchange is timed there.
    rings_out: Option<Time>,
}

#[derive(Debug)]
enum Callee {
    /// At the other exchange.
    Trunk(End),
    /// On these lines.
    Ringing(Vec<End>),
    /// On this line.
    Taken(End),
    /// Nowhere, and nobody is told.
    Hole,
    /// All ends of a joined call but its first.
    Joined(Vec<End>),
    /// This exchange itself, which tests the trunk.
    Test(Box<Running>),
    /// This exchange itself, which is tested: voice goes back.
    Echo(Echo),
}

impl Call {
    /// Everybody but the caller.
    fn callees(&self) -> Vec<End> {
        match &self.callee {
            Callee::Trunk(end) | Callee::Taken(end) => vec![*end],
            Callee::Ringing(ends) | Callee::Joined(ends) => ends.clone(),
            Callee::Hole | Callee::Test(_) | Callee::Echo(_) => Vec::new(),
        }
    }

    /// Everybody.
    fn ends(&self) -> Vec<End> {
        let mut ends = vec![self.caller];
        ends.extend(self.callees());
        ends
    }

    /// Whether voice goes through it.
    fn is_answered(&self) -> bool {
        matches!(self.callee, Callee::Trunk(_) | Callee::Taken(_) | Callee::Joined(_))
    }
}

/// All calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    calls: HashMap<u64, Call>,
    last: u64,
}

impl Exchange {
    /// One frame of voice, from the link that it came on to the link that its leg leads to.
    pub(crate) fn forward(&mut self, from: PortId, leg: Leg, payload: &[u8; VOICE_LEN]) {
        let to = self.ports.get(from).map_or(To::Nowhere, |port| port.legs.to(leg));
        match to {
            To::One(to) if self.ports.get(to.port).is_some() => {
                if let Some(port) = self.ports.get_mut(to.port) {
                    port.link.queue_voice(to.leg, payload);
                }
                self.metrics.voice_forwarded += 1;
            }
            To::All => self.forward_all(End { port: from, leg }, payload),
            To::Test => self.test_voice(End { port: from, leg }, payload),
            To::One(_) | To::Nowhere => self.metrics.voice_dropped += 1,
        }
    }

    /// One frame to all other ends of a joined call.
    fn forward_all(&mut self, from: End, payload: &[u8; VOICE_LEN]) {
        let call = self.ports.get(from.port).and_then(|port| port.legs.call(from.leg));
        let Some(call) = call.and_then(|id| self.calls.calls.get(&id)) else { return };
        let Callee::Joined(others) = &call.callee else { return };
        for to in others.iter().chain([&call.caller]).filter(|to| **to != from) {
            if let Some(port) = self.ports.get_mut(to.port) {
                port.link.queue_voices(to.leg, payload, limits::VOICES_PER_LEG);
                self.metrics.voice_forwarded += 1;
            }
        }
    }

    // ---- opening -------------------------------------------------------------------------------

    /// An own handset calls.
    pub(crate) fn open(
        &mut self,
        id: PortId,
        who: Attached,
        leg: Leg,
        exchange: &ExchangeRef,
        envelope: Envelope,
    ) {
        let now = self.now;
        let Some(port) = self.ports.get_mut(id) else { return };
        if leg.0.is_multiple_of(2) || port.legs.find(leg).is_ok() {
            return self.fault(id, CloseReason::Protocol);
        }
        let room = port.legs.len() < limits::LEGS_PER_LINE;
        let in_time = port.line_mut().is_some_and(|l| l.opens.take(now, limits::OPENS_PER_LINE));
        if !room || !in_time {
            return self.tell(id, &LineDown::Closed { leg, reason: Closure::Limit });
        }
        self.metrics.calls += 1;
        let caller = End { port: id, leg };
        // Tests are between exchanges: to a handset their address is one that nobody has.
        if exchange.key == self.key || envelope.address == Address::LINE_TEST {
            return self.ring(caller, &envelope);
        }
        if let Some(rule) = self.barred(who.principal) {
            self.metrics.calls_barred += 1;
            let lifts = self.lifts(who.principal);
            self.tell(id, &LineDown::Barred { leg, rule, lifts });
            return self.tell(id, &LineDown::Closed { leg, reason: Closure::Closed });
        }
        match self.open_trunk(who.principal, exchange) {
            Ok(trunk) => self.call_out(caller, trunk, envelope),
            Err(reason) => {
                self.metrics.calls_full += u64::from(reason == Closure::Full);
                self.tell(id, &LineDown::Closed { leg, reason });
            }
        }
    }

    /// The trunk to `exchange`, if a voice path is free on it.
    fn open_trunk(&mut self, principal: u32, exchange: &ExchangeRef) -> Result<PortId, Closure> {
        self.name_peer(principal, exchange).map_err(|_| Closure::Unreachable)?;
        let trunk = self.ready_trunk(&exchange.key).ok_or(Closure::Unreachable)?;
        if self.path_for_call(trunk) { Ok(trunk) } else { Err(Closure::Full) }
    }

    fn call_out(&mut self, caller: End, trunk: PortId, envelope: Envelope) {
        let Some(port) = self.ports.get_mut(trunk) else { return };
        let odd = port.trunk().is_some_and(|t| t.dialled);
        let callee = End { port: trunk, leg: port.legs.allocate(odd) };
        let call = self.new_call(caller, Callee::Trunk(callee));
        self.enter(callee, call);
        self.join(caller, callee);
        self.say(trunk, &Trunk::Open { leg: callee.leg, envelope });
    }

    /// Another exchange calls.
    pub(crate) fn open_in(&mut self, id: PortId, leg: Leg, envelope: &Envelope) {
        let now = self.now;
        let Some(port) = self.ports.get_mut(id) else { return };
        let free = port.legs.find(leg).is_err();
        let Some(trunk) = port.trunk_mut() else { return };
        if (leg.0 % 2 == 1) == trunk.dialled || leg == Leg::CHAFF || !free {
            return self.fault(id, CloseReason::Protocol);
        }
        if envelope.address == Address::LINE_TEST {
            return self.echo_in(id, leg);
        }
        if !self.path_for_call(id) {
            // Both ends took the last path at once. It says nothing about the address.
            return self.say(id, &Trunk::Close { leg });
        }
        self.metrics.calls += 1;
        let caller = End { port: id, leg };
        let trunk = self.ports.get_mut(id).and_then(|port| port.trunk_mut());
        if trunk.is_some_and(|trunk| trunk.opens.take(now, limits::OPENS_PER_TRUNK)) {
            self.ring(caller, envelope);
        } else {
            self.new_call(caller, Callee::Hole);
        }
    }

    /// A call for an address of this exchange: it rings, or it seems to.
    fn ring(&mut self, caller: End, envelope: &Envelope) {
        let call = self.new_call(caller, Callee::Hole);
        let at = self.now + limits::RING_FOR;
        if let Some(entry) = self.calls.calls.get_mut(&call) {
            entry.rings_out = Some(at);
        }
        self.timers.set(at, Timer::RingOut(call));
        let outside = !self.is_line(caller.port);
        let admitted = self.admit_envelope(envelope, For::Ring { outside });
        if let Some(peer) = self.ports.get(caller.port).and_then(|p| p.trunk()).map(|t| t.peer) {
            self.relate(&peer, admitted.is_some());
        }
        let Some(to) = admitted else { return };
        self.after_admitted(to.principal, to.piece);
        if !to.rings || to.piece.is_some() {
            return;
        }
        let mut ends = Vec::new();
        for id in self.free_lines(to.principal) {
            let Some(port) = self.ports.get_mut(id) else { continue };
            let leg = port.legs.allocate(false);
            port.legs.insert(leg, call);
            ends.push(End { port: id, leg });
        }
        if let Some(entry) = self.calls.calls.get_mut(&call)
            && !ends.is_empty()
        {
            entry.callee = Callee::Ringing(ends.clone());
        }
        for End { port, leg } in ends {
            let (address, at) = (envelope.address, self.wall);
            let body = envelope.body.clone();
            self.tell(port, &LineDown::Incoming { leg, address, at, body });
        }
    }

    /// Lines of `principal` that can ring: a leg is free, and there is room to say so.
    fn free_lines(&self, principal: u32) -> Vec<PortId> {
        let free = |id: &PortId| {
            self.ports.get(*id).is_some_and(|port| {
                port.legs.len() < limits::LEGS_PER_LINE
                    && port.link.backlog(Channel::Signal) <= limits::DATA_BACKLOG
            })
        };
        self.lines_of(principal).into_iter().flatten().filter(free).collect()
    }

    pub(crate) fn reachable(&self, principal: u32) -> bool {
        !self.free_lines(principal).is_empty()
    }

    fn new_call(&mut self, caller: End, callee: Callee) -> u64 {
        self.calls.last += 1;
        let id = self.calls.last;
        self.calls.calls.insert(id, Call { caller, callee, rings_out: None });
        self.enter(caller, id);
        id
    }

    fn enter(&mut self, end: End, call: u64) {
        if let Some(port) = self.ports.get_mut(end.port) {
            port.legs.insert(end.leg, call);
        }
    }

    /// Lets the voice of two legs go to each other.
    fn join(&mut self, a: End, b: End) {
        for (from, to) in [(a, b), (b, a)] {
            if let Some(port) = self.ports.get_mut(from.port) {
                port.legs.lead(from.leg, To::One(to));
            }
        }
    }

    /// A line joins two of its calls: `with` goes, and its other ends come to `leg`'s.
    pub(crate) fn join_legs(&mut self, id: PortId, leg: Leg, with: Leg) {
        let (stays, goes) = (End { port: id, leg }, End { port: id, leg: with });
        let call = |leg| self.ports.get(id).and_then(|port| port.legs.call(leg));
        let (Some(first), Some(second)) = (call(leg), call(with)) else { return };
        let answered = |call: u64| self.calls.calls.get(&call).is_some_and(Call::is_answered);
        if first == second || !answered(first) || !answered(second) {
            return;
        }
        let room = self.room_to_join(first, second);
        let room =
            if room == Err(Closure::Full) { self.make_room_to_join(first, second) } else { room };
        if let Err(reason) = room {
            self.leave(goes, reason);
            return self.tell_end(goes, reason);
        }
        if let Some(port) = self.ports.get_mut(id) {
            port.legs.remove(with);
        }
        let ends = |call: Option<Call>| call.map(|c| c.ends()).unwrap_or_default();
        let moved = ends(self.calls.calls.remove(&second));
        let Some(call) = self.calls.calls.get_mut(&first) else { return };
        let others = call.ends().into_iter().chain(moved).filter(|end| *end != goes);
        let others: Vec<End> = others.filter(|end| *end != stays).collect();
        call.caller = stays;
        call.callee = Callee::Joined(others.clone());
        for end in others.into_iter().chain([stays]) {
            if let Some(port) = self.ports.get_mut(end.port) {
                port.legs.move_to(end.leg, first);
            }
        }
        self.metrics.calls_joined += 1;
        self.tell_end(goes, Closure::Closed);
    }

    /// Whether two calls can become one: not too many ends, and a voice path for each line on every trunk.
    fn room_to_join(&self, first: u64, second: u64) -> Result<(), Closure> {
        let ends: Vec<End> = [first, second]
            .iter()
            .filter_map(|call| self.calls.calls.get(call))
            .flat_map(Call::ends)
            .collect();
        // The joining line counts twice now, and once then.
        if ends.len() > limits::JOINED + 1 {
            return Err(Closure::Limit);
        }
        let full = |end: &&End| {
            !self.is_line(end.port) && self.voice_paths(end.port) >= self.trunk_capacity()
        };
        if ends.iter().any(|end| full(&end)) { Err(Closure::Full) } else { Ok(()) }
    }

    /// The same once tests have given way to it.
    fn make_room_to_join(&mut self, first: u64, second: u64) -> Result<(), Closure> {
        let calls = [first, second].map(|call| self.calls.calls.get(&call));
        let links = calls.into_iter().flatten().flat_map(Call::ends).map(|end| end.port);
        let trunks: Vec<PortId> = links.filter(|port| !self.is_line(*port)).collect();
        for trunk in trunks {
            self.path_for_call(trunk);
        }
        self.room_to_join(first, second)
    }

    /// Voice paths in use on a link: one for each leg, and one more for each further voice that this end may
    /// send on a leg of a joined call.
    pub(crate) fn voice_paths(&self, id: PortId) -> usize {
        let Some(port) = self.ports.get(id) else { return usize::MAX };
        let joined = port.legs.entries.iter().filter(|entry| entry.to == To::All);
        let more = joined.filter_map(|entry| self.calls.calls.get(&entry.call)).map(|call| {
            let lines = call.ends().iter().filter(|end| self.is_line(end.port)).count();
            lines.clamp(1, limits::VOICES_PER_LEG) - 1
        });
        port.legs.len() + more.sum::<usize>()
    }

    // ---- within a call -------------------------------------------------------------------------

    /// A handset answers. The first one wins.
    pub(crate) fn take_leg(&mut self, id: PortId, leg: Leg) {
        let taker = End { port: id, leg };
        let Some(call) = self.ports.get(id).and_then(|port| port.legs.call(leg)) else { return };
        let Some(entry) = self.calls.calls.get_mut(&call) else { return };
        let Callee::Ringing(ends) = &entry.callee else { return };
        if !ends.contains(&taker) {
            return;
        }
        let others: Vec<End> = ends.iter().filter(|end| **end != taker).copied().collect();
        entry.callee = Callee::Taken(taker);
        let caller = entry.caller;
        if let Some(at) = entry.rings_out.take() {
            self.timers.clear(at, Timer::RingOut(call));
        }
        self.metrics.calls_taken += 1;
        self.join(caller, taker);
        for end in others {
            self.end(end, Closure::Elsewhere);
        }
    }

    /// Data of a call, from a handset or from another exchange.
    pub(crate) fn leg_data(&mut self, id: PortId, leg: Leg, body: &Blob<BODY_MAX>) {
        let Some(call) = self.ports.get(id).and_then(|port| port.legs.call(leg)) else { return };
        let Some(entry) = self.calls.calls.get(&call) else { return };
        let from = End { port: id, leg };
        if matches!(entry.callee, Callee::Test(_) | Callee::Echo(_)) {
            return self.test_data(from, call, body);
        }
        let ends = match &entry.callee {
            Callee::Joined(_) => entry.ends().into_iter().filter(|end| *end != from).collect(),
            _ if entry.caller == from => entry.callees(),
            _ => vec![entry.caller],
        };
        for end in ends {
            let Some(port) = self.ports.get(end.port) else { continue };
            if port.link.backlog(Channel::Signal) > limits::DATA_BACKLOG {
                // The call ends rather than the link, which others use.
                self.leave(end, Closure::Closed);
                self.tell_end(end, Closure::Limit);
                continue;
            }
            let (leg, body) = (end.leg, body.clone());
            if self.is_line(end.port) {
                self.tell(end.port, &LineDown::LegData { leg, body });
            } else {
                self.say(end.port, &Trunk::Data { leg, body });
            }
        }
    }

    // ---- ending --------------------------------------------------------------------------------

    /// A handset or another exchange is done with a leg. A handset hears `Closed`, so that it knows when
    /// nothing is on its way for the leg any more.
    pub(crate) fn close_leg(&mut self, id: PortId, leg: Leg) {
        let end = End { port: id, leg };
        let known = self.ports.get(id).is_some_and(|port| port.legs.find(leg).is_ok());
        self.leave(end, Closure::Closed);
        if known && self.is_line(id) {
            self.tell_end(end, Closure::Closed);
        }
    }

    /// A link is gone, and all its legs.
    pub(crate) fn legs_down(&mut self, id: PortId) {
        let reason = if self.is_line(id) { Closure::Closed } else { Closure::Unreachable };
        while let Some(leg) = self.ports.get(id).and_then(|p| p.legs.entries.last()).map(|e| e.leg)
        {
            self.leave(End { port: id, leg }, reason);
        }
    }

    /// `end` has left its call; the others are told `reason`, as far as they may know.
    fn leave(&mut self, end: End, reason: Closure) {
        let Some(port) = self.ports.get_mut(end.port) else { return };
        let Some(id) = port.legs.call(end.leg) else { return };
        port.legs.remove(end.leg);
        let Some(call) = self.calls.calls.get_mut(&id) else { return };
        if let Callee::Joined(others) = &mut call.callee {
            // The others stay joined, whoever joined them.
            if call.caller == end {
                if let Some(next) = others.pop() {
                    call.caller = next;
                }
            } else {
                others.retain(|other| *other != end);
            }
            if others.is_empty() {
                let alone = call.caller;
                self.end(alone, reason);
                self.end_call(id, reason);
            }
            return;
        }
        if call.caller == end {
            return self.end_call(id, reason);
        }
        match &mut call.callee {
            Callee::Ringing(ends) => {
                ends.retain(|e| *e != end);
                if ends.is_empty() {
                    call.callee = Callee::Hole;
                }
            }
            Callee::Taken(_) | Callee::Trunk(_) => {
                call.callee = Callee::Hole;
                let caller = call.caller;
                self.end(caller, reason);
                self.end_call(id, reason);
            }
            Callee::Hole | Callee::Joined(_) | Callee::Test(_) | Callee::Echo(_) => {}
        }
    }

    /// Nobody took a call: both sides hear the same, whatever it was.
    pub(crate) fn ring_out(&mut self, id: u64) {
        let Some(call) = self.calls.calls.get(&id) else { return };
        let caller = call.caller;
        self.end(caller, Closure::Closed);
        self.end_call(id, Closure::Closed);
    }

    /// Removes a call, and tells its callees.
    fn end_call(&mut self, id: u64, reason: Closure) {
        let Some(call) = self.calls.calls.remove(&id) else { return };
        if let Some(at) = call.rings_out {
            self.timers.clear(at, Timer::RingOut(id));
        }
        if let Callee::Test(running) = &call.callee {
            self.test_cut(id, running, reason);
        }
        for end in call.callees() {
            self.end(end, reason);
        }
    }

    /// Removes a leg, and tells its other end.
    fn end(&mut self, end: End, reason: Closure) {
        let Some(port) = self.ports.get_mut(end.port) else { return };
        if port.legs.find(end.leg).is_err() {
            return;
        }
        port.legs.remove(end.leg);
        self.tell_end(end, reason);
    }

    fn tell_end(&mut self, end: End, reason: Closure) {
        if self.is_line(end.port) {
            self.tell(end.port, &LineDown::Closed { leg: end.leg, reason });
        } else {
            self.say(end.port, &Trunk::Close { leg: end.leg });
        }
    }
}
