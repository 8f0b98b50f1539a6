//! What is selected and typed, and what a key does in each place.

use std::time::Duration;

use call::CallState;
use phone::{CallView, Command, ContactView, Event, View};
use rand_chacha::ChaCha20Rng;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use seal::words::Choices;

pub(super) use crate::phone::console::live;
use crate::phone::console::{self, Action, Show};

/// How long a card made by a key can be redeemed.
const CARD_TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// What fills the right half when no call does.
pub(super) enum Pane {
    /// The selected contact.
    Contact,
    /// Own cards; the one to show as a QR code.
    Cards,
    /// Calls that are over.
    History,
    /// Texts.
    Notes,
    /// What others may do in the owner's name.
    Delegations,
    /// Appointments.
    Agenda,
    /// Lines to other offices.
    Lines,
    /// The office's record.
    Record,
    /// The keys.
    Help,
    /// Comparing words with a contact.
    Verify { contact: u32, choices: Choices },
}

/// What the line at the bottom is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// Nothing is being typed.
    None,
    /// A command as in `console`.
    Command,
    /// For whom a card is.
    Card,
    /// A card's link.
    Redeem,
    /// A text: beside voice if there is a call, else to the selected contact.
    Text,
    /// A note for the record of the call.
    Minute,
}

/// What the screen remembers; everything else is in the [`View`].
pub(super) struct State {
    pub(super) selected: usize,
    pub(super) pane: Pane,
    pub(super) prompt: Prompt,
    pub(super) typed: String,
    pub(super) said: String,
    rng: ChaCha20Rng,
}

/// A call that comes in and shows: of several the most urgent, and of equals the first.
pub(super) fn incoming(view: &View) -> Option<&CallView> {
    crate::phone::urgent::next(view)
}

impl State {
    pub(super) fn new(rng: ChaCha20Rng) -> Self {
        State {
            selected: 0,
            pane: Pane::Contact,
            prompt: Prompt::None,
            typed: String::new(),
            said: String::new(),
            rng,
        }
    }

    /// A line for the person.
    pub(super) fn say(&mut self, what: String) {
        self.said = what;
    }

    pub(super) fn contact<'a>(&self, view: &'a View) -> Option<&'a ContactView> {
        view.contacts.get(self.selected.min(view.contacts.len().saturating_sub(1)))
    }

    /// Events that a person should not miss.
    pub(super) fn happened(&mut self, event: &Event, view: &View) {
        let name = |id: u32| {
            view.contacts.iter().find(|c| c.id == id).map_or("somebody", |c| c.name.as_str())
        };
        let said = match *event {
            Event::CardIssued { .. } => {
                self.pane = Pane::Cards;
                "The card can be handed over: it works once.".into()
            }
            Event::CardUsed { contact, .. } => format!("Your card was redeemed by {}.", name(contact)),
            Event::ContactAccepted { contact } => format!("{} is your contact now.", name(contact)),
            Event::ContactRefused { .. } => {
                "That card is no longer valid. If it should be: somebody else may have used it; ask its issuer.".into()
            }
            Event::ContactGone { contact } => format!("{} has ended the contact.", name(contact)),
            Event::Managed { .. } => crate::phone::manage::latest(view),
            Event::ManageAnswered { number, .. } => crate::phone::manage::answered(number, view),
            Event::OfficeLine { contact, fails } => crate::phone::position::told(contact, fails, view),
            Event::Relay { call } => {
                let found = view.calls.iter().find(|c| c.id == call);
                match found.and_then(|c| crate::phone::rights::line(c, view)) {
                    Some(line) => line,
                    None => return,
                }
            }
            Event::Joins { contact, .. } => format!("{} comes into your call, as you let it.", name(contact)),
            Event::Recall { call } => format!("Call {call} has been parked long enough: `:resume {call}`."),
            Event::Offered { .. } => crate::phone::transfer::lines(view).into_iter().next().unwrap_or_default(),
            Event::Moving { .. } => "Your other handset takes the call: nobody hears you here now.".into(),
            Event::Moved { call } => match view.calls.iter().find(|c| c.id == call) {
                Some(c) if c.moved => format!("{} is on another handset now.", name(c.contact)),
                _ => "The call is on this handset now.".into(),
            },
            Event::MoveFailed { .. } => "The call stays where it was.".into(),
            Event::Shift => crate::phone::shift::lines(view).join(" "),
            Event::CampOver { contact } => format!("{} is still busy, and is not rung any more.", name(contact)),
            Event::Reminder { .. } => "An appointment comes near: `:agenda` shows it.".into(),
            Event::NightService { on: true } => "Night service: calls come in silently.".into(),
            Event::NightService { on: false } => "Night service is over: calls ring again.".into(),
            Event::Night { call } => {
                let there = view.calls.iter().find(|c| c.id == call).and_then(|c| c.night.as_ref());
                there.map(crate::phone::night::there).unwrap_or_default()
            }
            Event::Preempted { .. } => "The other side holds this call: a more urgent one came.".into(),
            Event::Missed { contact } => format!("You missed a call from {}.", name(contact)),
            Event::Note { contact } => format!("A text from {}: press n.", name(contact)),
            Event::CardHanded { contact } => format!("{} hands you a card: press n.", name(contact)),
            Event::ClockWrong { seconds } => {
                format!("This device's clock is {} min off; expiries go by the exchange's.", seconds / 60)
            }
            Event::Admitted => "This handset is one of yours now: your contacts follow.".into(),
            Event::RecordOrder => "The order for your office's record is in force: `:record` shows it.".into(),
            Event::RecordAsked => {
                self.pane = Pane::Record;
                "Your exchange names a records officer: compare the fingerprint.".into()
            }
            Event::RecordDoubt(doubt) => super::draw::doubt_in_words(doubt).into(),
            Event::OnRecord { .. } => "The other side's office keeps a record of this call.".into(),
            Event::StoreFails => "The disk cannot be written: make room. Nothing is lost meanwhile.".into(),
            Event::StoreWorks => "The disk can be written again.".into(),
            Event::Refused(refusal) => format!(
                "The exchange does not admit this handset ({}): ask its operator.",
                format!("{refusal:?}").to_lowercase()
            ),
            _ => return,
        };
        self.said = said;
    }

    pub(super) fn show(&mut self, show: Show) {
        self.pane = match show {
            Show::Contacts | Show::Status | Show::Room => Pane::Contact,
            Show::Cards => Pane::Cards,
            Show::History => Pane::History,
            Show::Notes => Pane::Notes,
            Show::Help => Pane::Help,
            Show::Record => Pane::Record,
            Show::Lines => Pane::Lines,
            Show::Agenda | Show::Shift => Pane::Agenda,
            Show::Words(_) => Pane::Contact,
            Show::Delegations | Show::Managed | Show::Requests => Pane::Delegations,
        };
    }

    /// What a key does.
    pub(super) fn key(&mut self, key: KeyEvent, view: &View) -> Option<Action> {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return Some(Action::Quit);
        }
        if self.prompt != Prompt::None {
            return self.prompt_key(key.code, view);
        }
        if let Some(call) = incoming(view) {
            let call = call.id;
            match key.code {
                KeyCode::Char('a') | KeyCode::Enter => {
                    return Some(Action::Command(Command::Answer { call }));
                }
                KeyCode::Char('d') => return Some(Action::Command(Command::Decline { call })),
                KeyCode::Char('i') => return Some(Action::Command(Command::Ignore { call })),
                _ => {}
            }
        }
        if let Some(action) = live(view).and_then(|call| self.call_key(key.code, call, view)) {
            return Some(action);
        }
        self.list_key(key.code, view)
    }

    fn call_key(&mut self, code: KeyCode, call: &CallView, view: &View) -> Option<Action> {
        let id = call.id;
        if code == KeyCode::Char('M') {
            self.ask(Prompt::Minute);
            return None;
        }
        Some(Action::Command(match code {
            KeyCode::Char('e') => Command::HangUp { call: id },
            KeyCode::Char('m') => Command::Mute { on: !view.muted },
            KeyCode::Char('h') => Command::Hold { call: id, on: call.state != CallState::HeldByMe },
            _ => return None,
        }))
    }

    fn list_key(&mut self, code: KeyCode, view: &View) -> Option<Action> {
        if let Pane::Verify { contact, choices } = &self.pane {
            let contact = *contact;
            let picked = match code {
                KeyCode::Char(digit @ '1'..='9') => {
                    let picked = digit as usize - '1' as usize;
                    (picked < choices.options().len()).then(|| choices.is_right(picked))
                }
                KeyCode::Char('x') => Some(false),
                KeyCode::Esc => {
                    self.pane = Pane::Contact;
                    return None;
                }
                _ => None,
            };
            return picked.map(|matches| {
                self.pane = Pane::Contact;
                Action::Command(Command::Verify { contact, matches })
            });
        }
        match code {
            KeyCode::Down | KeyCode::Char('j') => {
                self.selected = (self.selected + 1).min(view.contacts.len().saturating_sub(1));
                self.pane = Pane::Contact;
            }
            KeyCode::Up | KeyCode::Char('k') => {
                self.selected = self.selected.saturating_sub(1);
                self.pane = Pane::Contact;
            }
            KeyCode::Enter => {
                let contact = self.contact(view)?.id;
                return Some(Action::Command(Command::Call { contact }));
            }
            KeyCode::Char('v') => {
                let contact = self.contact(view)?;
                match &contact.words {
                    Some((_, theirs)) => {
                        let choices = Choices::new(theirs, &mut self.rng);
                        self.pane = Pane::Verify { contact: contact.id, choices };
                    }
                    None => self.said = "There are no words before the contact is made.".into(),
                }
            }
            KeyCode::Char('c') => self.ask(Prompt::Card),
            KeyCode::Char('r') => self.ask(Prompt::Redeem),
            KeyCode::Char('t') => self.ask(Prompt::Text),
            KeyCode::Char(':') => self.ask(Prompt::Command),
            KeyCode::Char('C') => self.pane = Pane::Cards,
            KeyCode::Char('n') => self.pane = Pane::Notes,
            KeyCode::Char('y') => {
                self.pane = Pane::History;
                return Some(Action::Command(Command::ClearMissed));
            }
            KeyCode::Char('?') => self.pane = Pane::Help,
            KeyCode::Esc => self.pane = Pane::Contact,
            KeyCode::Char('q') if live(view).is_none() => return Some(Action::Quit),
            KeyCode::Char('q') => self.said = "You are in a call: end it (e) first.".into(),
            _ => {}
        }
        None
    }

    fn ask(&mut self, prompt: Prompt) {
        self.prompt = prompt;
        self.typed.clear();
        self.said.clear();
    }

    fn prompt_key(&mut self, code: KeyCode, view: &View) -> Option<Action> {
        match code {
            KeyCode::Esc => self.prompt = Prompt::None,
            KeyCode::Backspace => {
                self.typed.pop();
            }
            KeyCode::Char(c) if self.typed.len() < 4_000 => self.typed.push(c),
            KeyCode::Enter => {
                let prompt = std::mem::replace(&mut self.prompt, Prompt::None);
                let text = std::mem::take(&mut self.typed);
                return self.entered(prompt, text.trim(), view);
            }
            _ => {}
        }
        None
    }

    fn entered(&mut self, prompt: Prompt, text: &str, view: &View) -> Option<Action> {
        if text.is_empty() {
            return None;
        }
        let text = text.to_owned();
        let command = match prompt {
            Prompt::None => return None,
            Prompt::Command => match console::read(&text, view) {
                Ok(action) => return Some(action),
                Err(why) => {
                    self.said = why;
                    return None;
                }
            },
            Prompt::Card => Command::IssueCard { hint: text, in_person: false, ttl: CARD_TTL },
            Prompt::Redeem => Command::RedeemCard { text, in_person: false },
            Prompt::Text => match live(view) {
                Some(call) => Command::Say { call: call.id, text },
                None => Command::Note { contact: self.contact(view)?.id, text },
            },
            Prompt::Minute => match view.calls.last() {
                Some(call) => Command::Minute { call: call.id, text },
                None => {
                    self.said = "The call is over, and its notes are closed.".into();
                    return None;
                }
            },
        };
        Some(Action::Command(command))
    }
}
