//! A call, from calling to ended: one look for each state, the same places for the same things.
//!
//! ```text
//!   state        who, office, timer        who can hear        levels        keys        text
//!                [stages]                  [each member]                     [bring, announce, connect]
//! ```

use leptos::prelude::*;
use protocol::{CallState, CallView, Command};

use crate::app::{App, Route, under_way};
use crate::heard::forget_ended;
use crate::parts::avatar::avatar;
use crate::parts::banners::sound_problem;
use crate::parts::devices::devices;
use crate::parts::icon::{Icon, icon};
use crate::parts::meter::{SILENCE, meter};
use crate::parts::state::{spoken, urgent};
use crate::screens::console::queue;
use crate::screens::{bring, night, room, rules, transfer};
use crate::time::timer;
use crate::words;

/// What of a call changes seldom.
#[derive(Clone, PartialEq)]
struct Facts {
    state: CallState,
    contact: u32,
    muted_by_other: bool,
    on_record: (bool, bool),
    asked: bool,
    precedence: protocol::Precedence,
    night: Option<protocol::NightThere>,
    barred: Option<protocol::Barred>,
    relay: Option<protocol::Relay>,
}

fn found(app: App, id: u32, v: &protocol::View) -> Option<Facts> {
    let of = |c: &CallView| Facts {
        state: c.state,
        contact: c.contact,
        muted_by_other: c.muted_by_other,
        on_record: (c.on_record, c.on_record_there),
        asked: c.asked.is_some(),
        precedence: c.room.as_ref().map_or(c.precedence, |room| room.urgency.max(c.precedence)),
        night: c.night.clone(),
        barred: c.barred.clone(),
        relay: c.relay.clone(),
    };
    v.calls
        .iter()
        .find(|c| c.id == id)
        .map(of)
        .or_else(|| app.ended.with(|c| c.as_ref().filter(|c| c.id == id).map(of)))
}

/// The call that has the screen.
pub fn call(app: App) -> AnyView {
    let shown = app.shown_call();
    (move || match shown.get() {
        Some(id) => one(app, id, false),
        None => {
            // It ended while another screen was shown.
            crate::browser::after(0, move || {
                if app.route.get_untracked() == Route::Call && shown.get_untracked().is_none() {
                    app.back();
                }
            });
            ().into_any()
        }
    })
    .into_any()
}

/// A call. On the console, what is beside it stands there, and it takes the focus only from nobody.
pub fn one(app: App, id: u32, console: bool) -> AnyView {
    let t = app.t();
    let facts: Memo<Option<Facts>> = app.part(move |v| found(app, id, v));
    let state = Memo::new(move |_| facts.get().map(|f| f.state));
    let contact = app.part(move |v| {
        let who = found(app, id, v)?.contact;
        v.contacts.iter().find(|c| c.id == who).cloned()
    });
    let room = app.part(move |v| room::found(app, id, v));
    let in_room = Memo::new(move |_| room.with(Option::is_some));
    let with = Memo::new(move |_| {
        let of_contact = || contact.get().map(|c| (c.name, c.office));
        let of_room = room.with(|r| r.as_ref().and_then(words::room::with_whom));
        of_room.or_else(of_contact).unwrap_or_else(|| ("?".to_owned(), String::new()))
    });
    let name = move || with.get().0;
    let behalf = app.part(move |v| v.calls.iter().find(|c| c.id == id)?.behalf.clone());
    let talks = Memo::new(move |_| {
        matches!(
            state.get(),
            Some(
                CallState::Connected
                    | CallState::HeldByMe
                    | CallState::HeldByOther
                    | CallState::Reconnecting
            )
        )
    });
    let look = move || {
        let crowd = if in_room.get() { " in-room" } else { "" };
        format!("call look-{}{crowd}", state.get().map_or("ended", words::look))
    };
    let time = move || {
        let live = app.meters.with(|m| m.calls.iter().find(|c| c.id == id).map(|c| c.timer_ms));
        timer(live.or_else(|| app.ended.with(|c| c.as_ref().map(|c| c.timer_ms))).unwrap_or(0))
    };
    let timed = Memo::new(move |_| {
        talks.get() || (matches!(state.get(), Some(CallState::Ended(_))) && time() != "0:00")
    });
    // Words of the call: in a call of more than two, those of its stage.
    let said = app.part(move |v| {
        let live = v.calls.iter().find(|c| c.id == id).map(|c| words::room::state(c, t));
        live.or_else(|| app.ended.with(|c| c.as_ref().map(|c| words::room::state(c, t))))
    });
    let known = Memo::new(move |_| {
        use protocol::Keys;
        contact.get().is_some_and(|c| matches!(c.keys, Keys::Verified | Keys::Pinned))
    });
    let at = Memo::new(move |_| {
        let asked = facts.get().is_some_and(|f| f.asked);
        let stage = |r: &protocol::RoomView| {
            words::room::is_arranged(r, asked).then(|| words::room::reached(r))
        };
        room.with(|r| r.as_ref().and_then(stage)).filter(|_| state.get().is_some_and(under_way))
    });
    // It talks, and nobody is held or handed over: more people can come in.
    let takes = Memo::new(move |_| talks.get() && state.get() == Some(CallState::Connected));
    let node = NodeRef::<leptos::html::H1>::new();
    Effect::new(move |_| {
        let free = !console || crate::browser::nothing_focused();
        if let Some(node) = node.get().filter(|_| free) {
            // A heading that cannot be focused is read in its turn.
            let _ = node.focus();
        }
    });
    view! {
        <article class=look>
            <div class="call-head">
                <span class="ringing-avatar">{move || avatar(&name(), true)}</span>
                <h1 node_ref=node tabindex="-1" dir="auto">{name}</h1>
                <p class="office" dir="auto">{move || with.get().1}</p>
                {move || behalf.get().map(|b| {
                    let (of, tone, said) = words::behalf(&b, t);
                    spoken(of, tone, said)
                })}
                {move || facts.get().and_then(|f| urgent(f.precedence, t))}
                <div class="call-state" role="status" aria-live="assertive">
                    {move || said.get().map(|(s, _)| spoken(s.icon, s.tone, s.words.to_owned()))}
                </div>
                {move || timed.get().then(|| view! { <p class="timer" role="timer">{time}</p> })}
                <p class="explain">{move || said.get().map(|(_, more)| more)}</p>
                {move || facts.get().and_then(|f| f.relay).map(|r| relay(app, &r, &name()))}
                {move || facts.get().and_then(|f| f.barred).map(|b| rules::lifted_by(&b, t))}
                {move || facts.get().and_then(|f| f.night).map(|there| spoken(Icon::Moon, words::Tone::Care, night::there(app, &there)))}
            </div>
            {move || at.get().map(|stage| room::stages(app, stage))}
            {transfer::of_call(app, id)}
            <div class="room-keys">
                {move || takes.get().then(|| bring::bring(app, id))}
                {move || in_room.get().then(|| room::announce(app, id, room))}
            </div>
            {move || in_room.get().then(|| room::connect(app, id, room))}
            {sound_problem(app)}
            {move || (state.get().is_some_and(under_way) && !(in_room.get() && known.get())).then(|| protection(app, contact))}
            {move || (state.get().is_some_and(under_way) && in_room.get()).then(|| room::people(app, id, room, known))}
            {move || facts.get().filter(|f| under_way(f.state)).and_then(|f| on_record(app, id, f.on_record))}
            {move || talks.get().then(|| levels(app, id, facts, contact, in_room))}
            {move || match state.get() {
                Some(s) if under_way(s) => keys(app, id, state, talks, room),
                _ => over(app, id, contact.get_untracked().map(|c| c.id)),
            }}
            {move || (console && talks.get() && !matches!(state.get(), Some(CallState::HeldByMe))).then(|| queue::park(app, id))}
            {(!console).then(|| others(app, id))}
            {move || talks.get().then(|| beside(app, id))}
        </article>
    }
    .into_any()
}

fn protection(app: App, contact: Memo<Option<protocol::ContactView>>) -> AnyView {
    let t = app.t();
    view! {
        <section class="protection" aria-label=t.protection>
            {move || {
                let c = contact.get();
                let (of, tone, said) = words::protection(c.as_ref(), t);
                let verify = c.filter(|c| c.has_words && c.keys == protocol::Keys::Unverified).map(|c| c.id);
                view! {
                    {spoken(of, tone, said)}
                    {verify.map(|id| view! { <button on:click=move |_| app.go(Route::Verify(id))>{t.verify}</button> })}
                }
            }}
        </section>
    }
    .into_any()
}

/// Who keeps a record of the call; and a place for notes, if it is the own office.
fn on_record(app: App, id: u32, (here, there): (bool, bool)) -> Option<AnyView> {
    let t = app.t();
    let words = match (here, there) {
        (true, true) => t.rec_both,
        (true, false) => t.rec_here,
        (false, true) => t.rec_there,
        (false, false) => return None,
    };
    Some(
        view! {
            <section class="protection" aria-label=t.rec_title>
                {spoken(Icon::Pen, crate::words::Tone::Calm, words.to_owned())}
            </section>
            {here.then(|| minutes(app, id))}
        }
        .into_any(),
    )
}

/// Notes for the record.
fn minutes(app: App, id: u32) -> AnyView {
    let t = app.t();
    let notes = app.part(move |v| {
        v.calls.iter().find(|c| c.id == id).map(|c| c.minutes.clone()).unwrap_or_default()
    });
    let typed = RwSignal::new(String::new());
    let send = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let text = typed.get_untracked().trim().to_owned();
        if !text.is_empty() {
            app.want(Command::Minute { call: id, text }, move || {
                // The call may be over by now.
                let _ = typed.try_set(String::new());
            });
        }
    };
    view! {
        <section class="beside" aria-label=t.rec_note>
            <ol class="bubbles">
                {move || notes.get().into_iter().map(|text| view! { <li class="bubble mine"><p dir="auto">{text}</p></li> }).collect_view()}
            </ol>
            <form class="compose" on:submit=send>
                <input type="text" maxlength="1000" dir="auto" placeholder=t.rec_note aria-label=t.rec_note autocomplete="off"
                    prop:value=move || typed.get() on:input=move |e| typed.set(event_target_value(&e)) />
                <button class="round" type="submit" aria-label=t.save title=t.save>{icon(Icon::Pen)}</button>
            </form>
        </section>
    }
    .into_any()
}

fn levels(
    app: App,
    id: u32,
    facts: Memo<Option<Facts>>,
    contact: Memo<Option<protocol::ContactView>>,
    in_room: Memo<bool>,
) -> AnyView {
    let t = app.t();
    let muted = app.part(|v| v.muted);
    let mine =
        move || if muted.get() { format!("{} ({})", t.you, t.muted) } else { t.you.to_owned() };
    let theirs = move || {
        let name = contact.get().map_or_else(|| "?".to_owned(), |c| c.name);
        if facts.get().is_some_and(|f| f.muted_by_other) {
            format!("{name} ({})", t.muted)
        } else {
            name
        }
    };
    let mic = move || if muted.get() { SILENCE } else { app.meters.with(|m| m.mic) };
    let of_call = move || app.meters.with(|m| m.calls.iter().find(|c| c.id == id).cloned());
    let level = move || of_call().map_or(SILENCE, |c| c.level);
    let grade = Memo::new(move |_| of_call().and_then(|c| c.quality).map(|q| q.grade));
    view! {
        <section class="levels">
            {move || (!in_room.get()).then(|| view! { {meter(theirs, level)} {meter(mine, mic)} })}
            <details class="figures">
                <summary>{icon(Icon::Chart)}<span>{move || words::grade(grade.get(), t)}</span><span class="hint">{t.statistics}</span></summary>
                {statistics(app, id)}
            </details>
        </section>
    }
    .into_any()
}

fn statistics(app: App, id: u32) -> AnyView {
    let t = app.t();
    let rows = move || {
        app.meters.with(|m| {
            let s = m.stats;
            let q = m.calls.iter().find(|c| c.id == id).and_then(|c| c.quality);
            let mut rows = Vec::new();
            if let Some(q) = q {
                rows.push((
                    t.n_lost,
                    format!("{:.1} % · {:.0} % {}", q.loss_percent, q.rebuilt_percent, t.n_rebuilt),
                ));
                rows.push((t.n_delay, format!("{:.0} ms", q.delay_ms)));
                rows.push((t.n_jitter, format!("{:.1} ms", q.jitter_ms)));
            }
            rows.push((t.n_round_trip, format!("{:.0} ms", s.round_trip_ms)));
            rows.push((
                t.n_cells,
                format!("{} · {} · {}", s.cells_sent, s.cells_received, s.cells_lost),
            ));
            rows.push((
                t.n_frames,
                format!("{} · {} · {}", s.frames_played, s.frames_rebuilt, s.frames_concealed),
            ));
            rows.push((
                t.n_sound,
                format!("{} · {:.0} ms · {}", s.mic_gaps, s.mic_waits_ms, s.player_gaps),
            ));
            rows.push((t.n_skipped, s.ticks_skipped.to_string()));
            rows.push((t.n_refused, s.voice_refused.to_string()));
            rows
        })
    };
    view! {
        <dl class="pairs numbers">
            {move || rows().into_iter().map(|(what, n)| view! { <div><dt>{what}</dt><dd dir="ltr">{n}</dd></div> }).collect_view()}
        </dl>
    }
    .into_any()
}

fn keys(
    app: App,
    id: u32,
    state: Memo<Option<CallState>>,
    talks: Memo<bool>,
    room: Memo<Option<protocol::RoomView>>,
) -> AnyView {
    let t = app.t();
    // Who is held by attendants holds nobody.
    let waits = Memo::new(move |_| room.with(|r| r.as_ref().is_some_and(words::room::waits)));
    let muted = app.part(|v| v.muted);
    let held = Memo::new(move |_| state.get() == Some(CallState::HeldByMe));
    let sound = RwSignal::new(false);
    view! {
        <div class="call-keys" role="group" aria-label=t.controls>
            <button class:pressed=move || muted.get() aria-pressed=move || muted.get().to_string()
                aria-keyshortcuts="m" on:click=move |_| app.toggle_mute()>
                <span class="key">{move || icon(if muted.get() { Icon::MicOff } else { Icon::Mic })}</span>
                <span>{move || if muted.get() { t.unmute } else { t.mute }}</span>
            </button>
            <button id="key-hold" class:pressed=move || held.get() aria-pressed=move || held.get().to_string()
                disabled=move || !talks.get() || waits.get() aria-keyshortcuts="h" on:click=move |_| app.hold(id)>
                <span class="key">{move || icon(if held.get() { Icon::Play } else { Icon::Pause })}</span>
                <span>{move || if held.get() { t.resume } else { t.hold }}</span>
            </button>
            <button class:pressed=move || sound.get() aria-expanded=move || sound.get().to_string()
                on:click=move |_| sound.update(|on| *on = !*on)>
                <span class="key">{icon(Icon::Speaker)}</span><span>{t.sound}</span>
            </button>
            <button class="end" aria-keyshortcuts="e" on:click=move |_| app.end(id)>
                <span class="key">{icon(Icon::PhoneDown)}</span><span>{t.end}</span>
            </button>
        </div>
        {move || sound.get().then(|| view! { <div class="block">{devices(app)}</div> })}
    }
    .into_any()
}

/// After the end, for a while.
fn over(app: App, id: u32, contact: Option<u32>) -> AnyView {
    let t = app.t();
    let busy = app.ended.with_untracked(|c| {
        c.as_ref().is_some_and(|c| c.id == id && c.state == CallState::Ended(protocol::End::Busy))
    });
    let can = contact.filter(|id| {
        app.view.with_untracked(|v| v.contacts.iter().any(|c| c.id == *id && words::callable(c)))
    });
    view! {
        <div class="row center">
            {can.filter(|_| busy).map(|contact| view! {
                <button on:click=move |_| app.command(Command::Camp { contact, minutes: 15 })>{icon(Icon::Refresh)}<span>{t.con_camp}</span></button>
            })}
            {can.map(|contact| view! {
                <button class="go" on:click=move |_| app.call_id(contact)>{icon(Icon::Phone)}<span>{t.call_again}</span></button>
            })}
            <button on:click=move |_| forget_ended(app, id)>{t.close}</button>
        </div>
    }
    .into_any()
}

/// Calls besides this one.
fn others(app: App, id: u32) -> AnyView {
    let t = app.t();
    let calls = app.part(move |v| {
        let other = |c: &&CallView| c.id != id && under_way(c.state);
        let named = |c: &CallView| {
            let name = v.contacts.iter().find(|k| k.id == c.contact).map(|k| k.name.clone());
            (c.id, name.unwrap_or_default(), c.state)
        };
        v.calls.iter().filter(other).map(named).collect::<Vec<_>>()
    });
    (move || calls.get().into_iter().map(|(other, name, state)| view! {
        <div class="other-call">
            <span class="grow"><strong dir="auto">{name}</strong>" "{spoken(words::call(state, t).0.icon, words::call(state, t).0.tone, words::call(state, t).0.words.to_owned())}</span>
            <button on:click=move |_| app.hold(other)>{icon(Icon::Play)}<span>{t.resume}</span></button>
            <button class="danger-quiet" on:click=move |_| app.end(other)>{icon(Icon::PhoneDown)}<span>{t.end}</span></button>
        </div>
    }).collect_view())
    .into_any()
}

/// Text beside voice.
fn beside(app: App, id: u32) -> AnyView {
    let t = app.t();
    let texts = app.part(move |v| {
        v.calls.iter().find(|c| c.id == id).map(|c| c.texts.clone()).unwrap_or_default()
    });
    let typed = RwSignal::new(String::new());
    let send = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let text = typed.get_untracked().trim().to_owned();
        if !text.is_empty() {
            app.want(Command::Say { call: id, text }, move || {
                // The call may be over by now.
                let _ = typed.try_set(String::new());
            });
        }
    };
    view! {
        <section class="beside" aria-label=t.text_beside>
            <ol class="bubbles" aria-live="polite">
                {move || texts.get().into_iter().map(|text| {
                    let (of, mark) = if text.arrived { (Icon::Checks, t.arrived) } else { (Icon::Clock, t.on_its_way) };
                    view! {
                        <li class="bubble" class:mine=text.mine>
                            <p dir="auto">{text.text}</p>
                            {text.mine.then(|| view! { <small>{icon(of)}<span>{mark}</span></small> })}
                        </li>
                    }
                }).collect_view()}
            </ol>
            <form class="compose" on:submit=send>
                <input type="text" maxlength="1000" dir="auto" placeholder=t.write aria-label=t.write autocomplete="off"
                    prop:value=move || typed.get() on:input=move |e| typed.set(event_target_value(&e)) />
                <button class="round primary" type="submit" aria-label=t.send title=t.send>{icon(Icon::Send)}</button>
            </form>
        </section>
    }
    .into_any()
}

/// Who answers for whom.
pub fn relay(app: App, relay: &protocol::Relay, with: &str) -> AnyView {
    let (of, tone, said) =
        words::staff::relay(relay, with, |contact| app.name_of(contact), app.t());
    spoken(of, tone, said)
}
