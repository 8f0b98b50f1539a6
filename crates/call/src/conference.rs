//! A call of more than two: who changes it, who has left, and when those who stay are connected.
//!
//! ```text
//!  baton ── one member at a time may change who is in the call; it passes it on by a word that all hear
//!   ├─ Adding    ── newcomer is there ──► Merge        another one's newcomer waits: Discard, pass
//!   └─ Removing  ── who is gone: at once │ attendants: made ahead by the first of those who stay, merged at Connect
//!  gone: hung up, silent for 8 s, 4 s without confirming an epoch without attendants, or 8 s with the baton after a connect;
//!        if the holder is gone, the first one left has the baton
//! ```
//!
//! **Every input returns after [`Conference::poll`] has been drained:** what it gives is done in order, and
//! what is done comes back as [`Conference::entered`]. Commits, keys and bytes are the caller's; here are only
//! leaves, epochs and words. Words of one member come in order, and a word comes after what its author had
//! heard when it said it: legs are a tree of ordered links.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use wire::Time;
use wire::talk::Role;

use crate::handover::{Entered, Party};
use crate::{End, Met};

/// Silent for so long: gone.
pub const GONE_AFTER: Duration = Duration::from_secs(8);
/// So long an epoch may stay unconfirmed.
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(4);
/// How often a member says that it is here.
pub const HERE_EVERY: Duration = Duration::from_secs(2);
/// Most members: the exchange joins so many ends, and a Welcome to more does not fit in a body.
pub const MEMBERS_MAX: usize = 8;
/// Most members who may speak when the attendants have left: a line brings three voices beside the own one.
pub const SPEAKERS_MAX: usize = 4;

/// What a member says about the call itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// Let me change who is in the call.
    Want {
        /// A person waits for it.
        now: bool,
    },
    /// That member may, and this one no longer.
    Baton {
        /// Its leaf.
        to: u32,
    },
    /// The attendants leave.
    Connect,
    /// I am in this epoch.
    Confirmed,
    /// I speak to those who are held.
    Announce {
        /// Or no longer.
        on: bool,
    },
    /// I am here.
    Here,
    /// I leave.
    HangUp,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Say it to all, in the present epoch.
    Say(Word),
    /// The baton is here: make the change that lets the newcomer in, and give it out.
    Add,
    /// Make the change that removes these, and give it out.
    Remove(Vec<u32>),
    /// Forget the change that was made and not merged.
    Discard,
    /// Enter the epoch of the change that was made.
    Merge,
    /// The call is over here.
    End(End),
}

/// The change that this member has made and not merged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Mine {
    Nothing,
    Adding,
    HandOver(Vec<u32>),
}

/// A member, as this one sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Member {
    role: Role,
    alive: Time,
    gone: bool,
    hung_up: bool,
    announces: bool,
}

impl Member {
    fn new(role: Role, now: Time) -> Self {
        Member { role, alive: now, gone: false, hung_up: false, announces: false }
    }

    /// Whether it may say that the attendants leave.
    fn may_connect(&self) -> bool {
        matches!(self.role, Role::Principal | Role::Attendant | Role::DutyOfficer)
    }
}

/// One member's view of the call. `S` is what its voice is sealed with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Conference<S> {
    own: u32,
    epoch: u64,
    members: BTreeMap<u32, Member>,
    /// Taken only within a step.
    party: Option<Party<S>>,
    holder: u32,
    wants: VecDeque<(u32, bool)>,
    /// This member wants the baton; whether a person waits for it.
    want: Option<bool>,
    mine: Mine,
    /// The attendants are to leave, since then.
    connect: Option<Time>,
    /// A newcomer is not heard by all before it hears one of them.
    unheard: bool,
    since: Time,
    said: Time,
    acts: VecDeque<Act>,
}

impl<S> Conference<S> {
    /// A call between two becomes one of more. `first`: the leaf of who placed it.
    #[must_use]
    pub fn of_two(
        now: Time,
        own: u32,
        other: u32,
        first: u32,
        epoch: u64,
        voice: Option<S>,
    ) -> Self {
        let members = [(own, Role::Principal), (other, Role::Principal)].into_iter().collect();
        Conference::with(now, own, first, epoch, members, Party::of_two(voice))
    }

    /// This member was let in, by the leaf `epoch.by`.
    #[must_use]
    pub fn brought_in(now: Time, own: u32, epoch: Entered<S>) -> Self {
        let (by, number, members) = (epoch.by, epoch.epoch, epoch.members.clone());
        let party = Party::brought_in(own, epoch);
        let mut call = Conference::with(now, own, by, number, members, party);
        call.unheard = true;
        call.say(Word::Confirmed);
        call
    }

    fn with(
        now: Time,
        own: u32,
        holder: u32,
        epoch: u64,
        members: BTreeMap<u32, Role>,
        party: Party<S>,
    ) -> Self {
        let member = |role| Member::new(role, now);
        Conference {
            own,
            epoch,
            members: members.into_iter().map(|(leaf, role)| (leaf, member(role))).collect(),
            party: Some(party),
            holder,
            wants: VecDeque::new(),
            want: None,
            mine: Mine::Nothing,
            connect: None,
            unheard: false,
            since: now,
            said: now,
            acts: VecDeque::new(),
        }
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Act> {
        self.acts.pop_front()
    }

    // ---- what is asked -------------------------------------------------------------------------

    /// This member's own leaf.
    #[must_use]
    pub fn own(&self) -> u32 {
        self.own
    }

    /// The epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether this member is held, speaks, or waits.
    #[must_use]
    pub fn party(&self) -> Option<&Party<S>> {
        self.party.as_ref()
    }

    /// What this member's voice is sealed with, while it may be heard.
    pub fn voice(&mut self) -> Option<&mut S> {
        self.party.as_mut().and_then(Party::voice)
    }

    /// A member's role.
    #[must_use]
    pub fn role(&self, leaf: u32) -> Option<Role> {
        self.members.get(&leaf).map(|m| m.role)
    }

    /// Whether a member has hung up or fallen silent, and is still to be removed.
    #[must_use]
    pub fn is_gone(&self, leaf: u32) -> bool {
        self.members.get(&leaf).is_none_or(|m| m.gone)
    }

    /// Whether nobody has shown yet that this newcomer's epoch is theirs, too.
    #[must_use]
    pub fn is_unheard(&self) -> bool {
        self.unheard
    }

    /// Whether this member hears that one now.
    #[must_use]
    pub fn hears(&self, leaf: u32) -> bool {
        let Some(other) = self.members.get(&leaf).filter(|m| m.role.speaks() && leaf != self.own)
        else {
            return false;
        };
        match &self.party {
            Some(Party::Arranging(_) | Party::Connected(_)) => true,
            Some(Party::Held(_)) => other.role == Role::Attendant && other.announces,
            _ => false,
        }
    }

    /// The roles of those who are in it and have not gone.
    pub fn there(&self) -> impl Iterator<Item = Role> {
        self.members.values().filter(|m| !m.gone).map(|m| m.role)
    }

    /// Whether a further member with this role fits.
    #[must_use]
    pub fn has_room(&self, role: Role) -> bool {
        let speakers =
            self.members.values().filter(|m| m.role != Role::Attendant && m.role.speaks());
        // Whoever brings a principal in is an attendant, and leaves.
        let leaves =
            usize::from(role == Role::Principal && self.role(self.own) == Some(Role::Principal));
        let heard = !role.speaks() || speakers.count() < SPEAKERS_MAX + leaves;
        self.members.len() < MEMBERS_MAX && heard
    }

    /// Whether the attendants can leave now.
    #[must_use]
    pub fn can_connect(&self) -> bool {
        self.attendants().next().is_some() && self.stays().count() >= 2
    }

    /// Whether those who stay are connected when that member says so.
    #[must_use]
    pub fn connects_by(&self, leaf: u32) -> bool {
        self.members.get(&leaf).is_some_and(Member::may_connect) && self.can_connect()
    }

    fn attendants(&self) -> impl Iterator<Item = u32> {
        self.members.iter().filter(|(_, m)| m.role == Role::Attendant).map(|(leaf, _)| *leaf)
    }

    fn stays(&self) -> impl Iterator<Item = u32> {
        let stays = |m: &Member| m.role != Role::Attendant && !m.gone;
        self.members.iter().filter(move |(_, m)| stays(m)).map(|(leaf, _)| *leaf)
    }

    // ---- what people want ----------------------------------------------------------------------

    /// A member is an attendant, it says.
    pub fn attends(&mut self, leaf: u32) {
        if let Some(member) = self.members.get_mut(&leaf) {
            member.role = Role::Attendant;
            self.change(Party::arranges);
        }
    }

    /// Somebody is to be let in. `now`: that person answered.
    pub fn want(&mut self, now: bool) {
        if self.want == Some(true) || self.want == Some(now) {
            return;
        }
        self.want = Some(now);
        if self.holder != self.own {
            self.say(Word::Want { now });
        }
        self.settle();
    }

    /// Nobody is to be let in (any more).
    pub fn want_no_more(&mut self) {
        self.want = None;
        if self.mine == Mine::Adding {
            self.discard();
        }
        self.settle();
    }

    /// The change that was made for a newcomer does not fit any more: it is made anew.
    pub fn add_anew(&mut self) {
        if self.mine == Mine::Adding {
            self.discard();
            self.settle();
        }
    }

    /// The newcomer is in the epoch of the change that was made for it.
    pub fn joined(&mut self) {
        if self.mine == Mine::Adding {
            self.acts.push_back(Act::Merge);
        }
    }

    /// The attendants leave; `false` if there is nobody to connect, or nobody who has to leave. Whoever has to be in the
    /// call is.
    pub fn connect(&mut self, now: Time, _: &Met) -> bool {
        if self.can_connect() {
            self.say(Word::Connect);
            self.connects(now);
            return true;
        }
        false
    }

    /// Speaks to those who are held, or no longer.
    pub fn announce(&mut self, on: bool) {
        self.say(Word::Announce { on });
    }

    /// Says that this member leaves. Nothing else is to be expected of it.
    pub fn hang_up(&mut self) {
        self.say(Word::HangUp);
    }

    // ---- what happens --------------------------------------------------------------------------

    /// A member said something in `epoch`.
    pub fn heard(&mut self, now: Time, from: u32, epoch: u64, word: Word) {
        let Some(member) = self.members.get_mut(&from).filter(|_| from != self.own) else { return };
        member.alive = now;
        match word {
            Word::Here => {}
            Word::Announce { on } => member.announces = on,
            Word::HangUp => (member.gone, member.hung_up) = (true, true),
            Word::Want { now } => match self.wants.iter_mut().find(|(leaf, _)| *leaf == from) {
                Some(want) => want.1 = now,
                None => self.wants.push_back((from, now)),
            },
            Word::Baton { to } => {
                if from == self.holder && self.members.contains_key(&to) {
                    self.holder = to;
                    self.wants.retain(|(leaf, _)| *leaf != to);
                }
            }
            Word::Connect => {
                if self.connects_by(from) {
                    return self.connects(now);
                }
            }
            Word::Confirmed => {
                if epoch == self.epoch {
                    self.change(|party| party.confirmed(from));
                    if core::mem::take(&mut self.unheard) {
                        self.say(Word::Confirmed);
                    }
                }
            }
        }
        self.settle();
    }

    /// The group has a new epoch, and this member is in it.
    pub fn entered(&mut self, now: Time, epoch: Entered<S>) {
        let before = core::mem::take(&mut self.members);
        let member = |(leaf, role): (&u32, &Role)| {
            let member = before.get(leaf).cloned().unwrap_or(Member::new(*role, now));
            (*leaf, Member { role: *role, ..member })
        };
        self.members = epoch.members.iter().map(member).collect();
        self.epoch = epoch.epoch;
        self.since = now;
        self.mine = Mine::Nothing;
        self.holder = epoch.by;
        self.wants.retain(|(leaf, _)| self.members.contains_key(leaf));
        // With nobody left to connect, those who arrange speak again.
        self.connect = self.connect.filter(|_| self.can_connect()).map(|_| now);
        let (own, handing) = (self.own, self.connect.is_some());
        self.change(|party| party.entered(own, epoch, handing));
        if self.members.len() < 2 {
            let mut others = before.iter().filter(|(leaf, _)| **leaf != own);
            let end = if others.all(|(_, m)| m.hung_up) { End::ByOther } else { End::Lost };
            return self.acts.push_back(Act::End(end));
        }
        self.say(Word::Confirmed);
        self.settle();
    }

    /// What was wanted is done: nobody waits for the baton here.
    pub fn added(&mut self) {
        self.want = None;
    }

    /// A member has left without a word.
    pub fn gone(&mut self, leaf: u32) {
        if let Some(member) = self.members.get_mut(&leaf).filter(|_| leaf != self.own) {
            member.gone = true;
            self.settle();
        }
    }

    /// Whoever has not confirmed this epoch by now is gone.
    pub fn late(&mut self) {
        let late = self.party.as_ref().and_then(Party::waits_for).cloned().unwrap_or_default();
        for leaf in &late {
            if let Some(member) = self.members.get_mut(leaf) {
                member.gone = true;
            }
        }
        if !late.is_empty() {
            self.settle();
        }
    }

    /// Somebody who has the baton is there, and lets nobody connect.
    fn withheld(&self) -> Option<Time> {
        let since = self.connect.filter(|_| self.holder != self.own && !self.is_gone(self.holder));
        since.map(|since| since + GONE_AFTER)
    }

    /// What time does.
    pub fn tick(&mut self, now: Time) {
        if self.withheld().is_some_and(|until| until <= now) {
            self.gone(self.holder);
        }
        let silent = |m: &Member| !m.gone && m.alive + GONE_AFTER <= now;
        let own = self.own;
        let gone = self.members.iter().filter(|(leaf, m)| **leaf != own && silent(m));
        for leaf in gone.map(|(leaf, _)| *leaf).collect::<Vec<_>>() {
            self.gone(leaf);
        }
        if self.since + CONFIRM_WITHIN <= now {
            self.late();
        }
        if self.said + HERE_EVERY <= now {
            self.said = now;
            self.say(Word::Here);
        }
    }

    /// When to [`Conference::tick`].
    #[must_use]
    pub fn deadline(&self) -> Time {
        let own = self.own;
        let others = self.members.iter().filter(|(leaf, m)| **leaf != own && !m.gone);
        let silent = others.map(|(_, m)| m.alive + GONE_AFTER).min().unwrap_or(Time::NEVER);
        let waits = self.party.as_ref().and_then(Party::waits_for);
        let late = waits.is_some_and(|waits| waits.iter().any(|leaf| !self.is_gone(*leaf)));
        let late = if late { self.since + CONFIRM_WITHIN } else { Time::NEVER };
        silent.min(late).min(self.said + HERE_EVERY).min(self.withheld().unwrap_or(Time::NEVER))
    }

    // ---- what follows --------------------------------------------------------------------------

    fn say(&mut self, word: Word) {
        self.acts.push_back(Act::Say(word));
    }

    fn change(&mut self, step: impl FnOnce(Party<S>) -> Party<S>) {
        self.party = self.party.take().map(step);
    }

    fn connects(&mut self, now: Time) {
        self.connect.get_or_insert(now);
        self.change(Party::connect);
        self.settle();
    }

    fn discard(&mut self) {
        if core::mem::replace(&mut self.mine, Mine::Nothing) != Mine::Nothing {
            self.acts.push_back(Act::Discard);
        }
    }

    fn pass(&mut self, to: u32) {
        self.discard();
        self.holder = to;
        self.wants.retain(|(leaf, _)| *leaf != to);
        self.say(Word::Baton { to });
        if let Some(now) = self.want {
            self.say(Word::Want { now });
        }
    }

    /// Makes a change and enters it at once.
    fn remove_now(&mut self, leaves: Vec<u32>) {
        if self.mine != Mine::HandOver(leaves.clone()) {
            self.discard();
            self.acts.push_back(Act::Remove(leaves));
        }
        self.mine = Mine::Nothing;
        self.acts.push_back(Act::Merge);
    }

    /// What the holder of the baton does.
    fn settle(&mut self) {
        // Once they are to leave, attendants do not take over from one another.
        let takes = |m: &Member| !m.gone && (self.connect.is_none() || m.role != Role::Attendant);
        let first = self.members.iter().find(|(_, m)| takes(m)).map(|(leaf, _)| *leaf);
        if self.is_gone(self.holder) && first == Some(self.own) {
            self.holder = self.own;
        }
        // A change that is being entered comes back as `entered`.
        if self.holder != self.own || self.acts.contains(&Act::Merge) {
            return;
        }
        let gone: Vec<u32> =
            self.members.iter().filter(|(_, m)| m.gone).map(|(leaf, _)| *leaf).collect();
        if !gone.is_empty() {
            return self.remove_now(gone);
        }
        let attendants: Vec<u32> = self.attendants().collect();
        let heir = self.stays().next().filter(|_| self.can_connect());
        match heir {
            Some(heir) if self.connect.is_some() && heir == self.own => {
                return self.remove_now(attendants);
            }
            Some(heir) if self.connect.is_some() => return self.pass(heir),
            _ => {}
        }
        let waits = |now: bool| self.wants.iter().find(|(_, n)| *n || !now).map(|(leaf, _)| *leaf);
        let yields = match (&self.mine, self.want) {
            // A newcomer who answered is not kept waiting for one who has not.
            (Mine::Adding, Some(false)) | (Mine::Nothing, Some(false)) => waits(true),
            (_, Some(true)) => None,
            (Mine::Adding, None) => None,
            (Mine::HandOver(_) | Mine::Nothing, None) => waits(false),
            (Mine::HandOver(_), Some(false)) => waits(true),
        };
        if let Some(to) = yields {
            return self.pass(to);
        }
        if self.want.is_some() {
            if self.mine != Mine::Adding {
                self.discard();
                self.mine = Mine::Adding;
                self.acts.push_back(Act::Add);
            }
            return;
        }
        match heir {
            Some(heir) if heir != self.own => self.pass(heir),
            Some(_) if self.mine == Mine::Nothing => {
                // Made ahead, so that nobody waits for it later.
                self.acts.push_back(Act::Remove(attendants.clone()));
                self.mine = Mine::HandOver(attendants);
            }
            _ => {}
        }
    }
}
