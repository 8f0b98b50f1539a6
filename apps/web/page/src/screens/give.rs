//! A card is made: for whom, how it gets there, how long it is valid.

use leptos::prelude::*;
use protocol::Command;

use crate::app::{App, Route};
use crate::parts::heading::top;
use crate::parts::icon::{Icon, icon};

/// A card for somebody, or for a further handset of one's own.
pub fn give(app: App, own: bool) -> AnyView {
    let t = app.t();
    let hint = RwSignal::new(String::new());
    let in_person = RwSignal::new(true);
    let hours = RwSignal::new(if own { 1u32 } else { 24 });
    let busy = RwSignal::new(false);
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        busy.set(true);
        let last = app.view.with_untracked(|v| v.cards.iter().map(|c| c.id).max());
        let command = if own {
            Command::AdmitDevice { hours: hours.get_untracked() }
        } else {
            Command::IssueCard {
                hint: hint.get_untracked().trim().to_owned(),
                in_person: in_person.get_untracked(),
                hours: hours.get_untracked(),
            }
        };
        let Some(link) = app.link.get_value() else { return };
        link.command(command, move |result| {
            // The screen may be gone by now.
            let _ = busy.try_set(false);
            match result {
                Ok(()) => {
                    let made = app.view.with_untracked(|v| {
                        v.cards.iter().map(|c| c.id).filter(|id| Some(*id) > last).max()
                    });
                    app.back();
                    app.go(made.map_or(Route::Cards, Route::Card));
                }
                Err(problem) => app.problem(&problem),
            }
        });
    };
    let way = move |this: bool, of: Icon, title: &'static str, body: &'static str| {
        view! {
            <label class="choice" class:chosen=move || in_person.get() == this>
                <input type="radio" name="way" prop:checked=move || in_person.get() == this on:change=move |_| in_person.set(this) />
                {icon(of)}
                <span><strong>{title}</strong><span class="hint">{body}</span></span>
            </label>
        }
    };
    let lengths = [(1, t.hours_1), (24, t.hours_24), (72, t.hours_72), (168, t.hours_168)];
    view! {
        {top(app, move || if own { t.further.to_owned() } else { t.give_card.to_owned() })}
        <form class="page stack" on:submit=go>
            {own.then(|| view! { <p class="lead">{t.further_body}</p> })}
            {(!own).then(|| view! {
                <label class="field">
                    <span>{t.card_hint}</span>
                    <input type="text" maxlength="60" dir="auto" required autocomplete="off"
                        prop:value=move || hint.get() on:input=move |e| hint.set(event_target_value(&e)) />
                </label>
                <fieldset class="stack">
                    <legend>{t.card_way}</legend>
                    {way(true, Icon::Handshake, t.way_person, t.way_person_body)}
                    {way(false, Icon::Send, t.way_sent, t.way_sent_body)}
                </fieldset>
            })}
            <fieldset>
                <legend>{t.valid_for}</legend>
                <div class="segments">
                    {lengths.map(|(n, words)| view! {
                        <label class:chosen=move || hours.get() == n>
                            <input type="radio" name="hours" prop:checked=move || hours.get() == n on:change=move |_| hours.set(n) />
                            <span>{words}</span>
                        </label>
                    })}
                </div>
            </fieldset>
            <button class="primary wide" type="submit"
                disabled=move || busy.get() || (!own && hint.get().trim().is_empty())>{t.make_card}</button>
        </form>
    }
    .into_any()
}
