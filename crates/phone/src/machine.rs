//! The machine: what it holds, what comes in, what goes out, and when it wants to be woken.
//!
//! ```text
//!  handle(now, wall, input) ── step ──► rows to the desk, effects ──► flush ──► outputs
//!     after Stored ── effects: post, register, open a leg, tell the owner
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};
use seal::card::Kind;
use seal::group::KeyPackages;
use seal::identity::{Device, IdentityKey};
use seal::office::LineKey;
use wire::cell::Channel;
use wire::limits::NAME_MAX;
use wire::line::LineUp;
use wire::rows::Row;
use wire::{Address, Leg, Precedence, Text, Time, Wall};

use crate::agenda::Agenda;
use crate::cards::Card;
use crate::command::{Command, Input, InputError, RestoreError, Setup};
use crate::contacts::Contact;
use crate::desk::Desk;
use crate::devices::Join;
use crate::enrol::Line;
use crate::event::{Event, Output};
use crate::manage::Managing;
use crate::night::Night;
use crate::office::Office;
use crate::position::Position;
use crate::record::Record;
use crate::ring::Call;
use crate::rows::{self, DelegationRow, HeldRow, MailRow, NoteRow, OwnRow, WarrantRow};
use crate::shift::Shifts;
use crate::transfer::Transfers;
use crate::voicepath::VoicePath;
use crate::watch::Watch;

/// Most texts that are kept.
pub(crate) const NOTES_MAX: usize = 2_000;

/// What the exchange has to do for this handset, and has not confirmed yet. It is asked again after every
/// loss of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// Forget an address.
    Withdraw(Address),
    /// Keep a card's offer.
    Register(u32),
    /// Present a card.
    Redeem(u32),
    /// Bind the address that a contact gets.
    Bind(u32),
    /// Put an entry into the record.
    Record(u64),
    /// Bring mail away.
    Post(u64),
}

/// What waits for rows to be on disk.
pub(crate) enum Effect {
    /// A task is written down, and can begin.
    Begin(Task),
    /// To the exchange, in this session of the line only.
    Send(u32, Channel, LineUp),
    /// Ring, unless the call has gone on meanwhile.
    Open(u32, Leg, LineUp),
    /// Connect for the first time.
    Start,
    /// Tell the owner.
    Tell(Event),
}

/// One handset.
///
/// - in: [`handle`](Phone::handle), [`capture`](Phone::capture)
/// - out: [`poll`](Phone::poll), [`render`](Phone::render), [`view`](Phone::view)
pub struct Phone {
    pub(crate) rng: ChaCha20Rng,
    pub(crate) now: Time,
    wall: Wall,
    /// What is to be added to this device's clock to get the exchange's. Seconds.
    pub(crate) clock_off: i64,
    pub(crate) patience: core::time::Duration,
    pub(crate) own: OwnRow,
    pub(crate) identity: Option<IdentityKey>,
    pub(crate) device: Device,
    pub(crate) line_key: LineKey,
    pub(crate) line: Line,
    pub(crate) sessions: u32,
    pub(crate) cards: BTreeMap<u32, Card>,
    pub(crate) contacts: BTreeMap<u32, Contact>,
    pub(crate) calls: BTreeMap<u32, Call>,
    pub(crate) next_call: u32,
    /// Which call is heard from here.
    pub(crate) floor: call::Floor,
    pub(crate) position: Position,
    pub(crate) night: Night,
    pub(crate) agenda: Agenda,
    pub(crate) office: Office,
    pub(crate) managing: Managing,
    pub(crate) watch: Watch,
    pub(crate) transfers: Transfers,
    pub(crate) shifts: Shifts,
    pub(crate) muted: bool,
    /// The owner does not want to be disturbed.
    pub(crate) away: bool,
    pub(crate) mail: BTreeMap<u64, MailRow>,
    pub(crate) history: BTreeMap<u64, call::Entry>,
    pub(crate) notes: BTreeMap<u64, NoteRow>,
    pub(crate) held: BTreeMap<u64, HeldRow>,
    /// What came over a leg before the commit that it needs: of which contact.
    pub(crate) early: Vec<(Leg, u32, Vec<u8>)>,
    pub(crate) record: Record,
    /// What the owner lets others do, by number.
    pub(crate) delegations: BTreeMap<u64, DelegationRow>,
    /// When signing is tried again.
    pub(crate) sign_again: Option<Time>,
    /// What contacts let the owner do.
    pub(crate) warrants: BTreeMap<u32, WarrantRow>,
    /// Written down, and not done.
    pub(crate) tasks: BTreeSet<Task>,
    /// Not to be tried before.
    pub(crate) later: BTreeMap<Task, Time>,
    /// Contacts offered to siblings, and when they are offered again.
    pub(crate) shared: BTreeMap<(u32, u32), Time>,
    /// Handsets that wait for a place in a contact's group.
    pub(crate) joins: Vec<Join>,
    /// Private halves of key packages for calls. Never written to disk.
    pub(crate) stock: KeyPackages,
    pub(crate) desk: Desk<Effect>,
    pub(crate) touched_contacts: BTreeSet<u32>,
    pub(crate) touched_groups: BTreeSet<u32>,
    pub(crate) voice: VoicePath,
    pub(crate) out: VecDeque<Output>,
    pub(crate) dropped: u64,
    timeout_told: bool,
    /// It does not enter an epoch that it is not in, and goes on as before.
    #[cfg(feature = "adversary")]
    pub(crate) stays: bool,
    /// What it shows when it calls in somebody's name, whatever it has.
    #[cfg(feature = "adversary")]
    pub(crate) shows: Option<(String, Vec<u8>)>,
    /// It claims a precedence that nobody granted.
    #[cfg(feature = "adversary")]
    pub(crate) claims: bool,
    /// It speaks in another's name.
    #[cfg(feature = "adversary")]
    pub(crate) forger: Option<crate::room::Forger>,
}

impl Phone {
    /// A new handset that belongs to no office yet.
    ///
    /// # Errors
    /// [`InputError::TooLong`] for the name, [`InputError::Voice`] without memory.
    pub fn create(setup: Setup, now: Time, wall: Wall) -> Result<Phone, InputError> {
        let mut rng = ChaCha20Rng::from_seed(setup.seed);
        let identity = IdentityKey::generate(&mut rng);
        let device = Device::first(&identity, &mut rng);
        let line = LineKey::generate(&mut rng);
        let own = OwnRow {
            name: name(setup.name)?,
            identity: Some(*identity.to_bytes()),
            device: wire::Blob::new(device.to_bytes().to_vec()).unwrap_or_default(),
            line: *line.to_bytes(),
            door: None,
            exchange: None,
            token: None,
            office: Text::default(),
            principal: Text::default(),
            number: 0,
            host: None,
        };
        let mut phone = Phone::with(own, Some(identity), device, line, rng, now, wall)?;
        phone.patience = setup.patience;
        phone.save_own();
        phone.flush();
        Ok(phone)
    }

    /// A handset from its rows. `setup` brings fresh randomness; its name is not used.
    ///
    /// # Errors
    /// [`RestoreError`]; nothing was changed then.
    pub fn restore(
        stored: Vec<Row>,
        setup: Setup,
        now: Time,
        wall: Wall,
    ) -> Result<Phone, RestoreError> {
        let damaged = |space: u8, reason: &dyn ToString| RestoreError::Damaged {
            space,
            reason: reason.to_string(),
        };
        let own = stored.iter().find(|r| r.space == rows::OWN).ok_or(RestoreError::Empty)?;
        let own = OwnRow::decode(&own.value).map_err(|e| damaged(rows::OWN, &e))?;
        let device =
            Device::from_bytes(own.device.as_bytes()).map_err(|e| damaged(rows::OWN, &e))?;
        let identity = own.identity.as_ref().map(IdentityKey::from_bytes);
        let line = LineKey::from_bytes(&own.line);
        let rng = ChaCha20Rng::from_seed(setup.seed);
        let mut phone = Phone::with(own, identity, device, line, rng, now, wall)?;
        phone.patience = setup.patience;
        // In order of spaces: groups find their contacts.
        let mut stored = stored;
        stored.sort_by(|a, b| (a.space, &a.key).cmp(&(b.space, &b.key)));
        for row in &stored {
            phone
                .restore_row(row)
                .map_err(|reason| RestoreError::Damaged { space: row.space, reason })?;
        }
        phone.restore_tasks();
        phone.record_orphans();
        phone.start();
        phone.flush();
        Ok(phone)
    }

    fn with(
        own: OwnRow,
        identity: Option<IdentityKey>,
        device: Device,
        line_key: LineKey,
        mut rng: ChaCha20Rng,
        now: Time,
        wall: Wall,
    ) -> Result<Phone, voice::Error> {
        let voice = VoicePath::new(&mut rng)?;
        Ok(Phone {
            rng,
            now,
            wall,
            clock_off: 0,
            patience: call::PATIENCE,
            own,
            identity,
            device,
            line_key,
            line: Line::Off,
            sessions: 0,
            cards: BTreeMap::new(),
            contacts: BTreeMap::new(),
            calls: BTreeMap::new(),
            next_call: 1,
            floor: call::Floor::default(),
            position: Position::default(),
            night: Night::default(),
            agenda: Agenda::default(),
            office: Office::default(),
            managing: Managing::default(),
            watch: Watch::default(),
            transfers: Transfers::default(),
            shifts: Shifts::default(),
            muted: false,
            away: false,
            mail: BTreeMap::new(),
            history: BTreeMap::new(),
            notes: BTreeMap::new(),
            held: BTreeMap::new(),
            early: Vec::new(),
            record: Record::new(),
            delegations: BTreeMap::new(),
            sign_again: None,
            warrants: BTreeMap::new(),
            tasks: BTreeSet::new(),
            later: BTreeMap::new(),
            shared: BTreeMap::new(),
            joins: Vec::new(),
            stock: KeyPackages::new(),
            desk: Desk::new(),
            touched_contacts: BTreeSet::new(),
            touched_groups: BTreeSet::new(),
            voice,
            out: VecDeque::new(),
            dropped: 0,
            timeout_told: false,
            #[cfg(feature = "adversary")]
            stays: false,
            #[cfg(feature = "adversary")]
            shows: None,
            #[cfg(feature = "adversary")]
            claims: false,
            #[cfg(feature = "adversary")]
            forger: None,
        })
    }

    /// From now on this member does not leave a call from which it is removed: it keeps its leg and its keys.
    #[cfg(feature = "adversary")]
    pub fn refuse_to_leave(&mut self) {
        self.stays = true;
    }

    /// The name of a call.
    #[cfg(feature = "adversary")]
    #[must_use]
    pub fn call_name(&self, call: u32) -> Option<wire::CallId> {
        self.calls.get(&call).map(|c| c.name)
    }

    /// It says to a contact that it goes on with a call, which it never had.
    ///
    /// # Errors
    /// As for any call.
    #[cfg(feature = "adversary")]
    pub fn claim(&mut self, contact: u32, name: wire::CallId) -> Result<(), InputError> {
        let done = self.claim_call(contact, name);
        self.flush();
        done
    }

    /// From now on it says that it calls for `name`, and shows these bytes as the delegation.
    #[cfg(feature = "adversary")]
    pub fn show_as_delegation(&mut self, name: &str, bytes: Vec<u8>) {
        self.shows = Some((name.into(), bytes));
    }

    /// From now on speech is coded with least effort and without redundancy, or as ever: a laboratory plays hours in which
    /// nobody listens.
    ///
    /// # Errors
    /// Without memory.
    #[cfg(feature = "coarse")]
    pub fn code_coarsely(&mut self, coarse: bool) -> Result<(), voice::Error> {
        self.voice.code_coarsely(coarse)
    }

    /// From now on it claims whatever precedence it is told to, granted or not.
    #[cfg(feature = "adversary")]
    pub fn claim_all(&mut self) {
        self.claims = true;
    }

    /// Takes an input. `now` never falls; `wall` is what the device's clock says.
    ///
    /// # Errors
    /// Why it was refused; the phone goes on. Drain [`Phone::poll`] in any case.
    pub fn handle(&mut self, now: Time, wall: Wall, input: Input<'_>) -> Result<(), InputError> {
        self.now = self.now.max(now);
        self.wall = wall;
        let result = match input {
            Input::Command(command) => self.command(command),
            Input::LinkUp => {
                self.link_up();
                Ok(())
            }
            Input::Cell(cell) => self.cell(cell),
            Input::LinkDown => {
                self.link_down();
                Ok(())
            }
            Input::Stored { batch } => self.stored(batch),
            Input::StoreFailed { batch } => {
                let fresh = !self.desk.fails();
                match self.desk.failed(batch, self.now) {
                    true if fresh => self.tell(Event::StoreFails),
                    true => {}
                    false => return Err(InputError::NoSuchBatch),
                }
                Ok(())
            }
            Input::Tick => {
                self.tick();
                Ok(())
            }
        };
        self.flush();
        result
    }

    /// The next thing that the host has to do; `None`: wait.
    pub fn poll(&mut self) -> Option<Output> {
        if let Some(output) = self.out.pop_front() {
            return Some(output);
        }
        if core::mem::replace(&mut self.timeout_told, true) {
            return None;
        }
        Some(Output::Timeout(self.deadline()))
    }

    fn stored(&mut self, batch: u64) -> Result<(), InputError> {
        let failed = self.desk.fails();
        let effects = self.desk.stored(batch).ok_or(InputError::NoSuchBatch)?;
        if failed && !self.desk.fails() {
            self.tell(Event::StoreWorks);
        }
        for effect in effects {
            self.run(effect);
        }
        Ok(())
    }

    fn run(&mut self, effect: Effect) {
        match effect {
            Effect::Begin(task) => {
                self.tasks.insert(task);
                self.begin(task);
            }
            Effect::Send(session, channel, message) => {
                if session == self.sessions {
                    self.send(channel, &message);
                }
            }
            Effect::Open(call, leg, message) => {
                let brings = self.bringing_on(leg) == Some(call);
                let asks = self.relay_on(leg).is_some_and(|(id, _)| id == call);
                if brings || asks || self.calls.get(&call).is_some_and(|c| c.leg == Some(leg)) {
                    self.send(Channel::Signal, &message);
                }
            }
            Effect::Start => self.start(),
            Effect::Tell(event) => self.tell(event),
        }
    }

    /// Ends a step: rows of what was touched, then the batch, then what needs no batch.
    pub(crate) fn flush(&mut self) {
        self.timeout_told = false;
        for id in core::mem::take(&mut self.touched_contacts) {
            if let Some(contact) = self.contacts.get(&id) {
                self.desk.put(rows::CONTACT, rows::key32(id), contact.row.encode());
            }
        }
        for id in core::mem::take(&mut self.touched_groups) {
            if let Some(group) = self.contacts.get(&id).and_then(|c| c.group.as_ref()) {
                self.desk.put(rows::GROUP, rows::key32(id), group.snapshot().to_vec());
            }
        }
        let (effects, batch) = self.desk.flush(self.now);
        if let Some((batch, changes)) = batch {
            self.out.push_back(Output::Store { batch, changes });
        }
        for effect in effects {
            self.run(effect);
        }
    }

    fn tick(&mut self) {
        self.line_tick();
        self.calls_tick();
        self.camps_tick();
        self.moves_tick();
        self.shift_goes_on();
        self.agenda_tick();
        self.tasks_tick();
        self.heal_tick();
        self.night_tick();
        self.lamps_tick();
        self.delegations_tick();
        self.managed_tick();
        if self.attached() {
            self.joins_tick();
            self.share_tick();
        }
    }

    fn deadline(&self) -> Time {
        let mut at = self.line.deadline().min(self.desk.deadline()).min(self.lamps_deadline());
        at = at.min(self.position_deadline()).min(self.agenda_deadline());
        at = at.min(self.moves_deadline());
        for call in self.calls.values() {
            at = at.min(call.deadline());
        }
        if self.attached() {
            at = self.later.values().fold(at, |at, t| at.min(*t));
        }
        at
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    /// Does `effect` once what this step changes is on disk.
    pub(crate) fn after(&mut self, effect: Effect) {
        self.desk.after(effect);
    }

    /// Time of day, as the exchange has it.
    pub(crate) fn wall(&self) -> Wall {
        Wall(self.wall.0.saturating_add_signed(self.clock_off))
    }

    /// Time of day, as this device's clock says.
    pub(crate) fn device_wall(&self) -> Wall {
        self.wall
    }

    pub(crate) fn save_own(&mut self) {
        self.desk.put(rows::OWN, Vec::new(), self.own.encode());
    }

    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    fn command(&mut self, command: Command) -> Result<(), InputError> {
        match command {
            Command::Enrol(link) => self.enrol(link),
            Command::IssueCard { hint, in_person, ttl } => {
                self.issue_card(hint, in_person, Kind::Contact, ttl)
            }
            Command::AdmitDevice { ttl } => {
                self.issue_card(String::new(), false, Kind::Device, ttl)
            }
            Command::RedeemCard { text, in_person } => self.redeem_card(&text, in_person),
            Command::RevokeCard { card } => self.revoke_card(card),
            Command::RevokeContact { contact } => self.revoke_contact(contact),
            Command::RenameContact { contact, name } => self.rename_contact(contact, name),
            Command::Verify { contact, matches } => self.verify(contact, matches),
            Command::SetTrusted { contact, trusted } => {
                self.contact_mut(contact)?.row.trusted = match trusted {
                    None => 0,
                    Some(false) => 1,
                    Some(true) => 2,
                };
                self.touched_contacts.insert(contact);
                self.share_change(contact);
                self.tell_rules();
                Ok(())
            }
            Command::SetBlocked { contact, blocked } => {
                self.contact_mut(contact)?.row.blocked = blocked;
                self.touched_contacts.insert(contact);
                self.share_change(contact);
                self.tell_rules();
                Ok(())
            }
            Command::SetRules { contact, rules } => self.set_rules(contact, rules),
            Command::SetPrecedence { contact, highest } => self.set_precedence(contact, highest),
            Command::SetLamp { contact, shown } => self.set_lamp(contact, shown),
            Command::SetAway { on } => {
                self.set_away(on);
                Ok(())
            }
            Command::Delegate { contact, rights, ttl } => self.delegate(contact, rights, ttl),
            Command::RevokeDelegation { number } => self.revoke_delegation(number),
            Command::Manage { principal, ask } => self.ask_to_manage(principal, ask),
            Command::CallFor { contact, principal } => {
                self.place_for(contact, principal, Precedence::Routine)
            }
            Command::CallUrgent { contact, principal, precedence } => {
                self.place_urgent(contact, principal, precedence)
            }
            Command::Call { contact } => self.place(contact),
            Command::Join { contact, listens } => self.join_call(contact, listens),
            Command::Answer { call } => self.answer(call),
            Command::Decline { call } => self.decline(call),
            Command::Ignore { call } => self.ignore(call),
            Command::Cancel { call } | Command::HangUp { call } => self.hang_up(call),
            Command::Hold { call, on } => self.hold(call, on),
            Command::SetPosition { recall } => {
                self.set_position(recall);
                Ok(())
            }
            Command::SetNight { rules } => self.set_night(rules),
            Command::Night { on } => {
                self.turn_night(on);
                Ok(())
            }
            Command::Park { call, reason, recall } => self.park(call, reason, recall),
            Command::Move { call, to } => self.move_call(call, to, None),
            Command::StayHere { call } => self.stay_here(call),
            Command::Continue { offer } => self.take_offer(offer),
            Command::LeaveThere { offer } => self.leave_offer(offer),
            Command::TakeBack { number } => self.take_back_call(number),
            Command::HandOver { to, note } => self.hand_over(to, note),
            Command::EndHandOver => self.end_hand_over(),
            Command::TakeShift => self.take_shift(),
            Command::LeaveShift => self.leave_shift(),
            Command::Camp { contact, time } => self.camp(contact, time),
            Command::EndCamp { contact } => self.end_camp(contact),
            Command::Schedule { id, appointment } => self.schedule(id, appointment),
            Command::Unschedule { id } => self.unschedule(id),
            Command::Reminded { id } => self.reminded(id),
            Command::Start { id } => self.start_appointment(id),
            Command::Mute { on } => {
                self.mute(on);
                Ok(())
            }
            Command::Say { call, text } => self.say(call, text),
            Command::Note { contact, text } => self.note(contact, text),
            Command::HandCard { contact, text } => self.hand_card(contact, &text),
            Command::Minute { call, text } => self.minute(call, text),
            Command::AcceptOfficer { fingerprint } => self.accept_officer(&fingerprint),
            Command::Bring { call, contact, role, expected, precedence } => {
                self.bring(call, contact, role, &expected, precedence)
            }
            Command::Announce { call, on } => self.announce(call, on),
            Command::Connect { call } => self.connect(call),
            Command::ClearMissed => {
                self.clear_missed();
                Ok(())
            }
        }
    }
}

/// A name, within its limit.
pub(crate) fn name(text: String) -> Result<Text<NAME_MAX>, InputError> {
    Text::new(text).map_err(|_| InputError::TooLong { what: "name", max: NAME_MAX })
}
