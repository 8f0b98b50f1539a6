//! The office's record, as far as a handset makes it: what a call did is noted while it does it, sealed to the records
//! officer when it is over, and kept until the exchange proves that the log has it.
//!
//! ```text
//!  exchange ─ Order ─► by the pinned officer, or one whom that named? ─► in force     else: the owner is asked
//!  call: begin ─► draft (row) ─► each state: a step (row) ─► end ─► entry, signed, sealed (row) ─► Record ─►
//!  note taken in the call ────────────────────────────────────────► entry, signed, sealed (row) ─► Record ─►
//!  ◄─ Recorded{head, proof}: proof and signature are good ─► row gone, head kept: the next entry names it
//! ```
//!
//! A handset that is killed in a call finds the draft, and makes an entry without an end of it. Entries go one
//! after the other. Once too many wait, no further call that belongs on the record is placed or answered.

use core::time::Duration;
use std::collections::BTreeMap;

use call::{CallState, Direction, End};
use record::entry::{
    self, Behalf, Body, Call as Facts, Entry, Last, List, Member, Note, Person, Role, Seen, Step,
};
use record::{Calls, Head, Order, order, sealing, tree};
use wire::limits::{ENTRY_LEN, ORDER_MAX, PROOF_MAX, TEXT_MAX};
use wire::line::LineUp;
use wire::{Blob, CallId, Field as _, Precedence, Reader, Signature, Text, Wall, Writer};

use crate::behalf::BehalfView;
use crate::command::InputError;
use crate::event::{Doubt, Event};
use crate::machine::{Effect, Phone, Task};
use crate::ring::Stage;
use crate::rows::{self, RecordRow};

/// Most entries that wait for the exchange before no further call is made that would need one.
pub(crate) const WAITING_MAX: usize = 1_000;
/// Room above it for calls that are under way then, and for notes in them.
const WAITING_HARD: usize = 1_200;
/// How long after a receipt that proves nothing the entry is sent again.
const DOUBTED: Duration = Duration::from_secs(60);
/// Most notes of one call.
const MINUTES_MAX: usize = 200;

/// The record, on this handset.
pub(crate) struct Record {
    pub(crate) row: RecordRow,
    /// In force.
    pub(crate) order: Option<Order>,
    /// By an officer whom nobody vouched for: the owner has to.
    pub(crate) asked: Option<Order>,
    /// Sealed, and not known to be in the log; by number.
    pub(crate) entries: BTreeMap<u64, Blob<ENTRY_LEN>>,
    /// Calls under way that belong on the record, by contact and name.
    pub(crate) drafts: BTreeMap<(u32, CallId), Facts>,
    /// What does not look right.
    pub(crate) doubt: Option<Doubt>,
}

impl Record {
    pub(crate) fn new() -> Record {
        Record {
            row: RecordRow { officer: None, order: None, number: 0, lost: 0, seen: None },
            order: None,
            asked: None,
            entries: BTreeMap::new(),
            drafts: BTreeMap::new(),
            doubt: None,
        }
    }

    /// Which calls belong on the record.
    pub(crate) fn calls(&self) -> Calls {
        self.order.as_ref().map_or(Calls::None, Order::calls)
    }
}

/// The rule that was applied, as it stands in an entry. The longest that is made fits.
pub(crate) fn policy(text: String) -> Text<{ entry::POLICY_MAX }> {
    Text::new(text).unwrap_or_default()
}

/// What a call shows of the record.
#[derive(Default)]
pub(crate) struct CallRecord {
    /// The other side's office keeps a record of it.
    pub(crate) there: bool,
    /// Its facts are in an entry.
    pub(crate) kept: bool,
    /// Notes taken here.
    pub(crate) minutes: Vec<(Wall, String)>,
    /// The members' places in the facts, by device.
    pub(crate) places: BTreeMap<[u8; 32], u8>,
}

impl Phone {
    // ---- the officer's order -------------------------------------------------------------------

    /// The exchange hands an order on.
    pub(crate) fn ordered(&mut self, bytes: &[u8]) {
        let Ok(order) = Order::parse(bytes) else {
            self.dropped += 1;
            return;
        };
        let Some(pinned) = self.record.row.officer else {
            self.record.asked = Some(order);
            return self.tell(Event::RecordAsked);
        };
        if !order.follows(&pinned) {
            self.record.asked = Some(order);
            return self.doubt(Doubt::OtherOfficer);
        }
        self.record.asked = None;
        match self.record.order.as_ref() {
            Some(now) if *now == order => {}
            Some(now) if now.serial() >= order.serial() => self.doubt(Doubt::OldOrder),
            _ => self.obey(order),
        }
    }

    /// Puts an order into force.
    fn obey(&mut self, order: Order) {
        self.record.row.officer = Some(order.officer());
        self.record.row.order = Blob::<ORDER_MAX>::new(order.as_bytes().to_vec()).ok();
        if order.calls() == Calls::None {
            for (contact, name) in core::mem::take(&mut self.record.drafts).into_keys() {
                self.desk.delete(rows::DRAFT, draft_key(contact, &name));
            }
        }
        self.record.order = Some(order);
        self.record.asked = None;
        self.record.doubt = None;
        self.save_record();
        self.after(Effect::Tell(Event::RecordOrder));
    }

    /// The owner vouches for the officer who is asked about, by the fingerprint as it was read to them.
    pub(crate) fn accept_officer(&mut self, spoken: &str) -> Result<(), InputError> {
        let asked = self
            .record
            .asked
            .take()
            .ok_or(InputError::WrongState("no records officer waits for you to accept them"))?;
        let plain = |text: &str| {
            text.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_ascii_lowercase()
        };
        if plain(&order::fingerprint(&asked.officer())) != plain(spoken) {
            self.record.asked = Some(asked);
            return Err(InputError::OtherOfficer);
        }
        self.obey(asked);
        Ok(())
    }

    fn doubt(&mut self, doubt: Doubt) {
        self.record.doubt = Some(doubt);
        self.tell(Event::RecordDoubt(doubt));
    }

    pub(crate) fn save_record(&mut self) {
        self.desk.put(rows::RECORD, Vec::new(), self.record.row.encode());
    }

    // ---- what a call did -----------------------------------------------------------------------

    /// Whether one more call can be taken down.
    pub(crate) fn may_record(&self) -> Result<(), InputError> {
        let full = self.record.entries.len() >= WAITING_MAX;
        if full && self.record.calls() != Calls::None {
            Err(InputError::RecordFull)
        } else {
            Ok(())
        }
    }

    /// Whether a call is on the record.
    pub(crate) fn on_record(&self, id: u32) -> bool {
        let draft = |call: &crate::ring::Call| {
            call.record.kept || self.record.drafts.contains_key(&(call.contact, call.name))
        };
        self.calls.get(&id).is_some_and(draft)
    }

    /// A call begins.
    pub(crate) fn record_begins(&mut self, id: u32) {
        let Some(call) = self.calls.get(&id) else { return };
        let (contact, name, placed) =
            (call.contact, call.name, call.direction == Direction::Placed);
        self.draft(contact, name, call.at, placed, call.precedence);
        self.record_behalf(id);
        self.record_state(id);
    }

    /// Notes in whose name a call was placed, as it is known now.
    pub(crate) fn record_behalf(&mut self, id: u32) {
        let Some(call) = self.calls.get(&id) else { return };
        let key = (call.contact, call.name);
        if !self.record.drafts.contains_key(&key) {
            return;
        }
        let (name, verified) = match self.behalf_view(call) {
            None => return,
            Some(BehalfView::Mine { name }) => (name, self.may_show(call)),
            Some(BehalfView::Verified { name, .. }) => (name, true),
            Some(BehalfView::Claimed { name, .. }) => (name, false),
        };
        let behalf = Last(Text::new(name).ok().map(|name| Behalf { name, verified }));
        if let Some(facts) = self.record.drafts.get_mut(&key)
            && facts.behalf != behalf
        {
            facts.behalf = behalf;
            self.keep_draft(id);
        }
    }

    /// A call goes on here that was on another handset of this person.
    pub(crate) fn record_continues(&mut self, id: u32) {
        let Some(call) = self.calls.get(&id) else { return };
        let (placed, precedence) = (call.direction == Direction::Placed, call.precedence);
        self.draft(call.contact, call.name, call.at, placed, precedence);
        self.record_moved(id);
    }

    /// A call went to another handset of the same person, of either side.
    pub(crate) fn record_moved(&mut self, id: u32) {
        let at = self.wall();
        let Some(key) = self.calls.get(&id).map(|call| (call.contact, call.name)) else { return };
        if let Some(facts) = self.record.drafts.get_mut(&key) {
            facts.step(Step { stage: entry::Stage::Moved, at, member: None });
            self.keep_draft(id);
        }
    }

    fn draft(
        &mut self,
        contact: u32,
        name: CallId,
        at: Wall,
        placed: bool,
        precedence: Precedence,
    ) {
        let Some(record) = self.contacts.get(&contact) else { return };
        // Calls between handsets of one person are none of the office's.
        if self.record.calls() == Calls::None || record.row.sibling {
            return;
        }
        let facts = Facts {
            call: name,
            placed,
            at,
            contact: Person { name: record.row.name.clone(), office: record.row.office.clone() },
            identity: record.row.identity,
            keys: record.row.keys,
            arranged_by: None,
            policy: policy(crate::urgent::applied(self.applied(contact, None), precedence)),
            members: List::default(),
            steps: List::default(),
            left_out: 0,
            talked: 0,
            end: None,
            behalf: Last(None),
        };
        self.record.drafts.insert((contact, name), facts);
    }

    /// A call has another name from now on: nobody else has heard of it.
    pub(crate) fn record_renamed(&mut self, contact: u32, old: CallId, new: CallId) {
        if let Some(mut facts) = self.record.drafts.remove(&(contact, old)) {
            self.desk.delete(rows::DRAFT, draft_key(contact, &old));
            facts.call = new;
            self.desk.put(rows::DRAFT, draft_key(contact, &new), encoded(&facts));
            self.record.drafts.insert((contact, new), facts);
        }
    }

    /// A call does something else than before.
    pub(crate) fn record_state(&mut self, id: u32) {
        let at = self.wall();
        let Some(call) = self.calls.get(&id) else { return };
        let key = (call.contact, call.name);
        let Some(facts) = self.record.drafts.get_mut(&key) else { return };
        let stage = match (&call.stage, &call.room) {
            (Stage::Active(active), Some(room)) if active.state() == CallState::Connected => {
                room.recorded_stage(facts.arranged_by.is_some())
            }
            _ => stage(call.state()),
        };
        let mut steps = facts.steps.as_slice().iter().rev();
        // Who came and went changes nothing of what the call does.
        if steps.find(|step| step.member.is_none()).is_some_and(|last| last.stage == stage) {
            return;
        }
        facts.step(Step { stage, at, member: None });
        self.keep_draft(id);
    }

    /// Puts what is noted of a call on disk.
    pub(crate) fn keep_draft(&mut self, id: u32) {
        let Some(key) = self.calls.get(&id).map(|call| (call.contact, call.name)) else { return };
        if let Some(facts) = self.record.drafts.get(&key) {
            self.desk.put(rows::DRAFT, draft_key(key.0, &key.1), encoded(facts));
        }
    }

    /// A call is over. `talked`: it was answered, and lasted so long.
    pub(crate) fn record_ends(
        &mut self,
        contact: u32,
        name: CallId,
        end: End,
        talked: Option<Duration>,
    ) {
        let Some(mut facts) = self.record.drafts.remove(&(contact, name)) else { return };
        if matches!(end, End::ByRule(_)) {
            facts.policy = policy(self.applied(contact, Some(end)));
        }
        self.desk.delete(rows::DRAFT, draft_key(contact, &name));
        // The handset that answered, or the other of two calls that crossed, has it on the record.
        if matches!(end, End::Elsewhere | End::Glare) {
            return;
        }
        if talked.is_some() || self.record.calls() == Calls::All {
            let at = self.wall();
            self.enter(facts, Some(end.code()), at, talked.unwrap_or_default());
            let call = self.calls.values_mut().find(|c| (c.contact, c.name) == (contact, name));
            if let Some(call) = call {
                call.record.kept = true;
            }
        }
    }

    /// A call that never rang here: it came as mail, or while the owner was in another one, or broke a rule.
    pub(crate) fn record_unrung(
        &mut self,
        contact: u32,
        name: CallId,
        at: Wall,
        end: End,
        precedence: Precedence,
    ) {
        self.draft(contact, name, at, false, precedence);
        self.record_ends(contact, name, end, None);
    }

    /// Calls that were under way when the handset stopped.
    pub(crate) fn record_orphans(&mut self) {
        for ((contact, name), facts) in core::mem::take(&mut self.record.drafts) {
            self.desk.delete(rows::DRAFT, draft_key(contact, &name));
            let steps = facts.steps.as_slice();
            let held = steps.iter().any(|step| step.stage == entry::Stage::Waiting);
            let (since, until) = (facts.began(), steps.last().map(|step| step.at));
            if since.is_some() || held || self.record.calls() == Calls::All {
                let until = until.unwrap_or(facts.at);
                let talked = until.0.saturating_sub(since.unwrap_or(until).0);
                self.enter(facts, None, until, Duration::from_secs(talked));
            }
        }
    }

    /// Makes an entry of a call's facts.
    fn enter(&mut self, mut facts: Facts, end: Option<u8>, at: Wall, talked: Duration) {
        facts.end = end;
        facts.talked = u32::try_from(talked.as_secs()).unwrap_or(u32::MAX);
        if end.is_some() {
            facts.step(Step { stage: entry::Stage::Ended, at, member: None });
        }
        if facts.members.as_slice().is_empty() {
            let (from, to) = facts.began().map_or_else(Default::default, |from| (from, at));
            let own = Person { name: self.principal(), office: self.own.office.clone() };
            for (who, own) in [(own, true), (facts.contact.clone(), false)] {
                facts.members.push(Member { who, role: Role::Principal, own, from, to });
            }
        } else {
            for member in facts.members.iter_mut().filter(|m| m.to == Wall(0)) {
                member.to = at;
            }
        }
        self.seal_entry(Body::Call(facts));
    }

    fn principal(&self) -> Text<{ wire::limits::NAME_MAX }> {
        let named = !self.own.principal.as_str().is_empty();
        if named { self.own.principal.clone() } else { self.own.name.clone() }
    }

    // ---- notes ---------------------------------------------------------------------------------

    /// A note for the record, taken in a call or just after it.
    pub(crate) fn minute(&mut self, id: u32, text: String) -> Result<(), InputError> {
        let note: Text<TEXT_MAX> = Text::new(text.as_str())
            .map_err(|_| InputError::TooLong { what: "note", max: TEXT_MAX })?;
        let (at, on_record) = (self.wall(), self.on_record(id));
        if self.record.entries.len() >= WAITING_HARD {
            return Err(InputError::RecordFull);
        }
        let call = self.call_mut(id)?;
        if !on_record || !(call.record.kept || matches!(call.stage, Stage::Active(_))) {
            return Err(InputError::WrongState("this call is not on the record"));
        }
        if call.record.minutes.len() >= MINUTES_MAX {
            return Err(InputError::TooMany("notes in this call"));
        }
        call.record.minutes.push((at, text));
        let (name, contact) = (call.name, call.contact);
        let with = self.contacts.get(&contact).map(|c| (c.row.name.clone(), c.row.office.clone()));
        let (with, office) = with.unwrap_or_default();
        let contact = Person { name: with, office };
        self.seal_entry(Body::Note(Note { call: name, contact, at, text: note }));
        Ok(())
    }

    // ---- to the exchange -----------------------------------------------------------------------

    /// Signs and seals an entry, and lets it go once it is on disk.
    fn seal_entry(&mut self, body: Body) {
        let (Some(order), Some(exchange)) = (&self.record.order, self.own.exchange) else { return };
        let row = &self.record.row;
        let entry = Entry {
            office: self.own.office.clone(),
            principal: self.principal(),
            device: self.own.number,
            number: row.number + 1,
            lost: row.lost,
            seen: row.seen.clone(),
            body,
        };
        let room = self.record.entries.len() < WAITING_HARD;
        let sealed = room
            .then(|| sealing::seal(&entry, &self.device, &exchange, order.key()).ok())
            .flatten()
            .and_then(|bytes| Blob::new(bytes).ok());
        let Some(sealed) = sealed else {
            // The next entry says that one is missing here.
            self.record.row.lost = self.record.row.lost.saturating_add(1);
            return self.save_record();
        };
        let number = entry.number;
        (self.record.row.number, self.record.row.lost) = (number, 0);
        self.desk.put(rows::ENTRY, rows::key64(number), sealed.as_bytes().to_vec());
        self.record.entries.insert(number, sealed);
        self.save_record();
        self.after(Effect::Begin(Task::Record(number)));
    }

    /// Whether an entry's turn has come: they go one after the other.
    pub(crate) fn entry_s_turn(&mut self, number: u64) -> bool {
        let first = self.record.entries.first_key_value().is_some_and(|(n, _)| *n == number);
        let flying =
            self.up().is_none_or(|up| up.requests.values().any(|t| matches!(t, Task::Record(_))));
        first && !flying
    }

    pub(crate) fn entry_message(&self, number: u64) -> Option<Box<dyn FnOnce(u32) -> LineUp>> {
        let entry = self.record.entries.get(&number)?.clone();
        Some(Box::new(move |request| LineUp::Record { request, entry }))
    }

    /// The exchange says that an entry is in the log.
    pub(crate) fn recorded(
        &mut self,
        request: u32,
        size: u64,
        root: [u8; 32],
        signature: Signature,
        proof: &Blob<PROOF_MAX>,
    ) {
        let Some(task) = self.up().and_then(|up| up.requests.remove(&request)) else { return };
        let Task::Record(number) = task else { return };
        let Some(entry) = self.record.entries.get(&number) else { return };
        if !self.proves(entry, size, root, signature, proof) {
            self.later.insert(task, self.now + DOUBTED);
            return self.doubt(Doubt::BadProof);
        }
        let before = self.record.row.seen.as_ref().map_or(0, |seen| seen.size);
        if size > before {
            self.record.row.seen = Some(Seen { size, root });
        } else {
            // It had more already. What was seen stays, and the officer will read it.
            self.doubt(Doubt::RolledBack);
        }
        self.record.entries.remove(&number);
        self.desk.delete(rows::ENTRY, rows::key64(number));
        self.save_record();
        self.tasks.remove(&task);
        self.after(Effect::Tell(Event::Recorded));
        // One that is not on disk yet begins when it is.
        let next = self.record.entries.keys().next().map(|next| Task::Record(*next));
        if let Some(next) = next.filter(|next| self.tasks.contains(next)) {
            self.begin(next);
        }
    }

    fn proves(
        &self,
        entry: &Blob<ENTRY_LEN>,
        size: u64,
        root: [u8; 32],
        signature: Signature,
        proof: &Blob<PROOF_MAX>,
    ) -> bool {
        let (hashes, rest) = proof.as_bytes().as_chunks::<32>();
        let signed =
            self.own.exchange.is_some_and(|key| Head::verify(key, size, root, signature).is_ok());
        let leaf = tree::leaf(entry.as_bytes());
        let included = size > 0 && tree::verify_inclusion(size - 1, size, &leaf, hashes, &root);
        signed && rest.is_empty() && included
    }

    /// Says to the other side of a call that it is on the record here.
    pub(crate) fn say_on_record(&mut self, id: u32) {
        if self.on_record(id) {
            self.say_in_call(id, &wire::talk::CallMessage::OnRecord {});
        }
    }
}

fn stage(state: CallState) -> entry::Stage {
    match state {
        CallState::Calling => entry::Stage::Calling,
        CallState::Reached => entry::Stage::Reached,
        CallState::Ringing => entry::Stage::Ringing,
        CallState::RingingHere => entry::Stage::RingingHere,
        CallState::Connecting => entry::Stage::Connecting,
        CallState::Connected => entry::Stage::Connected,
        CallState::HeldByMe => entry::Stage::HeldByMe,
        CallState::HeldByOther => entry::Stage::HeldByOther,
        CallState::Reconnecting => entry::Stage::Reconnecting,
        CallState::Ended(_) => entry::Stage::Ended,
    }
}

pub(crate) fn draft_key(contact: u32, name: &CallId) -> Vec<u8> {
    [&contact.to_be_bytes()[..], &name.0].concat()
}

fn encoded(facts: &Facts) -> Vec<u8> {
    let mut w = Writer::new();
    facts.write(&mut w);
    w.finish()
}

/// A draft from its row.
pub(crate) fn decoded(key: &[u8], value: &[u8]) -> Result<((u32, CallId), Facts), String> {
    let contact = key.get(..4).ok_or("a draft without a contact")?;
    let contact = u32::from_be_bytes(contact.try_into().map_err(|_| "no contact")?);
    let mut r = Reader::new(value);
    let facts = Facts::read(&mut r, "draft").map_err(|e| e.to_string())?;
    r.end().map_err(|e| e.to_string())?;
    Ok(((contact, facts.call), facts))
}
