//! What the worker says, put where the screens see it.

use leptos::prelude::*;
use protocol::{CallState, CallView, Event, FromWorker, LockChoice, StoreState, ToWorker, View};

use crate::app::{App, Choices, Code, Meters, Phase, Route, nothing_yet, under_way};
use crate::attention;
use crate::browser;
use crate::text::fill;
use crate::words;

/// How long an ended call stays on the screen.
const ENDED_MS: i32 = 10_000;

/// One message.
pub fn heard(app: App, message: FromWorker) {
    match message {
        FromWorker::Ready { store } => ready(app, store),
        FromWorker::Opened => {
            app.busy.set(false);
            app.refused.set(None);
            let to = if app.card_text.with_untracked(String::is_empty)
                || app.fragment.with_untracked(|f| f.enrol.is_some())
            {
                app.card_text.set(String::new());
                Route::Contacts
            } else {
                Route::Take
            };
            app.go_first(to);
            // The link is used up; nothing of it stays in memory.
            app.fragment.set(crate::fragment::Fragment::default());
            app.phase.set(Phase::Open);
        }
        FromWorker::Refused(problem) => {
            app.busy.set(false);
            app.refused.set(Some(problem));
            if app.phase.get_untracked() == Phase::Loading {
                app.phase.set(Phase::First);
            }
        }
        FromWorker::View(view) => seen(app, *view),
        FromWorker::Meters { mic, stats, calls } => {
            app.meters.set(Meters { mic, stats, calls });
            app.hear_evenly();
        }
        FromWorker::Event(event) => happened(app, event),
        // Answers to nobody: the card of the link that made this handset, or one whose screen is gone.
        FromWorker::Done { .. } => {}
        FromWorker::Failed { problem, .. } => app.problem(&problem),
        FromWorker::Choices { contact, mine, options } => {
            app.choices.set(Some(Choices { contact, mine, options }));
        }
        FromWorker::CardCode { card, link, code } => {
            app.code.set(Some(Code { card, link, rows: code }))
        }
        FromWorker::Broken(problem) => app.phase.set(Phase::Broken(problem.text)),
    }
}

fn ready(app: App, store: StoreState) {
    app.silence();
    app.view.set(nothing_yet());
    app.ended.set(None);
    app.code.set(None);
    app.choices.set(None);
    app.busy.set(false);
    app.line_refused.set(false);
    app.go_first(Route::Contacts);
    let fragment = app.fragment.get_untracked();
    if let (true, Some(enrol), Some(name)) = (fragment.keep_nothing, fragment.enrol, fragment.name)
    {
        // A handset for this window only asks nothing.
        app.busy.set(true);
        app.fragment.update(|f| f.keep_nothing = false);
        return app.say(&ToWorker::Create {
            name,
            enrol,
            card: fragment.card,
            lock: LockChoice::Nothing,
        });
    }
    app.storable.set(store != StoreState::Unusable);
    app.phase.set(match store {
        StoreState::Empty | StoreState::Unusable => Phase::First,
        StoreState::ElsewhereOpen => Phase::Elsewhere,
        locked @ (StoreState::Passphrase | StoreState::Passkey { .. }) => Phase::Locked(locked),
    });
}

fn seen(app: App, mut view: View) {
    let before = app.view.with_untracked(|v| v.calls.clone());
    // An attendant's home is the console.
    let opens = app.view.with_untracked(|v| v.name.is_empty()) && view.position.is_some();
    let was = |id: u32| before.iter().find(|c| c.id == id).map(|c| c.state);
    let began = view.calls.iter().any(|c| under_way(c.state) && !was(c.id).is_some_and(under_way));
    for call in view.calls.iter_mut().filter(|c| matches!(c.state, CallState::Ended(_))) {
        // What this handset's person was in it says how to read its end; a call that is over has no room any more.
        call.room = before.iter().find(|c| c.id == call.id).and_then(|c| c.room.clone());
    }
    let over: Option<CallView> = view
        .calls
        .iter()
        .find(|c| matches!(c.state, CallState::Ended(_)) && was(c.id).is_some_and(under_way))
        .cloned();
    app.meters.update(|m| {
        let levels = |id: u32| m.calls.iter().find(|c| c.id == id).map(|c| c.levels.clone());
        let levels: Vec<_> = view.calls.iter().map(|c| levels(c.id).unwrap_or_default()).collect();
        m.mic = view.mic;
        m.stats = view.stats;
        m.calls = view
            .calls
            .iter()
            .zip(levels)
            .map(|(c, levels)| protocol::CallMeter {
                id: c.id,
                timer_ms: c.timer_ms,
                level: c.level,
                quality: c.quality,
                // They come with the next meters.
                levels,
            })
            .collect();
    });
    let talking = view.calls.iter().any(|c| under_way(c.state));
    let ringing = view.calls.iter().any(|c| c.state == CallState::RingingHere);
    app.view.set(view);
    if opens && app.route.get_untracked() == Route::Contacts {
        app.go_first(Route::Console);
    }
    if let Some(over) = over {
        let id = over.id;
        app.ended.set(Some(over));
        browser::after(ENDED_MS, move || forget_ended(app, id));
    }
    if began {
        app.ended.set(None);
        if !untrack(|| app.at_console()) {
            app.go(Route::Call);
        }
    }
    if talking {
        app.sound_on();
    } else if ringing {
        app.sound_ready();
    } else {
        app.silence();
    }
}

/// Takes an ended call off the screen.
pub fn forget_ended(app: App, id: u32) {
    if app.ended.with_untracked(|c| c.as_ref().is_some_and(|c| c.id == id)) {
        app.ended.set(None);
        if app.route.get_untracked() == Route::Call && !app.in_call() {
            app.back();
        }
    }
}

/// Something that its person wanted to be told.
fn call_up(app: App, words: String) {
    attention::show(app, &words, "");
    app.notify(words, false);
}

fn happened(app: App, event: Event) {
    let t = app.t();
    match event {
        Event::LineUp => app.line_refused.set(false),
        Event::Refused => app.line_refused.set(true),
        Event::Incoming { call, contact } => {
            // What comes in silently calls nobody up.
            if app.view.with_untracked(|v| v.calls.iter().any(|c| c.id == call && c.rings)) {
                attention::incoming(app, contact);
            }
        }
        Event::CardUsed { contact, .. } => app.notify(fill(t.c_used, &app.name_of(contact)), false),
        Event::ContactRefused { .. } => app.notify(t.refused_body.to_owned(), true),
        Event::Missed { contact } => {
            attention::show(app, &format!("{}: {}", t.h_missed, app.name_of(contact)), "");
        }
        Event::OfficeLine { contact, fails } => {
            let found = |v: &protocol::View| {
                v.contacts.iter().find(|c| c.id == contact).map(|c| c.office.clone())
            };
            let office = app.view.with_untracked(found).unwrap_or_default();
            match fails {
                true => call_up(app, fill(t.ln_fails, &office)),
                false => app.notify(fill(t.ln_works_again, &office), false),
            }
        }
        Event::Recall { call } => {
            let who = app
                .view
                .with_untracked(|v| v.calls.iter().find(|c| c.id == call).map(|c| c.contact));
            call_up(app, fill(t.ev_recall, &app.name_of(who.unwrap_or_default())));
        }
        Event::Preempted { .. } => {
            attention::preempted();
            call_up(app, t.p_by_other.to_owned());
        }
        Event::NightService { on } => {
            app.notify(if on { t.ev_night } else { t.ev_day }.to_owned(), false);
        }
        Event::Reminder { appointment } => {
            let what = app.view.with_untracked(|v| {
                let found = v.agenda.iter().find(|a| a.id == appointment)?;
                let of = &found.appointment;
                let who = of.people.first().map(|id| app.name_of(*id)).unwrap_or_default();
                Some(if of.agenda.is_empty() { who } else { of.agenda.clone() })
            });
            call_up(app, fill(t.ev_reminder, &what.unwrap_or_default()));
        }
        Event::Offered { offer } => {
            let contact = app
                .view
                .with_untracked(|v| v.offers.iter().find(|o| o.id == offer).map(|o| o.contact));
            if let Some(contact) = contact {
                call_up(app, fill(t.mv_offer, &app.name_of(contact)));
            }
        }
        Event::Shift => {
            let offered = app.view.with_untracked(|v| {
                v.shift_taken.as_ref().is_some_and(|s| s.stage == protocol::ShiftStage::Offered)
            });
            if offered {
                call_up(app, t.sh_ev.to_owned());
            }
        }
        Event::Joins { contact } => app.notify(fill(t.re_ev, &app.name_of(contact)), true),
        Event::Managed { contact } => app.notify(fill(t.mg_ev, &app.name_of(contact)), false),
        Event::MoveFailed { .. } => app.notify(t.mv_failed.to_owned(), false),
        Event::CampOver { contact } => call_up(app, fill(t.ev_camp_over, &app.name_of(contact))),
        Event::Note { contact } | Event::CardHanded { contact } => {
            if app.route.get_untracked() != Route::Texts(contact) {
                app.notify(format!("{}: {}", t.texts, app.name_of(contact)), false);
            }
        }
        Event::RecordAsked => app.notify(t.rec_asked.to_owned(), true),
        Event::RecordDoubt => app.notify(t.rec_doubt.to_owned(), true),
        Event::OnRecord { .. } => app.notify(t.rec_there.to_owned(), false),
        Event::Forged { call, leaf } => {
            let said = app.view.with_untracked(|v| {
                let room = v.calls.iter().find(|c| c.id == call)?.room.as_ref()?;
                room.members.iter().find(|m| m.leaf == leaf).and_then(|m| words::room::forged(m, t))
            });
            if let Some(said) = said {
                app.notify(said, true);
            }
        }
        // The view that came just before says the rest.
        Event::LineDown
        | Event::ClockWrong { .. }
        | Event::CardIssued { .. }
        | Event::ContactAccepted { .. }
        | Event::Admitted
        | Event::ContactReady { .. }
        | Event::RefusedByRule { .. }
        | Event::Relay { .. }
        | Event::ManageAnswered { .. }
        | Event::Lamp { .. }
        | Event::Behalf { .. }
        | Event::Night { .. }
        | Event::Delegated { .. }
        | Event::Call { .. }
        | Event::Voice { .. }
        | Event::Moving { .. }
        | Event::Moved { .. }
        | Event::Muted { .. }
        | Event::Room { .. }
        | Event::Text { .. }
        | Event::TextArrived { .. }
        | Event::ContactGone { .. }
        | Event::RecordOrder
        | Event::Recorded
        | Event::StoreFails
        | Event::StoreWorks => {}
    }
}
