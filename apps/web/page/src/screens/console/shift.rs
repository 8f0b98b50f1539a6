//! The position goes to another handset of this person, between shifts.
//!
//! ```text
//!  to which handset, a note, what goes ─► offered ─► under way ─► over, with what stayed
//!                          there: what comes, the note ─► take it, or not ─► over
//! ```

use leptos::prelude::*;
use protocol::{CallState, Command, ShiftStage, ShiftView};

use crate::app::App;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::spoken;
use crate::text::fill;
use crate::words::Tone;

/// A hand-over, and the name of the other handset.
type Named = Option<(ShiftView, String)>;

fn named(v: &protocol::View, contact: u32) -> String {
    let found = v.contacts.iter().find(|c| c.id == contact);
    found.map_or_else(|| "?".to_owned(), |c| c.name.clone())
}

/// The position of another handset, as it comes here: above every screen, since this one need not be a position yet.
pub fn comes(app: App) -> AnyView {
    let t = app.t();
    let taken: Memo<Named> = app.part(|v| {
        let s = v.shift_taken.clone()?;
        let name = named(v, s.with);
        Some((s, name))
    });
    (move || taken.get().map(|(s, name)| {
        let words = match s.stage {
            ShiftStage::Offered => t.sh_comes,
            ShiftStage::UnderWay => t.sh_taking,
            ShiftStage::Over => t.sh_taken,
            ShiftStage::NotTaken => t.sh_stopped,
        };
        let offered = s.stage == ShiftStage::Offered;
        let (all, gone) = s.appointments;
        let count = if offered { all } else { gone };
        view! {
            <section class="block shift" aria-labelledby="shift-comes">
                <h2 id="shift-comes" dir="auto">{fill(words, &name)}</h2>
                <p>{fill(t.sh_appointments, &count.to_string())}" · "{fill(t.sh_calls, &s.calls.to_string())}</p>
                {(!s.note.is_empty()).then(|| view! {
                    <h3>{t.sh_note_was}</h3>
                    <p class="reason" dir="auto">{s.note.clone()}</p>
                })}
                <div class="row">
                    {offered.then(|| view! {
                        <button class="go" on:click=move |_| app.command(Command::TakeShift)>{icon(Icon::In)}<span>{t.sh_take}</span></button>
                    })}
                    {(s.stage != ShiftStage::UnderWay).then(|| view! {
                        <button on:click=move |_| app.command(Command::LeaveShift)>{if offered { t.sh_leave } else { t.close }}</button>
                    })}
                </div>
            </section>
        }
    }))
    .into_any()
}

/// Handing this handset's position over.
pub fn goes(app: App) -> AnyView {
    let given: Memo<Named> = app.part(|v| {
        let s = v.shift_given.clone()?;
        let name = named(v, s.with);
        Some((s, name))
    });
    let can = app.part(|v| v.position.is_some() && !v.handsets.is_empty());
    let shown = Memo::new(move |_| given.with(Option::is_some));
    view! {
        {move || given.get().map(|(s, name)| state(app, &s, &name))}
        {move || (can.get() && !shown.get()).then(|| form(app))}
    }
    .into_any()
}

/// How far it is, and what stays.
fn state(app: App, s: &ShiftView, name: &str) -> AnyView {
    let t = app.t();
    let (of, tone, words) = match s.stage {
        ShiftStage::Offered => (Icon::Clock, Tone::Calm, t.sh_offered),
        ShiftStage::UnderWay => (Icon::Refresh, Tone::Calm, t.sh_under),
        ShiftStage::Over => (Icon::Check, Tone::Good, t.sh_over),
        ShiftStage::NotTaken => (Icon::Alert, Tone::Care, t.sh_not),
    };
    let ended = matches!(s.stage, ShiftStage::Over | ShiftStage::NotTaken);
    let (all, gone) = s.appointments;
    let left: Vec<String> = app.view.with_untracked(|v| {
        let stays = v.agenda.iter().filter(|a| s.left.contains(&a.id));
        stays.map(|a| a.appointment.agenda.clone()).collect()
    });
    view! {
        <section class="block shift" aria-labelledby="shift-goes">
            <h2 id="shift-goes">{t.sh_title}</h2>
            <div role="status" aria-live="polite">{spoken(of, tone, fill(words, name))}</div>
            <p>{fill(t.sh_gone, &format!("{gone} / {all}"))}</p>
            {(!left.is_empty()).then(|| view! { <p dir="auto">{fill(t.sh_left, &left.join(", "))}</p> })}
            {(!s.parked.is_empty()).then(|| view! { <p>{fill(t.sh_parked, &s.parked.len().to_string())}</p> })}
            <button on:click=move |_| app.command(Command::EndHandOver)>{if ended { t.close } else { t.sh_stop }}</button>
        </section>
    }
    .into_any()
}

/// To whom, with which note, and what would go.
fn form(app: App) -> AnyView {
    let t = app.t();
    let handsets =
        app.part(|v| v.handsets.iter().map(|id| (*id, named(v, *id))).collect::<Vec<_>>());
    let counts = app.part(|v| {
        let parked = v.calls.iter().filter(|c| c.parked.is_some()).count();
        let waiting = v.calls.iter().filter(|c| c.state == CallState::RingingHere).count();
        (v.agenda.len(), parked, waiting)
    });
    let first = handsets.with_untracked(|h| h.first().map_or(0, |(id, _)| *id));
    let to = RwSignal::new(first);
    let note = RwSignal::new(String::new());
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let note = note.get_untracked().trim().to_owned();
        app.command(Command::HandOver { to: to.get_untracked(), note });
    };
    view! {
        <details class="block shift">
            <summary>{t.sh_title}</summary>
            <form on:submit=go>
                <label class="field">
                    <span>{t.sh_to}</span>
                    <select on:change=move |e| to.set(event_target_value(&e).parse().unwrap_or(first))>
                        {move || handsets.get().into_iter().map(|(id, name)| view! {
                            <option value=id.to_string() selected=move || to.get() == id>{name}</option>
                        }).collect_view()}
                    </select>
                </label>
                <label class="field">
                    <span>{t.sh_note}</span>
                    <textarea rows="3" maxlength="600" dir="auto" prop:value=move || note.get()
                        on:input=move |e| note.set(event_target_value(&e))></textarea>
                </label>
                <p>{t.sh_what}</p>
                <ul>
                    <li>{move || fill(t.sh_appointments, &counts.get().0.to_string())}</li>
                    <li>{move || fill(t.sh_calls, &counts.get().1.to_string())}</li>
                </ul>
                <p class="hint">{move || fill(t.sh_waiting, &counts.get().2.to_string())}</p>
                <p class="hint">{t.sh_only}</p>
                <button type="submit">{icon(Icon::Out)}<span>{t.sh_go}</span></button>
            </form>
        </details>
    }
    .into_any()
}
