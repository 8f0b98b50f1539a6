//! Calls that are over, by day; missed ones stand out until they were seen.

use leptos::prelude::*;
use protocol::{Command, Direction, End, HistoryView};

use crate::app::{App, Route};
use crate::browser::{clock, date};
use crate::parts::avatar::avatar;
use crate::parts::heading::heading;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::{spoken, urgent};
use crate::text::fill;
use crate::time::{day, timer};
use crate::words::{self, Tone};

/// The history.
pub fn history(app: App) -> AnyView {
    let t = app.t();
    let all = app.part(|v| v.history.clone());
    let missed = app.part(|v| v.missed);
    view! {
        <div class="top plain">
            {heading(move || t.history.to_owned())}
            {move || (missed.get() > 0).then(|| view! {
                <button class="quiet" on:click=move |_| app.command(Command::ClearMissed)>{icon(Icon::Checks)}<span>{t.seen}</span></button>
            })}
        </div>
        <div class="page">
            {move || all.with(Vec::is_empty).then(|| view! {
                <div class="empty small"><span class="gate-icon">{icon(Icon::Clock)}</span><p>{t.h_none}</p></div>
            })}
            {move || days(all.get()).into_iter().map(|(day, calls)| {
                let title = named(app, day, calls.first().map_or(0.0, |c| c.at_ms));
                view! {
                    <section class="day">
                        <h2>{title}</h2>
                        <ul class="rows">{calls.into_iter().map(|call| row(app, call)).collect_view()}</ul>
                    </section>
                }
            }).collect_view()}
        </div>
    }
    .into_any()
}

fn offset() -> f64 {
    js_sys::Date::new_0().get_timezone_offset()
}

/// By day, newest first, as the history is.
fn days(calls: Vec<HistoryView>) -> Vec<(i64, Vec<HistoryView>)> {
    let offset = offset();
    let mut days: Vec<(i64, Vec<HistoryView>)> = Vec::new();
    for call in calls {
        let on = day(call.at_ms, offset);
        match days.last_mut() {
            Some((last, of_day)) if *last == on => of_day.push(call),
            _ => days.push((on, vec![call])),
        }
    }
    days
}

fn named(app: App, on: i64, at_ms: f64) -> String {
    let t = app.t();
    match day(js_sys::Date::now(), offset()) - on {
        0 => t.today.to_owned(),
        1 => t.yesterday.to_owned(),
        _ => date(at_ms, app.tag(), &[("weekday", "long"), ("day", "numeric"), ("month", "long")]),
    }
}

fn row(app: App, call: HistoryView) -> AnyView {
    let t = app.t();
    let name = app.name_of(call.contact);
    let id = call.contact;
    let missed = call.end == End::Missed;
    let (of, tone, way) = match (call.direction, missed) {
        (_, true) => (Icon::MissedIn, Tone::Bad, t.h_missed),
        (Direction::Incoming, _) => (Icon::In, Tone::Calm, t.h_in),
        (Direction::Outgoing, _) => (Icon::Out, Tone::Calm, t.h_out),
    };
    let talked = call.talked_ms >= 1000;
    let rest = match (missed, talked) {
        (true, _) => String::new(),
        (_, true) => format!(" · {}", timer(call.talked_ms)),
        _ => format!(" · {}", words::ended(call.end, t)),
    };
    let can = app
        .view
        .with_untracked(|v| v.contacts.iter().find(|c| c.id == id).is_some_and(words::callable));
    let label = fill(t.call_who, &name);
    view! {
        <li class="contact" class:unread=call.unseen>
            <button class="contact-main" on:click=move |_| app.go(Route::Contact(id))>
                {avatar(&name, false)}
                <span class="contact-words">
                    <strong dir="auto">{name}</strong>
                    {spoken(of, tone, format!("{way}{rest}"))}
                    {urgent(call.precedence, t)}
                </span>
                <time>{clock(call.at_ms, app.tag())}</time>
            </button>
            {can.then(|| view! {
                <button class="round call-now" aria-label=label.clone() title=label on:click=move |_| app.call_id(id)>{icon(Icon::Phone)}</button>
            })}
        </li>
    }
    .into_any()
}
