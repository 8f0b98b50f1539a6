#![cfg(not(target_arch = "wasm32"))]
//! Every order in which a hand-over can happen, by a model checker: the machines are the handset's own
//! (`call::conference`, `call::handover`), only keys and links are played.
//!
//! ```text
//!   office X: attendant 0, principal 2 ══ trunk ══ office Y: attendant 1, principal 3
//!   epochs are a tree: each commit makes a child of the epoch that it was made in; who is in one can seal and open
//! ```
//!
//! Links keep order, legs are a tree, members may vanish at any moment, and one may be thought gone that is
//! not. **Safety:** no principal has a voice in an epoch that an attendant has. **Progress:** where nothing is
//! left to happen, whoever is there is connected, or its call is over, or a person can still end it.
#![allow(clippy::unwrap_used, reason = "a model that cannot go on has failed")]

use std::collections::{BTreeMap, VecDeque};

use call::Needs;
use call::conference::{Act, Conference, Word};
use call::handover::{Entered, Party};
use stateright::{Checker, Model, Property};
use wire::Time;
use wire::talk::Role;

const NOW: Time = Time(0);
const MEMBERS: usize = 4;

fn role(leaf: u32) -> Role {
    if leaf < 2 { Role::Attendant } else { Role::Principal }
}

fn office(leaf: usize) -> usize {
    leaf % 2
}

/// An epoch: its keys are its place in the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Epoch {
    parent: usize,
    number: u64,
    by: u32,
    members: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Message {
    from: u32,
    epoch: usize,
    /// A word, or a commit that makes that epoch.
    said: Result<Word, usize>,
}

/// A handset: its machine, and what its group knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Handset {
    call: Conference<usize>,
    epoch: usize,
    pending: Option<usize>,
    kept: Option<usize>,
    ahead: Vec<Message>,
    over: bool,
    dead: bool,
    said_connect: bool,
}

impl Handset {
    fn is_there(&self) -> bool {
        !self.over && !self.dead
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    handsets: Vec<Handset>,
    epochs: Vec<Epoch>,
    lines: Vec<VecDeque<Message>>,
    trunks: [VecDeque<Message>; 2],
    may_vanish: u8,
    may_err: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    /// The oldest message on a line arrives.
    Deliver(usize),
    /// The oldest message from that office arrives at the other one.
    Trunk(usize),
    /// An attendant says that the attendants leave.
    Connect(usize),
    /// A program dies.
    Vanish(usize),
    /// A member has not heard another one for long.
    Silent(usize, u32),
    /// The same of one that is there.
    Mistaken(usize, u32),
    /// A member's epoch is not confirmed in time.
    Late(usize),
}

impl State {
    fn entered(&self, epoch: usize, leaf: u32) -> Entered<usize> {
        let e = &self.epochs[epoch];
        assert!(e.members.contains(&leaf));
        let members: BTreeMap<u32, Role> = e.members.iter().map(|l| (*l, role(*l))).collect();
        Entered { epoch: e.number, by: e.by, members, voice: Some(epoch) }
    }

    /// To all others of the office at once, and to the trunk.
    fn flood(&mut self, message: Message) {
        let from = message.from as usize;
        self.reach_office(office(from), &message);
        self.trunks[office(from)].push_back(message);
    }

    fn reach_office(&mut self, at: usize, message: &Message) {
        for leaf in
            (0..MEMBERS).filter(|leaf| office(*leaf) == at && *leaf != message.from as usize)
        {
            if self.handsets[leaf].is_there() {
                self.lines[leaf].push_back(message.clone());
            }
        }
    }

    fn acts(&mut self, at: usize) {
        let own = at as u32;
        while let Some(act) = self.handsets[at].call.poll() {
            let epoch = self.handsets[at].epoch;
            match act {
                Act::Say(word) => self.flood(Message { from: own, epoch, said: Ok(word) }),
                Act::Add => unreachable!("nobody is brought in"),
                Act::Remove(leaves) => {
                    assert!(self.handsets[at].pending.is_none(), "one change at a time");
                    let Epoch { number, members, .. } = self.epochs[epoch].clone();
                    let members = members.into_iter().filter(|l| !leaves.contains(l)).collect();
                    let child = Epoch { parent: epoch, number: number + 1, by: own, members };
                    self.epochs.push(child);
                    let child = self.epochs.len() - 1;
                    self.handsets[at].pending = Some(child);
                    self.flood(Message { from: own, epoch, said: Err(child) });
                }
                Act::Discard => self.handsets[at].pending = None,
                Act::Merge => {
                    let child = self.handsets[at].pending.take().unwrap();
                    self.enter(at, child);
                }
                Act::End(_) => self.end(at),
            }
        }
    }

    fn end(&mut self, at: usize) {
        self.handsets[at].over = true;
        self.lines[at].clear();
    }

    fn enter(&mut self, at: usize, epoch: usize) {
        let handset = &mut self.handsets[at];
        (handset.epoch, handset.kept, handset.pending) = (epoch, None, None);
        if !self.epochs[epoch].members.contains(&(at as u32)) {
            return self.end(at);
        }
        let entered = self.entered(epoch, at as u32);
        self.handsets[at].call.entered(NOW, entered);
    }

    /// As `phone::room` does it.
    fn receive(&mut self, at: usize, message: Message) {
        let handset = &self.handsets[at];
        if !handset.is_there() {
            return;
        }
        let number = |epoch: usize| self.epochs[epoch].number;
        let (own, theirs) = (number(handset.epoch), number(message.epoch));
        if let Err(child) = message.said
            && own == theirs
        {
            if message.epoch == handset.epoch {
                self.handsets[at].kept = Some(child);
            }
            return;
        }
        if theirs > own {
            match handset.kept {
                Some(kept) if theirs == own + 1 && message.said.is_ok() => {
                    self.enter(at, kept);
                    self.acts(at);
                }
                _ => return self.handsets[at].ahead.push(message),
            }
        }
        let mut line = self.handsets[at].epoch;
        // What was sealed in an epoch that this member has been in opens; of another branch nothing does.
        while line != message.epoch && line != 0 {
            line = self.epochs[line].parent;
        }
        if let (Ok(word), true) = (message.said, line == message.epoch)
            && self.handsets[at].is_there()
        {
            let number = self.epochs[message.epoch].number;
            self.handsets[at].call.heard(NOW, message.from, number, word);
            self.acts(at);
        }
        let ahead = core::mem::take(&mut self.handsets[at].ahead);
        for message in ahead {
            self.receive(at, message);
        }
    }

    fn thinks_there(&self, at: usize, leaf: u32) -> bool {
        self.handsets[at].is_there()
            && self.epochs[self.handsets[at].epoch].members.contains(&leaf)
            && !self.handsets[at].call.is_gone(leaf)
    }

    fn is_quiet(&self) -> bool {
        self.lines.iter().chain(&self.trunks).all(VecDeque::is_empty)
    }

    fn is_connected(&self, at: usize) -> bool {
        matches!(self.handsets[at].call.party(), Some(Party::Connected(_)))
    }
}

struct HandOver {
    /// How many attendants may say that they leave, how many members vanish, how many mistakes are made.
    connects: usize,
    vanish: u8,
    err: u8,
}

impl Model for HandOver {
    type State = State;
    type Action = Action;

    /// All four are in the third epoch, which attendant 1 made; the principals are held.
    fn init_states(&self) -> Vec<State> {
        let epoch = |parent, number, by, members: &[u32]| Epoch {
            parent,
            number,
            by,
            members: members.to_vec(),
        };
        let epochs = vec![
            epoch(0, 1, 0, &[0, 1]),
            epoch(0, 2, 0, &[0, 1, 2]),
            epoch(1, 3, 1, &[0, 1, 2, 3]),
        ];
        let mut state = State {
            handsets: Vec::new(),
            epochs,
            lines: vec![VecDeque::new(); MEMBERS],
            trunks: [VecDeque::new(), VecDeque::new()],
            may_vanish: self.vanish,
            may_err: self.err,
        };
        let mut passes = Vec::new();
        for leaf in 0..MEMBERS as u32 {
            let mut call = match leaf {
                0 | 1 => Conference::of_two(NOW, leaf, 1 - leaf, 0, 1, Some(0)),
                2 => Conference::brought_in(NOW, leaf, state.entered(1, leaf)),
                _ => Conference::brought_in(NOW, leaf, state.entered(2, leaf)),
            };
            if leaf < 2 {
                call.attends(0);
                call.attends(1);
                call.entered(NOW, state.entered(1, leaf));
            }
            // What was said until now has been heard.
            while call.poll().is_some() {}
            if leaf < 3 {
                call.entered(NOW, state.entered(2, leaf));
            }
            for other in (0..MEMBERS as u32).filter(|other| *other != leaf) {
                call.heard(NOW, other, 3, Word::Confirmed);
            }
            // And so has this; only the baton is on its way.
            while let Some(act) = call.poll() {
                if let Act::Say(word @ Word::Baton { .. }) = act {
                    passes.push(Message { from: leaf, epoch: 2, said: Ok(word) });
                }
            }
            state.handsets.push(Handset {
                call,
                epoch: 2,
                pending: None,
                kept: None,
                ahead: Vec::new(),
                over: false,
                dead: false,
                said_connect: false,
            });
        }
        for message in passes {
            state.flood(message);
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let all = 0..MEMBERS;
        actions.extend(all.clone().filter(|at| !state.lines[*at].is_empty()).map(Action::Deliver));
        actions.extend((0..2).filter(|at| !state.trunks[*at].is_empty()).map(Action::Trunk));
        for at in all.clone().filter(|at| state.handsets[*at].is_there()) {
            let handset = &state.handsets[at];
            if at < self.connects && !handset.said_connect && handset.call.can_connect() {
                actions.push(Action::Connect(at));
            }
            if state.may_vanish > 0 {
                actions.push(Action::Vanish(at));
            }
            for other in
                (0..MEMBERS as u32).filter(|o| state.thinks_there(at, *o) && *o as usize != at)
            {
                // Whoever is silent for long has nothing on its way any more.
                if !state.handsets[other as usize].is_there() && state.is_quiet() {
                    actions.push(Action::Silent(at, other));
                } else if state.may_err > 0 {
                    actions.push(Action::Mistaken(at, other));
                }
            }
            let waits = matches!(handset.call.party(), Some(Party::Confirming(_)));
            let stuck = (0..MEMBERS as u32).any(|o| state.thinks_there(at, o) && o as usize != at);
            if waits && stuck && state.is_quiet() {
                actions.push(Action::Late(at));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Deliver(at) => {
                let message = state.lines[at].pop_front()?;
                state.receive(at, message);
            }
            Action::Trunk(from) => {
                let message = state.trunks[from].pop_front()?;
                state.reach_office(1 - from, &message);
            }
            Action::Connect(at) => {
                state.handsets[at].said_connect = true;
                state.handsets[at].call.connect(NOW, &Needs::default().met([]).unwrap());
                state.acts(at);
            }
            Action::Vanish(at) => {
                state.may_vanish -= 1;
                state.handsets[at].dead = true;
                state.lines[at].clear();
            }
            Action::Silent(at, other) => {
                state.handsets[at].call.gone(other);
                state.acts(at);
            }
            Action::Mistaken(at, other) => {
                state.may_err -= 1;
                state.handsets[at].call.gone(other);
                state.acts(at);
            }
            Action::Late(at) => {
                state.handsets[at].call.late();
                state.acts(at);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "no principal is heard in an epoch that an attendant has",
                |_, state: &State| {
                    (2..MEMBERS).all(|at| {
                        let handset = &state.handsets[at];
                        let voice = handset.call.clone().voice().copied();
                        voice.is_none_or(|epoch| {
                            epoch == handset.epoch
                                && state.epochs[epoch].members.iter().all(|l| *l >= 2)
                        })
                    })
                },
            ),
            Property::always("an attendant that leaves is not heard", |_, state: &State| {
                let leaves = |h: &&Handset| h.said_connect && h.call.can_connect();
                state.handsets[..2].iter().filter(leaves).all(|h| h.call.clone().voice().is_none())
            }),
            Property::always("the call can still end or connect", |model: &Self, state: &State| {
                let mut actions = Vec::new();
                model.actions(state, &mut actions);
                actions.retain(|a| !matches!(a, Action::Vanish(_) | Action::Mistaken(..)));
                // A person can hang up wherever no attendants are being waited for.
                actions.is_empty().then(|| {
                    (0..MEMBERS).filter(|at| state.handsets[*at].is_there()).all(|at| {
                        let said = state.handsets.iter().any(|h| h.said_connect && h.is_there());
                        at < 2
                            || state.is_connected(at)
                            || !said
                            || !state.handsets[at].call.can_connect()
                    })
                }) != Some(false)
            }),
            Property::sometimes("the principals are connected", |_, state: &State| {
                (2..MEMBERS).all(|at| state.handsets[at].is_there() && state.is_connected(at))
            }),
        ]
    }
}

fn check(connects: usize, vanish: u8, err: u8) {
    let checker = HandOver { connects, vanish, err }.checker().threads(2).spawn_bfs().join();
    assert!(checker.unique_state_count() > 1_000, "few orders: the model does nothing");
    checker.assert_properties();
}

#[test]
fn every_order_of_a_hand_over() {
    check(2, 0, 0);
}

#[test]
fn every_order_in_which_one_member_vanishes() {
    check(1, 1, 0);
}

#[test]
fn every_order_in_which_one_is_thought_gone_that_is_not() {
    check(1, 0, 1);
}
