//! `docs/vectors/record.json`: what the formats of this crate are today. `make vectors` writes the file anew.
#![allow(clippy::unwrap_used, missing_docs)]

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use seal::identity::{Device, IdentityKey};
use seal::office::{ExchangeKey, OfficerKey};
use serde_json::{Value, json};
use wire::{CallId, ExchangePub, IdentityPub, Text, Wall};

use record::entry::{
    Behalf, Body, Call, Entry, Last, List, Member, Note, Person, Role, Seen, Stage, Step,
};
use record::head::Head;
use record::order::{Calls, Order, fingerprint};
use record::sealing::{OpenKey, open, seal};
use record::tree::{Frontier, leaf};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vectors/record.json");

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

fn person(name: &str, office: &str) -> Person {
    Person { name: text(name), office: text(office) }
}

fn call() -> Call {
    let (mut members, mut steps) = (List::default(), List::default());
    let (from, to) = (Wall(1_800_000_010), Wall(1_800_000_070));
    for (who, own) in [(person("Anna", "Ministry"), true), (person("Boris", "Embassy"), false)] {
        members.push(Member { who, role: Role::Principal, own, from, to });
    }
    let done =
        [(Stage::Calling, Wall(1_800_000_000)), (Stage::Connected, from), (Stage::Ended, to)];
    for (stage, at) in done {
        steps.push(Step { stage, at, member: None });
    }
    Call {
        call: CallId([0xca; 16]),
        placed: true,
        at: Wall(1_800_000_000),
        contact: person("Boris", "Embassy"),
        identity: IdentityPub([0x1d; 32]),
        keys: 1,
        arranged_by: Some(person("Carla", "Ministry")),
        policy: text("direct"),
        members,
        steps,
        left_out: 0,
        talked: 60,
        end: Some(0),
        behalf: Last(None),
    }
}

/// The same call, placed in somebody's name.
fn for_somebody() -> Call {
    let behalf = Behalf { name: text("Paula"), verified: true };
    Call { behalf: Last(Some(behalf)), ..call() }
}

fn entry(number: u64, body: Body) -> Entry {
    let (office, principal) = (text("Ministry"), text("Anna"));
    Entry { office, principal, device: 0, number, lost: 0, seen: None, body }
}

/// Everything that depends on its inputs alone.
fn fixed() -> Value {
    let (old, new) = (OfficerKey::from_bytes(&[1; 32]), OfficerKey::from_bytes(&[2; 32]));
    let key = OpenKey::from_seed(&[3; 32]).unwrap();
    let first = Order::first(&old, Calls::Answered, key.public().clone(), Wall(1_800_000_000));
    let second = first.succeed(&old, &new, key.public().clone(), Wall(1_800_000_001)).unwrap();
    let exchange = ExchangeKey::from_bytes(&[4; 32]);
    let mut frontier = Frontier::default();
    let mut log = Vec::new();
    for n in 0..5u8 {
        let proof = frontier.append(leaf(&[n; 3]));
        let head = Head::sign(&exchange, frontier.size(), frontier.root());
        log.push(json!({
            "entry": hex([n; 3]), "proof": proof.iter().map(hex).collect::<Vec<_>>(), "note": head.note(),
        }));
    }
    let note = Note {
        call: call().call,
        contact: call().contact,
        at: Wall(1_800_000_030),
        text: Text::new("Agreed: Tuesday.").unwrap(),
    };
    let mut noted = entry(2, Body::Note(note));
    noted.seen = Some(Seen { size: 5, root: frontier.root() });
    json!({
        "note": "Made by crates/record/src/vectors.rs, which also checks them. Bytes are hex. Keys named *_seed are seeds.",
        "order": {
            "officer_seeds": [hex([1; 32]), hex([2; 32])], "sealing_key_seed": hex([3; 32]),
            "key_id": hex(key.public().id()), "fingerprint": fingerprint(&new.public()),
            "first": hex(first.as_bytes()), "second": hex(second.as_bytes()),
        },
        "log": { "exchange_seed": hex([4; 32]), "entries": log },
        "entry": {
            "call": hex(entry(1, Body::Call(call())).encode()),
            "on_behalf": hex(entry(3, Body::Call(for_somebody())).encode()), "note": hex(noted.encode()),
        },
    })
}

#[test]
fn vectors_are_as_written_down() {
    let mut today = fixed();
    let written: Value = std::fs::read_to_string(PATH)
        .map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
    if std::env::var_os("HOTLINE_WRITE_VECTORS").is_some() {
        // Sealing draws its own randomness: a sealed entry is kept as it was, while it opens.
        let sealed = opens(&written).unwrap_or_else(sealed);
        today["sealed"] = sealed;
        std::fs::write(PATH, serde_json::to_string_pretty(&today).unwrap() + "\n").unwrap();
        return;
    }
    today["sealed"] = written["sealed"].clone();
    assert_eq!(written, today, "if the change is meant: make vectors");
    assert!(opens(&written).is_some(), "the sealed entry opens");
}

fn sealed() -> Value {
    let mut rng = ChaCha20Rng::from_seed([5; 32]);
    let device = Device::first(&IdentityKey::generate(&mut rng), &mut rng);
    let key = OpenKey::from_seed(&[3; 32]).unwrap();
    let exchange = ExchangeKey::from_bytes(&[4; 32]).public();
    let entry = entry(1, Body::Call(call()));
    let bytes = seal(&entry, &device, &exchange, key.public()).unwrap();
    json!({
        "sealing_key_seed": hex([3; 32]), "exchange": hex(exchange.0),
        "device": hex(device.verified().device().0), "identity": hex(device.principal().0),
        "content": hex(entry.encode()), "sealed": hex(bytes),
    })
}

/// The sealed entry, if it opens to what stands beside it.
fn opens(written: &Value) -> Option<Value> {
    let v = written.get("sealed").filter(|v| v.is_object())?;
    let keys = [OpenKey::from_seed(&unhex(&v["sealing_key_seed"]).try_into().unwrap()).unwrap()];
    let exchange = ExchangePub(unhex(&v["exchange"]).try_into().unwrap());
    let opened = open(&unhex(&v["sealed"]), &exchange, &keys).ok()?;
    let same = opened.entry.encode() == unhex(&v["content"])
        && opened.author.device().0.to_vec() == unhex(&v["device"])
        && opened.author.principal().0.to_vec() == unhex(&v["identity"]);
    same.then(|| v.clone())
}
