//! First use: from the operator's link to the contacts, with two questions.

use leptos::prelude::*;
use protocol::{LockChoice, ToWorker};

use crate::app::App;
use crate::browser::window;
use crate::fragment::Fragment;
use crate::parts::heading::heading;
use crate::parts::icon::{Icon, icon};
use crate::parts::lock_form::lock_form;
use crate::text::fill;
use crate::words;

/// With a link or without.
pub fn first(app: App) -> AnyView {
    let has_link = Memo::new(move |_| app.fragment.with(|f| f.enrol.is_some()));
    view! {
        <main class="gate">
            <div class="gate-card">
                <span class="gate-icon">{icon(Icon::Phone)}</span>
                {move || if has_link.get() { welcome(app) } else { no_link(app) }}
            </div>
        </main>
    }
    .into_any()
}

fn no_link(app: App) -> AnyView {
    let t = app.t();
    let pasted = RwSignal::new(String::new());
    let wrong = RwSignal::new(false);
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        match Fragment::pasted(&pasted.get_untracked()) {
            Some(read) => app.fragment.set(read),
            None => wrong.set(true),
        }
    };
    view! {
        {heading(move || t.no_link_title.to_owned())}
        <p>{t.no_link_body}</p>
        <form class="stack" on:submit=go>
            <label class="field">
                <span>{t.paste_link}</span>
                <input type="text" autocomplete="off" spellcheck="false" dir="ltr"
                    placeholder="https://…#enroll=…"
                    prop:value=move || pasted.get()
                    on:input=move |e| { wrong.set(false); pasted.set(event_target_value(&e)); } />
            </label>
            {move || wrong.get().then(|| view! {
                <p class="problem" role="alert">{icon(Icon::Alert)}<span>{t.bad_link}</span></p>
            })}
            <button class="primary wide" type="submit" disabled=move || pasted.get().trim().is_empty()>{t.next}</button>
        </form>
    }
    .into_any()
}

fn welcome(app: App) -> AnyView {
    let t = app.t();
    let given = app.fragment.with_untracked(|f| f.name.clone()).unwrap_or_default();
    let name = RwSignal::new(given);
    let host = window().location().host().unwrap_or_default();
    let greeting = move || {
        let name = name.get();
        if name.trim().is_empty() { t.hello_nobody.to_owned() } else { fill(t.hello, name.trim()) }
    };
    let create = move |lock: LockChoice| {
        let fragment = app.fragment.get_untracked();
        let Some(enrol) = fragment.enrol else { return };
        app.refused.set(None);
        app.busy.set(true);
        let name = name.get_untracked().trim().to_owned();
        app.say(&ToWorker::Create { name, enrol, card: fragment.card, lock });
    };
    view! {
        {heading(greeting)}
        <p>{t.first_body}</p>
        <p class="hint">{fill(t.your_exchange, &host)}</p>
        {(!app.storable.get_untracked()).then(|| view! {
            <p class="banner care">{icon(Icon::Alert)}<span>{t.storage_refused}</span></p>
        })}
        {move || app.refused.get().map(|p| view! {
            <p class="problem" role="alert">{icon(Icon::Alert)}<span>{words::problem(&p, t)}</span></p>
        })}
        <div class="stack">
            <label class="field">
                <span>{t.your_name}</span>
                <input type="text" autocomplete="name" maxlength="60" required
                    prop:value=move || name.get()
                    on:input=move |e| name.set(event_target_value(&e)) />
            </label>
            {lock_form(app, true, t.start, name.into(), create)}
        </div>
    }
    .into_any()
}
