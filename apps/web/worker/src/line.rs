//! The line: cells as datagrams of a WebTransport session with the own exchange.
//!
//! ```text
//!  /line ─► leaf.rs ─► WebTransport(https://door/line, hash of the leaf) ─► up ─► cells ... ─► down
//! ```
//!
//! Nothing is sent but by [`Line::send`], at the machine's ticks. A cell that cannot leave is lost.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ReadableStreamDefaultReader, WritableStreamDefaultWriter};

use crate::browser::{Datagrams, WebTransport, fetch, get, object, words};
use crate::leaf;

/// Cells that may wait to be sent: beyond that the oldest is of no use any more.
const WAITING: f64 = 2.0;
/// Cells that may wait to be read.
const UNREAD: f64 = 32.0;

/// What happened to the line.
pub(crate) enum News {
    /// It is up.
    Up,
    /// A cell came.
    Cell(Vec<u8>),
    /// It is gone, or never came up. The words are for a person, if a person can do something.
    Down(Option<Trouble>),
}

/// What a person has to know.
pub(crate) enum Trouble {
    /// The browser cannot.
    NoWebTransport,
    /// Whoever answers is not the exchange of the enrolment link.
    WrongExchange,
}

/// One session, from dialling to its end.
pub(crate) struct Line {
    ended: Rc<Cell<bool>>,
    session: Rc<Cell<Option<WebTransport>>>,
    writer: Rc<Cell<Option<WritableStreamDefaultWriter>>>,
    ignore: Closure<dyn FnMut(JsValue)>,
}

impl Line {
    /// Dials; `news` hears what comes of it until [`Line`] is dropped.
    pub(crate) fn dial(door: &str, exchange: [u8; 32], news: impl Fn(News) + 'static) -> Line {
        let line = Line {
            ended: Rc::default(),
            session: Rc::default(),
            writer: Rc::default(),
            ignore: Closure::new(|_| {}),
        };
        let url = format!("https://{door}/line");
        let (ended, session) = (line.ended.clone(), line.session.clone());
        let writer = line.writer.clone();
        spawn_local(async move {
            let tell = |what| {
                if !ended.get() {
                    news(what);
                }
            };
            let made = match open(&url, &exchange).await {
                Ok(made) => made,
                Err(trouble) => return tell(News::Down(trouble)),
            };
            if ended.get() {
                // Given up meanwhile; a session that is closed twice does not mind.
                let _ = made.close();
                return;
            }
            let datagrams = made.datagrams();
            let (reader, own_writer) = match ends(&datagrams) {
                Ok(ends) => ends,
                Err(_) => return tell(News::Down(None)),
            };
            session.set(Some(made));
            writer.set(Some(own_writer));
            tell(News::Up);
            while !ended.get() {
                let Ok(read) = JsFuture::from(reader.read()).await else { break };
                let Ok(cell) = get(&read, "value").dyn_into::<Uint8Array>() else { break };
                tell(News::Cell(cell.to_vec()));
            }
            tell(News::Down(None));
        });
        line
    }

    /// Sends a cell, or loses it.
    pub(crate) fn send(&self, cell: &[u8]) {
        let Some(writer) = self.writer.take() else { return };
        // A session that is gone is noticed where it is read.
        let _ = writer.write_with_chunk(&Uint8Array::from(cell)).catch(&self.ignore);
        self.writer.set(Some(writer));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.ended.set(true);
        if let Some(session) = self.session.take() {
            // It may be closed already.
            let _ = session.close();
        }
    }
}

/// A session that is ready.
async fn open(url: &str, exchange: &[u8; 32]) -> Result<WebTransport, Option<Trouble>> {
    if get(&js_sys::global(), "WebTransport").is_undefined() {
        return Err(Some(Trouble::NoWebTransport));
    }
    let der = fetch("line").await.map_err(|e| log(&words(&e)))?;
    let hash = leaf::verified(&der, exchange).ok_or(Some(Trouble::WrongExchange))?;
    let hash =
        object(&[("algorithm", "sha-256".into()), ("value", Uint8Array::from(&hash[..]).into())]);
    let options = object(&[
        ("serverCertificateHashes", Array::of1(&hash).into()),
        ("requireUnreliable", JsValue::TRUE),
        ("congestionControl", "low-latency".into()),
    ]);
    let session = WebTransport::new(url, &options).map_err(|e| log(&words(&e)))?;
    // What is not awaited must not be reported as unhandled.
    let closed = session.closed();
    spawn_local(async move {
        let _ = JsFuture::from(closed).await;
    });
    JsFuture::from(session.ready()).await.map_err(|e| log(&words(&e)))?;
    Ok(session)
}

fn ends(
    datagrams: &Datagrams,
) -> Result<(ReadableStreamDefaultReader, WritableStreamDefaultWriter), JsValue> {
    for (name, value) in [("outgoingHighWaterMark", WAITING), ("incomingHighWaterMark", UNREAD)] {
        // A browser without the setting has its own.
        let _ = js_sys::Reflect::set(datagrams, &name.into(), &value.into());
    }
    let reader = datagrams.readable().get_reader().dyn_into()?;
    let writable = match datagrams.writable() {
        Some(writable) => writable,
        None => datagrams.create_writable()?,
    };
    Ok((reader, writable.get_writer()?))
}

/// Connecting is tried again and again; why it failed is for the developer's console.
fn log(what: &str) -> Option<Trouble> {
    web_sys::console::info_1(&format!("hotline: the line cannot be dialled: {what}").into());
    None
}
