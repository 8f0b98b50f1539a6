//! A handset without a screen: commands on standard input, one JSON object a line on standard output.
//!
//! ```text
//!  > call 1
//!  {"ok":"call 1"}
//!  {"event":"call","call":1,"contact":1,"name":"Boris","state":"ringing"}
//! ```
#![allow(clippy::print_stdout, reason = "what a headless handset says goes to standard output")]

use std::io::BufRead;
use std::sync::mpsc::{self, Receiver};

use call::{CallState, End};
use phone::{BehalfView, Command, Event, RoomView, View};
use serde_json::{Value, json};

use super::console::{self, Action, HELP, Show};
use super::host::{Handle, Happened};
use super::{manage, night, position, rights, rules, shift, transfer};
use crate::cli::Failure;
use crate::exchange::operator::calls_in_words;

/// Longest line that is read.
const LINE_MAX: usize = 8_192;

enum Next {
    Line(String),
    Happened(Happened),
    /// Standard input ended: go on, until a signal or the handset ends.
    InputEnded,
    HandsetEnded,
}

/// Runs `first` commands, then those of standard input, and tells what happens, until `quit` or the
/// handset's end.
pub(super) fn run(
    handle: &Handle,
    happened: Receiver<Happened>,
    first: Vec<String>,
) -> Result<(), Failure> {
    let (tx, next) = mpsc::channel();
    let events = tx.clone();
    std::thread::Builder::new().name("events".into()).spawn(move || {
        for event in happened {
            if events.send(Next::Happened(event)).is_err() {
                return;
            }
        }
        // Nobody listens when the process ends.
        let _ = events.send(Next::HandsetEnded);
    })?;
    std::thread::Builder::new().name("input".into()).spawn(move || {
        for line in first.into_iter().map(Ok).chain(std::io::stdin().lock().lines()) {
            let Ok(line) = line else { break };
            if tx.send(Next::Line(line)).is_err() {
                return;
            }
        }
        let _ = tx.send(Next::InputEnded);
    })?;
    for next in next {
        match next {
            Next::Line(line) if line.trim().is_empty() => {}
            Next::Line(line) if line.len() > LINE_MAX => {
                say(&json!({"error": "that line is too long"}))
            }
            Next::Line(line) => match console::read(&line, &handle.view()) {
                Err(why) => say(&json!({"error": why, "command": line})),
                Ok(Action::Quit) => return Ok(()),
                Ok(Action::Show(show)) => say(&shown(show, &handle.view())),
                Ok(Action::Command(command)) => {
                    let called = match command {
                        Command::Call { contact }
                        | Command::CallFor { contact, .. }
                        | Command::CallUrgent { contact, .. } => Some(contact),
                        _ => None,
                    };
                    match handle.command(command) {
                        Ok(()) => say(&json!({"ok": line})),
                        Err(why) => say(&refused(&line, &why, called, &handle.view())),
                    }
                }
            },
            Next::Happened(happened) => say(&told(&happened.event, &handle.view())),
            Next::InputEnded => {}
            Next::HandsetEnded => return Ok(()),
        }
    }
    Ok(())
}

/// A command that was refused; of a call, with the rule that keeps it from coming about.
fn refused(line: &str, why: &str, called: Option<u32>, view: &View) -> Value {
    let mut value = json!({"error": why, "command": line});
    let contact = called.and_then(|id| view.contacts.iter().find(|c| c.id == id));
    if let Some(barred) = contact.and_then(|c| c.barred.as_ref()) {
        value["barred"] = rules::barred_json(barred);
    }
    value
}

fn say(value: &Value) {
    println!("{value}");
}

fn name(view: &View, contact: u32) -> &str {
    view.contacts.iter().find(|c| c.id == contact).map_or("", |c| &c.name)
}

fn urgency(view: &View, call: u32) -> Option<&'static str> {
    view.calls.iter().find(|c| c.id == call).map(|c| c.precedence.word())
}

fn state(state: CallState) -> String {
    match state {
        CallState::Ended(end) => format!("ended({})", ended(end)),
        state => format!("{state:?}").to_lowercase(),
    }
}

fn ended(end: End) -> String {
    match end {
        End::ByRule(_) => "byrule".into(),
        end => format!("{end:?}").to_lowercase(),
    }
}

/// An event, with the names that go with it.
fn told(event: &Event, view: &View) -> Value {
    let of = |kind: &str, contact: u32| json!({"event": kind, "contact": contact, "name": name(view, contact)});
    match *event {
        Event::LineUp => json!({"event": "line-up", "office": view.office}),
        Event::LineDown => json!({"event": "line-down"}),
        Event::Refused(refusal) => {
            json!({"event": "refused", "reason": format!("{refusal:?}").to_lowercase()})
        }
        Event::ClockWrong { seconds } => json!({"event": "clock-wrong", "seconds": seconds}),
        Event::CardIssued { card } => {
            let link = view.cards.iter().find(|c| c.id == card).and_then(|c| c.link.as_deref());
            json!({"event": "card-issued", "card": card, "link": link})
        }
        Event::CardUsed { card, contact } => {
            json!({"event": "card-used", "card": card, "contact": contact, "name": name(view, contact)})
        }
        Event::ContactAccepted { contact } => of("contact-accepted", contact),
        Event::ContactRefused { contact } => of("card-no-longer-valid", contact),
        Event::Admitted => json!({"event": "admitted"}),
        Event::ContactGone { contact } => of("contact-gone", contact),
        Event::ContactReady { contact } => of("contact-ready", contact),
        Event::Incoming { call, contact } => {
            let asked = view.calls.iter().find(|c| c.id == call).and_then(|c| c.asked.as_ref());
            match asked {
                None => json!({"event": "incoming", "call": call, "contact": contact,
                               "name": name(view, contact), "precedence": urgency(view, call)}),
                Some((role, office, expected)) => {
                    json!({"event": "incoming", "call": call, "contact": contact,
                           "name": name(view, contact), "as": console::role_word(*role),
                           "with_office": office, "expected": expected, "precedence": urgency(view, call)})
                }
            }
        }
        Event::Call { call, state: now } => {
            let call_view = view.calls.iter().find(|c| c.id == call);
            let mut value = json!({"event": "call", "call": call,
                                   "contact": call_view.map(|c| c.contact), "state": state(now)});
            if let Some(barred) = call_view.and_then(|c| c.barred.as_ref()) {
                value["barred"] = rules::barred_json(barred);
            }
            value
        }
        Event::NightService { on } => json!({"event": "night-service", "on": on}),
        Event::Night { call } => {
            let night = view.calls.iter().find(|c| c.id == call).and_then(|c| c.night.as_ref());
            json!({"event": "night-there", "call": call, "until": night.and_then(|n| n.until).map(|at| at.0),
                   "instead": night.map(|n| &n.instead)})
        }
        Event::Preempted { call } => json!({"event": "preempted", "call": call}),
        Event::Voice { call } => json!({"event": "voice", "call": call}),
        Event::Muted { call, on } => json!({"event": "muted-by-other", "call": call, "on": on}),
        Event::Forged { call, leaf } => {
            let room = view.calls.iter().find(|c| c.id == call).and_then(|c| c.room.as_ref());
            let member = room.and_then(|room| room.members.iter().find(|m| m.leaf == leaf));
            json!({"event": "forged-voice", "call": call, "in_the_name_of": member.map(|m| &m.name)})
        }
        Event::Room { call } => {
            let room = view.calls.iter().find(|c| c.id == call).and_then(|c| c.room.as_ref());
            json!({"event": "room", "call": call, "room": room.map(|r| room_json(r, view))})
        }
        Event::Text { call } => {
            let texts = view.calls.iter().find(|c| c.id == call).map(|c| &c.texts);
            let text =
                texts.and_then(|t| t.iter().rev().find(|(mine, ..)| !mine)).map(|(_, t, _)| t);
            json!({"event": "text", "call": call, "text": text})
        }
        Event::TextArrived { call } => json!({"event": "text-arrived", "call": call}),
        Event::Behalf { call } => {
            let behalf = view.calls.iter().find(|c| c.id == call).and_then(|c| c.behalf.as_ref());
            json!({"event": "behalf", "call": call, "behalf": behalf.map(behalf_json)})
        }
        Event::Relay { call } => {
            let found = view.calls.iter().find(|c| c.id == call);
            json!({"event": "relay", "call": call, "relay": found.map(|c| rights::json(c, view))})
        }
        Event::Joins { call, contact } => {
            json!({"event": "joins", "call": call, "contact": contact, "name": name(view, contact)})
        }
        Event::Delegated { contact } => {
            let may = view.contacts.iter().find(|c| c.id == contact).map(|c| rights::words(c.may));
            let until = view.contacts.iter().find(|c| c.id == contact).and_then(|c| c.may_call_for);
            json!({"event": "delegated", "contact": contact, "name": name(view, contact), "may": may,
                   "until": until.map(|at| at.0)})
        }
        Event::Managed { contact } => {
            let mut value = of("managed", contact);
            value["words"] = json!(manage::latest(view));
            value
        }
        Event::ManageAnswered { number, .. } => {
            let request = view.requests.iter().find(|r| r.number == number);
            json!({"event": "manage-answered", "number": number,
                   "request": request.map(|r| manage::request_json(r, view))})
        }
        Event::OfficeLine { contact, fails } => {
            let office = view.contacts.iter().find(|c| c.id == contact).map(|c| &c.office);
            json!({"event": "office-line", "office": office, "fails": fails})
        }
        Event::Recall { call } => json!({"event": "recall", "call": call}),
        Event::Offered { offer } => {
            json!({"event": "offered", "offer": offer, "offers": transfer::offers(view)})
        }
        Event::Moving { call } => json!({"event": "moving", "call": call}),
        Event::Moved { call } => {
            json!({"event": "moved", "call": call, "elsewhere": transfer::elsewhere(view)})
        }
        Event::MoveFailed { call } => json!({"event": "move-failed", "call": call}),
        Event::Shift => json!({"event": "shift", "shift": shift::json(view)["shift"]}),
        Event::CampOver { contact } => of("camp-over", contact),
        Event::Reminder { appointment } => {
            json!({"event": "reminder", "appointment": appointment, "agenda": position::agenda(view)["agenda"]})
        }
        Event::Missed { contact } => {
            let mut value = of("missed", contact);
            let last = view.history.iter().find(|h| h.contact == contact);
            if let Some(barred) = last.and_then(|h| h.barred.as_ref()) {
                value["barred"] = rules::barred_json(barred);
            }
            value
        }
        Event::RefusedByRule { contact, rule } => {
            json!({"event": "refused-by-rule", "contact": contact, "name": name(view, contact),
                   "rule": rules::rule_word(rule)})
        }
        Event::Note { contact } => {
            let note = view.notes.iter().rev().find(|n| n.contact == contact && !n.sent);
            json!({"event": "note", "contact": contact, "name": name(view, contact),
                   "text": note.map(|n| &n.text)})
        }
        Event::Lamp { contact } => {
            let lamp = view.contacts.iter().find(|c| c.id == contact).and_then(|c| c.lamp);
            json!({"event": "lamp", "contact": contact, "name": name(view, contact),
                   "lamp": lamp.map(console::lamp_word)})
        }
        Event::CardHanded { contact } => of("card-handed", contact),
        Event::RecordOrder => {
            json!({"event": "record-order", "calls": calls_in_words(view.record.calls), "officer": view.record.officer})
        }
        Event::RecordAsked => json!({"event": "record-asked", "officer": view.record.asked}),
        Event::RecordDoubt(doubt) => {
            json!({"event": "record-doubt", "doubt": format!("{doubt:?}").to_lowercase()})
        }
        Event::Recorded => {
            json!({"event": "recorded", "waiting": view.record.waiting, "proved": view.record.proved})
        }
        Event::OnRecord { call } => json!({"event": "on-record-there", "call": call}),
        Event::StoreFails => json!({"event": "store-fails"}),
        Event::StoreWorks => json!({"event": "store-works"}),
    }
}

/// In whose name a call is.
fn behalf_json(behalf: &BehalfView) -> Value {
    let (name, verified) = match behalf {
        BehalfView::Mine { name } => (name, None),
        BehalfView::Verified { name, .. } => (name, Some(true)),
        BehalfView::Claimed { name, .. } => (name, Some(false)),
    };
    json!({"name": name, "verified": verified, "words": console::behalf(behalf)})
}

/// Who is in a call, and how far it is.
fn room_json(room: &RoomView, view: &View) -> Value {
    json!({
        "stage": format!("{:?}", room.stage).to_lowercase(),
        "as": console::role_word(room.role), "epoch": room.epoch,
        "with_office": room.expected.1, "expected": room.expected.0, "precedence": room.urgency.word(),
        "can_connect": room.can_connect, "missing": room.missing.map(rules::rule_word), "announcing": room.announcing,
        "members": room.members.iter().map(|m| json!({
            "name": m.name, "office": m.office, "role": console::role_word(m.role), "own": m.own, "behalf": m.behalf,
            "gone": m.gone, "heard": m.heard, "muted": m.muted, "on_record": m.on_record,
            "voice": format!("{:?}", m.voice).to_lowercase(),
        })).collect::<Vec<_>>(),
        "ringing": room.bringing.iter().map(|b| json!({
            "contact": b.contact, "name": name(view, b.contact), "role": console::role_word(b.role),
            "rings": b.rings, "over": b.over.map(ended),
        })).collect::<Vec<_>>(),
    })
}

fn shown(show: Show, view: &View) -> Value {
    match show {
        Show::Contacts => json!({"contacts": view.contacts.iter().map(|c| json!({
            "contact": c.id, "name": c.name, "office": c.office,
            "progress": format!("{:?}", c.progress).to_lowercase(),
            "keys": format!("{:?}", c.keys).to_lowercase(),
            "may_call_for": c.may_call_for.map(|at| at.0), "may_manage": c.may_manage.map(|at| at.0), "may": rights::words(c.may),
            "own_office": c.own_office, "lamp_shown": c.lamp_shown, "lamp": c.lamp.map(console::lamp_word),
            "used": c.used, "trusted": c.trusted, "blocked": c.blocked, "ready": c.ready,
            "rules": rules::json(c), "barred": c.barred.as_ref().map(rules::barred_json),
        })).collect::<Vec<_>>()}),
        Show::Cards => json!({"cards": view.cards.iter().map(|c| json!({
            "card": c.id, "for": c.hint, "state": format!("{:?}", c.state).to_lowercase(),
            "link": c.link,
        })).collect::<Vec<_>>()}),
        Show::History => json!({"history": view.history.iter().map(|h| json!({
            "contact": h.contact, "name": name(view, h.contact),
            "direction": format!("{:?}", h.direction).to_lowercase(), "at": h.at.0,
            "talked_s": h.talked.as_secs(), "end": ended(h.end), "precedence": h.precedence.word(),
            "barred": h.barred.as_ref().map(rules::barred_json), "unseen": h.unseen,
        })).collect::<Vec<_>>(), "missed": view.missed}),
        Show::Notes => json!({"notes": view.notes.iter().map(|n| json!({
            "contact": n.contact, "name": name(view, n.contact), "sent": n.sent, "at": n.at.0,
            "text": n.text, "card": n.card,
        })).collect::<Vec<_>>()}),
        Show::Words(contact) => {
            let words =
                view.contacts.iter().find(|c| c.id == contact).and_then(|c| c.words.as_ref());
            json!({"contact": contact, "mine": words.map(|w| w.0.to_string()),
                   "theirs": words.map(|w| w.1.to_string())})
        }
        Show::Delegations => json!({"delegations": view.delegations.iter().map(|d| json!({
            "number": d.number, "contact": d.contact, "name": name(view, d.contact),
            "rights": rights::words(d.rights), "until": d.until.0, "shown_until": d.shown_until.0,
            "state": format!("{:?}", d.state).to_lowercase(),
        })).collect::<Vec<_>>()}),
        Show::Managed => manage::managed_json(view),
        Show::Requests => manage::requests_json(view),
        Show::Agenda => position::agenda(view),
        Show::Lines => position::office_lines(view),
        Show::Shift => shift::json(view),
        Show::Record => json!({"record": {
            "calls": calls_in_words(view.record.calls), "officer": view.record.officer,
            "asked": view.record.asked, "mark": view.record.mark, "entries": view.record.entries,
            "waiting": view.record.waiting, "proved": view.record.proved,
            "doubt": view.record.doubt.map(|doubt| format!("{doubt:?}").to_lowercase()),
        }}),
        Show::Room => {
            let room = view.calls.iter().rev().find_map(|c| c.room.as_ref());
            json!({"room": room.map(|r| room_json(r, view))})
        }
        Show::Status => json!({
            "name": view.name, "office": view.office,
            "line": format!("{:?}", view.line).to_lowercase(), "muted": view.muted, "away": view.away,
            "mic_dbfs": view.mic.rms, "mail_waiting": view.mail_waiting, "missed": view.missed,
            "night": night::json(&view.night),
            "position": view.position.is_some(), "offers": transfer::offers(view), "elsewhere": transfer::elsewhere(view), "handsets": view.handsets,
            "camps": view.camps.iter().map(|c| c.contact).collect::<Vec<_>>(),
            "store_fails": view.store_fails, "clock_off_s": view.clock_off,
            "voice": {"played": view.voice.played, "rebuilt": view.voice.rebuilt,
                      "concealed": view.voice.concealed, "late": view.voice.late},
            "calls": view.calls.iter().map(|c| json!({
                "call": c.id, "contact": c.contact, "name": name(view, c.contact),
                "state": state(c.state), "timer_s": c.timer.as_secs(),
                "level_dbfs": c.level.rms, "muted_by_other": c.muted_by_other, "parked": position::parked(c),
                "precedence": c.precedence.word(), "rings_over": c.rings_over, "goes_back": c.goes_back,
                "preempted_by_me": c.preempted.by_me, "preempted_by_other": c.preempted.by_other,
                "moving": c.moving.map(|m| json!({"to": m.to, "closed": m.closed})), "arriving": c.arriving,
                "moved": c.moved,
                "behalf": c.behalf.as_ref().map(behalf_json), "relay": rights::json(c, view),
                "on_record": c.on_record, "on_record_there": c.on_record_there, "minutes": c.minutes.len(),
            })).collect::<Vec<_>>(),
        }),
        Show::Help => json!({"help": HELP}),
    }
}
