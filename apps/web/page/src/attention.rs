//! Calls for attention: tone, notification, the page's title, and the warning before a call is closed with its window.

use leptos::prelude::*;
use protocol::CallState;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Notification, NotificationOptions, NotificationPermission};

use crate::app::{App, foremost, waiting};
use crate::browser;
use crate::ring::{Ring, Tone};
use crate::text::fill;

/// Starts to watch.
pub fn watch(app: App) {
    let sounding: StoredValue<Option<Ring>, LocalStorage> = StoredValue::new_local(None);
    let tone = app.part(|v| {
        let first = waiting(&v.calls).into_iter().find(|c| c.rings);
        if let Some(call) = first {
            // Whoever speaks hears one note now and then, and not the ring; but that of a more urgent call.
            let talks = v.calls.iter().any(|c| c.state == CallState::Connected);
            return Some(match call.precedence {
                of if call.rings_over => Tone::Over(of),
                _ if talks => Tone::Beside,
                of => Tone::Incoming(of),
            });
        }
        foremost(&v.calls).filter(|c| c.state == CallState::Ringing).map(|_| Tone::Waiting)
    });
    Effect::new(move |_| {
        // The old tone ends before the new one begins.
        sounding.set_value(None);
        sounding.set_value(tone.get().and_then(Ring::start));
    });
    let title = Memo::new(move |_| {
        let t = app.lang.get().text();
        app.view.with(|v| {
            if v.calls.iter().any(|c| c.state == CallState::RingingHere) {
                format!("☎ {}", t.st_incoming)
            } else if let Some(call) = foremost(&v.calls) {
                format!("{} · Hotline", crate::words::room::state(call, t).0.words)
            } else if v.missed > 0 {
                format!("({}) Hotline", v.missed)
            } else {
                "Hotline".to_owned()
            }
        })
    });
    Effect::new(move |_| browser::document().set_title(&title.get()));
    flash(app);
    browser::listen::<web_sys::BeforeUnloadEvent>("beforeunload", move |event| {
        let gone_for_good = app.view.with_untracked(|v| !v.kept && !v.office.is_empty());
        if app.in_call() || gone_for_good {
            event.prevent_default();
        }
    });
}

/// The other side holds the call for a more urgent one.
pub fn preempted() {
    Ring::once(Tone::Preempted);
}

/// The title blinks while it rings and nobody looks.
fn flash(app: App) {
    let incoming = app.incoming();
    let on = Closure::<dyn FnMut()>::new(move || {
        if incoming.get_untracked().is_none() || !browser::hidden() {
            return;
        }
        let title = app.t().st_incoming;
        let document = browser::document();
        document.set_title(if document.title() == "☎ ☎ ☎" { title } else { "☎ ☎ ☎" });
    });
    let _ = browser::window()
        .set_interval_with_callback_and_timeout_and_arguments_0(on.as_ref().unchecked_ref(), 1000);
    // As long as the page.
    on.forget();
}

/// Somebody calls, and perhaps nobody looks.
pub fn incoming(app: App, contact: u32) {
    let t = app.t();
    let own = app.view.with_untracked(|v| v.name.clone());
    show(app, &format!("{}: {}", t.st_incoming, app.name_of(contact)), &fill(t.for_whom, &own));
}

/// Shows a notification when the page is hidden and the person allowed it.
pub fn show(_app: App, title: &str, body: &str) {
    if !browser::hidden() || !can() || Notification::permission() != NotificationPermission::Granted
    {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(body);
    options.set_tag("hotline");
    options.set_icon("icon-192.png");
    match Notification::new_with_options(title, &options) {
        Ok(shown) => {
            let pressed = shown.clone();
            let press = Closure::once_into_js(move || {
                let _ = browser::window().focus();
                pressed.close();
            });
            shown.set_onclick(Some(press.unchecked_ref()));
        }
        // On phones only a service worker may show one.
        Err(_) => by_service_worker(title.to_owned(), options.into()),
    }
}

fn by_service_worker(title: String, options: JsValue) {
    spawn_local(async move {
        let workers = browser::get(&browser::window().navigator(), "serviceWorker");
        if let Ok(registration) = browser::ask(&workers, "getRegistration", &[]).await {
            // Not shown: the tone and the title still call.
            let _ = browser::ask(&registration, "showNotification", &[title.into(), options]).await;
        }
    });
}

/// Whether this browser has notifications.
#[must_use]
pub fn can() -> bool {
    browser::has(&browser::window(), "Notification")
}

/// Whether the person has neither allowed nor refused them.
#[must_use]
pub fn may_ask() -> bool {
    can() && Notification::permission() == NotificationPermission::Default
}

/// Whether they are allowed.
#[must_use]
pub fn allowed() -> bool {
    can() && Notification::permission() == NotificationPermission::Granted
}

/// Asks the person.
pub async fn allow() {
    if let Ok(asked) = Notification::request_permission() {
        // The answer is read where it is needed.
        let _ = wasm_bindgen_futures::JsFuture::from(asked).await;
    }
}
