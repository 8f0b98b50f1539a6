//! Keeps the screen awake during calls. A browser takes the lock away from a hidden page, so it is asked for again.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::app::App;
use crate::browser;

/// Starts to watch.
pub fn watch(app: App) {
    let lock: StoredValue<Option<JsValue>, LocalStorage> = StoredValue::new_local(None);
    let calls = app.calls_under_way();
    Effect::new(move |_| {
        if calls.get() {
            take(lock);
        } else {
            give_back(lock);
        }
    });
    browser::listen_to::<JsValue>(browser::document().as_ref(), "visibilitychange", move |_| {
        if !browser::hidden() && calls.get_untracked() {
            take(lock);
        }
    });
}

fn take(lock: StoredValue<Option<JsValue>, LocalStorage>) {
    let locks = browser::get(&browser::window().navigator(), "wakeLock");
    spawn_local(async move {
        // Where there is none, or the battery is low, the screen goes dark as it always does.
        if let Ok(taken) = browser::ask(&locks, "request", &["screen".into()]).await {
            give_back(lock);
            lock.set_value(Some(taken));
        }
    });
}

fn give_back(lock: StoredValue<Option<JsValue>, LocalStorage>) {
    if let Some(taken) = lock.try_update_value(Option::take).flatten() {
        spawn_local(async move {
            let _ = browser::ask(&taken, "release", &[]).await;
        });
    }
}
