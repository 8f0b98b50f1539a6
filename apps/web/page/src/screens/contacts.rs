//! The contacts, with their true state; one press calls.

use leptos::prelude::*;

use crate::app::{App, Route};
use crate::parts::avatar::avatar;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::state;
use crate::text::fill;
use crate::words;

/// From so many on there is a search.
const MANY: usize = 7;

/// The list, and who one is.
pub fn contacts(app: App) -> AnyView {
    let t = app.t();
    let me = app.part(|v| (v.name.clone(), v.office.clone()));
    let line = app.part(|v| v.line);
    let kept = app.part(|v| v.kept);
    let first = app.part(|v| v.first_handset);
    let count = app.part(|v| v.contacts.len());
    let wanted = RwSignal::new(String::new());
    let ids = app.part(move |v| {
        let wanted = wanted.get().to_lowercase();
        let fits = |name: &str| name.to_lowercase().contains(wanted.trim());
        let mut found: Vec<_> =
            v.contacts.iter().filter(|c| fits(&c.name) || fits(&c.office)).collect();
        found.sort_by_key(|c| (!words::callable(c), c.name.to_lowercase()));
        found.into_iter().map(|c| c.id).collect::<Vec<_>>()
    });
    view! {
        <section class="list" aria-label=t.contacts>
            <header class="me">
                {move || avatar(&me.get().0, false)}
                <div class="me-words">
                    <strong dir="auto">{move || me.get().0}</strong>
                    <span class="hint" dir="auto">{move || me.get().1}</span>
                </div>
                <div class="lamp" role="status">{move || state(words::line(line.get(), t))}</div>
            </header>
            {move || (!kept.get()).then(|| view! { <p class="banner calm">{icon(Icon::Clock)}<span>{t.not_kept}</span></p> })}
            {move || (count.get() >= MANY).then(|| view! {
                <label class="search">
                    {icon(Icon::Search)}
                    <input type="search" placeholder=t.search aria-label=t.search
                        prop:value=move || wanted.get()
                        on:input=move |e| wanted.set(event_target_value(&e)) />
                </label>
            })}
            <ul class="rows">
                <For each=move || ids.get() key=|id| *id children=move |id| row(app, id) />
            </ul>
            {move || (count.get() == 0).then(|| view! {
                <div class="empty small">
                    <span class="gate-icon">{icon(Icon::People)}</span>
                    <h2>{t.nobody_title}</h2>
                    <p>{t.nobody_body}</p>
                </div>
            })}
            {move || (count.get() > 0 && ids.with(Vec::is_empty)).then(|| view! { <p class="empty small">{t.none_found}</p> })}
            {move || first.get().then(|| view! {
                <div class="row list-foot">
                    <button on:click=move |_| app.go(Route::Give { own: false })>{icon(Icon::Card)}<span>{t.give_card}</span></button>
                    <button on:click=move |_| app.go(Route::Take)>{icon(Icon::Camera)}<span>{t.take_card}</span></button>
                </div>
            })}
        </section>
    }
    .into_any()
}

fn row(app: App, id: u32) -> AnyView {
    let t = app.t();
    let contact = app.contact(id);
    let name = move || contact.get().map(|c| c.name).unwrap_or_default();
    let here = move || matches!(app.route.get(), Route::Contact(c) | Route::Texts(c) | Route::Verify(c) if c == id);
    view! {
        <li class="contact" class:here=here>
            <button class="contact-main" on:click=move |_| app.go(Route::Contact(id)) aria-current=move || here().then_some("true")>
                {move || avatar(&name(), false)}
                <span class="contact-words">
                    <strong dir="auto">{name}</strong>
                    <span class="hint" dir="auto">{move || contact.get().map(|c| c.office)}</span>
                    {move || contact.get().map(|c| state(words::contact(&c, t)))}
                </span>
            </button>
            {move || contact.get().filter(words::callable).map(|c| {
                let label = fill(t.call_who, &c.name);
                view! {
                    <button class="round call-now" aria-label=label.clone() title=label on:click=move |_| app.call_id(id)>
                        {icon(Icon::Phone)}
                    </button>
                }
            })}
        </li>
    }
    .into_any()
}
