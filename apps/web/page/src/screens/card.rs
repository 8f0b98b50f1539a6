//! One card, shown: a large QR code, and the other ways to pass it on.

use leptos::prelude::*;
use protocol::{CardState, Command, ToWorker};
use wasm_bindgen_futures::spawn_local;

use crate::app::{App, Code};
use crate::browser::{self, day_and_time, object};
use crate::parts::heading::top;
use crate::parts::icon::{Icon, icon};
use crate::parts::qr::qr;
use crate::parts::state::spoken;
use crate::text::fill;
use crate::words;

/// The card.
pub fn card(app: App, id: u32) -> AnyView {
    let t = app.t();
    let tag = app.tag();
    let card = app.part(move |v| v.cards.iter().find(|c| c.id == id).cloned());
    app.code.set(None);
    // The code is there once the exchange has the card.
    Effect::new(move |_| {
        if card.get().is_some_and(|c| c.state == CardState::Issued) {
            app.say(&ToWorker::CardCode { card: id });
        }
    });
    let title = move || {
        let hint = card.get().map(|c| c.hint).unwrap_or_default();
        if hint.is_empty() { t.further.to_owned() } else { fill(t.card_title, &hint) }
    };
    let said = move || {
        card.get().map(|c| {
            let by = match c.state {
                CardState::Used { contact } => Some(app.name_of(contact)),
                _ => None,
            };
            let (of, tone, words) = words::card(c.state, by.as_deref(), t);
            spoken(of, tone, words)
        })
    };
    let open = move || card.get().is_some_and(|c| c.state == CardState::Issued);
    view! {
        {top(app, title)}
        <div class="page show-card">
            <div role="status">{said}</div>
            {move || app.code.get().filter(|c| c.card == id && open()).map(|code| view! {
                {qr(&code.rows, t.card_code)}
                <p class="lead">{t.card_body}</p>
                <p class="hint">{card.get().map(|c| fill(t.card_until, &day_and_time(c.expiry_ms, tag)))}</p>
                {ways(app, &code)}
            })}
            {move || open().then(|| view! {
                <button class="danger-quiet" on:click=move |_| app.want(Command::RevokeCard { card: id }, || ())>
                    {icon(Icon::Trash)}<span>{t.withdraw}</span>
                </button>
            })}
        </div>
    }
    .into_any()
}

fn ways(app: App, code: &Code) -> AnyView {
    let t = app.t();
    let (copied, saved, shared) = (code.link.clone(), code.link.clone(), code.link.clone());
    let card = code.card;
    let can_share = browser::has(&browser::window().navigator(), "share");
    let copy = move |_| {
        let link = copied.clone();
        spawn_local(async move {
            if browser::copy(&link).await.is_ok() {
                app.notify(t.copied.to_owned(), false);
            }
        });
    };
    let share = move |_| {
        let what = object(&[("title", "Hotline".into()), ("text", shared.as_str().into())]);
        spawn_local(async move {
            // Given up by the person: nothing to say.
            let _ = browser::ask(&browser::window().navigator(), "share", &[what]).await;
        });
    };
    view! {
        <div class="row center">
            <button on:click=copy>{icon(Icon::Copy)}<span>{t.copy}</span></button>
            <button on:click=move |_| browser::save_file(&format!("{card}.hotline-card"), &saved)>
                {icon(Icon::File)}<span>{t.save_file}</span>
            </button>
            {can_share.then(|| view! { <button on:click=share>{icon(Icon::Share)}<span>{t.share}</span></button> })}
        </div>
    }
    .into_any()
}
