//! A state: icon and words, in the colour that says the same once more.

use leptos::prelude::*;

use crate::parts::icon::{Icon, icon};
use crate::words::{Said, Tone};

/// Icon and words.
pub fn state(said: Said) -> AnyView {
    spoken(said.icon, said.tone, said.words.to_owned())
}

/// Icon and any words.
pub fn spoken(of: Icon, tone: Tone, words: String) -> AnyView {
    let class = format!("state {}", tone.class());
    view! { <span class=class>{icon(of)}<span>{words}</span></span> }.into_any()
}
