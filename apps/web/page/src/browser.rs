//! What the page asks of the browser, in a few words each.

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Storage, Window};

/// The window. There is one: this code is only started by a page.
#[must_use]
pub fn window() -> Window {
    leptos::prelude::window()
}

/// The document.
#[must_use]
pub fn document() -> Document {
    leptos::prelude::document()
}

/// A property, `undefined` when it is not there.
#[must_use]
pub fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// Whether something is there.
#[must_use]
pub fn has(of: &JsValue, name: &str) -> bool {
    let found = get(of, name);
    !found.is_undefined() && !found.is_null()
}

/// A JavaScript object.
#[must_use]
pub fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let made = Object::new();
    for (name, value) in fields {
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&made, &(*name).into(), value);
    }
    made.into()
}

/// Calls a method, if there is one, and waits for what it promises.
///
/// # Errors
/// There is no such method, or what it throws.
pub async fn ask(of: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let list: Array = arguments.iter().collect();
    let method: Function = get(of, method).dyn_into()?;
    let answer = Reflect::apply(&method, of, &list)?;
    JsFuture::from(Promise::resolve(&answer)).await
}

/// The name of what was thrown, such as `NotAllowedError`.
#[must_use]
pub fn thrown(error: &JsValue) -> String {
    get(error, "name").as_string().unwrap_or_default()
}

/// What is remembered in this browser besides the handset: choices of looks, language and devices; no secret.
#[must_use]
pub fn remembered(key: &str) -> Option<String> {
    storage()?.get_item(&format!("hotline.{key}")).ok()?
}

/// Remembers a choice; a browser that refuses forgets it with the window.
pub fn remember(key: &str, value: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(&format!("hotline.{key}"), value);
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}

/// A time in the person's language: `{hour, minute}` or whatever the options say.
#[must_use]
pub fn date(at_ms: f64, lang: &str, options: &[(&str, &str)]) -> String {
    let options: Vec<(&str, JsValue)> = options.iter().map(|(k, v)| (*k, (*v).into())).collect();
    let at = js_sys::Date::new(&at_ms.into());
    // The browser knows the person's own way of writing a language: en-GB, fr-CH.
    let own = window().navigator().language().filter(|own| own.split('-').next() == Some(lang));
    at.to_locale_string(own.as_deref().unwrap_or(lang), &object(&options)).into()
}

/// The time of a day in the person's language.
#[must_use]
pub fn clock(at_ms: f64, lang: &str) -> String {
    date(at_ms, lang, &[("hour", "2-digit"), ("minute", "2-digit")])
}

/// Day and time in the person's language.
#[must_use]
pub fn day_and_time(at_ms: f64, lang: &str) -> String {
    date(
        at_ms,
        lang,
        &[
            ("weekday", "short"),
            ("day", "numeric"),
            ("month", "short"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
        ],
    )
}

/// Calls `done` after a while.
pub fn after(ms: i32, done: impl FnOnce() + 'static) {
    let done = Closure::once_into_js(done);
    let _ =
        window().set_timeout_with_callback_and_timeout_and_arguments_0(done.unchecked_ref(), ms);
}

/// Listens to the window for as long as the page is there.
pub fn listen<E: JsCast + 'static>(name: &str, heard: impl FnMut(E) + 'static) {
    listen_to(window().as_ref(), name, heard);
}

/// Listens to something for as long as the page is there.
pub fn listen_to<E: JsCast + 'static>(
    target: &web_sys::EventTarget,
    name: &str,
    mut heard: impl FnMut(E) + 'static,
) {
    let closure =
        Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| heard(event.unchecked_into()));
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    // As long as the page.
    closure.forget();
}

/// Whether the page is out of sight.
#[must_use]
pub fn hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

/// Whether nothing has the focus, or what had it is gone.
#[must_use]
pub fn nothing_focused() -> bool {
    document().active_element().is_none_or(|e| e.tag_name() == "BODY")
}

/// Puts a text on the clipboard.
///
/// # Errors
/// The browser refuses.
pub async fn copy(text: &str) -> Result<(), JsValue> {
    let clipboard = get(&window().navigator(), "clipboard");
    ask(&clipboard, "writeText", &[text.into()]).await.map(drop)
}

/// Offers a text to be saved as a file.
pub fn save_file(name: &str, text: &str) {
    let saved = || -> Result<(), JsValue> {
        let parts = Array::of1(&text.into());
        let blob = web_sys::Blob::new_with_str_sequence(&parts)?;
        let address = web_sys::Url::create_object_url_with_blob(&blob)?;
        let link: web_sys::HtmlAnchorElement =
            document().create_element("a")?.dyn_into().map_err(JsValue::from)?;
        link.set_href(&address);
        link.set_download(name);
        link.click();
        web_sys::Url::revoke_object_url(&address)
    };
    // A browser that refuses says so itself.
    let _ = saved();
}
