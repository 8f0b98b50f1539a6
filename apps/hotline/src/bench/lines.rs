//! The lines of `hotline bench exchange`: handsets reduced to what an exchange sees of them.
//!
//! ```text
//!  line 0, 1: one call    line 2, 3: one call    ..    the other half: idle
//!  each line: Challenge ─ Enrol ─ Attached;  odd ones: RegisterBound, Take;  even ones: Open
//! ```
//!
//! What they say on the line is real (keys, tokens, signatures, envelopes); what an exchange cannot see is
//! left out: bodies and voice are random bytes.

use std::collections::VecDeque;

use link::{Event, Link, Shape};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use seal::office::LineKey;
use seal::pairwise::PairwiseKey;
use wire::cell::Channel;
use wire::limits::{VERSION, VOICE_LEN};
use wire::line::{LineDown, LineUp};
use wire::{Address, Blob, EnrolLink, Envelope, ExchangeRef, Leg, Time, Token};

/// What drives lines: see [`super::exchange::drive_lines`].
pub trait Load {
    /// Writes the cell of a line's tick.
    fn fill(&mut self, line: usize, cell: &mut [u8]);
    /// A cell came on a line.
    fn came(&mut self, line: usize, cell: &[u8]);
    /// Whether all is set up.
    fn ready(&self) -> bool;
    /// The measured time begins (`true`), or ends.
    fn measuring(&mut self, begins: bool);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Attaching,
    Idle,
    InCall(Leg),
}

struct Line {
    link: Link,
    key: LineKey,
    token: Token,
    phase: Phase,
    /// Only lines in calls have one: where the odd one is reached, and the even one's key to it.
    call: Option<(Address, PairwiseKey)>,
    own: Option<ExchangeRef>,
}

/// All lines, half of them in calls.
pub struct Lines {
    lines: Vec<Line>,
    exchange: wire::ExchangePub,
    voice: [u8; VOICE_LEN],
    /// Even lines whose partner can be called.
    callable: VecDeque<usize>,
    set_up: usize,
    wanted: usize,
    measuring: bool,
    /// Voice frames sent while measuring.
    pub voice_sent: u64,
    /// Voice frames that came out at the partner.
    pub voice_came: u64,
    /// What went wrong, if something did.
    pub wrong: Option<String>,
}

impl Lines {
    /// Lines that enrol with `links`, one each.
    #[must_use]
    pub fn new(links: &[EnrolLink], seed: [u8; 32]) -> Lines {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let in_calls = links.len() / 4 * 2;
        let mut lines: Vec<Line> = Vec::with_capacity(links.len());
        for (n, link) in links.iter().enumerate() {
            let call = (n < in_calls).then(|| match n % 2 {
                0 => {
                    let mut address = Address([0; 16]);
                    rng.fill_bytes(&mut address.0);
                    (address, PairwiseKey::generate(&mut rng))
                }
                _ => {
                    let (address, key) = lines[n - 1].call.as_ref().map_or_else(
                        || (Address([0; 16]), PairwiseKey::generate(&mut rng)),
                        |(address, key)| (*address, PairwiseKey::from_bytes(&key.to_bytes())),
                    );
                    (address, key)
                }
            });
            lines.push(Line {
                link: Link::new(Shape::OFFICE_HANDSET, Time(0)),
                key: LineKey::generate(&mut rng),
                token: link.token,
                phase: Phase::Attaching,
                call,
                own: None,
            });
        }
        let mut voice = [0; VOICE_LEN];
        rng.fill_bytes(&mut voice);
        Lines {
            wanted: lines.len() + in_calls,
            lines,
            exchange: links.first().map_or(wire::ExchangePub([0; 32]), |l| l.exchange),
            voice,
            callable: VecDeque::new(),
            set_up: 0,
            measuring: false,
            voice_sent: 0,
            voice_came: 0,
            wrong: None,
        }
    }

    fn say(&mut self, line: usize, message: &LineUp) {
        if let Err(e) = self.lines[line].link.queue(Channel::Signal, &message.encode()) {
            self.wrong = Some(e.to_string());
        }
    }

    fn heard(&mut self, n: usize, message: LineDown) {
        match message {
            LineDown::Challenge { nonce, .. } => {
                let line = &self.lines[n];
                let enrol = LineUp::Enrol {
                    version: VERSION,
                    token: line.token,
                    line: line.key.public(),
                    signature: line.key.answer(&self.exchange, &nonce),
                };
                self.say(n, &enrol);
            }
            LineDown::Attached { host, .. } => {
                self.set_up += 1;
                let exchange = self.exchange;
                let line = &mut self.lines[n];
                line.phase = Phase::Idle;
                line.own = Some(ExchangeRef { key: exchange, host });
                if let (1, Some((address, key))) = (n % 2, &line.call) {
                    let register = LineUp::RegisterBound {
                        request: 1,
                        address: *address,
                        bound: key.public(),
                    };
                    self.say(n, &register);
                }
            }
            LineDown::Done { .. } => self.callable.push_back(n - 1),
            LineDown::Incoming { leg, .. } => {
                self.say(n, &LineUp::Take { leg });
                self.lines[n].phase = Phase::InCall(leg);
                self.set_up += 1;
            }
            LineDown::LegData { .. } => {}
            other => self.wrong = Some(format!("line {n} was told {other:?}")),
        }
    }

    /// Calls whose callee is registered and whose caller is attached.
    fn place(&mut self) {
        for _ in 0..self.callable.len() {
            let Some(n) = self.callable.pop_front() else { return };
            let line = &self.lines[n];
            let (Some((address, key)), Some(exchange)) = (&line.call, line.own.clone()) else {
                self.callable.push_back(n);
                continue;
            };
            let body = vec![7; 300];
            let envelope = Envelope {
                address: *address,
                device: 0,
                counter: 1,
                signature: key.sign(address, 0, 1, &body),
                body: Blob::new(body).unwrap_or_default(),
            };
            let leg = Leg(1);
            self.say(n, &LineUp::Open { leg, exchange, envelope });
            self.lines[n].phase = Phase::InCall(leg);
            self.set_up += 1;
        }
    }
}

impl Load for Lines {
    fn fill(&mut self, n: usize, cell: &mut [u8]) {
        if n == 0 {
            self.place();
        }
        let line = &mut self.lines[n];
        if let Phase::InCall(leg) = line.phase {
            line.link.queue_voice(leg, &self.voice);
            self.voice_sent += u64::from(self.measuring);
        }
        // The load's clock says when; the link's own schedule just counts.
        line.link.tick(line.link.next_tick());
        if let Some(made) = line.link.poll_cell() {
            cell.copy_from_slice(made);
        }
    }

    fn came(&mut self, n: usize, cell: &[u8]) {
        let at = self.lines[n].link.next_tick();
        if let Err(e) = self.lines[n].link.handle_cell(at, cell) {
            self.wrong = Some(e.to_string());
        }
        while let Some(event) = self.lines[n].link.poll_event() {
            match event {
                Event::Voice { .. } => self.voice_came += u64::from(self.measuring),
                Event::Message(bytes) => match LineDown::decode(&bytes) {
                    Ok(message) => self.heard(n, message),
                    Err(e) => self.wrong = Some(e.to_string()),
                },
            }
        }
    }

    fn ready(&self) -> bool {
        self.set_up >= self.wanted
    }

    fn measuring(&mut self, begins: bool) {
        self.measuring = begins;
    }
}
