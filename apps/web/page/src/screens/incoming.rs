//! Somebody calls: over everything, and the keys stay in it until it is answered or gone.

use leptos::html;
use leptos::prelude::*;
use protocol::Command;

use crate::app::App;
use crate::parts::avatar::avatar;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::{spoken, urgent};
use crate::screens::call::relay;
use crate::text::fill;
use crate::words;

/// The call that rings.
pub fn incoming(app: App, id: u32) -> AnyView {
    let t = app.t();
    let facts = app.part(move |v| {
        let call = v.calls.iter().find(|c| c.id == id)?;
        let contact = v.contacts.iter().find(|c| c.id == call.contact).cloned();
        Some((contact, call.rings, v.name.clone(), call.asked.clone(), call.behalf.clone()))
    });
    let asked = app.part(move |v| v.calls.iter().find(|c| c.id == id)?.relay.clone());
    let urgency = app.part(move |v| {
        let call = v.calls.iter().find(|c| c.id == id)?;
        Some((call.precedence, words::aside(call, t)))
    });
    let talking = app.calls_under_way();
    let name = move || facts.get().and_then(|f| f.0).map_or_else(|| "?".to_owned(), |c| c.name);
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            // As a modal dialog it keeps the focus; shown already, it has it.
            let _ = dialog.show_modal();
        }
    });
    let ignore = move || app.command(Command::Ignore { call: id });
    view! {
        <dialog node_ref=dialog class="incoming" class:silent=move || facts.get().is_some_and(|f| !f.1)
            aria-labelledby="who-calls" aria-describedby="how-urgent asked-as behalf who-else how-known"
            on:cancel=move |e: leptos::ev::Event| { e.prevent_default(); ignore(); }>
            <p class="incoming-word" role="alert">
                {icon(Icon::Bell)}
                <span>{move || if facts.get().is_none_or(|f| f.1) { t.st_incoming } else { t.silent }}</span>
            </p>
            <div id="how-urgent">
                {move || urgency.get().and_then(|(precedence, _)| urgent(precedence, t))}
                {move || urgency.get().and_then(|(_, over)| over).map(|said| view! { <p class="hint">{said}</p> })}
            </div>
            <span class="ringing-avatar">{move || avatar(&name(), true)}</span>
            <h1 id="who-calls" tabindex="-1" autofocus="" dir="auto">{name}</h1>
            <p class="office" dir="auto">{move || facts.get().and_then(|f| f.0).map(|c| c.office)}</p>
            {move || facts.get().and_then(|f| f.3).map(|asked| view! {
                <div class="asked" id="asked-as">
                    <p>{fill(t.asked_as, &name())}</p>
                    <p class="asked-role">{icon(Icon::People)}<strong>{words::room::role(asked.role, t)}</strong></p>
                    <p dir="auto">{fill(t.asked_expected, &words::room::expected(&asked.expected, t))}</p>
                </div>
            })}
            <p id="behalf" dir="auto">{move || facts.get().and_then(|f| f.4).map(|b| words::behalf(&b, t)).map(|(icon, tone, said)| {
                spoken(icon, tone, said)
            })}</p>
            <div id="who-else">{move || asked.get().map(|r| relay(app, &r, &name()))}</div>
            <p class="for-whom">{move || facts.get().map(|f| fill(t.for_whom, &f.2))}</p>
            <p id="how-known">{move || facts.get().and_then(|f| f.0).map(|c| {
                let said = words::contact(&c, t);
                spoken(said.icon, said.tone, said.words.to_owned())
            })}</p>
            <div class="incoming-keys">
                <button class="end" on:click=move |_| app.end(id)>
                    <span class="key">{icon(Icon::PhoneDown)}</span><span>{t.decline}</span>
                </button>
                <button class="ignore" on:click=move |_| ignore()>
                    <span class="key">{icon(Icon::Cross)}</span><span>{t.ignore}</span>
                </button>
                <button class="go" on:click=move |_| app.answer(id) on:pointerdown=move |_| app.press_answer()
                    on:pointerup=move |_| app.let_go() on:pointerleave=move |_| app.let_go() on:pointercancel=move |_| app.let_go()>
                    <span class="key">{icon(Icon::Phone)}</span>
                    <span>{move || if talking.get() { t.hold_answer } else { t.answer }}</span>
                </button>
            </div>
            <p class="hint">{t.ignore_body}</p>
        </dialog>
    }
    .into_any()
}
