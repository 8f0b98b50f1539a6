//! A hand on a line, or on all trunks: keeps a tape of what passes, and does a deed, which can be changed.

use std::cell::RefCell;
use std::rc::Rc;

use lab::middle::{Meddler, To, What, honest};
use lab::world::World;
use wire::line::{LineDown, LineUp};
use wire::trunk::Trunk;
use wire::{Leg, Time};

type Tape = Rc<RefCell<Vec<(To, What)>>>;

/// A hand on a link.
#[derive(Clone)]
pub(crate) struct Grip {
    tape: Tape,
    deed: Rc<RefCell<Meddler>>,
}

impl Grip {
    fn new() -> (Grip, Meddler) {
        let grip = Grip { tape: Tape::default(), deed: Rc::new(RefCell::new(honest())) };
        let hand = grip.clone();
        let meddler: Meddler = Box::new(move |now: Time, to, what: What| {
            hand.tape.borrow_mut().push((to, what.clone()));
            (hand.deed.borrow_mut())(now, to, what)
        });
        (grip, meddler)
    }

    /// On the line of a party, from when it next comes up: its own exchange.
    pub(crate) fn on_line(world: &mut World, party: usize) -> Grip {
        let (grip, meddler) = Grip::new();
        world.line_meddlers.insert(party, meddler);
        grip
    }

    /// On all trunks, from when they next come up: the other exchange.
    pub(crate) fn on_trunks(world: &mut World) -> Grip {
        let (grip, meddler) = Grip::new();
        world.trunk_meddler = Some(meddler);
        grip
    }

    /// What he does from now on.
    pub(crate) fn does(&self, deed: impl FnMut(Time, To, What) -> Vec<(To, What)> + 'static) {
        *self.deed.borrow_mut() = Box::new(deed);
    }

    /// Puts something else in the place of some of what goes that way.
    pub(crate) fn swaps(&self, way: To, mut with: impl FnMut(&What) -> Option<What> + 'static) {
        self.does(move |_, to, what| match (to == way).then(|| with(&what)).flatten() {
            Some(other) => vec![(to, other)],
            None => vec![(to, what)],
        });
    }

    /// Lets nothing of that through which is named.
    pub(crate) fn swallows(&self, mut which: impl FnMut(To, &What) -> bool + 'static) {
        self.does(move |_, to, what| if which(to, &what) { vec![] } else { vec![(to, what)] });
    }

    /// Lets everything pass again.
    pub(crate) fn lets_go(&self) {
        *self.deed.borrow_mut() = honest();
    }

    /// Forgets what passed.
    pub(crate) fn forget(&self) {
        self.tape.borrow_mut().clear();
    }

    /// What passed that way.
    pub(crate) fn passed(&self, way: To) -> Vec<What> {
        self.tape.borrow().iter().filter(|(to, _)| *to == way).map(|(_, w)| w.clone()).collect()
    }

    /// Voice that passed that way, and on which leg.
    pub(crate) fn voice(&self, way: To) -> Vec<(Leg, [u8; 128])> {
        let pick = |what: &What| match what {
            What::Voice(leg, frame) => Some((*leg, *frame)),
            What::Message(_) => None,
        };
        self.passed(way).iter().filter_map(pick).collect()
    }

    /// Messages from the exchange to the handset.
    pub(crate) fn downs(&self) -> Vec<LineDown> {
        self.passed(To::Near).iter().filter_map(down).collect()
    }

    /// Messages from the handset to the exchange.
    pub(crate) fn ups(&self) -> Vec<LineUp> {
        self.passed(To::Far).iter().filter_map(up).collect()
    }
}

/// As a message to a handset.
pub(crate) fn down(what: &What) -> Option<LineDown> {
    match what {
        What::Message(bytes) => LineDown::decode(bytes).ok(),
        What::Voice(..) => None,
    }
}

/// As a message to an exchange.
pub(crate) fn up(what: &What) -> Option<LineUp> {
    match what {
        What::Message(bytes) => LineUp::decode(bytes).ok(),
        What::Voice(..) => None,
    }
}

/// As a message between exchanges.
pub(crate) fn trunk(what: &What) -> Option<Trunk> {
    match what {
        What::Message(bytes) => Trunk::decode(bytes).ok(),
        What::Voice(..) => None,
    }
}
