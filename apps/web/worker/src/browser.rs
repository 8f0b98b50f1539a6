//! What the browser gives a worker: bindings by name, for what no kept crate binds without unstable flags.
//!
//! W3C WebTransport, W3C IndexedDB 3.0 (strict durability), W3C Web Locks, HTML (MessagePort, timers), Fetch.

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DedicatedWorkerGlobalScope, IdbDatabase, IdbTransaction, ReadableStream, WritableStream,
};

#[wasm_bindgen]
extern "C" {
    /// A WebTransport session (W3C WebTransport §5).
    pub(crate) type WebTransport;
    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn new(url: &str, options: &JsValue) -> Result<WebTransport, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn ready(this: &WebTransport) -> Promise;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn closed(this: &WebTransport) -> Promise;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn datagrams(this: &WebTransport) -> Datagrams;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn close(this: &WebTransport) -> Result<(), JsValue>;

    /// Its datagrams, both ways.
    pub(crate) type Datagrams;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn readable(this: &Datagrams) -> ReadableStream;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn writable(this: &Datagrams) -> Option<WritableStream>;
    #[wasm_bindgen(method, js_name = createWritable, catch)]
    pub(crate) fn create_writable(this: &Datagrams) -> Result<WritableStream, JsValue>;

    /// A database that takes options for a transaction (IndexedDB 3.0 §4.4).
    #[wasm_bindgen(extends = IdbDatabase)]
    type Database;
    #[wasm_bindgen(method, catch, js_name = transaction)]
    fn transaction_with(
        this: &Database,
        stores: &JsValue,
        mode: &str,
        options: &JsValue,
    ) -> Result<IdbTransaction, JsValue>;
}

/// The worker's own global object.
pub(crate) fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// A property, `undefined` where there is none.
pub(crate) fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// An object of these properties.
pub(crate) fn object(properties: &[(&str, JsValue)]) -> JsValue {
    let made = Object::new();
    for (name, value) in properties {
        // A new object takes any property.
        let _ = Reflect::set(&made, &(*name).into(), value);
    }
    made.into()
}

/// A writing transaction that is on disk when it completes (browsers flush late otherwise).
pub(crate) fn strict(db: &IdbDatabase, stores: &[&str]) -> Result<IdbTransaction, JsValue> {
    let names: Array = stores.iter().map(|s| JsValue::from_str(s)).collect();
    let options = object(&[("durability", "strict".into())]);
    db.unchecked_ref::<Database>().transaction_with(&names, "readwrite", &options)
}

/// A file of the own origin, past all caches.
pub(crate) async fn fetch(path: &str) -> Result<Vec<u8>, JsValue> {
    let options = web_sys::RequestInit::new();
    options.set_cache(web_sys::RequestCache::NoStore);
    let response = JsFuture::from(scope().fetch_with_str_and_init(path, &options)).await?;
    let response: web_sys::Response = response.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::from_str(&format!("{path}: HTTP {}", response.status())));
    }
    let bytes = JsFuture::from(response.array_buffer()?).await?;
    Ok(Uint8Array::new(&bytes).to_vec())
}

/// Takes the origin's lock for as long as this worker lives; `false`: another window has it.
pub(crate) async fn only_window() -> bool {
    let locks = get(&get(&scope(), "navigator"), "locks");
    let Ok(request) = get(&locks, "request").dyn_into::<Function>() else { return true };
    let promise = Promise::new(&mut |resolve, _| {
        // The lock is held until the promise that the callback returns is settled: never.
        let granted = Closure::once_into_js(move |lock: JsValue| -> JsValue {
            // Nobody listens any more only if the worker ends.
            let _ = resolve.call1(&JsValue::UNDEFINED, &JsValue::from_bool(!lock.is_null()));
            if lock.is_null() { JsValue::UNDEFINED } else { Promise::new(&mut |_, _| {}).into() }
        });
        let options = object(&[("ifAvailable", JsValue::TRUE)]);
        // A browser that refuses locks leaves the promise open; it has no WebTransport either.
        let _ = request.call3(&locks, &"hotline handset".into(), &options, &granted);
    });
    JsFuture::from(promise).await.is_ok_and(|granted| granted.is_truthy())
}

/// What a thrown value says.
pub(crate) fn words(thrown: &JsValue) -> String {
    let message = get(thrown, "message").as_string();
    message.or_else(|| thrown.as_string()).unwrap_or_else(|| "unknown reason".into())
}
