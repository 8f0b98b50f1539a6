//! Before anything can be shown, or when nothing can: loading, another window, a browser that cannot, a broken page.

use leptos::prelude::*;

use crate::app::Missing;
use crate::parts::heading::heading;
use crate::parts::icon::{Icon, icon};
use crate::shell::reload;
use crate::text::Text;

fn card(of: Icon, title: &'static str, body: AnyView) -> AnyView {
    view! {
        <main class="gate">
            <div class="gate-card">
                <span class="gate-icon">{icon(of)}</span>
                {heading(move || title.to_owned())}
                {body}
            </div>
        </main>
    }
    .into_any()
}

/// The worker starts.
pub fn loading(t: &'static Text) -> AnyView {
    view! {
        <main class="gate" aria-busy="true">
            <div class="gate-card">
                <span class="gate-icon pulse">{icon(Icon::Phone)}</span>
                <p role="status">{t.loading}</p>
            </div>
        </main>
    }
    .into_any()
}

/// Another window has it.
pub fn elsewhere(t: &'static Text) -> AnyView {
    let body = view! {
        <p>{t.elsewhere_body}</p>
        <button class="primary wide" on:click=|_| reload()>{t.retry}</button>
    };
    card(Icon::Device, t.elsewhere_title, body.into_any())
}

/// The browser cannot.
pub fn unsupported(missing: Missing, t: &'static Text) -> AnyView {
    let why = match missing {
        Missing::Transport => t.no_transport,
        Missing::Security => t.insecure,
    };
    card(Icon::Alert, t.unsupported_title, view! { <p>{why}</p> }.into_any())
}

/// The worker stopped.
pub fn broken(why: String, t: &'static Text) -> AnyView {
    let body = view! {
        <p>{t.broken_body}</p>
        <p class="hint" dir="auto">{why}</p>
        <button class="primary wide" on:click=|_| reload()>{t.reload}</button>
    };
    card(Icon::Refresh, t.broken_title, body.into_any())
}
