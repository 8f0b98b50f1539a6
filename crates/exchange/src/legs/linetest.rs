//! Line tests: a call to the other exchange itself, now and then, so that it is known before a call is wanted
//! whether the trunk carries one.
//!
//! ```text
//!  Timer::Test(peer) ─ a path is free? ─► Open ─► Opening ─ Ready ─► Sending ─ 250 frames ─► Settling ─ Finish ─► Reporting
//!                              │                     │ 5 s            │ a frame each 20 ms, 5 s  │ 1 s          │ 5 s │ Report
//!                              ▼                     ▼                ▼ Close, trunk down        ▼              ▼     ▼
//!                         Full, Down            Silent, Refused     GaveWay, Down                          Measured
//!
//!  Open to Address::LINE_TEST ─► Echo: Ready; each frame back on the same leg, with the next tick; Report; Close, 30 s at most
//! ```
//!
//! A test holds a voice path as a call does, and gives it up when a call needs one. Its frames are queued by a timer and
//! leave in the trunk's cells, which are the same without it. An echo is queued when it comes, and goes with the next tick: the cell's
//! acknowledgement, which stands there anyway, says as much about when it came.

use core::time::Duration;

use rand_core::RngCore;
use wire::limits::{BODY_MAX, VOICE_LEN};
use wire::line::Closure;
use wire::linetest::LineTest;
use wire::trunk::Trunk;
use wire::{Address, Blob, Envelope, ExchangePub, Leg, Signature, Time};

use super::{Callee, End, To};
use crate::api::Event;
use crate::clock::Timer;
use crate::limits;
use crate::machine::Exchange;
use crate::ports::PortId;
use crate::quality::{Echo, Outcome, Sample, TestResult, Turn};
use crate::rows;

/// A test of this exchange's.
#[derive(Debug)]
pub(super) struct Running {
    peer: ExchangePub,
    opened: Time,
    opening: Duration,
    stage: Stage,
    /// When its timer is due.
    due: Time,
    sample: Sample,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Sending,
    Settling,
    Reporting,
}

impl Exchange {
    pub(crate) fn start_test(&mut self, key: &ExchangePub) {
        self.unplan_test(key);
        if let Err(outcome) = self.open_test(key) {
            self.test_over(key, outcome);
        }
    }

    fn open_test(&mut self, key: &ExchangePub) -> Result<(), Outcome> {
        let trunk = self.ready_trunk(key).ok_or(Outcome::Down)?;
        if self.tests_on(trunk).any(|(_, own)| own) {
            return Ok(());
        }
        if self.voice_paths(trunk) >= self.trunk_capacity() {
            return Err(Outcome::Full);
        }
        let port = self.ports.get_mut(trunk).ok_or(Outcome::Down)?;
        let odd = port.trunk().is_some_and(|t| t.dialled);
        let leg = port.legs.allocate(odd);
        let running = Running {
            peer: *key,
            opened: self.now,
            opening: Duration::ZERO,
            stage: Stage::Opening,
            due: self.now + limits::TEST_ANSWER,
            sample: Sample::default(),
        };
        let due = running.due;
        let call = self.test_call(End { port: trunk, leg }, Callee::Test(Box::new(running)));
        self.timers.set(due, Timer::TestStep(call));
        let envelope = Envelope {
            address: Address::LINE_TEST,
            device: 0,
            counter: 0,
            signature: Signature([0; 64]),
            body: Blob::default(),
        };
        self.say(trunk, &Trunk::Open { leg, envelope });
        Ok(())
    }

    fn test_call(&mut self, end: End, callee: Callee) -> u64 {
        let call = self.new_call(end, callee);
        if let Some(port) = self.ports.get_mut(end.port) {
            port.legs.lead(end.leg, To::Test);
        }
        call
    }

    fn running(&mut self, call: u64) -> Option<(End, &mut Running)> {
        let call = self.calls.calls.get_mut(&call)?;
        match &mut call.callee {
            Callee::Test(running) => Some((call.caller, running)),
            _ => None,
        }
    }

    /// The time of a running test has come.
    pub(crate) fn step_test(&mut self, call: u64) {
        let (now, mut mark) = (self.now, [0; 16]);
        self.rng.fill_bytes(&mut mark);
        let Some((end, running)) = self.running(call) else { return };
        let due = match running.stage {
            Stage::Opening => {
                // A trunk from which nothing comes at all is one that is down, and not yet known to be.
                let heard = self.ports.get(end.port).map_or(Time(0), |port| port.heard);
                let dead = now.since(heard) >= limits::TRUNK_SILENT;
                let outcome = if dead { Outcome::Down } else { Outcome::Silent };
                return self.end_test(call, outcome);
            }
            Stage::Reporting => {
                let figures = running.sample.figures(running.opening, None);
                return self.end_test(call, Outcome::Measured(figures));
            }
            Stage::Settling => {
                running.stage = Stage::Reporting;
                self.say_test(end, &LineTest::Finish {});
                now + limits::TEST_ANSWER
            }
            Stage::Sending if running.sample.is_whole() => {
                running.stage = Stage::Settling;
                now + limits::TEST_SETTLE
            }
            Stage::Sending => {
                let payload = running.sample.send(now, mark);
                // A late host skips ticks, as links do.
                let missed = now.since(running.due).as_micros() / limits::TEST_FRAME.as_micros();
                let turns = u32::try_from(missed + 1).unwrap_or(u32::MAX);
                let due = running.due + limits::TEST_FRAME.saturating_mul(turns);
                if let Some(port) = self.ports.get_mut(end.port) {
                    port.link.queue_voice(end.leg, &payload);
                }
                due
            }
        };
        self.test_timer(call, due);
    }

    fn test_timer(&mut self, call: u64, due: Time) {
        let Some((_, running)) = self.running(call) else { return };
        let before = core::mem::replace(&mut running.due, due);
        self.timers.clear(before, Timer::TestStep(call));
        self.timers.set(due, Timer::TestStep(call));
    }

    /// This end has done with a test.
    fn end_test(&mut self, call: u64, outcome: Outcome) {
        let Some((end, running)) = self.running(call) else { return };
        let (peer, due) = (running.peer, running.due);
        self.timers.clear(due, Timer::TestStep(call));
        self.calls.calls.remove(&call);
        self.end(end, Closure::Closed);
        self.test_over(&peer, outcome);
    }

    /// The leg of a test is gone, and its call with it: the other end closed it, or the trunk went down.
    pub(super) fn test_cut(&mut self, call: u64, running: &Running, reason: Closure) {
        self.timers.clear(running.due, Timer::TestStep(call));
        let outcome = match (reason, running.stage) {
            (Closure::Unreachable, _) => Outcome::Down,
            (_, Stage::Opening) => Outcome::Refused,
            _ => Outcome::GaveWay,
        };
        self.test_over(&running.peer, outcome);
    }

    fn test_over(&mut self, key: &ExchangePub, outcome: Outcome) {
        if self.stopping.is_some() {
            return;
        }
        let (at, room) = (self.wall, self.store.has_room());
        let Some(peer) = self.peers.get_mut(key) else { return };
        let never = outcome == Outcome::Silent && !peer.tests.answered;
        let outcome = if never { Outcome::NotSupported } else { outcome };
        let turn = peer.tests.add(TestResult { at, outcome });
        if peer.kept && room {
            self.store.put(rows::TESTS, key.0.to_vec(), rows::tests(&peer.tests));
        }
        self.metrics.line_tests += 1;
        self.metrics.line_tests_failed += u64::from(outcome.works() == Some(false));
        self.event(Event::LineTested(outcome.works()));
        self.tell_watchers(key);
        match turn {
            Some(Turn::Fails) => self.event(Event::TrunkFails),
            Some(Turn::Works) => self.event(Event::TrunkWorks),
            None => {}
        }
        self.plan_next_test(key);
    }

    /// The other exchange wants its voice back.
    pub(super) fn echo_in(&mut self, id: PortId, leg: Leg) {
        let now = self.now;
        let busy = self.tests_on(id).any(|(_, own)| !own);
        let full = self.voice_paths(id) >= self.trunk_capacity();
        let Some(trunk) = self.ports.get_mut(id).and_then(|port| port.trunk_mut()) else { return };
        if busy || full || !trunk.tests.take(now, limits::TESTS_PER_TRUNK) {
            return self.say(id, &Trunk::Close { leg });
        }
        self.metrics.line_tests_answered += 1;
        let (end, until) = (End { port: id, leg }, now + limits::TEST_MOST);
        let call = self.test_call(end, Callee::Echo(Echo::new(now)));
        if let Some(entry) = self.calls.calls.get_mut(&call) {
            entry.rings_out = Some(until);
        }
        self.timers.set(until, Timer::RingOut(call));
        self.say_test(end, &LineTest::Ready {});
    }

    /// A frame on the leg of a test.
    pub(super) fn test_voice(&mut self, end: End, payload: &[u8; VOICE_LEN]) {
        let now = self.now;
        let Some(port) = self.ports.get_mut(end.port) else { return };
        let call = port.legs.call(end.leg).and_then(|call| self.calls.calls.get_mut(&call));
        let back = match call.map(|call| &mut call.callee) {
            Some(Callee::Test(running)) => {
                running.sample.echo(now, payload);
                false
            }
            Some(Callee::Echo(echo)) => echo.take(now),
            _ => false,
        };
        if back {
            port.link.queue_voice(end.leg, payload);
        }
    }

    /// A message on the leg of a test. What is none ends it.
    pub(super) fn test_data(&mut self, end: End, call: u64, body: &Blob<BODY_MAX>) {
        let Ok(message) = LineTest::decode(body.as_bytes()) else {
            self.end(end, Closure::Closed);
            return self.end_call(call, Closure::Closed);
        };
        let now = self.now;
        // For a tick that is not being made already.
        let next = self.ports.get(end.port).map_or(now, |port| port.link.next_tick());
        let first = next + limits::TEST_FRAME;
        match self.calls.calls.get_mut(&call).map(|call| &mut call.callee) {
            Some(Callee::Test(running)) => match (message, running.stage) {
                (LineTest::Ready {}, Stage::Opening) => {
                    running.opening = now.since(running.opened);
                    running.stage = Stage::Sending;
                    self.test_timer(call, first);
                }
                (LineTest::Report { received }, Stage::Reporting) => {
                    let figures = running.sample.figures(running.opening, Some(received));
                    self.end_test(call, Outcome::Measured(figures));
                }
                _ => {}
            },
            Some(Callee::Echo(echo)) if message == LineTest::Finish {} => {
                if let Some(received) = echo.finish() {
                    self.say_test(end, &LineTest::Report { received });
                }
            }
            _ => {}
        }
    }

    fn say_test(&mut self, end: End, message: &LineTest) {
        let body = Blob::new(message.encode()).unwrap_or_default();
        self.say(end.port, &Trunk::Data { leg: end.leg, body });
    }

    /// Tests on a trunk, by call, and whether it is this exchange's own.
    fn tests_on(&self, id: PortId) -> impl Iterator<Item = (u64, bool)> {
        let legs = self.ports.get(id).map(|port| port.legs.entries.as_slice()).unwrap_or_default();
        legs.iter().filter(|entry| entry.to == To::Test).map(|entry| {
            let call = self.calls.calls.get(&entry.call);
            (entry.call, call.is_some_and(|call| matches!(call.callee, Callee::Test(_))))
        })
    }

    /// Whether a call finds a voice path on a trunk. A test gives its own up.
    pub(super) fn path_for_call(&mut self, id: PortId) -> bool {
        while self.voice_paths(id) >= self.trunk_capacity() {
            match self.tests_on(id).max_by_key(|(_, own)| *own) {
                Some((call, true)) => self.end_test(call, Outcome::GaveWay),
                Some((call, false)) => self.ring_out(call),
                None => return false,
            }
        }
        true
    }
}
