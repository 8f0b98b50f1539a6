//! Who one is, devices, lock, language and looks, version, and the end.

use leptos::prelude::*;
use protocol::{Command, ToWorker};
use wasm_bindgen_futures::spawn_local;

use crate::app::{App, Route};
use crate::attention;
use crate::parts::confirm::confirm;
use crate::parts::devices::{devices, test};
use crate::parts::fields::switch;
use crate::parts::heading::heading;
use crate::parts::icon::{Icon, icon};
use crate::parts::lock_form::lock_form;
use crate::parts::state::state;
use crate::prefs::{self, Looks};
use crate::screens::night;
use crate::text::Lang;
use crate::words;

/// The settings.
pub fn settings(app: App) -> AnyView {
    let t = app.t();
    view! {
        <div class="top plain">{heading(move || t.settings.to_owned())}</div>
        <div class="page">
            {me(app)}
            {away(app)}
            <section class="block"><h2>{t.devices}</h2>{devices(app)}{test(app)}</section>
            {notifications(app)}
            {looks(app)}
            {lock(app)}
            {position(app)}
            {night::block(app)}
            {record(app)}
            <section class="block">
                <h2>{t.wipe}</h2>
                <p class="hint">{t.wipe_body}</p>
                {confirm(app, t.wipe, t.wipe_body.to_owned(), Some(t.wipe_word), move || app.say(&ToWorker::Wipe))}
            </section>
            <footer class="hint foot">
                <p>{t.shortcuts}</p>
                <p>{t.shortcuts_room}</p>
                <p>{t.version}": "<code dir="ltr">{move || app.build.get().unwrap_or_else(|| t.version_unknown.to_owned())}</code></p>
            </footer>
        </div>
    }
    .into_any()
}

fn me(app: App) -> AnyView {
    let t = app.t();
    let facts = app.part(|v| (v.name.clone(), v.office.clone(), v.first_handset, v.kept, v.line));
    view! {
        <section class="block">
            <h2>{t.set_you}</h2>
            <dl class="pairs">
                <div><dt>{t.set_name}</dt><dd dir="auto">{move || facts.get().0}</dd></div>
                <div><dt>{t.set_office}</dt><dd dir="auto">{move || facts.get().1}</dd></div>
                <div>
                    <dt>{t.set_handset}</dt>
                    <dd>
                        {move || state(words::line(facts.get().4, t))}
                        <span>{move || if facts.get().2 { t.first_handset } else { t.other_handset }}</span>
                        <span>{move || if facts.get().3 { t.kept } else { t.not_kept }}</span>
                    </dd>
                </div>
            </dl>
        </section>
    }
    .into_any()
}

/// Calls that come in make no sound.
fn away(app: App) -> AnyView {
    let t = app.t();
    let on = app.part(|v| v.away);
    view! {
        <section class="block">
            {switch(t.away, Some(t.away_body), on.into(), Box::new(move |on| app.command(Command::SetAway { on })))}
        </section>
    }
    .into_any()
}

/// A switchboard position, for attendants.
fn position(app: App) -> AnyView {
    let t = app.t();
    let on = app.part(|v| v.position.is_some());
    let set = move |on: bool| app.command(Command::SetPosition { recall: on.then_some(180) });
    view! {
        <section class="block">
            <h2>{t.console}</h2>
            {switch(t.con_position, Some(t.con_position_body), on.into(), Box::new(set))}
            {move || on.get().then(|| view! {
                <button on:click=move |_| app.go_first(Route::Console)>{icon(Icon::Headset)}<span>{t.con_open}</span></button>
            })}
        </section>
    }
    .into_any()
}

/// The office's record: who can read it, and whether the owner has to vouch for somebody.
fn record(app: App) -> AnyView {
    let t = app.t();
    let facts = app.part(|v| v.record.clone());
    let typed = RwSignal::new(String::new());
    let accept = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let fingerprint = typed.get_untracked();
        app.want(Command::AcceptOfficer { fingerprint }, move || {
            // The screen may be gone by now.
            let _ = typed.try_set(String::new());
        });
    };
    view! {
        <section class="block">
            <h2>{t.rec_title}</h2>
            {move || {
                let r = facts.get();
                view! {
                    {match r.officer {
                        Some(officer) => view! { <p>{t.rec_officer}<br /><code dir="ltr">{officer}</code></p> }.into_any(),
                        None => view! { <p class="hint">{t.rec_none}</p> }.into_any(),
                    }}
                    {r.doubt.map(|_| view! { <p class="state care">{icon(Icon::Alert)}<span>{t.rec_doubt}</span></p> })}
                    {r.asked.map(|asked| view! {
                        <p>{t.rec_asked}</p>
                        <p><code dir="ltr">{asked}</code></p>
                        <form on:submit=accept>
                            <label class="field">
                                <span>{t.rec_type}</span>
                                <input type="text" dir="ltr" autocomplete="off" spellcheck="false" maxlength="60"
                                    prop:value=move || typed.get() on:input=move |e| typed.set(event_target_value(&e)) />
                            </label>
                            <button type="submit">{icon(Icon::Check)}<span>{t.rec_accept}</span></button>
                        </form>
                    })}
                    <p class="hint">{t.rec_mark}<br /><code dir="ltr">{r.mark}</code></p>
                }
            }}
        </section>
    }
    .into_any()
}

fn notifications(app: App) -> AnyView {
    let t = app.t();
    let asked = RwSignal::new(0u32);
    let allow = move |_| {
        spawn_local(async move {
            attention::allow().await;
            // The screen may be gone by now.
            let _ = asked.try_update(|n| *n += 1);
        });
    };
    view! {
        <section class="block">
            <h2>{t.notifications}</h2>
            {move || {
                let _ = asked.get();
                if attention::may_ask() {
                    view! { <p class="hint">{t.notify_ask}</p><button on:click=allow>{icon(Icon::Bell)}<span>{t.notify_yes}</span></button> }.into_any()
                } else if attention::allowed() {
                    view! { <p class="state good">{icon(Icon::Check)}<span>{t.notify_on}</span></p> }.into_any()
                } else {
                    view! { <p class="state care">{icon(Icon::Block)}<span>{t.notify_off}</span></p> }.into_any()
                }
            }}
        </section>
    }
    .into_any()
}

fn looks(app: App) -> AnyView {
    let t = app.t();
    let chosen = RwSignal::new(prefs::looks());
    let name = move |looks| match looks {
        Looks::System => t.system,
        Looks::Light => t.light,
        Looks::Dark => t.dark,
    };
    let speak = move |e| {
        let tag = event_target_value(&e);
        if let Some(lang) = Lang::ALL.into_iter().find(|l| l.tag() == tag) {
            prefs::choose_language(lang);
            app.lang.set(lang);
        }
    };
    view! {
        <section class="block">
            <h2>{t.appearance}</h2>
            <div class="segments">
                {Looks::ALL.map(|this| view! {
                    <label class:chosen=move || chosen.get() == this>
                        <input type="radio" name="looks" prop:checked=move || chosen.get() == this
                            on:change=move |_| { chosen.set(this); prefs::choose_looks(this); } />
                        <span>{name(this)}</span>
                    </label>
                })}
            </div>
            <label class="field">
                <span>{t.language}</span>
                <select on:change=speak>
                    {Lang::ALL.map(|lang| view! {
                        <option value=lang.tag() lang=lang.tag() selected=app.lang.get_untracked() == lang>{lang.own_name()}</option>
                    })}
                </select>
            </label>
        </section>
    }
    .into_any()
}

fn lock(app: App) -> AnyView {
    let t = app.t();
    let kept = app.part(|v| v.kept);
    let name = Signal::derive(move || app.view.with(|v| v.name.clone()));
    let change = move |lock| {
        let Some(link) = app.link.get_value() else { return };
        app.busy.set(true);
        link.relock(lock, move |result| {
            app.busy.set(false);
            match result {
                Ok(()) => app.notify(t.changed.to_owned(), false),
                Err(problem) => app.problem(&problem),
            }
        });
    };
    (move || {
        kept.get().then(|| view! {
            <section class="block">
                <h2>{t.lock_title}</h2>
                <button on:click=move |_| app.say(&ToWorker::Lock)>{icon(Icon::Lock)}<span>{t.lock_now}</span></button>
                <details>
                    <summary>{t.change_lock}</summary>
                    {lock_form(app, false, t.change_lock, name, change)}
                </details>
            </section>
        })
    })
    .into_any()
}
