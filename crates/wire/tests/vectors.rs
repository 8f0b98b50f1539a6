//! `docs/vectors/wire.json` against the code: every message has a vector, every vector is what the code
//! reads and writes, and none of them can be cut or lengthened.
//!
//! `make vectors` writes the file anew.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use wire::cell::{Ack, CellReader, CellWriter, Channel, Frame};
use wire::limits::{OFFER_LEN, VOICE_LEN};
use wire::line::{Closure, Failure, LineDown, LineUp, Refusal, TestVerdict};
use wire::linetest::LineTest;
use wire::manage::{self, Listed, ManageAnswer, ManageAsk, ManageRefusal, Standing};
use wire::talk::{CallMessage, ContactMessage, Offer, Role, Sealed, SiblingMessage};
use wire::trunk::Trunk;
use wire::{
    Address, Blob, CallId, DecodeError, Envelope, ExchangePub, ExchangeRef, Field, IdentityPub,
    Leg, LinePub, MailId, Nonce, PairwisePub, Precedence, Reader, Rule, Signature, Text, Token,
    Wall, Writer,
};

type Reread = fn(&[u8]) -> Result<Vec<u8>, DecodeError>;

/// One vector: the message's set, its fields in words, its bytes, and the way through the decoder.
struct Vector {
    set: &'static str,
    fields: String,
    bytes: Vec<u8>,
    reread: Reread,
}

fn blob<const MAX: usize>(bytes: &[u8]) -> Blob<MAX> {
    Blob::new(bytes.to_vec()).unwrap()
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

fn exchange_ref() -> ExchangeRef {
    ExchangeRef { key: ExchangePub([0xe0; 32]), host: text("b.example:4434") }
}

/// Through staff, from Monday to Friday, from nine to six, an hour east of UTC, with an interpreter.
fn rules() -> wire::Rules {
    wire::Rules {
        staff: Some(text("Ada")),
        hours: wire::Hours::new(0x1f, 540, 1_080, 60),
        interpreter: true,
        note_taker: false,
    }
}

fn envelope() -> Envelope {
    Envelope {
        address: Address([0xa0; 16]),
        device: 1,
        counter: 7,
        signature: Signature([0x51; 64]),
        body: blob(&[0xb0; 5]),
    }
}

macro_rules! messages {
    ($($set:ident { $($message:expr),* $(,)? })*) => {
        vec![$($(Vector {
            set: stringify!($set),
            fields: words(stringify!($message)),
            bytes: { use $set::*; <$set>::encode(&$message) },
            reread: |bytes| $set::decode(bytes).map(|m| m.encode()),
        }),*),*]
    };
}

/// Source text on one line, with single spaces.
fn words(source: &str) -> String {
    source.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn vectors() -> Vec<Vector> {
    let mut all = messages! {
        LineUp {
            Attach { version: 1, line: LinePub([0x11; 32]), signature: Signature([0x51; 64]) },
            Enrol { version: 1, token: Token([0x70; 16]), line: LinePub([0x11; 32]), signature: Signature([0x51; 64]) },
            Post { mail: MailId([0x3a; 16]), exchange: exchange_ref(), envelope: envelope() },
            Delivered { seq: 258 },
            Open { leg: Leg(1), exchange: exchange_ref(), envelope: envelope() },
            Take { leg: Leg(2) },
            Close { leg: Leg(1) },
            LegData { leg: Leg(1), body: blob(&[0xb0; 5]) },
            RegisterOpen { request: 1, address: Address([0xa0; 16]), expiry: Wall(1_800_000_000), offer: blob(&[0x0f; 4]) },
            RegisterBound { request: 2, address: Address([0xa0; 16]), bound: PairwisePub([0x88; 32]) },
            Revoke { request: 3, address: Address([0xa0; 16]) },
            Redeem { request: 4, exchange: exchange_ref(), address: Address([0xa0; 16]), bound: PairwisePub([0x88; 32]) },
            Aside { envelope: Envelope { counter: 0, ..envelope() } },
            Watch { exchange: ExchangePub([0xec; 32]) },
            Join { leg: Leg(1), with: Leg(3) },
            Record { request: 5, entry: blob(&[0xee; 5]) },
        }
        LineDown {
            Challenge { version: 1, nonce: Nonce([0x4e; 32]), wall: Wall(1_800_000_000) },
            Attached { office: text("Office"), principal: text("Präsidentin"), device: 1, host: text("a.example:4434") },
            Refused { reason: Refusal::Unknown },
            Posted { mail: MailId([0x3a; 16]) },
            NotPosted { mail: MailId([0x3a; 16]), reason: Failure::Limit },
            Deliver { seq: 258, address: Address([0xa0; 16]), at: Wall(1_800_000_000), body: blob(&[0xb0; 5]) },
            Incoming { leg: Leg(2), address: Address([0xa0; 16]), at: Wall(1_800_000_000), body: blob(&[0xb0; 5]) },
            Closed { leg: Leg(2), reason: Closure::Elsewhere },
            LegData { leg: Leg(1), body: blob(&[0xb0; 5]) },
            Done { request: 1 },
            Failed { request: 4, reason: Failure::NotValid },
            Offer { request: 4, offer: blob(&[0x0f; 4]) },
            Aside { address: Address([0xa0; 16]), body: blob(&[0xb0; 5]) },
            Tested {
                exchange: ExchangePub([0xec; 32]), at: Wall(1_800_000_000), verdict: TestVerdict::Fails, failing: Wall(1_799_999_000),
                sent: 250, lost: 7, round_trip_us: 42_000,
            },
            Barred { leg: Leg(1), rule: Rule::Hours, lifts: text("Ada, room 12") },
            Withheld { seq: 258, rule: Rule::ThroughStaff, lifts: text("Ada, room 12") },
            Order { order: blob(&[0x0d; 4]) },
            Recorded { request: 5, size: 258, root: [0x70; 32], signature: Signature([0x51; 64]), proof: blob(&[0x9f; 32]) },
        }
        Trunk {
            Hello { version: 1, host: text("a.example:4434") },
            Open { leg: Leg(1), envelope: envelope() },
            Close { leg: Leg(1) },
            Data { leg: Leg(1), body: blob(&[0xb0; 5]) },
            Mail { mail: MailId([0x3a; 16]), envelope: envelope() },
            MailAck { mail: MailId([0x3a; 16]) },
            Redeem { request: 4, address: Address([0xa0; 16]), bound: PairwisePub([0x88; 32]) },
            Redeemed { request: 4, valid: false, len: 0, offer: blob(&[0; OFFER_LEN]) },
        }
        LineTest {
            Ready {},
            Finish {},
            Report { received: 258 },
        }
        Sealed {
            Welcome { welcome: blob(&[0x3e; 6]), first: blob(&[0xf1; 3]) },
            Contact { message: blob(&[0xc0; 4]) },
            Call { message: blob(&[0xca; 4]) },
        }
        Offer {
            KeyPackage { key_package: blob(&[0x4b; 6]), bound: PairwisePub([0x88; 32]) },
        }
        ContactMessage {
            Introduce { card: blob(&[0xcd; 4]) },
            Accepted { name: text("Ada") },
            KeyPackage { to: [0xd0; 32], key_package: blob(&[0x4b; 6]), want: true },
            Prepare { call: CallId([0xca; 16]), psk: [0x95; 32], welcome: blob(&[0x3e; 6]) },
            Prepared { call: CallId([0xca; 16]) },
            Invite { call: CallId([0xca; 16]), at: Wall(1_800_000_000), again: false },
            Ringing { call: CallId([0xca; 16]) },
            Busy { call: CallId([0xca; 16]) },
            Declined { call: CallId([0xca; 16]) },
            Missed { call: CallId([0xca; 16]), at: Wall(1_800_000_000) },
            Note { id: [0x1d; 16], at: Wall(1_800_000_000), text: text("Bonjour, ça va ?") },
            HandCard { card: blob(&[0xcd; 4]) },
            Goodbye {},
            Healed {},
            AddDevice { key_package: blob(&[0x4b; 6]) },
            Rules { rules: rules() },
            Refused { call: CallId([0xca; 16]), rule: Rule::Hours },
            Lamp { lamp: wire::talk::Lamp::OnCall, at: Wall(1_800_000_000) },
            LampAsk {},
            Bring {
                call: CallId([0xca; 16]),
                at: Wall(1_800_000_000),
                role: Role::Principal,
                office: text("Office B"),
                expected: text("Boris"),
            },
            Enter { call: CallId([0xca; 16]), roster: blob(&[0x05; 3]), welcome: blob(&[0x3e; 6]) },
            Taken { call: CallId([0xca; 16]) },
            Needs { call: CallId([0xca; 16]), interpreter: true, note_taker: false },
            Delegate { delegation: blob(&[0xde; 4]), until: Wall(1_800_000_000) },
            Undelegate { number: 258 },
            Behalf { call: CallId([0xca; 16]), name: text("Ada"), delegation: blob(&[0xde; 4]) },
            Urgent { precedence: Precedence::Flash, invitation: blob(&[6; 26]) },
            Grant { highest: Precedence::Immediate },
            Night { until: 30_000_540, instead: text("Clara Duarte, duty officer") },
            Continue { call: CallId([0xca; 16]), at: Wall(1_800_000_000) },
            Manage { number: 258, ask: blob(&[0xa5; 4]) },
            Managed { to: [0xd0; 32], number: 258, answer: blob(&[0xa6; 4]) },
            Relay {
                call: CallId([0xca; 16]),
                at: Wall(1_800_000_000),
                caller: text("Boris"),
                office: text("Office B"),
                screens: true,
            },
            RelayOver { call: CallId([0xca; 16]), taken: true },
            Join { call: CallId([0xca; 16]), at: Wall(1_800_000_000), listens: false },
            NotJoined { call: CallId([0xca; 16]), why: wire::talk::NotJoined::NoCall },
        }
        ManageAsk {
            List { after: 258 },
            Card { name: text("Zoë") },
            Redeem { card: blob(&[0xca; 4]) },
            Rename { contact: 7, name: text("Zoë") },
            Revoke { contact: 7 },
        }
        ManageAnswer {
            Contacts {
                list: manage::list([Listed {
                    number: 7, name: text("Zoë"), office: text("Embassy"), standing: Standing::Accepted,
                }]).0,
                more: true,
            },
            Card { card: blob(&[0xca; 4]) },
            Done {},
            Refused { why: ManageRefusal::NotYours },
        }
        SiblingMessage {
            Admit { credential: blob(&[0xc1; 4]), name: text("Ada") },
            Share {
                number: 3,
                name: text("Boris"),
                office: text("Office B"),
                identity: IdentityPub([0x1d; 32]),
                exchange: exchange_ref(),
                theirs: Address([0xa0; 16]),
                mine: Address([0xa1; 16]),
                pairwise: [0x88; 32],
                words: [0x3d; 32],
                keys: 1,
                trusted: 0,
                blocked: false,
            },
            Join { number: 3, key_package: blob(&[0x4b; 6]) },
            Joined { number: 3, welcome: blob(&[0x3e; 6]) },
            Commit { number: 3, message: blob(&[0xc0; 4]) },
            Unshare { number: 3 },
            Rules { number: 3, staff: 4, own: rules(), theirs: wire::Rules::default() },
            SetLamp { number: 3, shown: true },
            Away { on: true },
            Grant { number: 3, own: Precedence::Flash, theirs: Precedence::Routine },
            MoveOffer {
                call: CallId([0xca; 16]),
                number: 3,
                at: Wall(1_800_000_000),
                began: Wall(1_799_999_000),
                placed: true,
                held: true,
                reason: text("the minister is called"),
                since: Wall(1_799_999_500),
                recall: Wall(1_800_000_500),
                precedence: Precedence::Immediate,
                shift: [0x5f; 16],
            },
            MoveOver { call: CallId([0xca; 16]) },
            MovePull { call: CallId([0xca; 16]) },
            MoveHere { call: CallId([0xca; 16]) },
            MoveEnded { call: CallId([0xca; 16]) },
            ShiftOffer {
                shift: [0x5f; 16],
                at: Wall(1_800_000_000),
                note: text("Paris calls back at nine."),
                appointments: 2,
                calls: 1,
                recall: 180,
            },
            ShiftTake { shift: [0x5f; 16] },
            ShiftLeave { shift: [0x5f; 16] },
            ShiftAppointment {
                shift: [0x5f; 16],
                number: 7,
                at: Wall(1_800_003_600),
                agenda: text("Fisheries"),
                people: blob(&[0, 0, 0, 3]),
                language: text("français"),
                here: 60,
                there: 65_236,
                note: text("He was ill."),
                remind: 10,
            },
            ShiftHas { shift: [0x5f; 16], number: 7, kept: true },
            ShiftDone { shift: [0x5f; 16] },
        }
        CallMessage {
            Answer {},
            Hold { on: true },
            Mute { on: false },
            Say { id: 1, text: text("One moment.") },
            HangUp {},
            Back {},
            Said { id: 1, author: 2 },
            Want { now: true },
            Baton { to: 2 },
            Member { device: [0xd0; 32], role: Role::NoteTaker, name: text("Nora"), office: text("Office A") },
            Connect {},
            Confirmed {},
            Announce { on: true },
            Here {},
            Spoke { first: 1_000, ticks: 3, sent: 0b101, tags: blob(&[0x7a; 12]) },
            OnRecord {},
            Preempted {},
            Urgency { precedence: Precedence::Priority },
            Move { to: [0xd0; 32] },
            MoveReady {},
            Moved {},
            MoveStay {},
            MoveDone {},
            Relay { on: true },
            Stands { device: [0xd0; 32] },
        }
    };
    let mut w = Writer::new();
    envelope().write(&mut w);
    all.push(Vector {
        set: "Envelope",
        fields: "Envelope { address: [0xa0; 16], device: 1, counter: 7, signature: [0x51; 64], \
                 body: [0xb0; 5] }"
            .into(),
        bytes: w.finish(),
        reread: |bytes| {
            let mut r = Reader::new(bytes);
            let envelope = Envelope::read(&mut r, "Envelope")?;
            r.end()?;
            let mut w = Writer::new();
            envelope.write(&mut w);
            Ok(w.finish())
        },
    });
    let mut cell = |fields: &str, len: usize, number, write: &dyn Fn(&mut CellWriter<'_>)| {
        let mut bytes = vec![0xff; len];
        write(&mut CellWriter::new(&mut bytes, number));
        let fields = fields.to_owned();
        all.push(Vector { set: "Cell", fields, bytes, reread: reread_cell });
    };
    cell("Idle { number: 0, chaff, padding } on an office line, up, first", 224, 0, &|c| {
        assert!(c.voice(Leg::CHAFF, &[0; VOICE_LEN]));
    });
    cell(
        "Talking { number: 66051, ack: { largest: 258, bitmap: 0xf...fd }, voice: { leg: 1, [0x77; 128] }, \
         control: { channel: Signal, offset: 4660, [0, 3, 0x0a, 0x0b, 0x0c] }, padding } on an office line, up",
        224,
        66_051,
        &|c| {
            assert!(c.ack(Ack { largest: 258, bitmap: !2 }));
            assert!(c.voice(Leg(1), &[0x77; VOICE_LEN]));
            assert_eq!(c.control(Channel::Signal, 4_660, &[0, 3, 0x0a, 0x0b, 0x0c]), 5);
        },
    );
    cell(
        "Mail { number: 4294967295, ack: { largest: 0, bitmap: 0 }, control: { channel: Bulk, \
         offset: 2^48 - 1, [0x3a] }, padding } on an office line, up",
        224,
        u32::MAX,
        &|c| {
            assert!(c.ack(Ack { largest: 0, bitmap: 0 }));
            assert_eq!(c.control(Channel::Bulk, wire::cell::OFFSET_END - 1, &[0x3a]), 1);
        },
    );
    all
}

fn reread_cell(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut reader = CellReader::new(bytes)?;
    let mut out = vec![0xff; bytes.len()];
    let mut writer = CellWriter::new(&mut out, reader.number);
    while let Some(frame) = reader.frame()? {
        match frame {
            Frame::Ack(ack) => assert!(writer.ack(ack)),
            Frame::Voice { leg, payload } => assert!(writer.voice(leg, payload)),
            Frame::Control { channel, offset, bytes } => {
                assert_eq!(writer.control(channel, offset, bytes), bytes.len());
            }
        }
    }
    Ok(out)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0);
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

/// `LineUp.Attach` of `Attach { version: 1, .. }`.
fn name(vector: &Vector) -> String {
    let variant = vector.fields.split(' ').next().unwrap();
    if variant == vector.set { variant.into() } else { format!("{}.{variant}", vector.set) }
}

#[test]
fn vectors_are_what_the_code_reads_and_writes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors/wire.json");
    let about = "Layouts: docs/wire.md. fields: values in Rust's notation, [0x11; 32] is thirty-two bytes of \
                 value 0x11. Written by `make vectors`.";
    if std::env::var_os("HOTLINE_WRITE_VECTORS").is_some() {
        let list: Vec<Value> = vectors()
            .iter()
            .map(|v| json!({ "name": name(v), "fields": v.fields, "hex": hex(&v.bytes) }))
            .collect();
        let file = json!({ "about": about, "vectors": list });
        std::fs::write(&path, serde_json::to_string_pretty(&file).unwrap() + "\n").unwrap();
    }
    let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let list = file["vectors"].as_array().unwrap();
    let expected = vectors();
    assert_eq!(list.len(), expected.len(), "vectors in the file and in the code");
    for (entry, vector) in list.iter().zip(expected) {
        let name = name(&vector);
        assert_eq!(entry["name"].as_str(), Some(name.as_str()));
        let bytes = unhex(entry["hex"].as_str().unwrap());
        assert_eq!(hex(&bytes), hex(&vector.bytes), "{name} is written otherwise");
        assert_eq!((vector.reread)(&bytes).as_deref(), Ok(bytes.as_slice()), "{name}");
    }
}

/// Asks the decoder of each set which tags it knows.
#[test]
fn every_message_has_a_vector() {
    let all = vectors();
    let sets: BTreeSet<_> = all.iter().map(|v| v.set).collect();
    for set in sets.into_iter().filter(|set| !["Envelope", "Cell"].contains(set)) {
        let of_set = || all.iter().filter(|v| v.set == set);
        let reread = of_set().next().unwrap().reread;
        let known: BTreeSet<u8> = (0..=255)
            .filter(|tag| {
                let value = u64::from(*tag);
                !matches!(reread(&[*tag]), Err(DecodeError::Undefined { value: v, .. }) if v == value)
            })
            .collect();
        let shown: BTreeSet<u8> = of_set().map(|v| v.bytes[0]).collect();
        assert_eq!(known, shown, "{set}");
        assert!(!known.contains(&0), "{set}: tag 0 is never used");
    }
}

#[test]
fn the_document_has_every_message() {
    let document = include_str!("../../../docs/wire.md");
    for vector in vectors().iter().filter(|v| !["Envelope", "Cell"].contains(&v.set)) {
        let name = name(vector);
        let (set, variant) = name.split_once('.').unwrap();
        let section = document.split("\n#").find(|s| match set {
            "Trunk" => s.starts_with("# 2.2 Trunk"),
            _ => s.starts_with(&format!("## {set}")),
        });
        let row = format!("| {} | {variant} |", vector.bytes[0]);
        assert!(section.is_some_and(|s| s.contains(&row)), "docs/wire.md lacks {name}: {row}");
    }
}

#[test]
fn whatever_is_cut_or_left_over_is_refused() {
    for vector in vectors().iter().filter(|v| v.set != "Cell") {
        for len in 0..vector.bytes.len() {
            let cut = (vector.reread)(&vector.bytes[..len]);
            assert!(matches!(cut, Err(DecodeError::Short { .. })), "{} at {len}", name(vector));
        }
        for left in [1, 2, 1_000] {
            let mut long = vector.bytes.clone();
            long.resize(long.len() + left, 0);
            assert_eq!((vector.reread)(&long), Err(DecodeError::LeftOver { left }));
        }
    }
}

#[test]
fn cut_cells_are_refused_or_shorter() {
    for vector in vectors().iter().filter(|v| v.set == "Cell") {
        for len in 0..vector.bytes.len() {
            let cut = (vector.reread)(&vector.bytes[..len]);
            match cut {
                Ok(bytes) => assert_eq!(bytes, vector.bytes[..len]),
                Err(DecodeError::Short { .. }) => assert_ne!(len, 4, "an empty cell"),
                Err(other) => panic!("{} at {len}: {other}", name(vector)),
            }
        }
    }
}

/// Every bit of every vector: no panic, and what is still a message has one encoding.
#[test]
fn flipped_bits_are_refused_or_another_message() {
    for vector in vectors().iter().filter(|v| v.set != "Cell") {
        for bit in 0..vector.bytes.len() * 8 {
            let mut flipped = vector.bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(bytes) = (vector.reread)(&flipped) {
                assert!(bytes == flipped, "{}: two encodings", name(vector));
            }
        }
    }
}
