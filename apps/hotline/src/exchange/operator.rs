//! What operators ask, as commands of the machine, and its replies, as answers to operators. Some take
//! two commands, one after the other.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::time::Duration;

use exchange::{Command, LineInfo, Metrics, Reply};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use record::order::fingerprint;
use record::{Calls, Order};
use wire::{EnrolLink, ExchangePub, OfficerPub, Text, Time, Token, Wall};

use super::control::{Answer, LineStatus, Pending, Request, Status};
use super::folder::hex;
use super::host::Handle;

/// What is being done for whom.
enum Step {
    Enroll { link: String, web: Option<String> },
    RevokeAll { principal: Text<64>, handsets: usize },
    FindAll { principal: Text<64> },
    FindOne { principal: String, device: u8 },
    RevokeOne,
    Order { officer: String, calls: String },
    ListForStatus,
    Rule { principal: String },
    Rules,
    Trunks { key: Option<String> },
    Status { lines: Vec<LineInfo> },
}

/// Commands under way.
pub(super) struct Operator {
    next: u64,
    steps: HashMap<u64, (Step, Sender<Answer>)>,
    shutdown: Option<u64>,
    stopped: bool,
    rng: ChaCha20Rng,
    key: ExchangePub,
    office: String,
    line_host: String,
    web: Option<String>,
    doors: (String, String),
    line_test: Option<Duration>,
}

impl Operator {
    pub(super) fn new(
        handle: &Handle,
        office: String,
        line_host: String,
        line_test: Option<Duration>,
        seed: [u8; 32],
    ) -> Self {
        Operator {
            next: 0,
            steps: HashMap::new(),
            shutdown: None,
            stopped: false,
            rng: ChaCha20Rng::from_seed(seed),
            key: handle.key,
            office,
            line_host,
            web: handle.web.clone(),
            doors: (handle.line.to_string(), handle.trunk.to_string()),
            line_test,
        }
    }

    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The command id of a shutdown.
    pub(super) fn shutdown(&mut self) -> u64 {
        let id = self.id();
        self.shutdown = Some(id);
        id
    }

    /// Whether the machine has stopped.
    pub(super) fn stopped(&self) -> bool {
        self.stopped
    }

    /// The first command of a request; none if it is answered already.
    pub(super) fn begin(
        &mut self,
        pending: Pending,
        officer: Option<OfficerPub>,
        wall: Wall,
    ) -> (u64, Option<Command>) {
        let id = self.id();
        let name = |name: String| {
            Text::new(name).map_err(|_| "a name has at most 64 bytes".to_string()).and_then(
                |text| {
                    if text.as_str().trim().is_empty() {
                        Err("the name is empty".into())
                    } else {
                        Ok(text)
                    }
                },
            )
        };
        let first = match pending.request {
            Request::Enroll { principal, hours } => name(principal).and_then(|principal| {
                let mut token = Token([0; 16]);
                self.rng.fill_bytes(&mut token.0);
                let host = Text::new(self.line_host.clone()).map_err(|e| e.to_string())?;
                let link = EnrolLink { exchange: self.key, token, host, officer }.to_link();
                let expires = Wall(wall.0.saturating_add(hours.saturating_mul(3600)));
                let web = self.web.as_ref().map(|origin| page(origin, &link, principal.as_str()));
                Ok((Step::Enroll { link, web }, Command::Enrol { principal, token, expires }))
            }),
            Request::Revoke { principal, device: Some(device) } => {
                Ok((Step::FindOne { principal, device }, Command::ListLines))
            }
            Request::Revoke { principal, device: None } => {
                name(principal).map(|principal| (Step::FindAll { principal }, Command::ListLines))
            }
            Request::Order { order, anew } => unhex(&order)
                .ok_or("the order did not arrive whole".to_string())
                .and_then(|bytes| Order::parse(&bytes).map_err(|e| e.to_string()))
                .map(|order| {
                    let officer = fingerprint(&order.officer());
                    let calls = calls_in_words(order.calls()).to_owned();
                    let command = Command::SetOrder { order: Box::new(order), anew };
                    (Step::Order { officer, calls }, command)
                }),
            Request::Rule { principal, staff, hours, lifts } => {
                let rule = super::rules::read(staff, hours.as_deref(), &lifts);
                rule.and_then(|rule| Ok((name(principal.clone())?, rule))).map(|(name, rule)| {
                    (Step::Rule { principal }, Command::SetRule { principal: name, rule })
                })
            }
            Request::Rules => Ok((Step::Rules, Command::ListRules)),
            Request::Trunks { key } => Ok((Step::Trunks { key }, Command::ListTrunks)),
            Request::Status => Ok((Step::ListForStatus, Command::ListLines)),
        };
        match first {
            Ok((step, command)) => {
                self.steps.insert(id, (step, pending.answer));
                (id, Some(command))
            }
            Err(why) => {
                // Whoever asked may be gone.
                let _ = pending.answer.send(Answer::Refused { why });
                (id, None)
            }
        }
    }

    /// Takes a reply; gives the next command of the request, if there is one.
    pub(super) fn reply(
        &mut self,
        id: u64,
        reply: Reply,
        metrics: &Metrics,
        now: Time,
    ) -> Option<(u64, Command)> {
        if self.shutdown == Some(id) {
            self.stopped |= matches!(reply, Reply::Stopped);
            return None;
        }
        let (step, answer) = self.steps.remove(&id)?;
        let next = match (step, reply) {
            (Step::FindAll { principal }, Reply::Lines(lines)) => {
                let handsets = lines.iter().filter(|l| l.principal == principal).count();
                let command = Command::RevokePrincipal { principal: principal.clone() };
                Some((Step::RevokeAll { principal, handsets }, command))
            }
            (Step::FindOne { principal, device }, Reply::Lines(lines)) => {
                let found = |l: &&LineInfo| l.principal.as_str() == principal && l.device == device;
                match lines.iter().find(found) {
                    Some(line) => Some((Step::RevokeOne, Command::RevokeLine { line: line.line })),
                    None => {
                        let why = format!(
                            "{principal} has no handset {device}; see `hotline exchange status`"
                        );
                        let _ = answer.send(Answer::Refused { why });
                        return None;
                    }
                }
            }
            (Step::ListForStatus, Reply::Lines(lines)) => {
                Some((Step::Status { lines }, Command::Status))
            }
            (step, reply) => {
                let _ = answer.send(self.answer(step, reply, metrics, now));
                None
            }
        };
        next.map(|(step, command)| {
            let id = self.id();
            self.steps.insert(id, (step, answer));
            (id, command)
        })
    }

    fn answer(&self, step: Step, reply: Reply, metrics: &Metrics, now: Time) -> Answer {
        match (step, reply) {
            (Step::Enroll { link, web }, Reply::Done) => Answer::Enrolled { link, web },
            (Step::RevokeAll { handsets, .. }, Reply::Done) => Answer::Revoked { handsets },
            (Step::RevokeOne, Reply::Done) => Answer::Revoked { handsets: 1 },
            (Step::Order { officer, calls }, Reply::Done) => Answer::Ordered { officer, calls },
            (Step::Order { .. }, Reply::Outdated) => Answer::Refused {
                why: "a newer order is in force: take the newest file of `hotline record`".into(),
            },
            (Step::Order { .. }, Reply::OtherOfficer) => Answer::Refused {
                why: "the officer of the order in force did not name this one: if the old key is lost, use \
                      --anew, and every handset will ask its owner"
                    .into(),
            },
            (Step::RevokeAll { principal, .. }, Reply::NotFound) => Answer::Refused {
                why: format!(
                    "nobody named {} is enrolled; see `hotline exchange status`",
                    principal.as_str()
                ),
            },
            (Step::Rule { .. }, Reply::Done) => Answer::Ruled,
            (Step::Rule { principal }, Reply::NotFound) => Answer::Refused {
                why: format!("nobody named {principal} is enrolled; see `hotline exchange status`"),
            },
            (Step::Rules, Reply::Rules(rules)) => {
                Answer::Rules { rules: super::rules::answer(rules) }
            }
            (Step::Trunks { key }, Reply::Trunks(trunks)) => Answer::Trunks {
                every_s: self.line_test.map(|every| every.as_secs()),
                trunks: super::trunks::answer(trunks, key.as_deref()),
            },
            (Step::Status { lines }, Reply::Status(status)) => Answer::Status(Box::new(Status {
                office: self.office.clone(),
                key: hex(&self.key.0),
                line_listen: self.doors.0.clone(),
                trunk_listen: self.doors.1.clone(),
                web: self.web.clone(),
                web_build: crate::web::assets::BUILD.into(),
                uptime_s: now.0 / 1_000_000,
                storage_ok: status.store_works,
                lines: lines.into_iter().map(line_status).collect(),
                trunks_up: status.trunks_up,
                trunks_known: status.peers,
                trunks_failing: status.trunks_failing,
                legs: metrics.legs,
                mail_waiting: status.mail_waiting,
                record_entries: status.record_entries,
                record_officer: status.officer.as_ref().map(fingerprint),
            })),
            _ => Answer::Refused {
                why: "the exchange cannot do this now: its disk refuses, or it is stopping".into(),
            },
        }
    }
}

/// The enrolment link as a page to open. What follows `#` never reaches a server.
fn page(origin: &str, link: &str, name: &str) -> String {
    let token = link.strip_prefix(wire::enrol::PREFIX).unwrap_or(link);
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("{origin}/#enroll={token}&name={}", name.replace('+', "%20"))
}

/// Which calls go on the record.
#[must_use]
pub(crate) fn calls_in_words(calls: Calls) -> &'static str {
    match calls {
        Calls::None => "none",
        Calls::Answered => "answered",
        Calls::All => "all",
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(digit).collect()
}

fn line_status(line: LineInfo) -> LineStatus {
    LineStatus {
        principal: line.principal.as_str().to_owned(),
        device: line.device,
        up: line.attached,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_the_page_holds_the_same_as_one_for_a_native_handset() {
        let host = Text::new("calls.example:4433".to_owned()).unwrap();
        let made = EnrolLink {
            exchange: ExchangePub([7; 32]),
            token: Token([9; 16]),
            host,
            officer: None,
        };
        let link = made.to_link();
        let opened = page("https://hotline.example", &link, "Zoë & Søn=1 #+");
        let opened = url::Url::parse(&opened).unwrap();
        assert_eq!((opened.path(), opened.query()), ("/", None), "nothing of it reaches a server");
        let fragment = opened.fragment().unwrap();
        let value = |key: &str| {
            let pairs = fragment.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(k, _)| *k == key).map(|(_, value)| value).next().unwrap()
        };
        let back = format!("{}{}", wire::enrol::PREFIX, value("enroll"));
        assert!(EnrolLink::parse(&back).unwrap().to_link() == link);
        assert_eq!(value("name"), "Zo%C3%AB%20%26%20S%C3%B8n%3D1%20%23%2B");
    }
}
