//! The heading of a screen: focus moves to it when the screen comes, so that keys and readers begin there.

use leptos::html;
use leptos::prelude::*;

use crate::app::App;
use crate::parts::icon::{Icon, icon};

/// A heading that takes the focus.
pub fn heading(words: impl Fn() -> String + Send + 'static) -> AnyView {
    let node = NodeRef::<html::H1>::new();
    Effect::new(move |_| {
        if let Some(node) = node.get() {
            // A heading that cannot be focused is read in its turn.
            let _ = node.focus();
        }
    });
    view! { <h1 node_ref=node tabindex="-1">{words}</h1> }.into_any()
}

/// A screen's top: the way back, and the heading.
pub fn top(app: App, words: impl Fn() -> String + Send + 'static) -> AnyView {
    let t = app.t();
    view! {
        <div class="top">
            <button class="round quiet back" on:click=move |_| app.back() aria-label=t.back title=t.back>
                {icon(Icon::Back)}
            </button>
            {heading(words)}
        </div>
    }
    .into_any()
}
