//! Everything that a screen needs, at once. Names and texts are here, and never in events.

use core::time::Duration;

use call::contact::{CardState, Keys, Progress};
use call::lamp::Shown;
use call::{CallState, Direction, End, Entry, Kind, Sound};
use record::Calls;
use record::order::fingerprint;
use seal::card::UnverifiedCard;
use seal::delegation::Rights;
use seal::words::Words;
use voice::{Level, Quality};
use wire::talk::Role;
use wire::{Precedence, Rules, Time, Wall};

use crate::agenda::AppointmentView;
use crate::behalf::{BehalfView, DelegationView};
use crate::enrol::Line;
use crate::event::Doubt;
use crate::machine::Phone;
use crate::manage::ManagedView;
use crate::manage::asks::{ListView, RequestView};
use crate::night::{NightThere, NightView};
use crate::position::{CampView, ParkedView};
use crate::relay::RelayView;
use crate::ring::{Call, Stage};
use crate::room::RoomView;
use crate::rules::{BarredView, ContactRules};
use crate::shift::{ShiftView, Side};
use crate::transfer::{ElsewhereView, MovingView, OfferView};
use crate::urgent::Preempted;
use crate::watch::OfficeLineView;

/// What the line is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineState {
    /// No office yet.
    NotEnrolled,
    /// Down; connected again by itself.
    Down,
    /// Being connected.
    Connecting,
    /// Served.
    Up,
}

/// The whole screen.
pub struct View {
    /// The owner, as on cards.
    pub name: String,
    /// The principal's first handset, which alone issues and redeems cards.
    pub first_handset: bool,
    /// The office, as the exchange says.
    pub office: String,
    /// The line.
    pub line: LineState,
    /// How far this device's clock is off. Seconds; positive: behind.
    pub clock_off: i64,
    /// The last write to the store failed.
    pub store_fails: bool,
    /// After how long parked calls are recalled, if this handset is a switchboard position.
    pub position: Option<Duration>,
    /// Contacts that are rung again until they are free.
    pub camps: Vec<CampView>,
    /// This person's other handsets, to which a call can go: numbers of contacts.
    pub handsets: Vec<u32>,
    /// Calls that they offer.
    pub offers: Vec<OfferView>,
    /// Calls that were here, and are with them.
    pub elsewhere: Vec<ElsewhereView>,
    /// The position goes, or went, to another handset of this person.
    pub shift_given: Option<ShiftView>,
    /// The position of another handset comes here, or came.
    pub shift_taken: Option<ShiftView>,
    /// Appointments, the earliest first.
    pub agenda: Vec<AppointmentView>,
    /// The microphone is muted.
    pub muted: bool,
    /// The owner does not want to be disturbed.
    pub away: bool,
    /// Night service of this handset.
    pub night: NightView,
    /// The microphone's level, heard or not.
    pub mic: Level,
    /// Contacts in order of their numbers.
    pub contacts: Vec<ContactView>,
    /// Calls in order of their numbers, those included that were over a moment ago.
    pub calls: Vec<CallView>,
    /// Cards that this handset issued.
    pub cards: Vec<CardView>,
    /// Calls that are over, newest first.
    pub history: Vec<HistoryView>,
    /// Missed calls that the owner has not seen.
    pub missed: usize,
    /// Texts, oldest first.
    pub notes: Vec<NoteView>,
    /// What the owner lets others do in the owner's name. On the first handset.
    pub delegations: Vec<DelegationView>,
    /// What attendants did with the owner's contacts, the newest first.
    pub managed: Vec<ManagedView>,
    /// What the owner asked of principals about their contacts, the newest first.
    pub requests: Vec<RequestView>,
    /// Contacts of principals, as they were listed last in this run of the program.
    pub lists: Vec<ListView>,
    /// Lines to other offices, as tests find them: of a switchboard position.
    pub office_lines: Vec<OfficeLineView>,
    /// The office's record.
    pub record: RecordView,
    /// Mail that waits for the line.
    pub mail_waiting: usize,
    /// Messages that made no sense and were dropped.
    pub dropped: u64,
    /// Voice frames that were refused.
    pub voice_refused: u64,
    /// Figures of the line.
    pub link: Option<link::Stats>,
    /// Figures of the voice that is heard.
    pub voice: voice::Stats,
}

/// A contact.
pub struct ContactView {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its office.
    pub office: String,
    /// How far it has come.
    pub progress: Progress,
    /// What is known about its keys.
    pub keys: Keys,
    /// A call was placed or received.
    pub used: bool,
    /// May know that it rings, that the owner is busy or declines.
    pub trusted: bool,
    /// Never rings.
    pub blocked: bool,
    /// The owner's rules for calls with it.
    pub rules: ContactRules,
    /// Its own rules, as it told them.
    pub their_rules: Rules,
    /// How urgent a call to it may be, as it told.
    pub may_claim: Precedence,
    /// A rule would keep a call that is placed now from coming about.
    pub barred: Option<BarredView>,
    /// It is reached at the own exchange: one of the own office, to whom the owner can show the lamp.
    pub own_office: bool,
    /// The owner shows it the lamp.
    pub lamp_shown: bool,
    /// Its own lamp; `None` if it never told one.
    pub lamp: Option<Shown>,
    /// What the owner may do for it, by what there is to show.
    pub may: Rights,
    /// The owner may call in its name, until then by what there is to show.
    pub may_call_for: Option<Wall>,
    /// The owner may manage its contacts, until then by what there is to show.
    pub may_manage: Option<Wall>,
    /// Another handset of the same principal, or one that wants to be: it is admitted when its words are
    /// verified.
    pub own_device: bool,
    /// The keys of the next call are there.
    pub ready: bool,
    /// The cipher suite of its group; empty before there is one.
    pub suite: String,
    /// The own safety words, which the other side picks, and the other side's.
    pub words: Option<(Words, Words)>,
}

/// A call.
pub struct CallView {
    /// Its number.
    pub id: u32,
    /// With whom.
    pub contact: u32,
    /// Who called.
    pub direction: Direction,
    /// What it is doing.
    pub state: CallState,
    /// Incoming: whether it makes itself heard.
    pub sound: Option<Sound>,
    /// For how long both could speak.
    pub timer: Duration,
    /// When it began, as this handset's exchange has the time: since then the caller of one that rings has waited.
    pub came: Wall,
    /// It is put aside.
    pub parked: Option<ParkedView>,
    /// It is offered to another handset of this person.
    pub moving: Option<MovingView>,
    /// It comes from another handset of this person, and is not here yet.
    pub arriving: bool,
    /// The other side's person is on another handset than when it began.
    pub moved: bool,
    /// The other side's level.
    pub level: Level,
    /// How it sounds; `None` if it is not heard now.
    pub quality: Option<Quality>,
    /// The other side muted itself.
    pub muted_by_other: bool,
    /// Text beside voice: mine or not, text, and whether it arrived.
    pub texts: Vec<(bool, String, bool)>,
    /// The own office keeps a record of it (if only answered calls are recorded: once it is answered).
    pub on_record: bool,
    /// The other side's office does, as its handset says.
    pub on_record_there: bool,
    /// Notes for the record that were taken here.
    pub minutes: Vec<(Wall, String)>,
    /// Who is in it, once it may be more than two.
    pub room: Option<RoomView>,
    /// A rule kept it from coming about.
    pub barred: Option<BarredView>,
    /// This person was asked into a call of others: as what, of which office the others are, who is expected.
    pub asked: Option<(Role, String, String)>,
    /// In whose name the caller calls, or says that it does.
    pub behalf: Option<BehalfView>,
    /// Who answers it for whom.
    pub relay: Option<RelayView>,
    /// Placed: the other side is in night service.
    pub night: Option<NightThere>,
    /// How urgent it is: never more than its callee lets its caller say.
    pub precedence: Precedence,
    /// It rings, and is more urgent than the call under way.
    pub rings_over: bool,
    /// It is held because a more urgent one came.
    pub preempted: Preempted,
    /// It was set aside for a more urgent one, which is over: resuming it goes back.
    pub goes_back: bool,
}

/// The office's record, as this handset knows it.
pub struct RecordView {
    /// Which calls go on it.
    pub calls: Calls,
    /// Fingerprint of the records officer, who alone can read it.
    pub officer: Option<String>,
    /// Fingerprint of an officer whom nobody vouched for. The owner compares it and accepts, or does not.
    pub asked: Option<String>,
    /// What stands for the owner in the record: the officer sees it beside the name.
    pub mark: String,
    /// Entries of this handset so far.
    pub entries: u64,
    /// Entries that wait for the exchange.
    pub waiting: usize,
    /// Entries in the whole record, as it was last proved.
    pub proved: Option<u64>,
    /// What does not look right.
    pub doubt: Option<Doubt>,
}

/// A card that this handset issued.
pub struct CardView {
    /// Its number.
    pub id: u32,
    /// For whom.
    pub hint: String,
    /// What it is doing.
    pub state: CardState,
    /// When it runs out.
    pub expiry: Wall,
    /// Its text, if it can be shown: secret until it is redeemed.
    pub link: Option<String>,
}

/// A call that is over.
pub struct HistoryView {
    /// With whom.
    pub contact: u32,
    /// Who called.
    pub direction: Direction,
    /// When it was placed.
    pub at: Wall,
    /// For how long both could speak.
    pub talked: Duration,
    /// Why it ended.
    pub end: End,
    /// If a rule kept it from coming about: which, and who can lift it.
    pub barred: Option<BarredView>,
    /// A missed call that the owner has not seen.
    pub unseen: bool,
    /// How urgent it was.
    pub precedence: Precedence,
}

/// A text, or a card that was handed on.
pub struct NoteView {
    /// From or to whom.
    pub contact: u32,
    /// Sent by this side.
    pub sent: bool,
    /// When.
    pub at: Wall,
    /// The text; empty if it is a card.
    pub text: String,
    /// The card's link.
    pub card: Option<String>,
}

impl Phone {
    /// Everything that a screen needs, as of `now`.
    pub fn view(&mut self, now: Time) -> View {
        let quality = self.voice.quality();
        let heard = self.voice.heard();
        let aside = self.set_aside();
        View {
            name: self.own.name.as_str().to_owned(),
            first_handset: self.identity.is_some(),
            office: self.own.office.as_str().to_owned(),
            line: self.line_state(),
            clock_off: self.clock_off,
            store_fails: self.desk.fails(),
            position: self.position.recall,
            camps: self.camp_views(),
            handsets: self.all_siblings(),
            offers: self.offer_views(),
            elsewhere: self.elsewhere_views(),
            shift_given: self.shift_view(Side::Given),
            shift_taken: self.shift_view(Side::Taken),
            agenda: self.appointment_views(),
            muted: self.muted,
            away: self.away,
            night: self.night_view(),
            mic: self.voice.mic_level(),
            contacts: self.contact_views(),
            calls: self
                .calls
                .iter()
                .filter(|(_, call)| call.rings())
                .map(|(id, call)| {
                    let quality = (heard == Some(*id)).then_some(quality);
                    let mut view = call_view(*id, call, now, quality, self.on_record(*id));
                    view.behalf = self.behalf_view(call);
                    view.rings_over = self.rings_over(*id);
                    view.goes_back = aside == Some(*id);
                    for b in view.room.iter_mut().flat_map(|room| &mut room.bringing) {
                        b.barred = b.over.and_then(|end| self.barred_view(b.contact, end));
                    }
                    if let CallState::Ended(end) = view.state {
                        view.barred = self.barred_view(call.contact, end);
                    }
                    view
                })
                .collect(),
            cards: self.card_views(),
            history: self.history_views(),
            missed: self.history.values().filter(|h| h.unseen).count(),
            notes: self.note_views(),
            delegations: self.delegation_views(),
            managed: self.managed_views(),
            requests: self.request_views(),
            lists: self.list_views(),
            office_lines: self.office_lines(),
            record: self.record_view(),
            mail_waiting: self.mail.len(),
            dropped: self.dropped,
            voice_refused: self.voice.refused,
            link: match &self.line {
                Line::Up(up) => Some(up.link.stats()),
                _ => None,
            },
            voice: self.voice.stats(),
        }
    }

    /// How often the keys of a contact were renewed since its group began; `None` if it has none.
    #[must_use]
    pub fn epoch(&self, contact: u32) -> Option<u64> {
        self.contacts.get(&contact)?.group.as_ref().map(seal::group::Group::epoch)
    }

    fn line_state(&self) -> LineState {
        match &self.line {
            Line::Off => LineState::NotEnrolled,
            Line::Waiting { .. } => LineState::Down,
            Line::Up(up) if up.attached => LineState::Up,
            Line::Connecting { .. } | Line::Up(_) => LineState::Connecting,
        }
    }

    fn contact_views(&self) -> Vec<ContactView> {
        let own = self.device.principal();
        let view = |(id, c): (&u32, &crate::contacts::Contact)| ContactView {
            id: *id,
            name: c.row.name.as_str().to_owned(),
            office: c.row.office.as_str().to_owned(),
            // A further handset has no keys for it until it was let in.
            progress: match c.progress() {
                Progress::Accepted if c.group.is_none() => Progress::Redeemed,
                progress => progress,
            },
            keys: c.keys(),
            used: c.row.used,
            trusted: c.is_told(),
            blocked: c.row.blocked,
            rules: self.owners_rules(c),
            their_rules: c.rules.theirs.clone(),
            may_claim: c.grant.theirs,
            barred: self
                .barred(*id, Kind::Direct)
                .and_then(|barred| self.barred_view(*id, End::ByRule(barred))),
            own_office: self.in_own_office(c),
            lamp_shown: c.lamp.row.shown,
            lamp: self.lamp_of(c),
            may: self.may_for(*id),
            may_call_for: self.may_call_for(*id),
            may_manage: self.may_manage(*id),
            own_device: c.row.sibling,
            ready: c.stock.is_ready(),
            suite: c.group.as_ref().map(seal::group::Group::suite).unwrap_or_default(),
            words: c.row.words.map(|w| (Words::of(&w, &own), Words::of(&w, &c.row.identity))),
        };
        self.contacts.iter().map(view).collect()
    }

    fn card_views(&self) -> Vec<CardView> {
        let now = self.wall();
        let view = |(id, card): (&u32, &crate::cards::Card)| {
            let state = card.state().state(now, card.row.expiry);
            let link =
                (state == CardState::Issued).then(|| link(card.row.text.as_bytes())).flatten();
            let (hint, expiry) = (card.row.hint.as_str().to_owned(), card.row.expiry);
            CardView { id: *id, hint, state, expiry, link }
        };
        self.cards.iter().map(view).collect()
    }

    fn record_view(&self) -> RecordView {
        let (record, mark) = (&self.record, record::contents::mark(&self.device.principal()));
        RecordView {
            calls: record.calls(),
            officer: record.row.officer.map(|officer| fingerprint(&officer)),
            asked: record.asked.as_ref().map(|order| fingerprint(&order.officer())),
            mark,
            entries: record.row.number,
            waiting: record.entries.len(),
            proved: record.row.seen.as_ref().map(|seen| seen.size),
            doubt: record.doubt,
        }
    }

    fn history_views(&self) -> Vec<HistoryView> {
        let view = |entry: &Entry| HistoryView {
            contact: entry.contact,
            direction: entry.direction,
            at: entry.at,
            talked: entry.talked,
            end: entry.end,
            barred: self.barred_view(entry.contact, entry.end),
            unseen: entry.unseen,
            precedence: entry.precedence,
        };
        self.history.values().rev().map(view).collect()
    }

    fn note_views(&self) -> Vec<NoteView> {
        let view = |n: &crate::rows::NoteRow| NoteView {
            contact: n.contact,
            sent: n.sent,
            at: n.at,
            text: n.text.as_str().to_owned(),
            card: n.card.as_ref().and_then(|card| link(card.as_bytes())),
        };
        self.notes.values().map(view).collect()
    }
}

/// A card's link, if it is a card at all: one that was handed on comes from outside.
fn link(card: &[u8]) -> Option<String> {
    UnverifiedCard::from_bytes(card).ok().map(|card| card.to_link())
}

fn call_view(
    id: u32,
    call: &Call,
    now: Time,
    quality: Option<Quality>,
    on_record: bool,
) -> CallView {
    let (mut timer, mut muted_by_other, mut sound) = (Duration::ZERO, false, None);
    match &call.stage {
        Stage::Active(active) => {
            timer = now.since(active.since());
            muted_by_other = active.is_muted_by_other();
            sound = call.back_sound();
        }
        Stage::Incoming(incoming) => sound = Some(incoming.sound()),
        _ => {}
    }
    CallView {
        id,
        contact: call.contact,
        direction: call.direction,
        state: call.state(),
        sound,
        timer,
        came: call.came,
        parked: call.parked.as_ref().map(|parked| parked.view.clone()),
        moving: call.moving_view(),
        arriving: call.arriving.is_some(),
        moved: call.change.moved,
        level: call.level,
        quality,
        muted_by_other,
        texts: call.texts.iter().map(|t| (t.from.is_none(), t.text.clone(), t.arrived)).collect(),
        on_record,
        on_record_there: call.record.there,
        minutes: call.record.minutes.clone(),
        room: call.room.as_ref().map(|room| room.view()),
        barred: None,
        behalf: None,
        relay: call.relay_view(),
        night: call.night.clone(),
        precedence: call.urgency(),
        rings_over: false,
        preempted: Preempted {
            by_other: call.preempted.by_other && call.state() == CallState::HeldByOther,
            ..call.preempted
        },
        goes_back: false,
        asked: call.asked.as_ref().map(|a| (a.role, a.office.clone(), a.expected.clone())),
    }
}
