//! A switch with its words, and a line to type with its button: what many screens have.

use leptos::prelude::*;

/// Something that is on or off.
pub fn switch(
    label: &'static str,
    body: Option<&'static str>,
    on: Signal<bool>,
    changed: Box<dyn Fn(bool)>,
) -> AnyView {
    view! {
        <label class="switch">
            <input type="checkbox" role="switch" prop:checked=move || on.get() on:change=move |e| changed(event_target_checked(&e)) />
            <span><strong>{label}</strong>{body.map(|body| view! { <span class="hint">{body}</span> })}</span>
        </label>
    }
    .into_any()
}

/// A line to type: what is `typed` goes to `done` by the button or the key of the keyboard, if it is not empty.
pub fn line(
    label: &'static str,
    button: &'static str,
    placeholder: &'static str,
    typed: RwSignal<String>,
    done: Box<dyn Fn(String)>,
) -> AnyView {
    let text = move || typed.get().trim().to_owned();
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let text = untrack(text);
        if !text.is_empty() {
            done(text);
        }
    };
    view! {
        <form class="row" on:submit=go>
            <label class="field grow">
                <span>{label}</span>
                <input type="text" autocomplete="off" spellcheck="false" dir="auto" placeholder=placeholder
                    prop:value=move || typed.get() on:input=move |e| typed.set(event_target_value(&e)) />
            </label>
            <button type="submit" disabled=move || text().is_empty()>{button}</button>
        </form>
    }
    .into_any()
}
