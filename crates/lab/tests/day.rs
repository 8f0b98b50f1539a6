//! Working days of whole offices as text (`days/*.txt`): in virtual time, with fixed seeds.
//!
//! A line of a script says who does what, or what has to be so; [`Day::line`] is the grammar. A line that does not
//! come true ends the test with its number and text.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use core::time::Duration;

use call::{CallState, End};
use lab::net::{Burst, Conditions};
use lab::world::World;
use phone::{CallView, Command, ContactView, Event, LineState};
use wire::Time;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// What is spoken into each microphone, as tones that can be told apart by their presence alone.
const TONE: f32 = 220.0;
/// Above it somebody is heard, below it nobody. dB.
const AUDIBLE: f32 = -40.0;

struct Day {
    world: World,
    names: Vec<String>,
    loss: f64,
}

type Line = Result<(), String>;

impl Day {
    fn who(&self, name: &str) -> Result<usize, String> {
        self.names.iter().position(|n| n == name).ok_or_else(|| format!("there is no {name}"))
    }

    fn contact(&mut self, of: usize, name: &str) -> Result<ContactView, String> {
        let now = self.world.now;
        let contacts = self.world.parties[of].view(now).contacts;
        contacts.into_iter().find(|c| c.name == name).ok_or_else(|| format!("no contact {name}"))
    }

    fn call(&mut self, of: usize) -> Result<CallView, String> {
        let now = self.world.now;
        self.world.parties[of].view(now).calls.pop().ok_or_else(|| "no call".into())
    }

    fn does(&mut self, who: usize, command: Command) -> Line {
        self.world.command(who, command).map_err(|e| e.to_string())
    }

    fn until(&mut self, what: &str, mut so: impl FnMut(&mut Day) -> bool) -> Line {
        let end = self.world.now + PATIENCE;
        while self.world.now < end {
            if so(self) {
                return Ok(());
            }
            self.world.run(Duration::from_millis(20));
        }
        Err(format!("{what} did not come about"))
    }

    fn is(&mut self, who: usize, wanted: CallState) -> Line {
        self.until(&format!("{wanted:?}"), |day| day.call(who).is_ok_and(|c| c.state == wanted))
    }

    /// Whether what `who` hears is somebody.
    fn audible(&mut self, who: usize) -> bool {
        self.world.run(Duration::from_secs(1));
        self.world.parties[who].heard = Some(Vec::new());
        self.world.run(Duration::from_secs(1));
        let heard = self.world.parties[who].heard.take().unwrap_or_default();
        let power: f32 = heard.iter().map(|x| x * x).sum::<f32>() / heard.len().max(1) as f32;
        10.0 * power.max(1e-12).log10() > AUDIBLE
    }

    fn hears(&mut self, who: usize, whom: &str, wanted: bool) -> Line {
        let with = self.contact(who, whom)?.id;
        let call = self.call(who)?;
        if call.contact != with {
            return Err(format!("the call is not with {whom}"));
        }
        match self.audible(who) == wanted {
            true => Ok(()),
            false => Err(format!("heard: {}", !wanted)),
        }
    }

    /// The network as it is from now on.
    fn weather(&mut self) {
        let like = |delay: u64, loss: f64| Conditions {
            loss: loss / 2.0,
            burst: (loss > 0.0).then_some(Burst { loss: loss / 2.0, length: 3.0 }),
            ..Conditions::perfect(Duration::from_millis(delay))
        };
        self.world.lines = like(3, self.loss);
        for party in &mut self.world.parties {
            if let Some(wire) = &mut party.wire {
                wire.up.set(like(3, self.loss));
                wire.down.set(like(3, self.loss));
            }
        }
    }

    fn join(&mut self, name: &str, office: usize) -> Line {
        let id = self.world.hire(name, office);
        self.world.parties[id].tone = Some(TONE);
        self.names.push(name.into());
        self.line_up(id)
    }

    fn line_up(&mut self, who: usize) -> Line {
        self.until("the line", |day| {
            let now = day.world.now;
            day.world.parties[who].view(now).line == LineState::Up
        })
    }

    fn card(&mut self, from: usize, to: usize) -> Line {
        let ttl = Duration::from_secs(86_400);
        self.does(from, Command::IssueCard { hint: "you".into(), in_person: true, ttl })?;
        self.world.until(from, PATIENCE, |e| matches!(e, Event::CardIssued { .. }));
        let now = self.world.now;
        let cards = self.world.parties[from].view(now).cards;
        let text = cards.into_iter().next_back().and_then(|c| c.link).ok_or("no card")?;
        self.does(to, Command::RedeemCard { text, in_person: true })?;
        let (theirs, ours) = (self.names[from].clone(), self.names[to].clone());
        self.until("the contact, with keys for a call", |day| {
            day.contact(to, &theirs).is_ok_and(|c| c.ready)
                && day.contact(from, &ours).is_ok_and(|c| c.ready)
        })
    }

    fn line(&mut self, text: &str) -> Line {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["wait", secs] => {
                self.world.run(Duration::from_secs(secs.parse().map_err(|_| "a number")?));
                Ok(())
            }
            ["loss", percent] => {
                self.loss = percent.parse::<f64>().map_err(|_| "a number")? / 100.0;
                self.weather();
                Ok(())
            }
            ["exchange", n, "is", "killed"] => {
                self.world.kill_office(n.parse().map_err(|_| "a number")?);
                Ok(())
            }
            ["exchange", n, "is", "started"] => {
                self.world.start_office(n.parse().map_err(|_| "a number")?);
                Ok(())
            }
            ["the", "trunk", "is", way] => {
                self.world.cut_trunks(0, way == "cut");
                Ok(())
            }
            ["the", "line", "of", name, "is", way] => {
                let who = self.who(name)?;
                self.world.reach(who, way == "back");
                if way == "back" { self.line_up(who) } else { Ok(()) }
            }
            [a, "and", b, "are", "connected"] => {
                let (a, b) = (self.who(a)?, self.who(b)?);
                self.is(a, CallState::Connected)?;
                self.is(b, CallState::Connected)
            }
            [a, "and", b, "see", "the", "same", "words"] => {
                let (at_a, at_b) = (self.who(a)?, self.who(b)?);
                let (a_words, b_words) =
                    (self.contact(at_a, b)?.words, self.contact(at_b, a)?.words);
                let (a_mine, a_theirs) = a_words.ok_or("no words")?;
                let (b_mine, b_theirs) = b_words.ok_or("no words")?;
                match a_mine == b_theirs && b_mine == a_theirs && a_mine != b_mine {
                    true => Ok(()),
                    false => Err("the words differ".into()),
                }
            }
            [name, "joins", "office", n] => self.join(name, n.parse().map_err(|_| "a number")?),
            [name, ref does @ ..] => {
                let who = self.who(name)?;
                self.person(who, does)
            }
            [] => Ok(()),
        }
    }

    fn person(&mut self, who: usize, does: &[&str]) -> Line {
        match *does {
            ["hands", "a", "card", "to", whom] => {
                let to = self.who(whom)?;
                self.card(who, to)
            }
            ["calls", whom] => {
                let contact = self.contact(who, whom)?.id;
                self.does(who, Command::Call { contact })
            }
            ["sees", whom, "calling"] => {
                self.is(who, CallState::RingingHere)?;
                let (call, caller) = (self.call(who)?.contact, self.contact(who, whom)?.id);
                if call == caller { Ok(()) } else { Err("somebody else calls".into()) }
            }
            ["answers"] => {
                self.is(who, CallState::RingingHere)?;
                let call = self.call(who)?.id;
                self.does(who, Command::Answer { call })
            }
            ["declines"] => {
                let call = self.call(who)?.id;
                self.does(who, Command::Decline { call })
            }
            ["hangs", "up"] => {
                let call = self.call(who)?.id;
                self.does(who, Command::HangUp { call })
            }
            ["holds"] | ["resumes"] => {
                let call = self.call(who)?.id;
                self.does(who, Command::Hold { call, on: does[0] == "holds" })
            }
            ["mutes"] | ["unmutes"] => self.does(who, Command::Mute { on: does[0] == "mutes" }),
            ["says", ref text @ ..] => {
                let call = self.call(who)?.id;
                self.does(who, Command::Say { call, text: text.join(" ") })
            }
            ["reads", ref text @ ..] => {
                let text = text.join(" ");
                self.until("the text", |day| {
                    day.call(who)
                        .is_ok_and(|c| c.texts.iter().any(|(mine, t, _)| !mine && *t == text))
                })
            }
            ["hears", whom] => self.hears(who, whom, true),
            ["does", "not", "hear", whom] => self.hears(who, whom, false),
            ["is", "held"] => self.is(who, CallState::HeldByOther),
            ["is", "reconnecting"] => self.is(who, CallState::Reconnecting),
            ["sees", "the", "end"] => self.is(who, CallState::Ended(End::ByOther)),
            ["is", "told", "busy"] => self.is(who, CallState::Ended(End::Busy)),
            ["is", "told", "declined"] => self.is(who, CallState::Ended(End::Declined)),
            ["is", "told", "noanswer"] => self.is(who, CallState::Ended(End::NoAnswer)),
            ["missed", whom] => {
                let contact = self.contact(who, whom)?.id;
                self.until("the missed call", |day| {
                    let now = day.world.now;
                    let history = day.world.parties[who].view(now).history;
                    history.iter().any(|h| h.contact == contact && h.end == End::Missed && h.unseen)
                })
            }
            ref other => Err(format!("nobody can `{}`", other.join(" "))),
        }
    }
}

fn play(script: &str, seed: u64) -> Result<Time, String> {
    let mut day = Day { world: World::new(2, seed), names: Vec::new(), loss: 0.0 };
    day.world.code_finely();
    for (number, text) in script.lines().enumerate() {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        day.line(text).map_err(|why| format!("seed {seed}, line {}: {text}: {why}", number + 1))?;
    }
    Ok(day.world.now)
}

#[test]
fn a_working_day_of_two_offices_and_four_handsets() {
    for seed in [1, 2] {
        if let Err(why) = play(include_str!("days/working_day.txt"), seed) {
            panic!("{why}");
        }
    }
}

#[test]
fn a_day_on_which_something_is_not_so_fails_and_names_the_line() {
    let why = play("Anna joins office 0\nAnna calls Nobody", 1).unwrap_err();
    assert!(why.contains("line 2") && why.contains("Nobody"), "{why}");
}
