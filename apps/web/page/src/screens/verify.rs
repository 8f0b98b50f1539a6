//! Verification that people finish: your words, large; pick theirs among four; none matches; later.

use leptos::prelude::*;
use protocol::{Command, Keys, ToWorker};

use crate::app::{App, Route};
use crate::parts::confirm::confirm;
use crate::parts::heading::top;
use crate::parts::icon::{Icon, icon};
use crate::text::fill;

/// The words of a contact.
pub fn verify(app: App, id: u32) -> AnyView {
    let t = app.t();
    let name = app.name_of(id);
    let keys = app.part(move |v| v.contacts.iter().find(|c| c.id == id).map(|c| c.keys));
    let began = keys.get_untracked();
    app.choices.set(None);
    app.say(&ToWorker::Choices { contact: id });
    let title = fill(t.verify_title, &name);
    view! {
        {top(app, move || title.clone())}
        <div class="page verify">
            {move || match keys.get() {
                Some(Keys::Verified) if began != Some(Keys::Verified) => verified(app, &name),
                Some(Keys::Alarmed) => alarmed(app, id, &name),
                _ => words(app, id, &name),
            }}
        </div>
    }
    .into_any()
}

fn words(app: App, id: u32, name: &str) -> AnyView {
    let t = app.t();
    let theirs = fill(t.their_words, name);
    let pick = move |picked: Option<usize>| {
        if let Some(link) = app.link.get_value() {
            link.pick(id, picked, move |result| {
                if let Err(problem) = result {
                    app.problem(&problem);
                }
            });
        }
    };
    view! {
        <p class="lead">{t.verify_lead}</p>
        {move || app.choices.get().filter(|c| c.contact == id).map(|choices| view! {
            <section class="block words-mine">
                <h2>{t.your_words}</h2>
                <p class="big-words" dir="auto">{choices.mine}</p>
            </section>
            <section class="block">
                <h2>{theirs.clone()}</h2>
                <div class="options">
                    {choices.options.into_iter().enumerate().map(|(n, words)| view! {
                        <button class="option" dir="auto" on:click=move |_| pick(Some(n))>{words}</button>
                    }).collect_view()}
                </div>
                <div class="row spread">
                    <button class="danger-quiet" on:click=move |_| pick(None)>{icon(Icon::Alert)}<span>{t.none_matches}</span></button>
                    <button class="quiet" on:click=move |_| app.back()>{t.later}</button>
                </div>
            </section>
        })}
    }
    .into_any()
}

fn verified(app: App, name: &str) -> AnyView {
    let t = app.t();
    view! {
        <section class="outcome good" role="alert">
            <span class="gate-icon">{icon(Icon::ShieldCheck)}</span>
            <h2>{fill(t.verified_title, name)}</h2>
            <p>{t.verified_body}</p>
            <button class="primary" on:click=move |_| app.back()>{t.done}</button>
        </section>
    }
    .into_any()
}

fn alarmed(app: App, id: u32, name: &str) -> AnyView {
    let t = app.t();
    let revoke = move || {
        app.want(Command::RevokeContact { contact: id }, move || app.go_first(Route::Contacts))
    };
    view! {
        <section class="outcome bad" role="alert">
            <span class="gate-icon">{icon(Icon::Alert)}</span>
            <h2>{t.alarm_title}</h2>
            <p>{fill(t.alarm_body, name)}</p>
            <div class="row center">
                {confirm(app, t.revoke, fill(t.revoke_body, name), None, revoke)}
                <button on:click=move |_| app.back()>{t.close}</button>
            </div>
        </section>
    }
    .into_any()
}
