//! A question before something that cannot be undone.

use leptos::html;
use leptos::prelude::*;

use crate::app::App;
use crate::text::fill;

/// A button that asks first. With `word`, that word has to be typed.
pub fn confirm(
    app: App,
    button: &'static str,
    body: String,
    word: Option<&'static str>,
    done: impl Fn() + Copy + Send + Sync + 'static,
) -> AnyView {
    let t = app.t();
    let dialog = NodeRef::<html::Dialog>::new();
    let typed = RwSignal::new(String::new());
    let id = format!("ask-{button}").replace(' ', "-");
    let labelled = id.clone();
    let open = move |_| {
        typed.set(String::new());
        if let Some(dialog) = dialog.get_untracked() {
            // Open already: nothing to do.
            let _ = dialog.show_modal();
        }
    };
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let refused = move || {
        word.is_some_and(|word| {
            !typed.get().trim().eq_ignore_ascii_case(word) && typed.get().trim() != word
        })
    };
    view! {
        <button class="danger-quiet" on:click=open>{button}</button>
        <dialog node_ref=dialog class="sheet" aria-labelledby=labelled>
            <h2 id=id>{button}</h2>
            <p>{body}</p>
            {word.map(|word| view! {
                <label class="field">
                    <span>{fill(t.wipe_type, word)}</span>
                    <input type="text" autocomplete="off" spellcheck="false"
                        prop:value=move || typed.get()
                        on:input=move |e| typed.set(event_target_value(&e)) />
                </label>
            })}
            <div class="row end">
                <button on:click=move |_| close()>{t.cancel}</button>
                <button class="danger" disabled=refused on:click=move |_| { close(); done(); }>{button}</button>
            </div>
        </dialog>
    }
    .into_any()
}
