//! A handset that has to be opened.

use leptos::prelude::*;
use protocol::{StoreState, ToWorker};
use wasm_bindgen_futures::spawn_local;

use crate::app::App;
use crate::parts::confirm::confirm;
use crate::parts::heading::heading;
use crate::parts::icon::{Icon, icon};
use crate::passkey;
use crate::words;

/// By passkey or passphrase.
pub fn unlock(app: App, store: StoreState) -> AnyView {
    let t = app.t();
    let typed = RwSignal::new(String::new());
    let failed = RwSignal::new(false);
    let open = move |secret: String| {
        app.refused.set(None);
        app.busy.set(true);
        app.say(&ToWorker::Unlock { secret });
    };
    let form = match store {
        StoreState::Passkey { credential, salt } => {
            let press = move |_| {
                failed.set(false);
                app.busy.set(true);
                let (credential, salt) = (credential.clone(), salt.clone());
                spawn_local(async move {
                    match passkey::secret(&credential, &salt).await {
                        Ok(secret) => open(secret),
                        Err(_) => {
                            app.busy.set(false);
                            failed.set(true);
                        }
                    }
                });
            };
            view! {
                <button class="primary wide" disabled=move || app.busy.get() on:click=press>
                    {icon(Icon::Key)}
                    <span>{move || if app.busy.get() { t.opening } else { t.unlock_passkey }}</span>
                </button>
            }
            .into_any()
        }
        _ => {
            let go = move |e: leptos::ev::SubmitEvent| {
                e.prevent_default();
                open(typed.get_untracked());
                typed.set(String::new());
            };
            view! {
                <form class="stack" on:submit=go>
                    <label class="field">
                        <span>{t.passphrase}</span>
                        <input type="password" autocomplete="current-password"
                            prop:value=move || typed.get()
                            on:input=move |e| typed.set(event_target_value(&e)) />
                    </label>
                    <button class="primary wide" type="submit" disabled=move || app.busy.get() || typed.get().is_empty()>
                        {icon(Icon::Lock)}
                        <span>{move || if app.busy.get() { t.opening } else { t.unlock }}</span>
                    </button>
                </form>
            }
            .into_any()
        }
    };
    let has_link = app.fragment.with_untracked(|f| f.enrol.is_some());
    view! {
        <main class="gate">
            <div class="gate-card">
                <span class="gate-icon">{icon(Icon::Lock)}</span>
                {heading(move || t.unlock_title.to_owned())}
                {has_link.then(|| view! { <p class="banner care">{icon(Icon::Alert)}<span>{t.already}</span></p> })}
                {move || app.refused.get().map(|p| view! {
                    <p class="problem" role="alert">{icon(Icon::Alert)}<span>{words::problem(&p, t)}</span></p>
                })}
                {move || failed.get().then(|| view! {
                    <p class="problem" role="alert">{icon(Icon::Alert)}<span>{t.wrong}</span></p>
                })}
                {form}
                <details>
                    <summary>{t.forgot}</summary>
                    <p class="hint">{t.forgot_body}</p>
                    {confirm(app, t.wipe, t.wipe_body.to_owned(), Some(t.wipe_word), move || app.say(&ToWorker::Wipe))}
                </details>
            </div>
        </main>
    }
    .into_any()
}
