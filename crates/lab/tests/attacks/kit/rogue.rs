//! A handset without scruples: enrolled at an exchange like any other, with keys of its own, and it says what it likes.
//!
//! ```text
//!  take(card) ─► key package ─► welcome(Welcoming) ─► contact group ─► tell, ring, mail
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use lab::middle::{To, What};
use lab::world::World;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use seal::card::{Fields, Kind, UnverifiedCard, VerifiedCard};
use seal::group::{
    Admit, Bucket, Group, GroupKind, Incoming, KeyPackages, Psk, UnverifiedKeyPackage,
    VerifiedKeyPackage,
};
use seal::identity::{Device, IdentityKey};
use seal::pairwise::PairwiseKey;
use wire::line::{LineDown, LineUp};
use wire::talk::{ContactMessage, Offer, Sealed};
use wire::{
    Address, Blob, Envelope, ExchangeRef, IdentityPub, Leg, MailId, PairwisePub, Text, Wall,
};

use super::{Grip, down, up};
use crate::support::{lines_up, secs};

/// How a contact group is made: the true way, but for what is changed.
pub(crate) struct Welcoming {
    /// What binds it to the card.
    pub(crate) psk: Option<Psk>,
    /// What its maker shows of himself.
    pub(crate) return_card: Vec<u8>,
    /// Who else is in it.
    pub(crate) others: Vec<VerifiedKeyPackage>,
}

/// The handset.
pub(crate) struct Rogue {
    pub(crate) party: usize,
    pub(crate) grip: Grip,
    pub(crate) identity: IdentityKey,
    pub(crate) device: Device,
    pub(crate) packages: KeyPackages,
    pub(crate) pairwise: PairwiseKey,
    pub(crate) group: Option<Group>,
    /// Where its contact reaches it.
    pub(crate) mine: Address,
    /// Where it reaches its contact.
    pub(crate) theirs: Address,
    exchange: Option<ExchangeRef>,
    own: ExchangeRef,
    name: String,
    counter: u64,
    inbox: Rc<RefCell<VecDeque<LineDown>>>,
}

/// Where an office's exchange is.
fn place(world: &World, office: usize) -> ExchangeRef {
    ExchangeRef {
        key: world.offices[office].key,
        host: Text::new(format!("office{office}.example:4433")).unwrap(),
    }
}

/// A card of `identity` for `address` at an office.
pub(crate) fn return_card(
    world: &World,
    identity: &IdentityKey,
    name: &str,
    office: usize,
    address: Address,
) -> VerifiedCard {
    let fields = Fields {
        kind: Kind::Contact,
        office: Text::new(format!("Office {office}")).unwrap(),
        exchange: place(world, office),
        address,
        name: Text::new(name).unwrap(),
        expiry: Wall(world.wall().0 + 1_000_000),
    };
    VerifiedCard::issue(identity, fields).unwrap()
}

impl Rogue {
    /// A handset of `name` at an office.
    pub(crate) fn hire(world: &mut World, name: &str, office: usize) -> Rogue {
        let party = world.parties.len();
        let grip = Grip::on_line(world, party);
        let inbox = Rc::new(RefCell::new(VecDeque::new()));
        let keep = inbox.clone();
        grip.does(move |_, to, what| match to {
            To::Near => match down(&what) {
                Some(
                    LineDown::Challenge { .. }
                    | LineDown::Attached { .. }
                    | LineDown::Refused { .. },
                ) => vec![(to, what)],
                Some(message) => {
                    let seq = match &message {
                        LineDown::Deliver { seq, .. } => Some(*seq),
                        _ => None,
                    };
                    keep.borrow_mut().push_back(message);
                    let done = |seq| (To::Far, What::Message(LineUp::Delivered { seq }.encode()));
                    seq.map(done).into_iter().collect()
                }
                None => vec![],
            },
            To::Far => match up(&what) {
                Some(LineUp::Attach { .. } | LineUp::Enrol { .. }) => vec![(to, what)],
                _ => vec![],
            },
        });
        assert_eq!(world.hire(name, office), party);
        lines_up(world);
        let mut rng = ChaCha20Rng::seed_from_u64(party as u64);
        let identity = IdentityKey::generate(&mut rng);
        let device = Device::first(&identity, &mut rng);
        Rogue {
            party,
            grip,
            identity,
            device,
            packages: KeyPackages::new(),
            pairwise: PairwiseKey::generate(&mut rng),
            group: None,
            mine: Address([200 + party as u8; 16]),
            theirs: Address([0; 16]),
            exchange: None,
            own: place(world, office),
            name: name.to_owned(),
            counter: 0,
            inbox,
        }
    }

    /// Says something to its exchange.
    pub(crate) fn say(&self, world: &mut World, message: &LineUp) {
        world.meddle(self.party, To::Far, What::Message(message.encode()));
    }

    /// Everything that came and was not looked at.
    pub(crate) fn came(&self) -> Vec<LineDown> {
        self.inbox.borrow_mut().drain(..).collect()
    }

    /// Waits for something from its exchange.
    pub(crate) fn wait<T>(&self, world: &mut World, pick: impl Fn(&LineDown) -> Option<T>) -> T {
        let inbox = self.inbox.clone();
        let find = || inbox.borrow().iter().position(|m| pick(m).is_some());
        assert!(world.run_until(secs(20), |_| find().is_some()), "{:?}", self.inbox.borrow());
        let at = find().unwrap();
        pick(&self.inbox.borrow_mut().remove(at).unwrap()).unwrap()
    }

    /// Presents a card's address to its exchange; the key package, and the key for the way back.
    pub(crate) fn take(
        &mut self,
        world: &mut World,
        exchange: &ExchangeRef,
        address: Address,
    ) -> (Vec<u8>, PairwisePub) {
        let bound = self.pairwise.public();
        let exchange = exchange.clone();
        self.theirs = address;
        self.exchange = Some(exchange.clone());
        self.say(world, &LineUp::Redeem { request: 900, exchange, address, bound });
        let offer = self.wait(world, |m| match m {
            LineDown::Offer { offer, .. } => Some(offer.as_bytes().to_vec()),
            _ => None,
        });
        let Offer::KeyPackage { key_package, bound } = Offer::decode(&offer).unwrap();
        (key_package.into_bytes(), bound)
    }

    /// The body that makes the contact group with the device of `key_package`, a device of `issuer`.
    pub(crate) fn welcoming(
        &mut self,
        world: &World,
        issuer: IdentityPub,
        key_package: &[u8],
        how: Welcoming,
    ) -> Vec<u8> {
        let package = UnverifiedKeyPackage::parse(key_package).unwrap();
        let mut all = vec![package.verify(&issuer, world.wall()).unwrap()];
        all.extend(how.others);
        let mut group = Group::create(&self.device, GroupKind::Contact, Admit::Vouched).unwrap();
        let welcome = group.add(&all, how.psk.as_slice()).unwrap().welcome;
        let introduce = ContactMessage::Introduce { card: Blob::new(how.return_card).unwrap() };
        let first = group.encrypt(&introduce.encode(), Bucket::Small).unwrap();
        self.group = Some(group);
        Sealed::Welcome { welcome: Blob::new(welcome).unwrap(), first: Blob::new(first).unwrap() }
            .encode()
    }

    /// What an honest redeemer of `card` would do.
    pub(crate) fn honestly(&self, world: &World, card: &VerifiedCard) -> Welcoming {
        let office = usize::from(self.own.key != world.offices[0].key);
        let back = return_card(world, &self.identity, &self.name, office, self.mine);
        Welcoming {
            psk: Some(card.psk()),
            return_card: back.to_bytes().to_vec(),
            others: Vec::new(),
        }
    }

    /// Redeems a card, `how` being changed by `change`.
    pub(crate) fn redeem(
        &mut self,
        world: &mut World,
        link: &str,
        change: impl FnOnce(&mut Welcoming),
    ) {
        let card = UnverifiedCard::from_link(link).unwrap().verify(world.wall()).unwrap();
        let (exchange, address) = (card.fields().exchange.clone(), card.fields().address);
        let (key_package, bound) = self.take(world, &exchange, address);
        let address = self.mine;
        self.say(world, &LineUp::RegisterBound { request: 901, address, bound });
        self.wait(world, |m| matches!(m, LineDown::Done { request: 901 }).then_some(()));
        let mut how = self.honestly(world, &card);
        change(&mut how);
        let body = self.welcoming(world, card.issuer(), &key_package, how);
        self.mail(world, body);
    }

    /// An envelope to its contact.
    pub(crate) fn envelope(&mut self, body: Vec<u8>) -> Envelope {
        self.counter += 1;
        let (address, counter) = (self.theirs, self.counter);
        let signature = self.pairwise.sign(&address, 0, counter, &body);
        Envelope { address, device: 0, counter, signature, body: Blob::new(body).unwrap() }
    }

    /// Mails a body to its contact.
    pub(crate) fn mail(&mut self, world: &mut World, body: Vec<u8>) {
        let envelope = self.envelope(body);
        let mut mail = MailId([self.party as u8; 16]);
        mail.0[..8].copy_from_slice(&self.counter.to_be_bytes());
        let exchange = self.exchange.clone().unwrap();
        self.say(world, &LineUp::Post { mail, exchange, envelope });
        self.wait(world, |m| matches!(m, LineDown::Posted { .. }).then_some(()));
    }

    /// Opens a leg to its contact.
    pub(crate) fn open(&mut self, world: &mut World, leg: u16, body: Vec<u8>) {
        let envelope = self.envelope(body);
        let exchange = self.exchange.clone().unwrap();
        self.say(world, &LineUp::Open { leg: Leg(leg), exchange, envelope });
    }

    /// Seals bytes in the contact group.
    pub(crate) fn seal(&mut self, bytes: &[u8]) -> Vec<u8> {
        let bucket = Bucket::holding(bytes.len()).unwrap();
        let message = self.group.as_mut().unwrap().encrypt(bytes, bucket).unwrap();
        Sealed::Contact { message: Blob::new(message).unwrap() }.encode()
    }

    /// Mails a message of the contact group.
    pub(crate) fn tell(&mut self, world: &mut World, message: &ContactMessage) {
        let body = self.seal(&message.encode());
        self.mail(world, body);
    }

    /// What its contact said by mail and over legs.
    pub(crate) fn said(&mut self) -> Vec<ContactMessage> {
        let mut said = Vec::new();
        for message in self.came() {
            let (LineDown::Deliver { body, .. } | LineDown::LegData { body, .. }) = message else {
                continue;
            };
            let Ok(Sealed::Contact { message }) = Sealed::decode(body.as_bytes()) else { continue };
            let opened = self.group.as_mut().unwrap().process(message.as_bytes());
            if let Ok(Incoming::Application { message, .. }) = opened {
                said.extend(ContactMessage::decode(&message));
            }
        }
        said
    }
}
