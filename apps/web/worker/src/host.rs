//! The worker's loop: what the page says, what the browser brings, one handset or none.
//!
//! ```text
//!  Ready(store) ── Create, Unlock ──► Opened: a Handset ── Lock, Wipe ──► Ready(store)
//! ```
//!
//! JavaScript runs one thing at a time, so the loop is a value that closures share; it is never borrowed across an
//! `await`, nor while another closure is called.

use std::cell::RefCell;
use std::rc::Rc;

use phone::Command;
use protocol::{ErrorCode, FromWorker, Problem, StoreState, ToWorker};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessagePort;

use crate::browser::{only_window, scope};
use crate::clock::{Clock, Timer};
use crate::convert;
use crate::handset::{Handset, Happened, Wanted};
use crate::line::Line;
use crate::open;
use crate::sound::Port;
use crate::store::{SealedBatch, Store};

/// The loop, as closures hold it.
pub(crate) type Shared = Rc<RefCell<Host>>;

/// Everything in this worker.
pub(crate) struct Host {
    pub(crate) clock: Clock,
    timer: Timer,
    /// `None`: another window has it, or the browser refuses.
    pub(crate) store: Option<Rc<Store>>,
    elsewhere: bool,
    handset: Option<Handset>,
    /// Counts handsets that were opened: news for one that was closed is dropped.
    session: u32,
}

/// Starts the loop, and tells the page what there is to open.
///
/// # Errors
/// The browser lacks what every browser with WebTransport has.
pub(crate) fn start() -> Result<Shared, JsValue> {
    let clock = Clock::new().ok_or("this browser has no clock in workers")?;
    let (timer, fires) = Timer::new()?;
    let host = Host { clock, timer, store: None, elsewhere: false, handset: None, session: 0 };
    let host = Rc::new(RefCell::new(host));
    let turning = host.clone();
    fires.listen(move || {
        let session = turning.borrow().session;
        happened(&turning, session, Happened::Time);
    });
    let opening = host.clone();
    spawn_local(async move {
        let alone = only_window().await;
        let store = if alone { Store::open().await.ok() } else { None };
        {
            let mut host = opening.borrow_mut();
            host.elsewhere = !alone;
            host.store = store.map(Rc::new);
        }
        ready(&opening).await;
    });
    Ok(host)
}

/// Something came from the page: JSON, or the port of its worklet.
pub(crate) fn message(host: &Shared, data: JsValue) {
    let Some(text) = data.as_string() else {
        let port = crate::browser::get(&data, "sound").dyn_into::<MessagePort>().ok();
        return sound(host, port);
    };
    match protocol::from_json(&text) {
        Ok(message) => asked(host, message),
        // Page and worker come from one build; a page that was cached and a newer worker do not.
        Err(e) => tell(&FromWorker::Broken(Problem {
            code: ErrorCode::Other,
            text: format!("page and worker are of different versions, load the page anew: {e}"),
        })),
    }
}

fn asked(host: &Shared, message: ToWorker) {
    let session = host.borrow().session;
    match message {
        ToWorker::Create { name, enrol, card, lock } => {
            let made = open::create(&host.borrow(), name, &enrol, card, lock);
            match made {
                Ok((handset, link)) => {
                    opened(host, handset);
                    let session = host.borrow().session;
                    happened(host, session, Happened::Do { ask: 0, command: Command::Enrol(link) });
                }
                Err(problem) => tell(&FromWorker::Refused(problem)),
            }
        }
        ToWorker::Unlock { secret } => {
            let host = host.clone();
            spawn_local(async move {
                let store = host.borrow().store.clone();
                match open::unlock(&host, store, &secret).await {
                    Ok(handset) => opened(&host, handset),
                    Err(problem) => tell(&FromWorker::Refused(problem)),
                }
            });
        }
        ToWorker::Lock => close(host, false),
        ToWorker::Wipe => close(host, true),
        ToWorker::ChangeLock { ask, lock } => {
            let changed = {
                let mut host = host.borrow_mut();
                let key = host.handset.as_mut().and_then(Handset::key);
                key.map(|key| open::relock(key, lock))
            };
            let store = host.borrow().store.clone();
            spawn_local(async move {
                let done = match (changed, store) {
                    (Some(Ok(lock)), Some(store)) => {
                        store.write(SealedBatch::empty(), Some(lock)).await.map_err(open::storage)
                    }
                    (Some(Err(problem)), _) => Err(problem),
                    _ => Err(open::storage("this handset is kept nowhere".into())),
                };
                tell(&answer(ask, done));
            });
        }
        ToWorker::Do { ask, command } => match convert::command(command) {
            Ok(command) => happened(host, session, Happened::Do { ask, command }),
            Err(problem) => tell(&answer(ask, Err(problem))),
        },
        ToWorker::Choices { contact } => shown(host, |handset, now| handset.choices(now, contact)),
        ToWorker::CardCode { card } => shown(host, |handset, now| handset.card_code(now, card)),
        ToWorker::Pick { ask, contact, picked } => {
            let command = {
                let mut host = host.borrow_mut();
                host.handset.as_mut().and_then(|h| h.picked(contact, picked))
            };
            match command {
                Some(command) => happened(host, session, Happened::Do { ask, command }),
                None => tell(&answer(ask, Err(gone()))),
            }
        }
    }
}

fn gone() -> Problem {
    Problem { code: ErrorCode::Gone, text: "that is not there any more".into() }
}

fn answer(ask: u32, done: Result<(), Problem>) -> FromWorker {
    match done {
        Ok(()) => FromWorker::Done { ask },
        Err(problem) => FromWorker::Failed { ask, problem },
    }
}

fn opened(host: &Shared, handset: Handset) {
    let session = {
        let mut host = host.borrow_mut();
        host.session += 1;
        host.handset = Some(handset);
        host.session
    };
    tell(&FromWorker::Opened);
    happened(host, session, Happened::Time);
}

/// Takes the line down and forgets all keys; with `wipe` the store, too.
fn close(host: &Shared, wipe: bool) {
    let (closed, store) = {
        let mut host = host.borrow_mut();
        host.session += 1;
        (host.handset.take(), host.store.clone())
    };
    drop(closed);
    let host = host.clone();
    spawn_local(async move {
        if let Some(store) = store.filter(|_| wipe)
            && let Err(text) = store.wipe().await
        {
            tell(&FromWorker::Refused(open::storage(text)));
        }
        ready(&host).await;
    });
}

async fn ready(host: &Shared) {
    let (store, elsewhere) = {
        let host = host.borrow();
        (host.store.clone(), host.elsewhere)
    };
    let state = match store {
        Some(store) => store.state().await,
        None if elsewhere => Ok(StoreState::ElsewhereOpen),
        None => Ok(StoreState::Unusable),
    };
    let store = state.unwrap_or(StoreState::Unusable);
    tell(&FromWorker::Ready { store });
}

fn sound(host: &Shared, port: Option<MessagePort>) {
    let session = host.borrow().session;
    let listening = host.clone();
    let port = port.map(|port| {
        Port::new(port, move |said| happened(&listening, session, Happened::Sound(said)))
    });
    // The port that it replaces is closed: that calls nobody back.
    let handset = &mut host.borrow_mut().handset;
    if let Some(handset) = handset {
        handset.listen(port);
    }
}

/// Tells the page something about the open handset, if it is still there.
fn shown(host: &Shared, show: impl FnOnce(&mut Handset, wire::Time) -> Option<FromWorker>) {
    let told = {
        let mut host = host.borrow_mut();
        let now = host.clock.now();
        host.handset.as_mut().and_then(|handset| show(handset, now))
    };
    if let Some(told) = told {
        tell(&told);
    }
}

/// Feeds the open handset, and does what it wants done.
fn happened(host: &Shared, session: u32, what: Happened) {
    let wanted = {
        let mut host = host.borrow_mut();
        let (now, wall) = (host.clock.now(), host.clock.wall());
        if host.session != session {
            return;
        }
        let Some(handset) = &mut host.handset else { return };
        let wanted = handset.handle(now, wall, what);
        let due = handset.due();
        let now = host.clock.now();
        host.timer.set(now, due);
        wanted
    };
    for wanted in wanted {
        carry_out(host, session, wanted);
    }
}

fn carry_out(host: &Shared, session: u32, wanted: Wanted) {
    match wanted {
        Wanted::Tell(message) => tell(&message),
        Wanted::Dial { door, exchange, generation } => {
            let hearing = host.clone();
            let line = Line::dial(&door, exchange, move |news| {
                happened(&hearing, session, Happened::Line { generation, news });
            });
            let handset = &mut host.borrow_mut().handset;
            if let Some(handset) = handset {
                handset.dialled(line);
            }
        }
        Wanted::Write { batch, sealed, lock } => {
            let host = host.clone();
            spawn_local(async move {
                let store = host.borrow().store.clone();
                let done = match store {
                    Some(store) => store.write(sealed, lock).await,
                    None => Err("there is no store".into()),
                };
                if let Err(why) = &done {
                    web_sys::console::error_1(&format!("hotline: cannot store: {why}").into());
                }
                let done = done.is_ok();
                happened(&host, session, Happened::Stored { batch, done });
            });
        }
    }
}

/// To the page.
fn tell(message: &FromWorker) {
    // These types always have a JSON form, and the page is there as long as its worker is.
    if let Ok(text) = protocol::to_json(message) {
        let _ = scope().post_message(&text.into());
    }
}
