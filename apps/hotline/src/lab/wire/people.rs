//! Offices and people on loopback: real exchanges, real handsets, real calls.
//!
//! ```text
//!  A ── exchange A ══ trunk ══ exchange B ── B          a Pair: A and B, and what they do together
//!              ╚═ trunk ═ a third office ── C           C is called while B is held
//! ```

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use call::{CallState, End};
use phone::{Command, Event};
use voice::{BLOCK, FRAME};
use wire::talk::Role;
use wire::{EnrolLink, Text, Time};

use super::capture::State;
use crate::cli::Failure;
use crate::demo::measure::WireLog;
use crate::demo::office::{Handset, Office};
use crate::host::Clock;
use crate::phone::sound::{BLOCK_TIME, Sink, Source};

/// How long any step may take.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long a card works.
const CARD_FOR: Duration = Duration::from_secs(3_600);
/// Between two texts.
const TYPING: Duration = Duration::from_millis(400);
/// What a room sounds like while nobody speaks: -60 dBFS.
const ROOM: f32 = 0.001;

/// A person: a recording over the noise of a room, or the noise alone.
struct Mouth {
    speech: Arc<Vec<f32>>,
    next: usize,
    speaks: Arc<AtomicBool>,
    noise: u32,
}

impl Source for Mouth {
    fn frame(&mut self, _: Time, frame: &mut [f32; FRAME]) {
        let speaks = self.speaks.load(Ordering::Relaxed);
        for sample in frame {
            self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = ((self.noise >> 8) as f32 / 8_388_608.0 - 1.0) * ROOM;
            if speaks {
                *sample += self.speech.get(self.next).copied().unwrap_or_default();
                self.next = (self.next + 1) % self.speech.len().max(1);
            }
        }
    }
}

/// Plays to nobody, on the clock.
struct Ear(Time);

impl Sink for Ear {
    fn due(&self) -> Time {
        self.0
    }

    fn block(&mut self, _: Time, _: &[f32; BLOCK]) {
        self.0 += BLOCK_TIME;
    }
}

/// What everybody in the lab shares.
#[derive(Clone)]
pub(super) struct Room {
    /// The clock of all handsets.
    pub(super) clock: Clock,
    /// What they say.
    pub(super) speech: Arc<Vec<f32>>,
}

/// A person's handset.
pub(super) struct Line {
    /// It.
    pub(super) handset: Handset,
    /// Whether its person speaks.
    pub(super) speaks: Arc<AtomicBool>,
}

impl Line {
    /// Enrols a handset, by way of `via` if somebody stands in between; its line is up.
    pub(super) fn new(
        office: &Office,
        person: &'static str,
        room: &Room,
        via: Option<SocketAddr>,
    ) -> Result<Line, Failure> {
        let speaks = Arc::new(AtomicBool::new(false));
        let speech = room.speech.clone();
        let mouth = Mouth { speech, next: 0, speaks: speaks.clone(), noise: 0x2545_f491 };
        let mut link = EnrolLink::parse(&office.enroll(person)?)?;
        if let Some(via) = via {
            link.host = Text::new(via.to_string()).map_err(|_| "that address is too long")?;
        }
        let ear = Box::new(Ear(room.clock.now()));
        let mut handset =
            Handset::start_with(office, person, link, room.clock, Box::new(mouth), ear)?;
        handset.wait("its line coming up", PATIENCE, |e| (*e == Event::LineUp).then_some(()))?;
        Ok(Line { handset, speaks })
    }

    fn state(&mut self, call: u32, wanted: impl Fn(CallState) -> bool) -> Result<(), Failure> {
        let wait = |e: &Event| match e {
            Event::Call { call: c, state } if *c == call && wanted(*state) => Some(()),
            _ => None,
        };
        self.handset.wait("a new state of the call", PATIENCE, wait).map(|_| ())
    }

    fn rings(&mut self) -> Result<u32, Failure> {
        let incoming = |e: &Event| match e {
            Event::Incoming { call, .. } => Some(*call),
            _ => None,
        };
        Ok(self.handset.wait("ringing", PATIENCE, incoming)?.1)
    }

    /// So many are in the call, itself among them.
    fn meets(&mut self, call: u32, members: usize) -> Result<(), Failure> {
        loop {
            let view = self.handset.handle.view();
            let room = view.calls.iter().find(|c| c.id == call).and_then(|c| c.room.as_ref());
            if room.is_some_and(|r| r.members.iter().filter(|m| !m.gone).count() >= members) {
                return Ok(());
            }
            let changed = |e: &Event| (*e == Event::Room { call }).then_some(());
            self.handset.wait("the others in the call", PATIENCE, changed)?;
        }
    }

    fn speak(&self, on: bool) {
        self.speaks.store(on, Ordering::Relaxed);
    }
}

/// Makes two people each other's contacts; their numbers, and keys for a call are in stock.
pub(super) fn introduce(a: &mut Handset, b: &mut Handset) -> Result<(u32, u32), Failure> {
    let hint = b.person.to_string();
    a.command(Command::IssueCard { hint, in_person: true, ttl: CARD_FOR })?;
    let (_, card) = a.wait("the card", PATIENCE, |e| match e {
        Event::CardIssued { card } => Some(*card),
        _ => None,
    })?;
    let view = a.handle.view();
    let link = view.cards.iter().find(|c| c.id == card).and_then(|c| c.link.clone());
    let text = link.ok_or("the card cannot be shown")?;
    b.command(Command::RedeemCard { text, in_person: true })?;
    let (_, at_a) = a.wait("the card being redeemed", PATIENCE, |e| match e {
        Event::CardUsed { contact, .. } => Some(*contact),
        _ => None,
    })?;
    let (_, at_b) = b.wait("the contact", PATIENCE, |e| match e {
        Event::ContactAccepted { contact } => Some(*contact),
        _ => None,
    })?;
    for (handset, contact) in [(a, at_a), (b, at_b)] {
        handset.wait("keys for a call", PATIENCE, |e| {
            (*e == Event::ContactReady { contact }).then_some(())
        })?;
    }
    Ok((at_a, at_b))
}

/// An exchange whose datagrams are kept.
pub(super) fn office(folder: &Path, name: &'static str) -> Result<(Office, WireLog), Failure> {
    let log = WireLog::default();
    Ok((Office::start_tapped(folder, name, Some(log.tap()))?, log))
}

/// Two people and the call between them.
pub(super) struct Pair {
    /// Who calls.
    pub(super) a: Line,
    /// Who is called.
    pub(super) b: Line,
    /// B's number at A.
    pub(super) to_b: u32,
    /// The third one's number at A, and the third one.
    pub(super) third: Option<(u32, Arc<Mutex<Line>>)>,
    /// The call's numbers at A and B.
    call: Option<(u32, u32)>,
    connected: bool,
    held: bool,
    /// When the first command since the last stretch was given.
    commanded: Option<Instant>,
}

impl Pair {
    /// A pair that does nothing yet.
    pub(super) fn new(a: Line, b: Line, to_b: u32) -> Pair {
        Pair { a, b, to_b, third: None, call: None, connected: false, held: false, commanded: None }
    }

    fn command(&mut self) {
        self.commanded.get_or_insert_with(Instant::now);
    }

    fn ring(&mut self) -> Result<(), Failure> {
        self.command();
        self.a.handset.command(Command::Call { contact: self.to_b })?;
        let at_b = self.b.rings()?;
        let ringing = |e: &Event| match e {
            Event::Call { call, state: CallState::Ringing } => Some(*call),
            _ => None,
        };
        let (_, at_a) = self.a.handset.wait("ringing there", PATIENCE, ringing)?;
        self.call = Some((at_a, at_b));
        Ok(())
    }

    fn answer(&mut self) -> Result<(), Failure> {
        let Some((at_a, at_b)) = self.call else { return Ok(()) };
        self.command();
        self.b.handset.command(Command::Answer { call: at_b })?;
        self.b.state(at_b, |s| s == CallState::Connected)?;
        self.a.state(at_a, |s| s == CallState::Connected)?;
        self.connected = true;
        Ok(())
    }

    fn hang_up(&mut self) -> Result<(), Failure> {
        let Some((at_a, at_b)) = self.call.take() else { return Ok(()) };
        self.command();
        self.a.handset.command(Command::HangUp { call: at_a })?;
        self.a.state(at_a, |s| matches!(s, CallState::Ended(End::ByMe | End::Cancelled)))?;
        self.b.state(at_b, |s| matches!(s, CallState::Ended(_)))?;
        (self.connected, self.held) = (false, false);
        Ok(())
    }

    fn hold(&mut self, on: bool) -> Result<(), Failure> {
        let Some((at_a, at_b)) = self.call else { return Ok(()) };
        self.command();
        self.a.handset.command(Command::Hold { call: at_a, on })?;
        self.a.state(at_a, |s| s == if on { CallState::HeldByMe } else { CallState::Connected })?;
        self.b
            .state(at_b, |s| s == if on { CallState::HeldByOther } else { CallState::Connected })?;
        self.held = on;
        Ok(())
    }

    /// Brings both into `state`. When the first command for it was given: `None` if none was needed.
    pub(super) fn enter(&mut self, state: State) -> Result<Option<Instant>, Failure> {
        self.a.speak(false);
        self.b.speak(false);
        if self.held && state != State::Hold {
            self.hold(false)?;
        }
        match state {
            State::Idle | State::Change => self.hang_up()?,
            State::Ringing => {
                if self.connected {
                    self.hang_up()?;
                }
                if self.call.is_none() {
                    self.ring()?;
                }
            }
            _ => {
                if self.call.is_none() {
                    self.ring()?;
                }
                if !self.connected {
                    self.answer()?;
                }
            }
        }
        if state == State::Hold && !self.held {
            self.hold(true)?;
        }
        if state == State::Talking {
            self.a.speak(true);
            self.b.speak(true);
        }
        Ok(self.commanded.take())
    }

    /// Stays in `state` until `until`.
    pub(super) fn stay(&mut self, state: State, until: Instant) -> Result<(), Failure> {
        let left = || until.saturating_duration_since(Instant::now());
        if let (State::Text, Some((at_a, at_b))) = (state, self.call) {
            let mut n = 0_usize;
            while left() > TYPING {
                std::thread::sleep(TYPING);
                let (line, call) =
                    if n.is_multiple_of(2) { (&self.a, at_a) } else { (&self.b, at_b) };
                let text = "Could you say that again, please? ".repeat(1 + n % 7);
                line.handset.command(Command::Say { call, text })?;
                n += 1;
            }
        }
        std::thread::sleep(left());
        Ok(())
    }

    /// Goes into a state that needs the third one; `stay` says how long, once everything has settled.
    pub(super) fn with_third(
        &mut self,
        state: State,
        stay: impl FnOnce(Option<Instant>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some((to_c, third)) = self.third.clone() else {
            return Err("there is no third office".into());
        };
        let mut c = third.lock().map_err(|_| "another pair failed with the third one")?;
        match state {
            State::Conference => self.confer(to_c, &mut c, stay),
            _ => self.aside(to_c, &mut c, stay),
        }
    }

    /// Brings the third one into the call; all three speak.
    fn confer(
        &mut self,
        to_c: u32,
        c: &mut Line,
        stay: impl FnOnce(Option<Instant>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.enter(State::Silence)?.into_iter().for_each(|at| {
            self.commanded.get_or_insert(at);
        });
        let Some((at_a, at_b)) = self.call else { return Err("there is no call".into()) };
        self.command();
        let (role, expected) = (Role::Interpreter, String::new());
        self.a.handset.command(Command::Bring {
            call: at_a,
            contact: to_c,
            role,
            expected,
            precedence: wire::Precedence::Routine,
        })?;
        let at_c = c.rings()?;
        c.handset.command(Command::Answer { call: at_c })?;
        for (line, call) in [(&mut self.a, at_a), (&mut self.b, at_b), (&mut *c, at_c)] {
            line.meets(call, 3)?;
            line.speak(true);
        }
        stay(self.commanded.take())?;
        self.a.speak(false);
        self.b.speak(false);
        c.speak(false);
        self.command();
        c.handset.command(Command::HangUp { call: at_c })?;
        c.state(at_c, |s| matches!(s, CallState::Ended(_)))?;
        self.a.handset.command(Command::HangUp { call: at_a })?;
        self.b.handset.command(Command::HangUp { call: at_b })?;
        for (line, call) in [(&mut self.a, at_a), (&mut self.b, at_b)] {
            line.state(call, |s| matches!(s, CallState::Ended(_)))?;
        }
        (self.call, self.connected, self.held) = (None, false, false);
        Ok(())
    }

    /// Holds B, calls the third one and talks there.
    fn aside(
        &mut self,
        to_c: u32,
        c: &mut Line,
        stay: impl FnOnce(Option<Instant>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.enter(State::Hold)?.into_iter().for_each(|at| {
            self.commanded.get_or_insert(at);
        });
        self.command();
        self.a.handset.command(Command::Call { contact: to_c })?;
        let at_c = c.rings()?;
        let ringing = |e: &Event| match e {
            Event::Call { call, state: CallState::Ringing } => Some(*call),
            _ => None,
        };
        let (_, at_a) = self.a.handset.wait("ringing at the third", PATIENCE, ringing)?;
        c.handset.command(Command::Answer { call: at_c })?;
        c.state(at_c, |s| s == CallState::Connected)?;
        self.a.state(at_a, |s| s == CallState::Connected)?;
        self.a.speak(true);
        c.speak(true);
        stay(self.commanded.take())?;
        self.a.speak(false);
        c.speak(false);
        self.command();
        self.a.handset.command(Command::HangUp { call: at_a })?;
        self.a.state(at_a, |s| matches!(s, CallState::Ended(_)))?;
        c.state(at_c, |s| matches!(s, CallState::Ended(_)))
    }

    /// Ends both handsets.
    pub(super) fn stop(self) -> Result<(), Failure> {
        self.a.handset.stop()?;
        self.b.handset.stop().map(|_| ())
    }
}
