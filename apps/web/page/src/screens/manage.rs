//! Contacts of a principal, whom the person may help with them: asked of the principal's first handset, and answered when that one is on.

use leptos::prelude::*;
use protocol::{Command, ListedView, Manage, Progress, RequestState, RequestView, Right};
use wasm_bindgen_futures::spawn_local;

use crate::app::App;
use crate::browser;
use crate::parts::confirm::confirm;
use crate::parts::fields::line;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::spoken;
use crate::text::fill;
use crate::words;

/// All of it, if the person may.
pub(super) fn manage(app: App, id: u32) -> AnyView {
    let t = app.t();
    let name = app.part(move |v| {
        let may = |c: &&protocol::ContactView| c.id == id && c.may.contains(&Right::Manage);
        v.contacts.iter().find(may).map(|c| c.name.clone())
    });
    let list = app.part(move |v| v.lists.iter().find(|l| l.principal == id).cloned());
    let requests = app.part(move |v| {
        v.requests.iter().filter(|r| r.principal == id).cloned().collect::<Vec<_>>()
    });
    let listed = move |number: u32| {
        let found = list.with(|l| {
            l.as_ref().and_then(|l| l.contacts.iter().find(|c| c.number == number).cloned())
        });
        found.map_or_else(|| "?".to_owned(), |c| c.name)
    };
    (move || name.get().map(|name| {
        let card = asks(app, id, |name| Manage::Card { name });
        let redeem = asks(app, id, |text| Manage::Redeem { text });
        view! {
        <section class="block" aria-labelledby="manage-title">
            <h2 id="manage-title">{fill(t.mg_title, &name)}</h2>
            <p class="hint">{fill(t.mg_body, &name)}</p>
            <button on:click=move |_| ask(app, id, Manage::List)>{icon(Icon::Refresh)}<span>{t.mg_list}</span></button>
            <ul class="managed">
                {move || list.get().map(|l| l.contacts.into_iter().map(|c| one(app, id, c)).collect_view())}
            </ul>
            {line(t.mg_card_for, t.mg_card, "", card.0, card.1)}
            {line(t.paste_card, t.take, "hotline:card/…", redeem.0, redeem.1)}
            <div role="status"><ul class="requests">
                {move || requests.get().iter().map(|r| request(app, r, listed)).collect_view()}
            </ul></div>
        </section>
        }
    }))
    .into_any()
}

fn ask(app: App, principal: u32, ask: Manage) {
    app.command(Command::Manage { principal, ask });
}

/// What is typed is asked, and the line is empty again.
fn asks(
    app: App,
    principal: u32,
    what: fn(String) -> Manage,
) -> (RwSignal<String>, Box<dyn Fn(String)>) {
    let typed = RwSignal::new(String::new());
    let done = move |text| {
        ask(app, principal, what(text));
        typed.set(String::new());
    };
    (typed, Box::new(done))
}

/// A contact of the principal's.
fn one(app: App, principal: u32, c: ListedView) -> AnyView {
    let t = app.t();
    let number = c.number;
    let over = matches!(c.standing, Progress::Refused | Progress::Revoked | Progress::Gone);
    let typed = RwSignal::new(String::new());
    let (said, about) = (words::standing(c.standing, t), fill(t.revoke_body, &c.name));
    view! {
        <li>
            <strong dir="auto">{c.name}</strong>
            <span class="hint" dir="auto">{c.office}</span>
            {spoken(said.icon, said.tone, said.words.to_owned())}
            {(!over).then(|| view! {
                {line(t.new_name, t.rename, "", typed, Box::new(move |name| ask(app, principal, Manage::Rename { contact: number, name })))}
                {confirm(app, t.revoke, about, None, move || ask(app, principal, Manage::Revoke { contact: number }))}
            })}
        </li>
    }
    .into_any()
}

fn request(app: App, r: &RequestView, name: impl Fn(u32) -> String) -> AnyView {
    let t = app.t();
    let (what, state) = (words::staff::asked(r, name, t), words::staff::answered(&r.state, t));
    let card = match &r.state {
        RequestState::Card(link) => Some(link.clone()),
        _ => None,
    };
    view! {
        <li>
            <span dir="auto">{what}</span>
            <span class="hint">{browser::day_and_time(r.at_ms, app.tag())}</span>
            {spoken(state.icon, state.tone, state.words.to_owned())}
            {card.map(|link| view! {
                <button on:click=move |_| {
                    let link = link.clone();
                    spawn_local(async move {
                        if browser::copy(&link).await.is_ok() {
                            app.notify(t.copied.to_owned(), false);
                        }
                    });
                }>{icon(Icon::Copy)}<span>{t.copy}</span></button>
            })}
        </li>
    }
    .into_any()
}
