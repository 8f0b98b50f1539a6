//! What the page knows and where it is: signals that the screens read, and the few things that they may do.
//!
//! ```text
//!  worker ──► heard.rs ──► App (signals) ──► screens
//!    ▲                       │
//!    └──── link.rs ◄── press, type, answer
//! ```
//!
//! The view from the worker is the only truth about the handset; the page keeps beside it what only a page knows: which
//! screen is shown, what was chosen in this browser, and whether the devices run.

use leptos::prelude::*;
use protocol::{
    CallMeter, CallState, CallView, Command, ContactView, LineState, Problem, Stats, StoreState,
    ToWorker, View,
};

use crate::browser;
use crate::fragment::Fragment;
use crate::link::Link;
use crate::parts::meter::SILENCE;
use crate::sound::{Devices, Sound, SoundProblem};
use crate::text::{Lang, Text};
use crate::words;

/// Before there is a handset to show.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The worker starts.
    Loading,
    /// This browser cannot; the words say why.
    Unsupported(Missing),
    /// Another window has the handset.
    Elsewhere,
    /// No handset: first use.
    First,
    /// A handset that has to be opened.
    Locked(StoreState),
    /// A handset is open.
    Open,
    /// The worker cannot go on.
    Broken(String),
}

/// What a browser lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// WebTransport.
    Transport,
    /// A secure connection.
    Security,
}

/// A screen of the open handset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the screen of its name")]
pub enum Route {
    Contacts,
    Contact(u32),
    Verify(u32),
    Texts(u32),
    Cards,
    Give { own: bool },
    Card(u32),
    Take,
    History,
    Settings,
    Console,
    Call,
}

/// A short message that goes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// In the person's language.
    pub words: String,
    /// Something did not work.
    pub bad: bool,
}

/// Words of a contact, to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// Whose.
    pub contact: u32,
    /// To be read aloud.
    pub mine: String,
    /// To pick from.
    pub options: Vec<String>,
}

/// A card that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Which card.
    pub card: u32,
    /// `hotline:card/...`
    pub link: String,
    /// Rows of modules, `#` dark.
    pub rows: Vec<String>,
}

/// What moves all the time.
#[derive(Clone, Debug, PartialEq)]
pub struct Meters {
    /// The own microphone, dBFS.
    pub mic: f32,
    /// Figures.
    pub stats: Stats,
    /// Of each call.
    pub calls: Vec<CallMeter>,
}

/// Whether the devices run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum SoundState {
    Off,
    /// Without a microphone; then `Ready`.
    Preparing,
    Ready,
    /// With a microphone; then `On`.
    Starting,
    On,
    Failed(SoundProblem),
}

/// All of it; a handle that is copied freely.
#[derive(Clone, Copy)]
pub struct App {
    /// The language.
    pub lang: RwSignal<Lang>,
    /// Before or after opening.
    pub phase: RwSignal<Phase>,
    /// How things stand, as the worker says.
    pub view: RwSignal<View>,
    /// What moves.
    pub meters: RwSignal<Meters>,
    /// Which screen.
    pub route: RwSignal<Route>,
    /// The screens before this one.
    pub trail: RwSignal<Vec<Route>>,
    /// A short message.
    pub notice: RwSignal<Option<Notice>>,
    /// `Create` or `Unlock` is under way.
    pub busy: RwSignal<bool>,
    /// Why `Create` or `Unlock` was refused.
    pub refused: RwSignal<Option<Problem>>,
    /// The exchange does not admit this handset.
    pub line_refused: RwSignal<bool>,
    /// Words to be compared.
    pub choices: RwSignal<Option<Choices>>,
    /// The card that is shown.
    pub code: RwSignal<Option<Code>>,
    /// The call that ended a moment ago.
    pub ended: RwSignal<Option<CallView>>,
    /// A person who is dragged on the console.
    pub dragged: RwSignal<Option<u32>>,
    /// A person who was dropped on the call, or chosen for it: whoever asks for a role takes it.
    pub offered: RwSignal<Option<u32>>,
    /// The devices.
    pub sound: RwSignal<SoundState>,
    /// Which devices are wanted.
    pub devices: RwSignal<Devices>,
    /// What the link carried.
    pub fragment: RwSignal<Fragment>,
    /// A card to be taken, from the link that was opened.
    pub card_text: RwSignal<String>,
    /// The browser keeps things for this page.
    pub storable: RwSignal<bool>,
    /// A newer version waits.
    pub update: RwSignal<bool>,
    /// The build, as the exchange tells.
    pub build: RwSignal<Option<String>>,
    pub(crate) link: StoredValue<Option<Link>, LocalStorage>,
    pub(crate) running: StoredValue<Option<Sound>, LocalStorage>,
    /// A finger is on the key that answers, and opened the microphone.
    pub(crate) pressed: StoredValue<bool>,
}

/// A view before there is one.
#[must_use]
pub fn nothing_yet() -> View {
    View {
        name: String::new(),
        office: String::new(),
        line: LineState::Connecting,
        clock_off: 0,
        store_fails: false,
        kept: true,
        position: None,
        camps: Vec::new(),
        handsets: Vec::new(),
        offers: Vec::new(),
        elsewhere: Vec::new(),
        shift_given: None,
        shift_taken: None,
        agenda: Vec::new(),
        muted: false,
        away: false,
        night: protocol::NightView::default(),
        mic: SILENCE,
        contacts: Vec::new(),
        delegations: Vec::new(),
        managed: Vec::new(),
        requests: Vec::new(),
        lists: Vec::new(),
        office_lines: Vec::new(),
        calls: Vec::new(),
        cards: Vec::new(),
        history: Vec::new(),
        missed: 0,
        notes: Vec::new(),
        mail_waiting: 0,
        first_handset: true,
        record: protocol::RecordView::default(),
        stats: Stats::default(),
    }
}

impl App {
    /// A page that has just been loaded.
    #[must_use]
    pub fn new(fragment: Fragment) -> App {
        App {
            lang: RwSignal::new(crate::prefs::language()),
            phase: RwSignal::new(Phase::Loading),
            view: RwSignal::new(nothing_yet()),
            meters: RwSignal::new(Meters {
                mic: SILENCE,
                stats: Stats::default(),
                calls: Vec::new(),
            }),
            route: RwSignal::new(Route::Contacts),
            trail: RwSignal::new(Vec::new()),
            notice: RwSignal::new(None),
            busy: RwSignal::new(false),
            refused: RwSignal::new(None),
            line_refused: RwSignal::new(false),
            choices: RwSignal::new(None),
            code: RwSignal::new(None),
            ended: RwSignal::new(None),
            dragged: RwSignal::new(None),
            offered: RwSignal::new(None),
            sound: RwSignal::new(SoundState::Off),
            devices: RwSignal::new(crate::prefs::devices()),
            card_text: RwSignal::new(fragment.card.clone().unwrap_or_default()),
            fragment: RwSignal::new(fragment),
            storable: RwSignal::new(true),
            update: RwSignal::new(false),
            build: RwSignal::new(None),
            link: StoredValue::new_local(None),
            running: StoredValue::new_local(None),
            pressed: StoredValue::new(false),
        }
    }

    /// The strings; a change of language draws everything anew, so this need not be followed.
    #[must_use]
    pub fn t(self) -> &'static Text {
        self.lang.get_untracked().text()
    }

    /// The language's tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.lang.get_untracked().tag()
    }

    /// A part of the view, drawn anew only when that part changes.
    pub fn part<T: PartialEq + Send + Sync + 'static>(
        self,
        of: impl Fn(&View) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| self.view.with(&of))
    }

    /// A contact as it is now.
    #[must_use]
    pub fn contact(self, id: u32) -> Memo<Option<ContactView>> {
        self.part(move |v| v.contacts.iter().find(|c| c.id == id).cloned())
    }

    /// A contact's name now.
    #[must_use]
    pub fn name_of(self, id: u32) -> String {
        let found = |v: &View| v.contacts.iter().find(|c| c.id == id).map(|c| c.name.clone());
        self.view.with(found).unwrap_or_else(|| "?".into())
    }

    /// Goes to a screen.
    pub fn go(self, to: Route) {
        let from = self.route.get_untracked();
        if from == to {
            return;
        }
        self.trail.update(|trail| trail.push(from));
        self.route.set(to);
        if let Ok(history) = browser::window().history() {
            // The browser's own button leads back.
            let _ = history.push_state(&wasm_bindgen::JsValue::NULL, "");
        }
    }

    /// Goes to a screen of the first row: what was before does not matter.
    pub fn go_first(self, to: Route) {
        self.trail.set(Vec::new());
        self.route.set(to);
    }

    /// Goes where one came from.
    pub fn back(self) {
        let before = self.trail.try_update(Vec::pop).flatten();
        self.route.set(before.unwrap_or(Route::Contacts));
    }

    /// Says something to the worker.
    pub fn say(self, message: &ToWorker) {
        self.link.with_value(|link| {
            if let Some(link) = link {
                link.say(message);
            }
        });
    }

    /// Wants something, and goes on when it is done; a problem is shown.
    pub fn want(self, command: Command, then: impl FnOnce() + 'static) {
        let link = self.link.get_value();
        let Some(link) = link else { return };
        link.command(command, move |result| match result {
            Ok(()) => then(),
            Err(problem) => self.problem(&problem),
        });
    }

    /// Wants something; a problem is shown.
    pub fn command(self, command: Command) {
        self.want(command, || ());
    }

    /// Shows a problem for a while.
    pub fn problem(self, problem: &Problem) {
        self.notify(words::problem(problem, self.t()), true);
    }

    /// Shows a short message for a while.
    pub fn notify(self, words: String, bad: bool) {
        let notice = Notice { words, bad };
        self.notice.set(Some(notice.clone()));
        browser::after(if bad { 9000 } else { 5000 }, move || {
            if self.notice.get_untracked() == Some(notice) {
                self.notice.set(None);
            }
        });
    }

    /// The call that has the screen: one that talks, else one that is on its way, else one that is held.
    #[must_use]
    pub fn shown_call(self) -> Memo<Option<u32>> {
        Memo::new(move |_| {
            let shown = self.view.with(|v| foremost(&v.calls).map(|c| c.id));
            shown.or_else(|| self.ended.with(|c| c.as_ref().map(|c| c.id)))
        })
    }

    /// The call that rings here, if one does: of several the most urgent, and of equals the first.
    #[must_use]
    pub fn incoming(self) -> Memo<Option<u32>> {
        self.part(|v| waiting(&v.calls).first().map(|c| c.id))
    }

    /// The console has the screen: calls wait in its queue.
    #[must_use]
    pub fn at_console(self) -> bool {
        self.route.get() == Route::Console && self.view.with(|v| v.position.is_some())
    }

    /// Whether a call is under way.
    #[must_use]
    pub fn in_call(self) -> bool {
        self.view.with_untracked(|v| foremost(&v.calls).is_some())
    }
}

/// Calls that ring here: the most urgent first, and of equals the one that came first.
#[must_use]
pub fn waiting(calls: &[CallView]) -> Vec<&CallView> {
    let mut all: Vec<_> = calls.iter().filter(|c| c.state == CallState::RingingHere).collect();
    all.sort_by(|a, b| b.precedence.cmp(&a.precedence).then(a.came_ms.total_cmp(&b.came_ms)));
    all
}

/// The call that has the screen.
#[must_use]
pub fn foremost(calls: &[CallView]) -> Option<&CallView> {
    calls.iter().rev().filter(|c| under_way(c.state)).min_by_key(|c| match c.state {
        CallState::Connected => 0,
        CallState::HeldByMe if c.goes_back => 1,
        CallState::HeldByMe if c.parked.is_some() => 4,
        CallState::HeldByMe => 3,
        _ => 2,
    })
}

/// Whether a call is more than an offer and not over.
#[must_use]
pub fn under_way(state: CallState) -> bool {
    !matches!(state, CallState::RingingHere | CallState::Ended(_))
}
