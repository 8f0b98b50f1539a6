//! The console of a switchboard position: who there is, who waits, and the call that is spoken in.
//!
//! ```text
//!  directory          waiting, parked, held, appointments        the call: stages, members, keys
//!  a person ── dragged, or Enter ──────────────────────────────► is brought in
//! ```
//!
//! What a call may do, the machine says; here is only how it is asked for. Timers move once a second, and nothing faster but levels.

mod agenda;
mod directory;
mod lines;
pub mod queue;
pub mod shift;

use leptos::prelude::*;
use protocol::CallState;

use crate::app::{App, foremost};
use crate::browser;
use crate::parts::heading::heading;
use crate::parts::icon::{Icon, icon};
use crate::screens::{call, night};
use crate::text::fill;

/// The console.
pub fn console(app: App) -> AnyView {
    let t = app.t();
    let now = clock(app);
    let shown = app.shown_call();
    // What is parked stands in its list.
    let current = Memo::new(move |_| {
        let parked =
            |id: &u32| app.view.with(|v| v.calls.iter().any(|c| c.id == *id && c.parked.is_some()));
        shown.get().filter(|id| !parked(id))
    });
    view! {
        <div class="console">
            <div class="console-top">
                {heading(move || t.console.to_owned())}
                <p class="hint">{t.con_keys}</p>
                {night::switch(app)}
                {news(app)}
            </div>
            {directory::directory(app)}
            <div class="console-queue">
                {queue::waiting(app, now)}
                {queue::put_aside(app, now)}
                {agenda::agenda(app)}
                {lines::lines(app)}
                {shift::goes(app)}
            </div>
            <section class="console-call" aria-label=t.con_call
                class:drop=move || app.dragged.get().is_some() && takes(app).is_some()
                on:dragover=move |e| {
                    if app.dragged.get_untracked().is_some() { e.prevent_default(); }
                }
                on:drop=move |e| {
                    e.prevent_default();
                    if let Some(who) = app.dragged.get_untracked() { offer(app, who); }
                }>
                {move || match current.get() {
                    Some(id) => call::one(app, id, true),
                    None => view! {
                        <div class="empty">
                            <span class="gate-icon">{icon(Icon::Headset)}</span>
                            <h2>{t.con_no_call}</h2>
                            <p>{t.con_no_call_body}</p>
                        </div>
                    }.into_any(),
                }}
            </section>
        </div>
    }
    .into_any()
}

/// The time as the exchange has it, once a second while the console is shown.
fn clock(app: App) -> RwSignal<f64> {
    let time =
        move || js_sys::Date::now() + app.view.with_untracked(|v| v.clock_off) as f64 * 1_000.0;
    let now = RwSignal::new(time());
    fn tick(now: RwSignal<f64>, time: impl Fn() -> f64 + Copy + 'static) {
        browser::after(1_000, move || {
            if now.try_set(time()).is_none() {
                tick(now, time);
            }
        });
    }
    tick(now, time);
    now
}

/// What came up, for those who cannot see it come.
fn news(app: App) -> AnyView {
    let t = app.t();
    let said = app.part(move |v| {
        let name = |id: u32| {
            v.contacts
                .iter()
                .find(|c| c.id == id)
                .map_or_else(|| "?".to_owned(), |c| c.name.clone())
        };
        let calls = v.calls.iter().filter_map(|c| match (c.state, &c.parked) {
            (CallState::RingingHere, _) => Some(fill(t.con_arrived, &name(c.contact))),
            (_, Some(parked)) if parked.recalled => Some(fill(t.ev_recall, &name(c.contact))),
            _ => None,
        });
        let due = v.agenda.iter().filter(|a| a.due);
        let due = due.map(|a| fill(t.ev_reminder, &a.appointment.agenda));
        calls.chain(due).collect::<Vec<_>>().join(". ")
    });
    view! { <p class="unseen" role="status" aria-live="polite">{move || said.get()}</p> }.into_any()
}

/// The call into which somebody can be brought now.
pub(super) fn takes(app: App) -> Option<u32> {
    app.view.with(|v| {
        let open = |c: &&protocol::CallView| c.state == CallState::Connected;
        foremost(&v.calls).filter(open).map(|c| c.id)
    })
}

/// Brings a person into the call, if it takes in people; else rings that person.
pub(super) fn offer(app: App, contact: u32) {
    match untrack(|| takes(app)) {
        Some(_) => app.offered.set(Some(contact)),
        None => app.call_id(contact),
    }
}
