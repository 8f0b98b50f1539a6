//! What two handsets say to each other end to end, inside their groups. No exchange can read it.
//!
//! ```text
//!  body of an Envelope / LegData = Sealed::Welcome  { welcome, introduction }    makes the contact group
//!                                | Sealed::Contact  { MLS message }   ── ContactMessage, SiblingMessage, a commit
//!                                | Sealed::Call     { call, MLS message } ── CallMessage
//! ```

use crate::codec::{Blob, Text, codes, messages};
use crate::ids::{Address, CallId, ExchangeRef, IdentityPub, PairwisePub};
use crate::limits::{
    BODY_MAX, CARD_MAX, DELEGATION_MAX, INSTEAD_MAX, INVITATION_MAX, KEY_PACKAGE_MAX, MANAGE_MAX,
    MANAGED_MAX, NAME_MAX, REASON_MAX, ROSTER_MAX, TAGS_MAX, TEXT_MAX, WELCOME_MAX,
};
use crate::precedence::Precedence;
use crate::rules::{Rule, Rules};
use crate::time::Wall;

messages! {
    /// What stands in an envelope's or a leg's body.
    Sealed, "sealed body" {
        /// The redeemer of a card made the contact group. `first`: a message in it, a
        /// [`ContactMessage::Introduce`].
        1 => Welcome { welcome: Blob<WELCOME_MAX>, first: Blob<2048> },
        /// A message of the contact group.
        2 => Contact { message: Blob<BODY_MAX> },
        /// A message of the call group.
        3 => Call { message: Blob<BODY_MAX> },
    }
}

messages! {
    /// What the issuer of a card leaves at the exchange for its redeemer.
    Offer, "offer" {
        /// A fresh key package, and the key to which the redeemer shall bind its return address.
        1 => KeyPackage { key_package: Blob<KEY_PACKAGE_MAX>, bound: PairwisePub },
    }
}

messages! {
    /// Said in a contact group.
    ContactMessage, "contact message" {
        /// The redeemer introduces itself by a return card, whose address is bound to the issuer already.
        1 => Introduce { card: Blob<CARD_MAX> },
        /// The issuer has the contact now.
        2 => Accepted { name: Text<NAME_MAX> },
        /// For the next call that your device `to` (its key) places to this one. `want`: I have none of its.
        3 => KeyPackage { to: [u8; 32], key_package: Blob<KEY_PACKAGE_MAX>, want: bool },
        /// The group of my next call to you, bound by `psk` to this contact group.
        4 => Prepare { call: CallId, psk: [u8; 32], welcome: Blob<WELCOME_MAX> },
        /// I am in that group.
        5 => Prepared { call: CallId },
        /// I am calling. Travels with the opening of a leg. `again`: the call is under way, and the leg
        /// is a new one after a loss.
        6 => Invite { call: CallId, at: Wall, again: bool },
        /// Your call rings here.
        7 => Ringing { call: CallId },
        /// I am in a call.
        8 => Busy { call: CallId },
        /// I do not take this call.
        9 => Declined { call: CallId },
        /// I rang you and you were not reached.
        10 => Missed { call: CallId, at: Wall },
        /// A text beside calls. `id` recognises a copy.
        11 => Note { id: [u8; 16], at: Wall, text: Text<TEXT_MAX> },
        /// A card handed on to this contact.
        12 => HandCard { card: Blob<CARD_MAX> },
        /// This contact is over; its address is withdrawn.
        13 => Goodbye { },
        /// I am in the group's new epoch: its maker can enter it too.
        14 => Healed { },
        /// A further device of mine: its maker shall let it into this group.
        15 => AddDevice { key_package: Blob<KEY_PACKAGE_MAX> },
        /// From now on these are my rules for calls between us.
        16 => Rules { rules: Rules },
        /// Your call does not ring here: this rule of mine keeps it from doing so.
        17 => Refused { call: CallId, rule: Rule },
        /// What my person is doing, as of `at`, by this handset. Only said aside, within the office.
        18 => Lamp { lamp: Lamp, at: Wall },
        /// Say your lamp again: this handset has just come up. Only said aside.
        19 => LampAsk { },
        /// Join a call of mine, as `role`. Travels with the opening of a leg. `office`, `expected`: the other
        /// side, and who is expected of it.
        20 => Bring {
            call: CallId,
            at: Wall,
            role: Role,
            office: Text<NAME_MAX>,
            expected: Text<NAME_MAX>,
        },
        /// This lets you into the group of that call; `roster`: who is in it, a [`CallMessage::Member`] each. What
        /// came before for the same call is void; without a Welcome, wait for another.
        21 => Enter { call: CallId, roster: Blob<ROSTER_MAX>, welcome: Blob<WELCOME_MAX> },
        /// This device takes the call that you ask me into, and waits to be let in.
        22 => Taken { call: CallId },
        /// Who stays in that call is not connected before these are in it, by rules of mine or of those whom I brought in.
        23 => Needs { call: CallId, interpreter: bool, note_taker: bool },
        /// You may do this in my name. What is signed runs out soon, and another one follows, up to `until`.
        24 => Delegate { delegation: Blob<DELEGATION_MAX>, until: Wall },
        /// You may no longer.
        25 => Undelegate { number: u64 },
        /// I call for somebody, whom I call `name`, who signed this for me. Over the leg of that call.
        26 => Behalf { call: CallId, name: Text<NAME_MAX>, delegation: Blob<DELEGATION_MAX> },
        /// This [`ContactMessage::Invite`] or [`ContactMessage::Bring`], and how urgent it is. Only to whom said [`ContactMessage::Grant`].
        32 => Urgent { precedence: Precedence, invitation: Blob<INVITATION_MAX> },
        /// From now on your calls to me may be as urgent as this, and no more.
        33 => Grant { highest: Precedence },
        /// Your call came in silently: it is night here, until that minute since 1970 (0: not known), and whoever `instead` names
        /// answers. In place of [`ContactMessage::Ringing`], over the leg of that call.
        34 => Night { until: u32, instead: Text<INSTEAD_MAX> },
        /// I go on with a call of yours that is with another handset of my person. Travels with the opening of a leg.
        40 => Continue { call: CallId, at: Wall },
        /// Do this with your contacts: a [`crate::manage::ManageAsk`]. Numbers of one device rise; one that does not is dropped.
        50 => Manage { number: u64, ask: Blob<MANAGE_MAX> },
        /// What came of the request with that number of your device `to`: a [`crate::manage::ManageAnswer`].
        51 => Managed { to: [u8; 32], number: u64, answer: Blob<MANAGED_MAX> },
        /// That call rings at mine, from `caller` of `office`, as I call them: answer it for me. Travels with the opening of a leg; whoever answers
        /// says [`ContactMessage::Taken`], and is let in by [`ContactMessage::Enter`]. `screens`: I do not ring until then.
        60 => Relay {
            call: CallId,
            at: Wall,
            caller: Text<NAME_MAX>,
            office: Text<NAME_MAX>,
            screens: bool,
        },
        /// That one is not to be answered for me any more. `taken`: somebody has.
        61 => RelayOver { call: CallId, taken: bool },
        /// Let me into the call that you are in, by the right that you gave me. `listens`: as a note-taker. Travels with the opening of a leg; who is let in
        /// gets [`ContactMessage::Bring`] over it.
        62 => Join { call: CallId, at: Wall, listens: bool },
        /// I do not.
        63 => NotJoined { call: CallId, why: NotJoined },
    }
}

codes! {
    /// What a person is doing, as one handset sees it.
    Lamp {
        /// Nothing that keeps from answering.
        1 => Free,
        /// A call comes in.
        2 => Ringing,
        /// A call is under way, or being placed.
        3 => OnCall,
        /// Does not want to be disturbed.
        4 => Away,
    }
}

codes! {
    /// Why an attendant is not let into a call.
    NotJoined {
        /// There is no such right, or it was taken back or has run out.
        1 => NoRight,
        /// There is no call under way.
        2 => NoCall,
        /// Somebody else is being let in, it is full, or it is being arranged.
        3 => NotNow,
        /// A rule keeps this contact from it.
        4 => ByRule,
    }
}

codes! {
    /// What a person is in a call.
    Role {
        /// It is this person's call.
        1 => Principal,
        /// Arranges the call, and leaves before the principals speak.
        2 => Attendant,
        /// Speaks for those who do not share a language.
        3 => Interpreter,
        /// Listens and writes; never sends voice.
        4 => NoteTaker,
        /// Keeps the office's record of calls; never sends voice.
        5 => RecordsOfficer,
        /// Stands in for a principal at night.
        6 => DutyOfficer,
    }
}

impl Role {
    /// Whether it may send voice at all.
    #[must_use]
    pub fn speaks(self) -> bool {
        !matches!(self, Role::NoteTaker | Role::RecordsOfficer)
    }
}

messages! {
    /// Said between two handsets of one principal. Contacts go by the number that the first handset gave
    /// them.
    SiblingMessage, "sibling message" {
        /// You are a device of the principal: this is your credential, and the principal's name.
        1 => Admit { credential: Blob<256>, name: Text<NAME_MAX> },
        /// A contact of the principal, with all that is needed to reach it; new, or changed.
        2 => Share {
            number: u32,
            name: Text<NAME_MAX>,
            office: Text<NAME_MAX>,
            identity: IdentityPub,
            exchange: ExchangeRef,
            theirs: Address,
            mine: Address,
            pairwise: [u8; 32],
            words: [u8; 32],
            keys: u8,
            trusted: u8,
            blocked: bool,
        },
        /// Let me into that contact's group.
        3 => Join { number: u32, key_package: Blob<KEY_PACKAGE_MAX> },
        /// You are in.
        4 => Joined { number: u32, welcome: Blob<WELCOME_MAX> },
        /// A commit that I made in that contact's group.
        5 => Commit { number: u32, message: Blob<BODY_MAX> },
        /// That contact is withdrawn.
        6 => Unshare { number: u32 },
        /// The rules for calls with that contact: the principal's (`staff`: the contact who arranges them, or 0), and
        /// what the contact told of its own.
        7 => Rules { number: u32, staff: u32, own: Rules, theirs: Rules },
        /// Whether the principal lets that contact see the lamp.
        8 => SetLamp { number: u32, shown: bool },
        /// The principal does not want to be disturbed, or no longer.
        9 => Away { on: bool },
        /// How urgent calls of that contact may be, by the principal's word, and calls to it, by its own.
        14 => Grant { number: u32, own: Precedence, theirs: Precedence },
        /// Go on with this call of mine with that contact. `began`, `placed`: of the call. `held`: it is on hold by this
        /// person; if `recall` is not 0 it is put aside for `reason`, since `since`, to be recalled then. `shift`: it goes with that hand-over of
        /// a position, and is taken without asking; zeros: a person decides.
        20 => MoveOffer {
            call: CallId,
            number: u32,
            at: Wall,
            began: Wall,
            placed: bool,
            held: bool,
            reason: Text<REASON_MAX>,
            since: Wall,
            recall: Wall,
            precedence: Precedence,
            shift: [u8; 16],
        },
        /// That offer is over: it is withdrawn, or not taken.
        21 => MoveOver { call: CallId },
        /// Give me that call.
        22 => MovePull { call: CallId },
        /// That call is here now.
        23 => MoveHere { call: CallId },
        /// That call, which was yours, is over here.
        24 => MoveEnded { call: CallId },
        /// Take my switchboard position: with this note, so many appointments and parked calls, which are recalled after `recall`
        /// seconds (0: it is no position).
        30 => ShiftOffer {
            shift: [u8; 16],
            at: Wall,
            note: Text<TEXT_MAX>,
            appointments: u16,
            calls: u8,
            recall: u32,
        },
        /// My person takes it.
        31 => ShiftTake { shift: [u8; 16] },
        /// It is withdrawn, or not taken, or not to the end.
        32 => ShiftLeave { shift: [u8; 16] },
        /// An appointment of it, by my number; `people`: contacts, four bytes each.
        33 => ShiftAppointment {
            shift: [u8; 16],
            number: u32,
            at: Wall,
            agenda: Text<TEXT_MAX>,
            people: Blob<64>,
            language: Text<NAME_MAX>,
            here: u16,
            there: u16,
            note: Text<TEXT_MAX>,
            remind: u16,
        },
        /// That one is on my disk (`kept`), or I cannot take it.
        34 => ShiftHas { shift: [u8; 16], number: u32, kept: bool },
        /// All that could go has gone.
        35 => ShiftDone { shift: [u8; 16] },
    }
}

messages! {
    /// Said in a call group, over the call's leg.
    CallMessage, "call message" {
        /// Answered by this device: voice follows.
        1 => Answer { },
        /// Held by me, or no longer.
        2 => Hold { on: bool },
        /// Muted by me, or no longer.
        3 => Mute { on: bool },
        /// Text beside voice.
        4 => Say { id: u32, text: Text<TEXT_MAX> },
        /// The call is over.
        5 => HangUp { },
        /// I am on the new leg.
        6 => Back { },
        /// Got your text.
        7 => Said { id: u32, author: u32 },
        /// Of more than two: let me change who is in the call. `now`: a person waits for it.
        20 => Want { now: bool },
        /// The member at that leaf may change who is in the call; this one no longer may.
        21 => Baton { to: u32 },
        /// The device with this key is, or is about to be, a member: what it is, and whose it is.
        22 => Member { device: [u8; 32], role: Role, name: Text<NAME_MAX>, office: Text<NAME_MAX> },
        /// The attendants leave: connect those who stay.
        23 => Connect { },
        /// I am in the epoch in which this is said.
        24 => Confirmed { },
        /// I speak to those who are held, or no longer.
        25 => Announce { on: bool },
        /// I am still here.
        26 => Here { },
        /// Of my last `ticks` ticks, which is number `first` and following: which had a voice frame (`sent`, from the lowest
        /// bit on), and the tag of each of those, six bytes.
        27 => Spoke { first: u32, ticks: u8, sent: u64, tags: Blob<TAGS_MAX> },
        /// I go on with this call on another handset of my person's, the one with this key: let it in. Zeros: I do not.
        40 => Move { to: [u8; 32] },
        /// That handset has keys with me.
        41 => MoveReady { },
        /// My microphone is closed for good: the call is that handset's.
        42 => Moved { },
        /// That handset is not here, or I am going myself: go on yourself.
        43 => MoveStay { },
        /// The call is that handset's, and your keys are forgotten.
        44 => MoveDone { },
        /// My office keeps a record of this call: who, when, how long, and notes; never what is said.
        30 => OnRecord { },
        /// I hold this call because a more urgent one came. Right after [`CallMessage::Hold`].
        32 => Preempted { },
        /// An attendant of my person answered this call, and comes in: wait, nobody hears you. Before [`CallMessage::Answer`]. Off: my person has it after all.
        60 => Relay { on: bool },
        /// The device with this key, which I let in next, is an attendant of my person, here on its behalf.
        61 => Stands { device: [u8; 32] },
        /// Whoever is brought in is called with this precedence. By an attendant, to all who are in the call.
        33 => Urgency { precedence: Precedence },
    }
}
