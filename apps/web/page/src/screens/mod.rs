//! One file a screen, and which of them is shown.

pub mod bring;
pub mod call;
pub mod card;
pub mod cards;
pub mod console;
pub mod contact;
pub mod contacts;
pub mod first;
pub mod gate;
pub mod give;
pub mod history;
pub mod home;
pub mod incoming;
mod manage;
pub mod night;
pub mod room;
mod rules;
pub mod settings;
pub mod staff;
pub mod take;
pub mod texts;
pub mod transfer;
pub mod unlock;
pub mod verify;

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
