//! What was written with a contact outside of calls, and cards that were handed on.

use leptos::prelude::*;
use protocol::Command;

use crate::app::{App, Route};
use crate::browser::day_and_time;
use crate::parts::heading::top;
use crate::parts::icon::{Icon, icon};

/// The texts.
pub fn texts(app: App, id: u32) -> AnyView {
    let t = app.t();
    let tag = app.tag();
    let name = app.contact(id);
    let notes =
        app.part(move |v| v.notes.iter().filter(|n| n.contact == id).cloned().collect::<Vec<_>>());
    let first = app.part(|v| v.first_handset);
    let typed = RwSignal::new(String::new());
    let send = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let text = typed.get_untracked().trim().to_owned();
        if !text.is_empty() {
            app.want(Command::Note { contact: id, text }, move || typed.set(String::new()));
        }
    };
    view! {
        {top(app, move || name.get().map(|c| c.name).unwrap_or_default())}
        <div class="page texts">
            {move || notes.with(Vec::is_empty).then(|| view! {
                <div class="empty small"><span class="gate-icon">{icon(Icon::Chat)}</span><p>{t.texts_none}</p></div>
            })}
            <ol class="bubbles" aria-live="polite">
                {move || notes.get().into_iter().map(|n| {
                    let card = n.card.clone();
                    view! {
                        <li class="bubble" class:mine=n.sent>
                            {card.is_none().then(|| view! { <p dir="auto">{n.text.clone()}</p> })}
                            {card.map(|card| view! {
                                <p>{icon(Icon::Card)}<span>{t.card_in_text}</span></p>
                                {(!n.sent && first.get()).then(|| view! {
                                    <button on:click=move |_| {
                                        app.card_text.set(card.clone());
                                        app.go(Route::Take);
                                    }>{t.take}</button>
                                })}
                            })}
                            <small>{day_and_time(n.at_ms, tag)}</small>
                        </li>
                    }
                }).collect_view()}
            </ol>
            <form class="compose" on:submit=send>
                <input type="text" maxlength="1000" dir="auto" placeholder=t.write aria-label=t.write autocomplete="off"
                    prop:value=move || typed.get() on:input=move |e| typed.set(event_target_value(&e)) />
                <button class="round primary" type="submit" aria-label=t.send title=t.send>{icon(Icon::Send)}</button>
            </form>
        </div>
    }
    .into_any()
}
