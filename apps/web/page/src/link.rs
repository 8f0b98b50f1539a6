//! The way to the worker: JSON messages, and questions whose answers are waited for.
//!
//! ```text
//!  ask(command, then) ── Do{ask: 7} ──► worker ── Done{7} | Failed{7} ──► then(result)
//! ```

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use protocol::{Command, FromWorker, LockChoice, Problem, ToWorker};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Worker};

use crate::browser;

type Then = Box<dyn FnOnce(Result<(), Problem>)>;

/// The worker, and what it was asked.
#[derive(Clone)]
pub struct Link {
    worker: Worker,
    next: Rc<Cell<u32>>,
    asked: Rc<RefCell<HashMap<u32, Then>>>,
}

impl Link {
    /// To the worker that `boot.js` started.
    #[must_use]
    pub fn new(worker: Worker) -> Link {
        Link { worker, next: Rc::new(Cell::new(1)), asked: Rc::default() }
    }

    /// Hears what the worker says; answers go to who asked, and nowhere else. `broken` hears that its code did not load.
    pub fn listen(
        &self,
        mut heard: impl FnMut(FromWorker) + 'static,
        mut broken: impl FnMut(String) + 'static,
    ) {
        let link = self.clone();
        browser::listen_to::<MessageEvent>(self.worker.as_ref(), "message", move |event| {
            let Some(text) = event.data().as_string() else { return };
            match protocol::from_json::<FromWorker>(&text) {
                Ok(FromWorker::Done { ask }) if link.is_asked(ask) => link.answered(ask, Ok(())),
                Ok(FromWorker::Failed { ask, problem }) if link.is_asked(ask) => {
                    link.answered(ask, Err(problem))
                }
                Ok(message) => heard(message),
                // Of another build than this page: loading anew brings both from one.
                Err(e) => heard(FromWorker::Broken(Problem {
                    code: protocol::ErrorCode::Other,
                    text: e.to_string(),
                })),
            }
        });
        browser::listen_to::<JsValue>(self.worker.as_ref(), "error", move |event| {
            broken(browser::get(&event, "message").as_string().unwrap_or_default());
        });
    }

    /// The worker itself, for the sound's port.
    #[must_use]
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Says something.
    pub fn say(&self, message: &ToWorker) {
        if let Ok(text) = protocol::to_json(message) {
            // A text can always be posted.
            let _ = self.worker.post_message(&text.into());
        }
    }

    /// Wants something; `then` hears how it went.
    pub fn command(&self, command: Command, then: impl FnOnce(Result<(), Problem>) + 'static) {
        let ask = self.ask(then);
        self.say(&ToWorker::Do { ask, command });
    }

    /// Says which of the words the person picked.
    pub fn pick(
        &self,
        contact: u32,
        picked: Option<usize>,
        then: impl FnOnce(Result<(), Problem>) + 'static,
    ) {
        let ask = self.ask(then);
        self.say(&ToWorker::Pick { ask, contact, picked });
    }

    /// Changes the lock.
    pub fn relock(&self, lock: LockChoice, then: impl FnOnce(Result<(), Problem>) + 'static) {
        let ask = self.ask(then);
        self.say(&ToWorker::ChangeLock { ask, lock });
    }

    fn ask(&self, then: impl FnOnce(Result<(), Problem>) + 'static) -> u32 {
        let ask = self.next.get();
        // 0 is the worker's own.
        self.next.set(ask.wrapping_add(1).max(1));
        self.asked.borrow_mut().insert(ask, Box::new(then));
        ask
    }

    fn is_asked(&self, ask: u32) -> bool {
        self.asked.borrow().contains_key(&ask)
    }

    fn answered(&self, ask: u32, result: Result<(), Problem>) {
        let then = self.asked.borrow_mut().remove(&ask);
        if let Some(then) = then {
            then(result);
        }
    }
}
