//! Around the screens: the start, the browser's own back button, keys, the service worker.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{KeyboardEvent, RequestInit, Response};

use protocol::CallState;

use crate::app::{App, Missing, Phase, foremost};
use crate::browser::{self, ask, get, has};
use crate::fragment::Fragment;
use crate::link::Link;
use crate::{attention, heard, prefs, screens, wake};

/// Starts the page.
pub fn start(worker: web_sys::Worker) {
    let fragment = take_fragment();
    prefs::apply_looks(prefs::looks());
    if let Some(boot) = browser::document().get_element_by_id("boot") {
        boot.remove();
    }
    leptos::mount::mount_to_body(move || {
        let app = App::new(fragment);
        Effect::new(move |_| prefs::apply_language(app.lang.get()));
        connect(app, worker);
        attention::watch(app);
        wake::watch(app);
        keys(app);
        browser::listen::<JsValue>("popstate", move |_| app.back());
        versions(app);
        screens::root(app)
    });
}

/// Reads the link's secret and takes it out of the address bar and the history at once.
fn take_fragment() -> Fragment {
    let location = browser::window().location();
    let hash = location.hash().unwrap_or_default();
    if !hash.is_empty()
        && let (Ok(history), Ok(path)) = (browser::window().history(), location.pathname())
    {
        // A browser that refuses keeps it in the bar; the link works once in any case.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&path));
    }
    Fragment::parse(&hash)
}

fn connect(app: App, worker: web_sys::Worker) {
    let window = browser::window();
    if get(&window, "isSecureContext").as_bool() == Some(false) {
        return app.phase.set(Phase::Unsupported(Missing::Security));
    }
    if !has(&window, "WebTransport") {
        return app.phase.set(Phase::Unsupported(Missing::Transport));
    }
    let link = Link::new(worker);
    link.listen(
        move |message| heard::heard(app, message),
        move |why| app.phase.set(Phase::Broken(why)),
    );
    app.link.set_value(Some(link));
}

/// Keys in a call: M, H, E, and for who arranges it B, N, C; when it rings: A, D. Never while something is typed or asked.
fn keys(app: App) {
    let incoming = app.incoming();
    let shown = app.shown_call();
    browser::listen::<KeyboardEvent>("keydown", move |event| {
        let typing =
            event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok()).is_some_and(|e| {
                let asked = e.closest("dialog.sheet").ok().flatten().is_some();
                asked || ["INPUT", "TEXTAREA", "SELECT"].contains(&e.tag_name().as_str())
            });
        if typing || event.ctrl_key() || event.meta_key() || event.alt_key() || event.repeat() {
            return;
        }
        let key = event.key().to_lowercase();
        if untrack(|| app.at_console()) {
            return console_key(app, &key, &event);
        }
        if let Some(call) = incoming.get_untracked() {
            match key.as_str() {
                "a" => app.answer(call),
                "d" => app.end(call),
                _ => {}
            }
            return;
        }
        let Some(call) = shown.get_untracked().filter(|_| app.in_call()) else { return };
        match key.as_str() {
            // What the screen does not allow now, its key does not either.
            "h" => press("key-hold"),
            // These are never refused, whatever screen is shown.
            "m" => app.toggle_mute(),
            "e" => app.end(call),
            // The key itself must not be typed into what opens.
            "b" | "n" => {
                let id = if key == "b" { "key-bring" } else { "key-announce" };
                event.prevent_default();
                focus(id);
                press(id);
            }
            // To connect cannot be taken back: the key is found, and pressed by another.
            "c" => {
                event.prevent_default();
                focus("key-connect");
            }
            _ => {}
        }
    });
}

/// On the console calls wait while another is spoken in, so that each key has one meaning.
fn console_key(app: App, key: &str, event: &KeyboardEvent) {
    let calls = app.view.with_untracked(|v| v.calls.clone());
    // What is parked stands aside: no key but R touches it.
    let call = foremost(&calls).filter(|c| c.parked.is_none()).map(|c| c.id);
    match (key, call) {
        ("a", _) => {
            if let Some(next) = calls.iter().find(|c| c.state == CallState::RingingHere) {
                app.answer(next.id);
            }
        }
        ("r", _) => press_first("[aria-keyshortcuts=r]"),
        ("b", _) => {
            event.prevent_default();
            focus("key-find");
        }
        ("p", Some(_)) => {
            event.prevent_default();
            focus("key-park");
        }
        ("h", Some(_)) => press("key-hold"),
        ("m", Some(_)) => app.toggle_mute(),
        ("e", Some(call)) => app.end(call),
        ("n", Some(_)) => {
            focus("key-announce");
            press("key-announce");
        }
        ("c", Some(_)) => focus("key-connect"),
        _ => {}
    }
}

/// Presses the first button that says so.
fn press_first(which: &str) {
    let found = browser::document().query_selector(which).ok().flatten();
    if let Some(button) = found.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        button.click();
    }
}

fn button(id: &str) -> Option<web_sys::HtmlElement> {
    browser::document().get_element_by_id(id)?.dyn_into().ok()
}

/// Presses a button of the screen, if it is there; one that is disabled does nothing.
fn press(id: &str) {
    if let Some(button) = button(id) {
        button.click();
    }
}

/// Goes to a button of the screen.
fn focus(id: &str) {
    if let Some(button) = button(id) {
        // What cannot be focused is reached by Tab.
        let _ = button.focus();
    }
}

/// Asks which build the exchange serves, and has the service worker keep that one's shell.
fn versions(app: App) {
    spawn_local(async move {
        let Some(build) = served().await else { return };
        app.build.set(Some(build.clone()));
        let workers = get(&browser::window().navigator(), "serviceWorker");
        let Ok(registration) =
            ask(&workers, "register", &[format!("sw.js?v={build}").into()]).await
        else {
            // Without it the page is loaded from the exchange each time.
            return;
        };
        let ready = move || {
            // The first one serves no page yet: nothing is replaced.
            let replaces = has(&get(&browser::window().navigator(), "serviceWorker"), "controller");
            app.update.set(replaces);
        };
        if has(&registration, "waiting") {
            ready();
        }
        let found = registration.clone();
        if let Some(target) = registration.dyn_ref::<web_sys::EventTarget>() {
            browser::listen_to::<JsValue>(target, "updatefound", move |_| {
                let Ok(coming) = get(&found, "installing").dyn_into::<web_sys::ServiceWorker>()
                else {
                    return;
                };
                let state = coming.clone();
                browser::listen_to::<JsValue>(coming.as_ref(), "statechange", move |_| {
                    if state.state() == web_sys::ServiceWorkerState::Installed {
                        ready();
                    }
                });
            });
        }
    });
}

async fn served() -> Option<String> {
    let options = RequestInit::new();
    options.set_method("HEAD");
    let response =
        JsFuture::from(browser::window().fetch_with_str_and_init("./", &options)).await.ok()?;
    response.dyn_into::<Response>().ok()?.headers().get("X-Hotline-Build").ok()?
}

/// Loads the version that waits. Never offered in a call.
pub fn load_update() {
    spawn_local(async move {
        let workers = get(&browser::window().navigator(), "serviceWorker");
        if let Some(target) = workers.dyn_ref::<web_sys::EventTarget>() {
            browser::listen_to::<JsValue>(target, "controllerchange", |_| reload());
        }
        if let Ok(registration) = ask(&workers, "getRegistration", &[]).await
            && let Ok(waiting) = get(&registration, "waiting").dyn_into::<web_sys::ServiceWorker>()
        {
            // It answers by taking over, which loads the page.
            let _ = waiting.post_message(&"take over".into());
        }
    });
}

/// Loads the page anew.
pub fn reload() {
    // A browser that refuses has a button of its own.
    let _ = browser::window().location().reload();
}
