//! One contact: how one stands, what the other side is told, and the ways to change that.

use leptos::prelude::*;
use protocol::{Command, ContactView, Keys, Precedence, Progress};

use crate::app::{App, Route};
use crate::parts::avatar::avatar;
use crate::parts::confirm::confirm;
use crate::parts::fields::{line, switch};
use crate::parts::heading::top;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::state;
use crate::parts::urgency::choose;
use crate::screens::{manage, rules, staff};
use crate::text::fill;
use crate::words;

/// The contact.
pub fn contact(app: App, id: u32) -> AnyView {
    let t = app.t();
    let contact = app.contact(id);
    let name = move || contact.get().map(|c| c.name).unwrap_or_default();
    let alive = move |c: &ContactView| c.progress == Progress::Accepted;
    let chosen = RwSignal::new(Precedence::Routine);
    // The form is made anew only when the rules changed: what is being typed stays.
    let ruled = app.part(move |v| {
        let fits = |c: &&ContactView| {
            c.id == id && c.progress == Progress::Accepted && !c.own_device && v.first_handset
        };
        v.contacts.iter().find(fits).map(|c| (c.name.clone(), c.rules))
    });
    view! {
        {top(app, name)}
        <div class="page">
            <header class="person">
                {move || avatar(&name(), true)}
                <p class="office" dir="auto">{move || contact.get().map(|c| c.office)}</p>
                {move || contact.get().map(|c| state(words::contact(&c, t)))}
                {move || contact.get().and_then(|c| explained(&c, app)).map(|words| view! { <p class="explain">{words}</p> })}
                {move || contact.get().filter(words::callable).and_then(|c| c.barred.as_ref().map(|b| rules::barred(b, t)))}
                <div class="row actions">
                    {move || contact.get().filter(words::callable).map(|c| {
                        let highest = c.may_claim;
                        let how = (highest > Precedence::Routine).then(|| {
                            let set = move |of| chosen.set(of);
                            choose(app, t.p_how, highest, chosen.into(), set)
                        });
                        view! {
                            {how}
                            <button class="go" on:click=move |_| app.call_as(id, chosen.get_untracked().min(highest))>
                                {icon(Icon::Phone)}<span>{t.call}</span>
                            </button>
                        }
                    })}
                    {move || contact.get().filter(|c| c.has_words && alive(c) && c.keys != Keys::Alarmed && c.keys != Keys::Verified)
                        .map(|_| view! {
                            <button class="primary" on:click=move |_| app.go(Route::Verify(id))>
                                {icon(Icon::ShieldCheck)}<span>{t.verify}</span>
                            </button>
                        })}
                    {staff::call_for(app, id)}
                    {staff::join(app, id)}
                    {move || contact.get().filter(|c| alive(c) && !c.own_device).map(|_| view! {
                        <button on:click=move |_| app.go(Route::Texts(id))>{icon(Icon::Chat)}<span>{t.texts}</span></button>
                    })}
                </div>
            </header>
            <ul class="facts">
                {move || contact.get().filter(alive).map(|c| view! {
                    <li>{icon(Icon::Clock)}<span>{if c.used { t.used } else { t.unused }}</span></li>
                    <li>{icon(Icon::Key)}<span>{if c.ready { t.ready } else { t.not_ready }}</span></li>
                })}
            </ul>
            {move || contact.get().filter(|c| alive(c) && !c.own_device).map(|c| policy(app, &c))}
            {move || contact.get().filter(alive).and_then(|c| rules::theirs(app, &c))}
            {move || ruled.get().map(|(name, of)| rules::own(app, id, &name, of))}
            {staff::staff(app, id)}
            {manage::manage(app, id)}
            {rename(app, id, contact)}
            {move || contact.get().filter(|c| alive(c) && !c.own_device).map(|c| hand_on(app, &c))}
            {move || contact.get().filter(|c| !matches!(c.progress, Progress::Revoked)).map(|c| view! {
                <section class="block">
                    {confirm(app, t.revoke, fill(t.revoke_body, &c.name), None, move || app.command(Command::RevokeContact { contact: id }))}
                </section>
            })}
        </div>
    }
    .into_any()
}

/// What a state means, where its words are not enough.
fn explained(c: &ContactView, app: App) -> Option<String> {
    let t = app.t();
    match (c.progress, c.keys) {
        (_, Keys::Alarmed) => Some(fill(t.alarm_body, &c.name)),
        (Progress::Refused, _) => Some(t.refused_body.to_owned()),
        (Progress::Redeeming | Progress::Redeemed, _) => Some(t.waiting_body.to_owned()),
        _ => None,
    }
}

fn policy(app: App, c: &ContactView) -> AnyView {
    let t = app.t();
    let (id, trusted, blocked, granted) = (c.id, c.trusted, c.blocked, c.granted);
    view! {
        <section class="block">
            <h2>{fill(t.policy, &c.name)}</h2>
            {switch(t.trusted, Some(t.trusted_body), Signal::stored(trusted),
                Box::new(move |trusted| app.command(Command::SetTrusted { contact: id, trusted: Some(trusted) })))}
            {switch(t.block, Some(t.block_body), Signal::stored(blocked),
                Box::new(move |blocked| app.command(Command::SetBlocked { contact: id, blocked })))}
            {app.view.with_untracked(|v| v.first_handset).then(|| view! {
                {choose(app, t.p_granted, Precedence::Flash, Signal::stored(granted),
                    move |highest| app.command(Command::SetPrecedence { contact: id, highest }))}
                <p class="hint">{t.p_granted_body}</p>
            })}
        </section>
    }
    .into_any()
}

fn rename(app: App, id: u32, contact: Memo<Option<ContactView>>) -> AnyView {
    let t = app.t();
    let typed = RwSignal::new(contact.get_untracked().map(|c| c.name).unwrap_or_default());
    let go = move |name| {
        app.want(Command::RenameContact { contact: id, name }, move || {
            app.notify(t.done.to_owned(), false)
        });
    };
    view! {
        <section class="block">
            <h2>{t.rename}</h2>
            {line(t.new_name, t.save, "", typed, Box::new(go))}
        </section>
    }
    .into_any()
}

fn hand_on(app: App, c: &ContactView) -> AnyView {
    let t = app.t();
    let id = c.id;
    let typed = RwSignal::new(String::new());
    let go = move |text| {
        app.want(Command::HandCard { contact: id, text }, move || {
            typed.set(String::new());
            app.notify(t.done.to_owned(), false);
        });
    };
    view! {
        <section class="block">
            <h2>{t.hand_card}</h2>
            <p class="hint">{fill(t.hand_card_body, &c.name)}</p>
            {line(t.paste_card, t.send, "hotline:card/…", typed, Box::new(go))}
        </section>
    }
    .into_any()
}
