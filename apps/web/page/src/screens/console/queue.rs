//! Calls that wait to be answered, and calls that are put aside.

use leptos::prelude::*;
use protocol::{CallState, CallView, Command, ParkedView, Precedence};

use crate::app::{App, waiting as waiting_calls};
use crate::parts::avatar::avatar;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::{spoken, urgent};
use crate::text::fill;
use crate::time::timer;
use crate::words::{self, Tone};

/// What of a call changes seldom.
#[derive(Clone, PartialEq)]
struct Line {
    id: u32,
    name: String,
    office: String,
    came_ms: f64,
    asked: Option<protocol::Role>,
    precedence: Precedence,
    rings: bool,
    parked: Option<ParkedView>,
}

/// Lines of the calls that `of` chooses, in its order.
fn lines(
    app: App,
    of: impl Fn(&[CallView]) -> Vec<&CallView> + Send + Sync + 'static,
) -> Memo<Vec<Line>> {
    app.part(move |v| {
        let line = |c: &CallView| {
            let who = v.contacts.iter().find(|k| k.id == c.contact);
            Line {
                id: c.id,
                name: who.map_or_else(|| "?".to_owned(), |k| k.name.clone()),
                office: who.map(|k| k.office.clone()).unwrap_or_default(),
                came_ms: c.came_ms,
                asked: c.asked.as_ref().map(|a| a.role),
                precedence: c.precedence,
                rings: c.rings,
                parked: c.parked.clone(),
            }
        };
        of(&v.calls).into_iter().map(line).collect()
    })
}

/// From one time to another; a clock that was set back says zero.
fn between(from: f64, to: f64) -> String {
    timer((to - from).max(0.0) as u64)
}

/// Who is it, and where; beside it what is done with it.
fn head(line: &Line) -> AnyView {
    view! {
        {avatar(&line.name, false)}
        <span class="contact-words">
            <strong dir="auto">{line.name.clone()}</strong>
            <span class="hint" dir="auto">{line.office.clone()}</span>
        </span>
    }
    .into_any()
}

/// Calls that ring here: the most urgent first, and of equals the one that came first.
pub fn waiting(app: App, now: RwSignal<f64>) -> AnyView {
    let t = app.t();
    let all = lines(app, waiting_calls);
    let talking = app.calls_under_way();
    let row = move |(n, line): (usize, Line)| {
        let (id, came, first) = (line.id, line.came_ms, n == 0);
        let answer = move || if talking.get() { t.hold_answer } else { t.answer };
        let label = line.name.clone();
        let (answers, declines) = (label.clone(), label);
        view! {
            <li class="queued">
                {head(&line)}
                {urgent(line.precedence, t)}
                {(!line.rings).then(|| spoken(Icon::Moon, Tone::Calm, t.silent.to_owned()))}
                <span class="queued-time" role="timer">{move || fill(t.con_waits, &between(came, now.get()))}</span>
                {line.asked.map(|role| spoken(Icon::People, Tone::Calm, words::room::role(role, t).to_owned()))}
                <div class="row queued-keys">
                    <button class="go" class:next=first aria-keyshortcuts=first.then_some("a")
                        aria-label=move || format!("{}: {answers}", answer()) on:click=move |_| app.answer(id)>
                        {icon(Icon::Phone)}<span>{answer}</span>{first.then(|| key("A"))}
                    </button>
                    <button aria-label=format!("{}: {declines}", t.decline) on:click=move |_| app.end(id)>{t.decline}</button>
                </div>
            </li>
        }
    };
    view! {
        <section class="block" aria-labelledby="waiting-title">
            <h2 id="waiting-title">{t.con_waiting}<span class="count">{move || all.with(Vec::len)}</span></h2>
            <ol class="queue">{move || all.get().into_iter().enumerate().map(row).collect_view()}</ol>
            {move || all.with(Vec::is_empty).then(|| view! { <p class="hint">{t.con_waiting_none}</p> })}
        </section>
    }
    .into_any()
}

/// Calls that are parked, with the reason and their time; and others that are held.
pub fn put_aside(app: App, now: RwSignal<f64>) -> AnyView {
    let t = app.t();
    let shown = app.shown_call();
    let all = lines(app, |calls| {
        let aside = |c: &&CallView| c.state == CallState::HeldByMe || c.parked.is_some();
        calls.iter().filter(aside).collect()
    });
    let row = move |(n, line): (usize, Line)| {
        let (id, first, recalled) =
            (line.id, n == 0, line.parked.as_ref().is_some_and(|p| p.recalled));
        let parked = line.parked.clone();
        let resumes = line.name.clone();
        let ends = line.name.clone();
        view! {
            <li class="queued" class:recalled=recalled>
                {head(&line)}
                {urgent(line.precedence, t)}
                {match parked {
                    Some(ParkedView { reason, since_ms, recall_ms, .. }) => view! {
                        <span class="queued-time" role="timer">{move || fill(t.con_parked_for, &between(since_ms, now.get()))}</span>
                        {(!reason.is_empty()).then(|| view! { <p class="reason" dir="auto">{reason}</p> })}
                        {move || if recalled {
                            spoken(Icon::Bell, Tone::Care, t.con_recall_now.to_owned())
                        } else {
                            spoken(Icon::Clock, Tone::Calm, fill(t.con_recall_in, &between(now.get(), recall_ms)))
                        }}
                    }.into_any(),
                    None => spoken(Icon::Pause, Tone::Care, t.st_held_me.to_owned()),
                }}
                <div class="row queued-keys">
                    <button aria-keyshortcuts=first.then_some("r") aria-label=format!("{}: {resumes}", t.resume)
                        on:click=move |_| app.resume(id)>
                        {icon(Icon::Play)}<span>{t.resume}</span>{first.then(|| key("R"))}
                    </button>
                    <button class="danger-quiet" aria-label=format!("{}: {ends}", t.end) on:click=move |_| app.end(id)>{t.end}</button>
                </div>
            </li>
        }
    };
    // The call that has the screen is held there, unless it is parked. Who waits too long stands first.
    let aside = Memo::new(move |_| {
        let mut all = all.get();
        all.retain(|line| line.parked.is_some() || shown.get() != Some(line.id));
        all.sort_by_key(|line| !line.parked.as_ref().is_some_and(|p| p.recalled));
        all
    });
    view! {
        <section class="block" aria-labelledby="parked-title">
            <h2 id="parked-title">{t.con_parked}<span class="count">{move || aside.with(Vec::len)}</span></h2>
            <ol class="queue">{move || aside.get().into_iter().enumerate().map(row).collect_view()}</ol>
            {move || aside.with(Vec::is_empty).then(|| view! { <p class="hint">{t.con_parked_none}</p> })}
        </section>
    }
    .into_any()
}

/// A key that does the same, where it can be seen.
pub fn key(letter: &'static str) -> AnyView {
    view! { <kbd aria-hidden="true" data-key=letter></kbd> }.into_any()
}

/// Puts the call aside: why, and for how long.
pub fn park(app: App, id: u32) -> AnyView {
    let t = app.t();
    let reason = RwSignal::new(String::new());
    let recall = RwSignal::new(app.view.with_untracked(|v| v.position).unwrap_or(180));
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let (reason, recall) =
            (reason.get_untracked().trim().to_owned(), Some(recall.get_untracked()));
        app.command(Command::Park { call: id, reason, recall });
    };
    view! {
        <form class="park" on:submit=go>
            <label class="field">
                <span>{t.con_park_why}</span>
                <input id="key-park" type="text" maxlength="60" dir="auto" autocomplete="off" aria-keyshortcuts="p"
                    prop:value=move || reason.get() on:input=move |e| reason.set(event_target_value(&e)) />
            </label>
            <label class="field">
                <span>{t.con_recall_after}</span>
                {minutes(&[1, 2, 3, 5, 10, 20], recall)}
            </label>
            <button type="submit">{icon(Icon::Pause)}<span>{t.con_park}</span>{key("P")}</button>
        </form>
    }
    .into_any()
}

/// A choice of minutes, kept in seconds.
pub fn minutes(of: &'static [u32], seconds: RwSignal<u32>) -> AnyView {
    view! {
        <select on:change=move |e| seconds.set(event_target_value(&e).parse().unwrap_or(180))>
            {of.iter().map(|n| view! {
                <option value=(n * 60).to_string() selected=move || seconds.get() == n * 60>{format!("{n} min")}</option>
            }).collect_view()}
        </select>
    }
    .into_any()
}
