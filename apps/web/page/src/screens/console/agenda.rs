//! Appointments: what comes, with the times of both offices, and the form that makes one.

use leptos::html;
use leptos::prelude::*;
use protocol::{Appointment, AppointmentView, Command, ContactView};

use super::queue::minutes;
use crate::app::App;
use crate::browser;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::spoken;
use crate::text::fill;
use crate::time::{from_local, local, offset_words};
use crate::words::{self, Tone};

/// Clocks of the world: hours, and those between.
const BETWEEN: [i16; 8] = [-570, -210, 210, 270, 330, 345, 570, 765];

/// What comes.
pub(super) fn agenda(app: App) -> AnyView {
    let t = app.t();
    let all = app.part(|v| v.agenda.clone());
    let names = app.part(|v| v.contacts.iter().map(|c| (c.id, c.name.clone())).collect::<Vec<_>>());
    let editing = RwSignal::new(None::<(Option<u32>, Appointment)>);
    let row = move |a: AppointmentView| {
        let names = names.get();
        let name =
            |id: &u32| names.iter().find(|(c, _)| c == id).map_or("?", |(_, name)| name.as_str());
        let people = a.appointment.people.iter().map(name).collect::<Vec<_>>().join(", ");
        let (id, of, due) = (a.id, a.appointment, a.due);
        let change = of.clone();
        let time =
            |east: i16| format!("{} {}", day_and_time(app, of.at_ms, east), offset_words(east));
        let (starts, removes, changes) = (people.clone(), people.clone(), people.clone());
        view! {
            <li class="queued" class:recalled=due>
                <span class="contact-words">
                    <strong>{time(of.here)}</strong>
                    {(of.there != of.here).then(|| view! { <span class="hint">{fill(t.ag_theirs, &time(of.there))}</span> })}
                    <span dir="auto">{people}</span>
                </span>
                {due.then(|| spoken(Icon::Bell, Tone::Care, t.ag_due.to_owned()))}
                {(!of.agenda.is_empty()).then(|| view! { <p class="reason" dir="auto">{of.agenda.clone()}</p> })}
                {(!of.language.is_empty()).then(|| spoken(Icon::Chat, Tone::Calm, of.language.clone()))}
                {(!of.note.is_empty()).then(|| view! {
                    <details class="briefing"><summary>{t.ag_briefing}</summary><p class="reason" dir="auto">{of.note.clone()}</p></details>
                })}
                <div class="row queued-keys">
                    <button class="go" aria-label=format!("{}: {starts}", t.ag_start)
                        on:click=move |_| { app.sound_on(); app.command(Command::Start { id }); }>
                        {icon(Icon::Phone)}<span>{t.ag_start}</span>
                    </button>
                    {due.then(|| view! { <button on:click=move |_| app.command(Command::Reminded { id })>{t.ag_seen}</button> })}
                    <button class="quiet" aria-label=format!("{}: {changes}", t.ag_change)
                        on:click=move |_| editing.set(Some((Some(id), change.clone())))>{t.ag_change}</button>
                    <button class="quiet" aria-label=format!("{}: {removes}", t.ag_remove)
                        on:click=move |_| app.command(Command::Unschedule { id })>{t.ag_remove}</button>
                </div>
            </li>
        }
    };
    view! {
        <section class="block" aria-labelledby="agenda-title">
            <h2 id="agenda-title">{t.ag_title}<span class="count">{move || all.with(Vec::len)}</span></h2>
            <ol class="queue">{move || all.get().into_iter().map(row).collect_view()}</ol>
            {move || all.with(Vec::is_empty).then(|| view! { <p class="hint">{t.ag_none}</p> })}
            <button on:click=move |_| editing.set(Some((None, fresh())))>{icon(Icon::Clock)}<span>{t.ag_new}</span></button>
            {move || editing.get().map(|(id, of)| form(app, id, of, editing))}
        </section>
    }
    .into_any()
}

/// Day and time where the clocks are so many minutes east of UTC, in the person's language.
fn day_and_time(app: App, at_ms: f64, east: i16) -> String {
    let shifted = at_ms + f64::from(east) * 60_000.0;
    let words = [
        ("weekday", "short"),
        ("day", "numeric"),
        ("month", "short"),
        ("hour", "2-digit"),
        ("minute", "2-digit"),
    ];
    let utc: Vec<_> = words.into_iter().chain([("timeZone", "UTC")]).collect();
    browser::date(shifted, app.tag(), &utc)
}

/// How far east of UTC the clock of this device is at a time. Minutes.
fn east(at_ms: f64) -> i16 {
    -js_sys::Date::new(&at_ms.into()).get_timezone_offset() as i16
}

/// In an hour, at a quarter of an hour.
fn fresh() -> Appointment {
    let quarter = 900_000.0;
    let at_ms = ((js_sys::Date::now() + 3_600_000.0) / quarter).ceil() * quarter;
    let here = east(at_ms);
    Appointment {
        at_ms,
        agenda: String::new(),
        people: Vec::new(),
        language: String::new(),
        here,
        there: here,
        note: String::new(),
        remind: 10,
    }
}

/// Makes an appointment, or changes one.
fn form(
    app: App,
    id: Option<u32>,
    of: Appointment,
    editing: RwSignal<Option<(Option<u32>, Appointment)>>,
) -> AnyView {
    let t = app.t();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            // Open already: nothing to do.
            let _ = dialog.show_modal();
        }
    });
    let made = RwSignal::new(of.clone());
    let remind = RwSignal::new(u32::from(of.remind) * 60);
    let callable = app.view.with_untracked(|v| {
        let named = |c: &ContactView| (c.id, format!("{} · {}", c.name, c.office));
        v.contacts.iter().filter(|c| words::callable(c)).map(named).collect::<Vec<_>>()
    });
    let others = callable.clone();
    let close = move || editing.set(None);
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let mut appointment = made.get_untracked();
        appointment.remind = u16::try_from(remind.get_untracked() / 60).unwrap_or_default();
        app.want(Command::Schedule { id, appointment }, close);
    };
    let when = move |text: String| {
        let at = from_local(&text);
        made.update(|a| {
            if let Some(at) = at {
                // The clock here at that time, summer or winter.
                a.here = east(at - f64::from(a.here) * 60_000.0);
                a.at_ms = at - f64::from(a.here) * 60_000.0;
            }
        });
    };
    let first = move |who: Option<u32>| {
        made.update(|a| {
            let before = a.people.first().copied();
            a.people.retain(|other| Some(*other) != who && Some(*other) != before);
            if let Some(who) = who {
                a.people.insert(0, who);
            }
        });
    };
    let mut zones: Vec<i16> = (-12..=14).map(|h| h * 60).chain(BETWEEN).chain([of.there]).collect();
    zones.sort_unstable();
    zones.dedup();
    view! {
        <dialog node_ref=dialog class="sheet" aria-labelledby="agenda-form" on:close=move |_| close()>
            <h2 id="agenda-form">{if id.is_some() { t.ag_change } else { t.ag_new }}</h2>
            <form class="stack" on:submit=go>
                <label class="field">
                    <span>{t.ag_with}</span>
                    <select required on:change=move |e| first(event_target_value(&e).parse().ok())>
                        <option value="">{t.bring_choose}</option>
                        {callable.into_iter().map(|(id, name)| view! {
                            <option value=id.to_string() selected=of.people.first() == Some(&id)>{name}</option>
                        }).collect_view()}
                    </select>
                </label>
                <div class="row">
                    <label class="field grow">
                        <span>{t.ag_when}</span>
                        <input type="datetime-local" required prop:value=local(of.at_ms, of.here) on:change=move |e| when(event_target_value(&e)) />
                    </label>
                    <label class="field">
                        <span>{t.ag_there}</span>
                        <select on:change=move |e| {
                            let there = event_target_value(&e).parse().unwrap_or_default();
                            made.update(|a| a.there = there);
                        }>
                            {zones.into_iter().map(|zone| view! {
                                <option value=zone.to_string() selected=zone == of.there>{offset_words(zone)}</option>
                            }).collect_view()}
                        </select>
                    </label>
                </div>
                <p class="hint" role="status">{move || {
                    let a = made.get();
                    fill(t.ag_theirs, &format!("{} {}", day_and_time(app, a.at_ms, a.there), offset_words(a.there)))
                }}</p>
                <details>
                    <summary>{t.ag_also}</summary>
                    <div class="stack">
                        {others.into_iter().map(|(id, name)| view! {
                            <label class="row">
                                <input type="checkbox" prop:checked=move || made.with(|a| a.people.contains(&id))
                                    disabled=move || made.with(|a| a.people.first() == Some(&id) || a.people.is_empty())
                                    on:change=move |e| {
                                        let on = event_target_checked(&e);
                                        made.update(|a| {
                                            a.people.retain(|other| *other != id);
                                            if on { a.people.push(id); }
                                        });
                                    } />
                                <span dir="auto">{name}</span>
                            </label>
                        }).collect_view()}
                    </div>
                </details>
                <div class="row">
                    <label class="field grow">
                        <span>{t.language}</span>
                        <input type="text" maxlength="30" dir="auto" prop:value=of.language.clone()
                            on:input=move |e| made.update(|a| a.language = event_target_value(&e)) />
                    </label>
                    <label class="field">
                        <span>{t.ag_remind}</span>
                        {minutes(&[0, 5, 10, 15, 30, 60, 1440], remind)}
                    </label>
                </div>
                <label class="field">
                    <span>{t.ag_agenda}</span>
                    <input type="text" maxlength="200" dir="auto" prop:value=of.agenda.clone()
                        on:input=move |e| made.update(|a| a.agenda = event_target_value(&e)) />
                </label>
                <label class="field">
                    <span>{t.ag_note}</span>
                    <textarea rows="3" maxlength="600" dir="auto" prop:value=of.note.clone()
                        on:input=move |e| made.update(|a| a.note = event_target_value(&e))></textarea>
                </label>
                <div class="row end">
                    <button type="button" on:click=move |_| close()>{t.cancel}</button>
                    <button type="submit" class="primary">{t.save}</button>
                </div>
            </form>
        </dialog>
    }
    .into_any()
}
