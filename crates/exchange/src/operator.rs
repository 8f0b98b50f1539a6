//! What the operator can want, and how the exchange stops.

use wire::line::LineDown;
use wire::{ExchangePub, ExchangeRef, LinePub, Text};

use crate::answers::Answer;
use crate::api::{CloseReason, Command, Event, LineInfo, Reply, Status, TrunkInfo};
use crate::clock::Timer;
use crate::limits;
use crate::machine::{Exchange, Stopping};
use crate::ports::Role;
use crate::store::After;
use crate::trunks::Peer;

impl Exchange {
    pub(crate) fn command(&mut self, id: u64, command: Command) {
        match command {
            Command::ListLines => {
                let lines = self.list_lines();
                self.reply(id, Reply::Lines(lines));
            }
            Command::ListTrunks => {
                let reply = Reply::Trunks(self.list_trunks());
                if self.store.works() && self.stopping.is_none() {
                    self.store.then(After::Reply { id, reply });
                } else {
                    self.reply(id, reply);
                }
            }
            Command::Status => {
                let status = self.status();
                self.reply(id, Reply::Status(status));
            }
            Command::Shutdown => {
                if self.stopping.is_none() {
                    self.stopping = Some(Stopping::Storing(id));
                }
            }
            _ if !self.store.works() || self.stopping.is_some() => {
                self.reply(id, Reply::Unavailable);
            }
            Command::Enrol { principal, token, expires } => {
                self.add_token(&principal, &token, expires);
                self.reply_stored(id, true);
            }
            Command::SetRule { principal, rule } => {
                let done = self.set_rule(&principal, rule);
                self.reply_stored(id, done);
            }
            Command::ListRules => self.list_rules(id),
            Command::SetOrder { order, anew } => self.set_order(id, *order, anew),
            Command::RevokeLine { line } => {
                let done = self.revoke_line(&line);
                self.reply_stored(id, done);
            }
            Command::RevokePrincipal { principal } => {
                let done = self.revoke_principal(&principal);
                self.reply_stored(id, done);
            }
        }
    }

    fn reply_stored(&mut self, id: u64, done: bool) {
        if done {
            self.store.then(After::Reply { id, reply: Reply::Done });
        } else {
            self.reply(id, Reply::NotFound);
        }
    }

    fn list_lines(&self) -> Vec<LineInfo> {
        let mut list = Vec::new();
        for owner in self.principals.values() {
            for line in owner.devices.iter().flatten() {
                let Some(entry) = self.lines.get(line) else { continue };
                list.push(LineInfo {
                    line: *line,
                    principal: owner.name.clone(),
                    device: entry.device,
                    attached: entry.port.is_some(),
                });
            }
        }
        list
    }

    fn list_trunks(&self) -> Vec<TrunkInfo> {
        let info = |(key, peer): (&ExchangePub, &Peer)| TrunkInfo {
            peer: ExchangeRef { key: *key, host: peer.host.clone() },
            up: self.ready_trunk(key).is_some(),
            failing_since: peer.tests.failing(),
            results: peer.tests.results.iter().copied().collect(),
        };
        self.peers.iter().map(info).collect()
    }

    fn status(&self) -> Status {
        let m = self.metrics();
        Status {
            store_works: self.store.works(),
            lines_attached: m.lines_attached,
            lines_enrolled: m.lines_enrolled,
            trunks_up: m.trunks_up,
            trunks_failing: m.trunks_failing,
            peers: m.peers,
            mail_waiting: m.mail_waiting + m.mail_outbox,
            record_entries: m.record_entries,
            officer: self.officer(),
        }
    }

    /// Forgets a line, and closes it if it is up.
    pub(crate) fn revoke_line(&mut self, line: &LinePub) -> bool {
        let Some(entry) = self.lines.remove(line) else { return false };
        if let Some(owner) = self.principals.get_mut(&entry.principal) {
            owner.devices[usize::from(entry.device)] = None;
        }
        self.store.delete(crate::rows::LINE, line.0.to_vec());
        self.forget_receipt(line);
        self.drop_delivered(entry.principal);
        if let Some(port) = entry.port {
            self.tell(port, &LineDown::Refused { reason: wire::line::Refusal::Unknown });
            self.close(port, CloseReason::Revoked);
        }
        true
    }

    fn revoke_principal(&mut self, name: &Text<{ wire::limits::NAME_MAX }>) -> bool {
        let Some(id) = self.principals.iter().find(|(_, p)| p.name == *name).map(|(id, _)| *id)
        else {
            return false;
        };
        let devices = self.principals.get(&id).map(|owner| owner.devices).unwrap_or_default();
        for line in devices.iter().flatten() {
            self.revoke_line(line);
        }
        let addresses: Vec<_> =
            self.addresses.iter().filter(|(_, e)| e.principal == id).map(|(a, _)| *a).collect();
        for address in addresses {
            self.forget_address(&address);
        }
        let tokens: Vec<_> =
            self.tokens.iter().filter(|(_, t)| t.principal == id).map(|(h, _)| *h).collect();
        for hash in tokens {
            self.tokens.remove(&hash);
            self.store.delete(crate::rows::TOKEN, hash.to_vec());
        }
        self.drop_outgoing_of(id);
        self.principals.remove(&id);
        self.store.delete(crate::rows::RULE, crate::rows::u32_key(id));
        self.store.delete(crate::rows::PRINCIPAL, crate::rows::u32_key(id));
        true
    }

    /// When everything is on disk, or the disk takes nothing (then nothing of it was acknowledged).
    pub(crate) fn stop_if_stored(&mut self) {
        if let Some(Stopping::Storing(id)) = self.stopping
            && (self.store.idle() || self.store.failing())
        {
            self.stopping = Some(Stopping::Lingering(id));
            self.timers.set(self.now + limits::STOP_LINGER, Timer::Stop);
        }
    }

    pub(crate) fn stop(&mut self) {
        let Some(Stopping::Lingering(id)) = self.stopping else { return };
        self.stopping = Some(Stopping::Stopped);
        for port in self.ports.ids() {
            self.close(port, CloseReason::Stopping);
        }
        self.reply(id, Reply::Stopped);
    }

    /// What was promised is on disk: say so.
    pub(crate) fn after(&mut self, after: After) {
        match after {
            After::Enrolled { port, who } => {
                if let Some(line) = self.lines.get_mut(&who.line) {
                    line.stored = true;
                    self.event(Event::LineEnrolled);
                    self.attach(port, who);
                }
            }
            After::Done { port, request } => self.tell(port, &LineDown::Done { request }),
            After::Outbox { peer, seq } => self.outgoing_stored(&peer, seq),
            After::Mailbox { principal, seq } => self.piece_stored(principal, seq),
            After::Answer { came, answer } => self.hold(came, answer),
            After::Recorded { port, line, request } => self.recorded(port, &line, request),
            After::Ordered { id } => self.ordered(id),
            After::Reply { id, reply } => self.reply(id, reply),
        }
    }

    /// What was asked for is not on disk, and those who asked can ask again.
    pub(crate) fn not_stored(&mut self, after: After) {
        use wire::line::Failure::Storage;
        match after {
            After::Done { port, request } => {
                self.tell(port, &LineDown::Failed { request, reason: Storage });
            }
            After::Answer { answer: Answer::Offer { port, request, .. }, .. } => {
                self.release_redeem(port);
                self.tell(port, &LineDown::Failed { request, reason: Storage });
            }
            After::Answer { answer: Answer::Posted { port, mail }, .. } => {
                self.tell(port, &LineDown::NotPosted { mail, reason: Storage });
            }
            After::Reply { id, .. } => self.reply(id, Reply::Unavailable),
            _ => {}
        }
    }

    /// Whether `id` is a line.
    pub(crate) fn is_line(&self, id: crate::ports::PortId) -> bool {
        self.ports.get(id).is_some_and(|port| matches!(port.role, Role::Line(_)))
    }
}

impl After {
    /// Whether a failed write is told to whoever waits, instead of being waited for.
    pub(crate) fn can_be_asked_again(&self) -> bool {
        matches!(
            self,
            After::Done { .. }
                | After::Answer { answer: Answer::Offer { .. } | Answer::Posted { .. }, .. }
                | After::Reply { .. }
        )
    }
}
