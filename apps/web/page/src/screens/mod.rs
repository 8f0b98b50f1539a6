//! One file a screen, and which of them is shown.

mod call;
mod card;
mod cards;
mod contact;
mod contacts;
mod first;
mod gate;
mod give;
mod history;
mod home;
mod incoming;
mod settings;
mod take;
mod texts;
mod unlock;
mod verify;

use leptos::prelude::*;

use crate::app::{App, Phase};

/// Everything. A change of language draws it anew.
pub fn root(app: App) -> AnyView {
    (move || {
        let _ = app.lang.get();
        let t = app.t();
        match app.phase.get() {
            Phase::Loading => gate::loading(t),
            Phase::Unsupported(missing) => gate::unsupported(missing, t),
            Phase::Elsewhere => gate::elsewhere(t),
            Phase::First => first::first(app),
            Phase::Locked(store) => unlock::unlock(app, store),
            Phase::Open => home::home(app),
            Phase::Broken(why) => gate::broken(why, t),
        }
    })
    .into_any()
}
