//! A state: icon and words, in the colour that says the same once more.

use leptos::prelude::*;

use crate::parts::icon::{Icon, icon};
use crate::text::Text;
use crate::words::{Said, Tone, precedence};
use protocol::Precedence;

/// Icon and words.
pub fn state(said: Said) -> AnyView {
    spoken(said.icon, said.tone, said.words.to_owned())
}

/// Icon and any words.
pub fn spoken(of: Icon, tone: Tone, words: String) -> AnyView {
    let class = format!("state {}", tone.class());
    view! { <span class=class>{icon(of)}<span>{words}</span></span> }.into_any()
}

/// How urgent a call is, if it is more than routine: a sign and a word.
pub fn urgent(of: Precedence, t: &'static Text) -> Option<AnyView> {
    let (sign, word) = precedence(of, t)?;
    Some(
        view! { <strong class="urgent"><span aria-hidden="true">{sign}</span>" "<span>{word}</span></strong> }
            .into_any(),
    )
}
