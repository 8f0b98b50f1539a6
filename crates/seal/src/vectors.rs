//! Vectors: the published ones where they apply to what is used here, and our own for what is ours.
//!
//! - RFC 9605 (SFrame): headers, and whole frames of both AES-GCM suites.
//! - RFC 9420 (MLS): crypto basics of suite 3, which shares AEAD, hash, KDF and signature with suite 0x004D; for
//!   0x004D itself none are published. Labelled hash, signature and public-key encryption go through openmls or
//!   its libcrux provider; the two derivations check libcrux's HKDF under the KDFLabel of RFC 9420 §8.
//!   Group-level vectors (key schedule, welcome, messages) need openmls built with its own test features,
//!   which run them upstream.
//! - `docs/vectors/seal.json`: credential, card, sealed voice frame, vault, words, line answer,
//!   envelope, delegation.

use ::sframe::frame::{EncryptedFrameView, MediaFrameView, SingleUseCounter};
use ::sframe::header::SframeHeader;
use ::sframe::key::{DecryptionKey, EncryptionKey};
use openmls::ciphersuite::hash_ref::HashReference;
use openmls::prelude::{Ciphersuite, HpkeCiphertext, OpenMlsCrypto as _, SignatureScheme};
use openmls_libcrux_crypto::CryptoProvider;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::{Value, json};
use wire::{Address, ExchangePub, ExchangeRef, Nonce, Text, Wall};
use zeroize::Zeroizing;

use crate::card::{Fields, Kind, UnverifiedCard, VerifiedCard};
use crate::delegation::{self, Rights, UnverifiedDelegation};
use crate::identity::{Device, DeviceKey, IdentityKey, UnverifiedCredential};
use crate::office::LineKey;
use crate::pairwise::PairwiseKey;
use crate::sframe::{EpochKeys, Opener, Sealer};
use crate::vault::{Params, Vault};
use crate::words::Words;

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn rfc9605_headers() {
    let all: Value =
        serde_json::from_str(include_str!("../../../docs/vectors/rfc9605.json")).unwrap();
    let headers = all["header"].as_array().unwrap();
    assert_eq!(headers.len(), 49);
    for v in headers {
        let (kid, ctr) = (v["kid"].as_u64().unwrap(), v["ctr"].as_u64().unwrap());
        let encoded = unhex(&v["encoded"]);
        let header = SframeHeader::new(kid, ctr);
        let mut out = vec![0; header.len()];
        header.serialize(&mut out).unwrap();
        assert_eq!(out, encoded);
        let read = SframeHeader::deserialize(&encoded).unwrap();
        assert_eq!((read.key_id(), read.counter()), (kid, ctr));
    }
}

#[test]
fn rfc9605_frames() {
    let all: Value =
        serde_json::from_str(include_str!("../../../docs/vectors/rfc9605.json")).unwrap();
    for v in all["sframe"].as_array().unwrap() {
        let suite = match v["cipher_suite"].as_u64().unwrap() {
            4 => ::sframe::CipherSuite::AesGcm128Sha256,
            5 => ::sframe::CipherSuite::AesGcm256Sha512,
            other => panic!("suite {other}"),
        };
        let (kid, base) = (v["kid"].as_u64().unwrap(), unhex(&v["base_key"]));
        let (metadata, pt, ct) = (unhex(&v["metadata"]), unhex(&v["pt"]), unhex(&v["ct"]));
        let key = EncryptionKey::derive_from(suite, kid, &base).unwrap();
        let mut once = SingleUseCounter::new(v["ctr"].as_u64().unwrap());
        let frame = MediaFrameView::try_with_meta_data(&mut once, &pt, &metadata).unwrap();
        let mut out = Vec::new();
        assert_eq!(frame.encrypt_into(&key, &mut out).unwrap().sframe_cipher_text(), ct);
        let key = DecryptionKey::derive_from(suite, kid, &base).unwrap();
        let mut out = Vec::new();
        let frame = EncryptedFrameView::try_with_meta_data(&ct, &metadata).unwrap();
        assert_eq!(frame.decrypt_into(&key, &mut out).unwrap().payload(), pt);
    }
}

/// `opaque x<V>` of RFC 9420 §2.1.2 for fewer than 64 bytes.
fn opaque(bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 64);
    [&[bytes.len() as u8], bytes].concat()
}

fn labelled(label: &Value) -> Vec<u8> {
    opaque(format!("MLS 1.0 {}", label.as_str().unwrap()).as_bytes())
}

#[test]
fn rfc9420_crypto_basics() {
    let all: Value =
        serde_json::from_str(include_str!("../../../docs/vectors/rfc9420.json")).unwrap();
    let crypto = CryptoProvider::new().unwrap();
    let suite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
    let ours = crate::group::CIPHERSUITE.try_into().unwrap();
    let ours: Ciphersuite = ours;
    assert_eq!(
        (suite.aead_algorithm(), suite.hash_algorithm(), suite.signature_algorithm()),
        (ours.aead_algorithm(), ours.hash_algorithm(), ours.signature_algorithm())
    );

    let v = &all["ref_hash"];
    let label = v["label"].as_str().unwrap().as_bytes();
    let hash = HashReference::new(&unhex(&v["value"]), suite, &crypto, label).unwrap();
    assert_eq!(hash.as_slice(), unhex(&v["out"]));

    for (v, context, len) in [
        (&all["expand_with_label"], unhex(&all["expand_with_label"]["context"]), 32u16),
        (&all["derive_secret"], Vec::new(), 32),
    ] {
        let info = [&len.to_be_bytes()[..], &labelled(&v["label"]), &opaque(&context)].concat();
        let out = crypto.hkdf_expand(suite.hash_algorithm(), &unhex(&v["secret"]), &info, 32);
        assert_eq!(out.unwrap().as_slice(), unhex(&v["out"]));
    }

    let v = &all["sign_with_label"];
    let content = [labelled(&v["label"]), opaque(&unhex(&v["content"]))].concat();
    let (private, public) = (unhex(&v["priv"]), unhex(&v["pub"]));
    let signature = unhex(&v["signature"]);
    let scheme = SignatureScheme::ED25519;
    crypto.verify_signature(scheme, &content, &public[1..], &signature).unwrap();
    let key = crate::sig::Secret::from_bytes(private[1..].try_into().unwrap());
    assert_eq!(
        (key.public().to_vec(), key.sign_raw(&content).to_vec()),
        (public[1..].to_vec(), signature)
    );

    let v = &all["encrypt_with_label"];
    let info = [labelled(&v["label"]), opaque(&unhex(&v["context"]))].concat();
    let sealed = HpkeCiphertext {
        kem_output: unhex(&v["kem_output"]).into(),
        ciphertext: unhex(&v["ciphertext"]).into(),
    };
    let private = unhex(&v["priv"]);
    let opened = crypto.hpke_open(suite.hpke_config(), &sealed, &private[1..], &info, &[]);
    assert_eq!(opened.unwrap().as_slice(), unhex(&v["plaintext"]));
}

/// What our own formats are today, from fixed inputs.
fn own() -> Value {
    let identity = IdentityKey::from_bytes(&[1; 32]);
    let mut rng = ChaCha20Rng::from_seed([2; 32]);
    let device = DeviceKey::generate(&mut rng);
    let credential = identity.admit(&device.public());

    let fields = Fields {
        kind: Kind::Contact,
        office: Text::new("Chancellery").unwrap(),
        exchange: ExchangeRef {
            key: ExchangePub([3; 32]),
            host: Text::new("exchange.example:4433").unwrap(),
        },
        address: Address([4; 16]),
        name: Text::new("Ada").unwrap(),
        expiry: Wall(1_900_000_000),
    };
    let card = VerifiedCard::issue(&identity, fields).unwrap();

    let leaves = (0..4).collect();
    let mut keys = EpochKeys::new(Zeroizing::new([5; 32]), 300, 2, leaves, true);
    let mut sealer = Sealer::new(&mut keys).unwrap();
    let packet: [u8; 100] = core::array::from_fn(|i| i as u8);
    let frames: Vec<_> = [0u32, 70_000].map(|n| hex(sealer.seal(n, &packet, 6).unwrap())).into();

    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let (vault, header) = Vault::create("correct horse", Params::TEST, &mut rng).unwrap();
    let value = vault.seal_value(b"name", b"value", &mut rng);

    let line = LineKey::from_bytes(&[8; 32]);
    let answer = line.answer(&ExchangePub([3; 32]), &Nonce([9; 32]));
    let pairwise = PairwiseKey::from_bytes(&[10; 32]);
    let envelope = pairwise.sign(&Address([4; 16]), 1, 11, b"body");

    let attendant = IdentityKey::from_bytes(&[11; 32]).principal();
    let delegation = delegation::sign(&identity, &attendant, Rights::PLACE, 7, Wall(1_900_000_000));

    json!({
        "note": "Made by crates/seal/src/vectors.rs, which also checks them. Bytes are hex. Keys named *_seed are Ed25519 seeds.",
        "credential": {
            "identity_seed": hex([1; 32]), "identity": hex(identity.principal().0),
            "device": hex(device.public().0), "credential": hex(credential),
        },
        "card": {
            "identity_seed": hex([1; 32]), "kind": 0, "office": "Chancellery",
            "exchange": hex([3; 32]), "host": "exchange.example:4433", "address": hex([4; 16]),
            "name": "Ada", "expiry": 1_900_000_000u64, "card": hex(card.to_bytes()), "link": card.to_link(),
            "psk": hex(card.psk().secret.as_ref()),
        },
        "voice": {
            "base_key": hex([5; 32]), "epoch": 300, "leaf": 2, "flags": 6, "packet": hex(packet),
            "numbers": [0, 70_000], "sealed": frames,
        },
        "vault": {
            "passphrase": "correct horse", "memory_kib": 32, "passes": 1, "lanes": 1, "header": hex(&header),
            "name": hex(b"name"), "value": hex(b"value"), "sealed": hex(&value), "blind": hex(vault.blind(b"name")),
        },
        "words": {
            "authenticator": hex([12; 32]), "principal": hex(identity.principal().0),
            "words": Words::of(&[12; 32], &identity.principal()).to_string(),
        },
        "line": {
            "line_seed": hex([8; 32]), "line": hex(line.public().0), "exchange": hex([3; 32]),
            "nonce": hex([9; 32]), "signature": hex(answer.0),
        },
        "envelope": {
            "pairwise_seed": hex([10; 32]), "bound": hex(pairwise.public().0), "address": hex([4; 16]),
            "device": 1, "counter": 11, "body": hex(b"body"), "signature": hex(envelope.0),
        },
        "delegation": {
            "identity_seed": hex([1; 32]), "attendant": hex(attendant.0), "rights": Rights::PLACE.0,
            "number": 7, "expiry": 1_900_000_000u64, "delegation": hex(delegation),
        },
    })
}

#[test]
fn own_formats_are_as_written_down() {
    let written: Value =
        serde_json::from_str(include_str!("../../../docs/vectors/seal.json")).unwrap();
    let today = own();
    assert_eq!(
        written,
        today,
        "if the change is meant: {}",
        serde_json::to_string_pretty(&today).unwrap()
    );
}

#[test]
fn own_vectors_read_back() {
    let all: Value = serde_json::from_str(include_str!("../../../docs/vectors/seal.json")).unwrap();
    let v = &all["credential"];
    let device = UnverifiedCredential::parse(&unhex(&v["credential"])).unwrap().verify().unwrap();
    assert_eq!(device.principal().0.to_vec(), unhex(&v["identity"]));
    let card = UnverifiedCard::from_link(all["card"]["link"].as_str().unwrap()).unwrap();
    let card = card.verify(Wall(0)).unwrap();
    assert_eq!(card.to_bytes(), unhex(&all["card"]["card"]));
    assert_eq!(card.psk().secret.to_vec(), unhex(&all["card"]["psk"]));
    assert_eq!(card.psk().id, card.fields().address.0);
    let v = &all["voice"];
    let keys = EpochKeys::new(Zeroizing::new([5; 32]), 300, 0, (0..4).collect(), false);
    let mut opener = Opener::new(&keys, 2).unwrap();
    for (number, sealed) in
        v["numbers"].as_array().unwrap().iter().zip(v["sealed"].as_array().unwrap())
    {
        let opened = opener.open(&unhex(sealed)).unwrap();
        assert_eq!(u64::from(opened.number), number.as_u64().unwrap());
        assert_eq!(opened.packet.to_vec(), unhex(&v["packet"]));
    }
    let v = &all["vault"];
    let vault = Vault::open(&unhex(&v["header"]), v["passphrase"].as_str().unwrap()).unwrap();
    assert_eq!(
        vault.open_value(b"name", &unhex(&v["sealed"])).unwrap().to_vec(),
        unhex(&v["value"])
    );
    let v = &all["delegation"];
    let attendant = wire::IdentityPub(unhex(&v["attendant"]).try_into().unwrap());
    let read = UnverifiedDelegation::parse(&unhex(&v["delegation"])).unwrap();
    let read = read.verify(&attendant, Wall(0)).unwrap();
    assert_eq!(read.principal().0.to_vec(), unhex(&all["credential"]["identity"]));
    assert_eq!(
        (read.number(), read.expiry().0, u64::from(read.rights().0)),
        (
            v["number"].as_u64().unwrap(),
            v["expiry"].as_u64().unwrap(),
            v["rights"].as_u64().unwrap()
        )
    );
}

#[test]
fn identities_survive_the_store() {
    let mut rng = ChaCha20Rng::from_seed([13; 32]);
    let identity = IdentityKey::generate(&mut rng);
    let again = IdentityKey::from_bytes(&identity.to_bytes());
    assert_eq!(again.principal(), identity.principal());
    let device = Device::first(&identity, &mut rng);
    let bytes = device.to_bytes();
    assert_eq!(Device::from_bytes(bytes.as_ref()).unwrap().verified(), device.verified());
    for i in 0..bytes.len() {
        let mut bad = bytes.to_vec();
        bad[i] ^= 1 << (i % 8);
        assert!(Device::from_bytes(&bad).is_err(), "byte {i}");
        assert!(Device::from_bytes(&bytes[..i]).is_err());
    }
    assert_eq!(format!("{:?}", device.verified().device()), "DevicePub(..)");
    assert!(
        !format!("{:?}", device.verified()).contains(&format!("{:02x}", identity.principal().0[0]))
    );
}
