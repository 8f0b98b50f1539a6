//! The cards that this handset gave, each with its state, and the ways to give and take one.

use leptos::prelude::*;
use protocol::{CardState, Command};

use crate::app::{App, Route};
use crate::browser::day_and_time;
use crate::parts::heading::heading;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::spoken;
use crate::text::fill;
use crate::words;

/// The cards.
pub fn cards(app: App) -> AnyView {
    let t = app.t();
    let tag = app.tag();
    let first = app.part(|v| v.first_handset);
    let cards = app.part(|v| v.cards.clone());
    let open = |state: CardState| matches!(state, CardState::Issued | CardState::Issuing);
    view! {
        <div class="top plain">{heading(move || t.cards.to_owned())}</div>
        <div class="page">
            {move || if first.get() {
                view! {
                    <div class="row tiles">
                        <button class="tile" on:click=move |_| app.go(Route::Give { own: false })>{icon(Icon::Card)}<span>{t.give_card}</span></button>
                        <button class="tile" on:click=move |_| app.go(Route::Take)>{icon(Icon::Camera)}<span>{t.take_card}</span></button>
                        <button class="tile" on:click=move |_| app.go(Route::Give { own: true })>{icon(Icon::Device)}<span>{t.further}</span></button>
                    </div>
                }.into_any()
            } else {
                view! { <p class="banner calm">{icon(Icon::Device)}<span>{t.only_first}</span></p> }.into_any()
            }}
            {move || cards.with(Vec::is_empty).then(|| view! { <p class="empty small">{t.cards_none}</p> })}
            <ul class="rows given">
                {move || {
                    let mut all = cards.get();
                    all.reverse();
                    all.into_iter().map(|c| {
                        let by = match c.state {
                            CardState::Used { contact } => Some(app.name_of(contact)),
                            _ => None,
                        };
                        let (of, tone, said) = words::card(c.state, by.as_deref(), t);
                        let id = c.id;
                        let hint = if c.hint.is_empty() { t.further.to_owned() } else { c.hint.clone() };
                        view! {
                            <li class="given-card">
                                <div class="grow">
                                    <strong dir="auto">{hint}</strong>
                                    {spoken(of, tone, said)}
                                    {open(c.state).then(|| view! { <span class="hint">{fill(t.card_until, &day_and_time(c.expiry_ms, tag))}</span> })}
                                </div>
                                {(c.state == CardState::Issued).then(|| view! {
                                    <button on:click=move |_| app.go(Route::Card(id))>{icon(Icon::Share)}<span>{t.give_card}</span></button>
                                })}
                                {open(c.state).then(|| view! {
                                    <button class="danger-quiet" on:click=move |_| app.command(Command::RevokeCard { card: id })>
                                        {icon(Icon::Trash)}<span>{t.withdraw}</span>
                                    </button>
                                })}
                            </li>
                        }
                    }).collect_view()
                }}
            </ul>
        </div>
    }
    .into_any()
}
