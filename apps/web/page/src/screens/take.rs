//! A card is taken: by camera, pasted, from a file, or dropped here.

use leptos::html;
use leptos::prelude::*;
use protocol::Command;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;

use crate::app::{App, Route};
use crate::browser::ask;
use crate::camera::Camera;
use crate::parts::heading::top;
use crate::parts::icon::{Icon, icon};

/// A card is a few hundred letters; a file that is larger is none.
const LARGEST_FILE: f64 = 10_000.0;

/// The card is taken.
pub fn take(app: App) -> AnyView {
    let t = app.t();
    let typed = app.card_text;
    let in_person = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        busy.set(true);
        let text = typed.get_untracked().trim().to_owned();
        let Some(link) = app.link.get_value() else { return };
        link.command(
            Command::RedeemCard { text, in_person: in_person.get_untracked() },
            move |result| {
                // The screen may be gone by now.
                let _ = busy.try_set(false);
                match result {
                    Ok(()) => {
                        typed.set(String::new());
                        let newest =
                            app.view.with_untracked(|v| v.contacts.iter().map(|c| c.id).max());
                        app.go_first(newest.map_or(Route::Contacts, Route::Contact));
                    }
                    Err(problem) => app.problem(&problem),
                }
            },
        );
    };
    let read = move |file: web_sys::File| {
        spawn_local(async move {
            let text =
                if file.size() > LARGEST_FILE { None } else { ask(&file, "text", &[]).await.ok() };
            match text.and_then(|text| text.as_string()) {
                Some(text) => typed.set(text.trim().to_owned()),
                None => app.notify(t.r_bad_card.to_owned(), true),
            }
        });
    };
    let dropped = move |e: leptos::ev::DragEvent| {
        e.prevent_default();
        if let Some(file) = e.data_transfer().and_then(|d| d.files()).and_then(|f| f.get(0)) {
            read(file);
        }
    };
    let opened = move |e: leptos::ev::Event| {
        let input = e.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok());
        if let Some(file) = input.and_then(|i| i.files()).and_then(|f| f.get(0)) {
            read(file);
        }
    };
    let answer = move |this: bool, words: &'static str| {
        view! {
            <label class:chosen=move || in_person.get() == this>
                <input type="radio" name="person" prop:checked=move || in_person.get() == this on:change=move |_| in_person.set(this) />
                <span>{words}</span>
            </label>
        }
    };
    view! {
        {top(app, move || t.take_card.to_owned())}
        <form class="page stack" on:submit=go on:dragover=|e| e.prevent_default() on:drop=dropped>
            {scanner(app, typed, in_person)}
            <label class="field">
                <span>{t.paste_card}</span>
                <textarea rows="4" autocomplete="off" spellcheck="false" dir="ltr" placeholder="hotline:card/…"
                    prop:value=move || typed.get() on:input=move |e| typed.set(event_target_value(&e))></textarea>
            </label>
            <p class="hint">{t.paste_card_body}</p>
            <label class="button file">
                {icon(Icon::File)}<span>{t.open_file}</span>
                <input type="file" accept=".hotline-card,text/plain" on:change=opened />
            </label>
            <fieldset>
                <legend>{t.take_person}</legend>
                <div class="segments">{answer(true, t.yes_person)}{answer(false, t.no_person)}</div>
            </fieldset>
            <button class="primary wide" type="submit" disabled=move || busy.get() || typed.get().trim().is_empty()>{t.take}</button>
        </form>
    }
    .into_any()
}

fn scanner(app: App, typed: RwSignal<String>, in_person: RwSignal<bool>) -> AnyView {
    let t = app.t();
    let video = NodeRef::<html::Video>::new();
    let camera: StoredValue<Option<Camera>, LocalStorage> = StoredValue::new_local(None);
    let on = RwSignal::new(false);
    let stop = move || {
        camera.set_value(None);
        on.set(false);
    };
    let start = move |_| {
        on.set(true);
        let Some(video) = video.get_untracked() else { return };
        spawn_local(async move {
            let found = move |text: String| {
                typed.set(text);
                // A code that is scanned is mostly shown by its giver.
                in_person.set(true);
                // Not from within the camera's own call.
                crate::browser::after(0, stop);
            };
            match Camera::open(video, found).await {
                // Dropped, and so closed, when the screen is gone by now.
                Ok(opened) => drop(camera.try_set_value(Some(opened))),
                Err(_) => {
                    let _ = on.try_set(false);
                    app.notify(t.camera_refused.to_owned(), true);
                }
            }
        });
    };
    view! {
        <div class="scanner" class:on=move || on.get()>
            <video node_ref=video playsinline="" muted="" aria-label=t.scanning></video>
            {move || if on.get() {
                view! {
                    <p class="hint" role="status">{t.scanning}</p>
                    <button type="button" on:click=move |_| stop()>{icon(Icon::Cross)}<span>{t.stop_scan}</span></button>
                }.into_any()
            } else {
                view! { <button type="button" class="wide" on:click=start>{icon(Icon::Camera)}<span>{t.scan}</span></button> }.into_any()
            }}
        </div>
    }
    .into_any()
}
