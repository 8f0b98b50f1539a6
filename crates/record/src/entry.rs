//! What an entry says: the facts of one call, or a note taken in one. Never what was said.
//!
//! ```text
//!  Entry = office | principal | device | number, lost | seen: the newest head that this handset was shown
//!          | Call: contact, members, arranged by, policy applied, stages with their times, end, on whose behalf
//!          | Note: text of the note-taker
//! ```
//!
//! A direct call has two members. An arranged one fills the same fields with more: attendants, interpreters and
//! note-takers are members with their roles and times, its hand-over is a stage.
//!
//! Times are [`Wall`], as the handset has them from its exchange. Texts come from people and may hold anything
//! but what is not UTF-8: whoever shows them has to make them harmless.

use wire::limits::{NAME_MAX, TEXT_MAX};
use wire::{CallId, DecodeError, Field, IdentityPub, Reader, Text, Wall, Writer};

pub use wire::talk::Role;

use crate::tree::Hash;

/// Most members of a call that an entry names.
pub const MEMBERS_MAX: usize = 8;
/// Most stages of a call that an entry tells of.
pub const STEPS_MAX: usize = 48;
/// Longest name of a rule. Bytes.
pub const POLICY_MAX: usize = 128;

macro_rules! fields {
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident : $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty),* }

        impl Field for $name {
            fn write(&self, w: &mut Writer) {
                $( self.$field.write(w); )*
            }
            fn read(r: &mut Reader<'_>, _: &'static str) -> Result<Self, DecodeError> {
                Ok($name { $( $field: Field::read(r, concat!(stringify!($name), ".", stringify!($field)))? ),* })
            }
        }
    };
}

macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $code:literal => $variant:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* $variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant),*];
        }

        impl Field for $name {
            fn write(&self, w: &mut Writer) {
                w.bytes(&[match self { $($name::$variant => $code),* }]);
            }
            fn read(r: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
                match r.u8(field)? {
                    $($code => Ok($name::$variant),)*
                    value => Err(DecodeError::Undefined { field, value: value.into() }),
                }
            }
        }
    };
}

/// At most `MAX` of something: a count of one byte, then so many. What is above it is not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<T, const MAX: usize> List<T, MAX> {
    /// Adds one; `false` if there is no room.
    pub fn push(&mut self, value: T) -> bool {
        let room = self.0.len() < MAX;
        if room {
            self.0.push(value);
        }
        room
    }

    /// All of them.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// The one at a place.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.0.get_mut(at)
    }

    /// All of them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}

impl<T: Field, const MAX: usize> Field for List<T, MAX> {
    fn write(&self, w: &mut Writer) {
        // Never above `MAX`, which is below 256 everywhere.
        (self.0.len() as u8).write(w);
        self.0.iter().for_each(|value| value.write(w));
    }
    fn read(r: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        let len = usize::from(r.u8(field)?);
        if len > MAX {
            return Err(DecodeError::TooLong { field, len, max: MAX });
        }
        (0..len).map(|_| T::read(r, field)).collect::<Result<_, _>>().map(List)
    }
}

/// The last field of all, written only if it is there: what was made before there was such a field is the same without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last<T>(pub Option<T>);

impl<T: Field> Field for Last<T> {
    fn write(&self, w: &mut Writer) {
        if let Some(value) = &self.0 {
            value.write(w);
        }
    }
    fn read(r: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        match r.left() {
            0 => Ok(Last(None)),
            _ => T::read(r, field).map(|value| Last(Some(value))),
        }
    }
}

codes! {
    /// What a call was doing.
    Stage {
        /// Placed.
        1 => Calling,
        /// The other handset has shown itself.
        2 => Reached,
        /// It rings there.
        3 => Ringing,
        /// It rings here.
        4 => RingingHere,
        /// Answered; keys are on their way.
        5 => Connecting,
        /// Both can speak.
        6 => Connected,
        /// On hold by this side.
        7 => HeldByMe,
        /// On hold by the other side.
        8 => HeldByOther,
        /// The way was lost.
        9 => Reconnecting,
        /// Over.
        10 => Ended,
        /// Attendants of both offices agreed.
        20 => Arranged,
        /// A principal is held until the other one is there.
        21 => Waiting,
        /// The attendants have left; the principals speak.
        22 => HandedOver,
        /// A member came.
        23 => Joined,
        /// A member left.
        24 => Left,
        /// The call went on at another handset of the same person, of this side or the other.
        30 => Moved,
    }
}

fields! {
    /// Somebody, as the handset's owner knows them.
    Person {
        /// Name.
        name: Text<NAME_MAX>,
        /// Office.
        office: Text<NAME_MAX>,
    }
}

fields! {
    /// In whose name a call was placed.
    Behalf {
        /// Whose, as the handset's owner knows that person; of a caller who is not believed, as it said.
        name: Text<NAME_MAX>,
        /// That person signed it, by a key that the handset's owner knows. Otherwise the caller says so, and nothing proves it.
        verified: bool,
    }
}

fields! {
    /// One member of a call.
    Member {
        /// Who.
        who: Person,
        /// As what.
        role: Role,
        /// Of the own office.
        own: bool,
        /// From when on; `Wall(0)`: never was in it.
        from: Wall,
        /// Until when.
        to: Wall,
    }
}

fields! {
    /// A stage, and when it began.
    Step {
        /// Which.
        stage: Stage,
        /// When.
        at: Wall,
        /// Of whom, for stages of one member: its place in the list.
        member: Option<u8>,
    }
}

fields! {
    /// The facts of a call.
    Call {
        /// Its name: entries of one call belong together, from whichever handset they come.
        call: CallId,
        /// By this side.
        placed: bool,
        /// When it was placed.
        at: Wall,
        /// With whom.
        contact: Person,
        /// Their identity key, which tells namesakes apart.
        identity: IdentityPub,
        /// What was known about that key, as in `call::contact::Keys`.
        keys: u8,
        /// Who set it up, if somebody did.
        arranged_by: Option<Person>,
        /// The rule that let it through.
        policy: Text<POLICY_MAX>,
        /// Everybody in it.
        members: List<Member, MEMBERS_MAX>,
        /// What it did, and when.
        steps: List<Step, STEPS_MAX>,
        /// Steps that there was no room for.
        left_out: u16,
        /// For how long both could speak. Seconds.
        talked: u32,
        /// Why it ended, as in `call::End`; nothing: the handset stopped in the middle of it.
        end: Option<u8>,
        /// In whose name it was placed, if in another's than the caller's.
        behalf: Last<Behalf>,
    }
}

impl Call {
    /// Adds a step. Once there is no room the last one is written over, and counted.
    pub fn step(&mut self, step: Step) {
        if !self.steps.push(step.clone())
            && let Some(last) = self.steps.0.last_mut()
        {
            *last = step;
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// When this handset's person could speak first.
    #[must_use]
    pub fn began(&self) -> Option<Wall> {
        let speaks = [Stage::Connected, Stage::Arranged, Stage::HandedOver];
        self.steps.0.iter().find(|step| speaks.contains(&step.stage)).map(|step| step.at)
    }
}

fields! {
    /// A note taken in a call.
    Note {
        /// In which call.
        call: CallId,
        /// With whom that is.
        contact: Person,
        /// When.
        at: Wall,
        /// The note.
        text: Text<TEXT_MAX>,
    }
}

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A call.
    Call(Call),
    /// A note.
    Note(Note),
}

impl Body {
    /// Of which call.
    #[must_use]
    pub fn call(&self) -> CallId {
        match self {
            Body::Call(call) => call.call,
            Body::Note(note) => note.call,
        }
    }
}

impl Field for Body {
    fn write(&self, w: &mut Writer) {
        match self {
            Body::Call(call) => {
                w.bytes(&[1]);
                call.write(w);
            }
            Body::Note(note) => {
                w.bytes(&[2]);
                note.write(w);
            }
        }
    }
    fn read(r: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        match r.u8(name)? {
            1 => Ok(Body::Call(Call::read(r, name)?)),
            2 => Ok(Body::Note(Note::read(r, name)?)),
            value => Err(DecodeError::Undefined { field: name, value: value.into() }),
        }
    }
}

fields! {
    /// A head of the log that a handset was shown. The officer sees whether the log still has it.
    Seen {
        /// Entries.
        size: u64,
        /// Root over them.
        root: Hash,
    }
}

fields! {
    /// One entry.
    Entry {
        /// The own office, as its exchange says.
        office: Text<NAME_MAX>,
        /// Whose handset, as its exchange says.
        principal: Text<NAME_MAX>,
        /// Which of that person's.
        device: u8,
        /// Counts the entries of this handset from 1: what is left out shows.
        number: u64,
        /// Entries that this handset could not take down since the one before: the record was not taken
        /// from it for too long.
        lost: u32,
        /// The newest head that this handset was shown.
        seen: Option<Seen>,
        /// What it is about.
        body: Body,
    }
}

impl Entry {
    /// The entry as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write(&mut w);
        w.finish()
    }

    /// The entry that `bytes` are.
    ///
    /// # Errors
    /// The first field that is not what it should be.
    pub fn decode(bytes: &[u8]) -> Result<Entry, DecodeError> {
        let mut r = Reader::new(bytes);
        let entry = Entry::read(&mut r, "Entry")?;
        r.end()?;
        Ok(entry)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn text<const MAX: usize>(text: &str) -> Text<MAX> {
        Text::new(text).unwrap()
    }

    pub(crate) fn person(name: &str, office: &str) -> Person {
        Person { name: text(name), office: text(office) }
    }

    pub(crate) fn call() -> Call {
        let (mut members, mut steps) = (List::default(), List::default());
        let (from, to) = (Wall(1_800_000_010), Wall(1_800_000_070));
        for (who, own) in [(person("Anna", "Ministry"), true), (person("Boris", "Embassy"), false)]
        {
            members.push(Member { who, role: Role::Principal, own, from, to });
        }
        for (stage, at) in
            [(Stage::Calling, 1_800_000_000), (Stage::Connected, from.0), (Stage::Ended, to.0)]
        {
            steps.push(Step { stage, at: Wall(at), member: None });
        }
        Call {
            call: CallId([0xca; 16]),
            placed: true,
            at: Wall(1_800_000_000),
            contact: person("Boris", "Embassy"),
            identity: IdentityPub([0x1d; 32]),
            keys: 1,
            arranged_by: None,
            policy: text("direct"),
            members,
            steps,
            left_out: 0,
            talked: 60,
            end: Some(0),
            behalf: Last(None),
        }
    }

    pub(crate) fn entry(number: u64, body: Body) -> Entry {
        Entry {
            office: text("Ministry"),
            principal: text("Anna"),
            device: 0,
            number,
            lost: 0,
            seen: None,
            body,
        }
    }

    /// The longest entries that there can be.
    pub(crate) fn longest() -> Vec<Entry> {
        let long = || person(&"n".repeat(NAME_MAX), &"o".repeat(NAME_MAX));
        let mut facts = call();
        facts.contact = long();
        facts.arranged_by = Some(long());
        facts.behalf = Last(Some(Behalf { name: long().name, verified: true }));
        facts.policy = text(&"p".repeat(POLICY_MAX));
        let (from, to) = (Wall(1), Wall(2));
        while facts.members.push(Member {
            who: long(),
            role: Role::Interpreter,
            own: true,
            from,
            to,
        }) {}
        for member in &mut facts.members.0 {
            member.who = long();
        }
        facts.steps = List::default();
        while facts.steps.push(Step { stage: Stage::Joined, at: from, member: Some(1) }) {}
        let note = Note {
            call: facts.call,
            contact: long(),
            at: Wall(1),
            text: text(&"t".repeat(TEXT_MAX)),
        };
        [Body::Call(facts), Body::Note(note)]
            .into_iter()
            .map(|body| Entry {
                office: long().office,
                principal: long().name,
                seen: Some(Seen { size: 1, root: [0; 32] }),
                ..entry(1, body)
            })
            .collect()
    }

    #[test]
    fn entries_come_back_and_cannot_be_cut_or_lengthened() {
        let note = Note {
            call: CallId([1; 16]),
            contact: person("Boris", "Embassy"),
            at: Wall(9),
            text: text("agreed"),
        };
        for body in [Body::Call(call()), Body::Note(note)] {
            let bytes = entry(3, body.clone()).encode();
            assert_eq!(Entry::decode(&bytes), Ok(entry(3, body)));
            for end in 0..bytes.len() {
                assert!(Entry::decode(&bytes[..end]).is_err(), "cut at {end}");
            }
            assert!(Entry::decode(&[&bytes[..], &[0]].concat()).is_err());
        }
    }

    /// What was cut off is on whose behalf it was, or too much; the signature around it covers all.
    #[test]
    fn a_call_on_somebody_s_behalf_says_so_and_one_from_before_is_read() {
        let mut facts = call();
        let before = entry(3, Body::Call(facts.clone())).encode();
        facts.behalf = Last(Some(Behalf { name: text("Paula"), verified: true }));
        let bytes = entry(3, Body::Call(facts.clone())).encode();
        assert_eq!(bytes[..before.len()], before, "the same, and one field more");
        assert_eq!(Entry::decode(&bytes), Ok(entry(3, Body::Call(facts))));
        for end in 0..bytes.len() {
            let cut = Entry::decode(&bytes[..end]);
            assert_eq!(cut.is_ok(), end == before.len(), "cut at {end}");
        }
        assert!(Entry::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn codes_are_one_to_one() {
        for stage in Stage::ALL {
            let mut w = Writer::new();
            stage.write(&mut w);
            assert_eq!(Stage::read(&mut Reader::new(&w.finish()), "stage"), Ok(*stage));
        }
        for code in 0..=u8::MAX {
            let role = Role::read(&mut Reader::new(&[code]), "role");
            assert_eq!(role.is_ok(), (1..=6).contains(&code), "role {code}");
            if let Ok(role) = role {
                let mut w = Writer::new();
                role.write(&mut w);
                assert_eq!(w.finish(), [code]);
            }
        }
        assert!(Stage::read(&mut Reader::new(&[11]), "stage").is_err());
        let many = [&[MEMBERS_MAX as u8 + 1][..], &[0; 400]].concat();
        assert!(List::<u8, MEMBERS_MAX>::read(&mut Reader::new(&many), "list").is_err());
    }
}
