//! Fields beyond their limits, and what `Debug` shows of secrets.
#![allow(clippy::unwrap_used, missing_docs)]

use wire::limits::{
    BODY_MAX, CARD_MAX, ENTRY_LEN, HOST_MAX, INSTEAD_MAX, INVITATION_MAX, KEY_PACKAGE_MAX,
    MESSAGE_MAX, NAME_MAX, OFFER_LEN, OFFER_MAX, ORDER_MAX, PROOF_MAX, TEXT_MAX, WELCOME_MAX,
};
use wire::line::{LineDown, LineUp};
use wire::talk::{CallMessage, ContactMessage, Offer, Sealed};
use wire::trunk::Trunk;
use wire::{
    Address, Blob, CallId, DecodeError, Envelope, ExchangePub, ExchangeRef, IdentityPub, Leg,
    LinePub, MailId, Nonce, PairwisePub, Signature, Text, Token,
};

/// `before`, then a variable field of `len` bytes, then `after`.
fn message(before: &[u8], len: usize, after: &[u8]) -> Vec<u8> {
    let mut bytes = before.to_vec();
    bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
    bytes.extend(vec![b'x'; len]);
    bytes.extend(after);
    bytes
}

/// A tag and `n` zeros.
fn tag(tag: u8, n: usize) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.resize(1 + n, 0);
    bytes
}

#[test]
fn variable_fields_end_at_their_limits() {
    type Decode = fn(&[u8]) -> Result<(), DecodeError>;
    macro_rules! decode {
        ($t:ty) => {
            (|b| <$t>::decode(b).map(drop)) as Decode
        };
    }
    type Case = (&'static str, usize, Vec<u8>, Vec<u8>, Decode);
    let cases: Vec<Case> = vec![
        ("Post.exchange", HOST_MAX, tag(3, 16 + 32), tag(0, 90), decode!(LineUp)),
        ("Envelope.body", BODY_MAX, tag(3, 16 + 32 + 2 + 89), vec![], decode!(LineUp)),
        ("LegData.body", BODY_MAX, tag(8, 2), vec![], decode!(LineUp)),
        ("RegisterOpen.offer", OFFER_MAX, tag(9, 28), vec![], decode!(LineUp)),
        ("Attached.office", NAME_MAX, tag(2, 0), tag(0, 4), decode!(LineDown)),
        ("Attached.host", HOST_MAX, tag(2, 5), vec![], decode!(LineDown)),
        ("Deliver.body", BODY_MAX, tag(6, 32), vec![], decode!(LineDown)),
        ("Offer.offer", OFFER_MAX, tag(12, 4), vec![], decode!(LineDown)),
        ("Record.entry", ENTRY_LEN, tag(30, 4), vec![], decode!(LineUp)),
        ("Order.order", ORDER_MAX, tag(30, 0), vec![], decode!(LineDown)),
        ("Recorded.proof", PROOF_MAX, tag(31, 4 + 8 + 32 + 64), vec![], decode!(LineDown)),
        ("Hello.host", HOST_MAX, tag(1, 2), vec![], decode!(Trunk)),
        ("Redeemed.offer", OFFER_LEN, tag(8, 7), vec![], decode!(Trunk)),
        ("Welcome.welcome", WELCOME_MAX, tag(1, 0), tag(0, 1), decode!(Sealed)),
        ("Welcome.first", 2_048, tag(1, 2), vec![], decode!(Sealed)),
        ("Contact.message", BODY_MAX, tag(2, 0), vec![], decode!(Sealed)),
        ("KeyPackage.key_package", KEY_PACKAGE_MAX, tag(1, 0), tag(0, 31), decode!(Offer)),
        ("Introduce.card", CARD_MAX, tag(1, 0), vec![], decode!(ContactMessage)),
        ("Rules.rules", NAME_MAX, vec![16, 1], tag(0, 2), decode!(ContactMessage)),
        ("Accepted.name", NAME_MAX, tag(2, 0), vec![], decode!(ContactMessage)),
        ("Prepare.welcome", WELCOME_MAX, tag(4, 48), vec![], decode!(ContactMessage)),
        ("Note.text", TEXT_MAX, tag(11, 24), vec![], decode!(ContactMessage)),
        ("Urgent.invitation", INVITATION_MAX, vec![32, 4], vec![], decode!(ContactMessage)),
        ("Night.instead", INSTEAD_MAX, tag(34, 4), vec![], decode!(ContactMessage)),
        ("Say.text", TEXT_MAX, tag(4, 4), vec![], decode!(CallMessage)),
    ];
    for (field, max, before, after, decode) in cases {
        assert_eq!(decode(&message(&before, max, &after)), Ok(()), "{field}");
        let error = DecodeError::TooLong { field, len: max + 1, max };
        assert_eq!(decode(&message(&before, max + 1, &after)), Err(error));
        // The limit is checked before anything is read.
        let mut bytes = before;
        bytes.extend([0xff, 0xff]);
        assert!(matches!(decode(&bytes), Err(DecodeError::TooLong { len: 65_535, .. })), "{field}");
    }
}

#[test]
fn undefined_values_are_refused() {
    fn undefined<T>(field: &'static str, value: u64) -> Result<T, DecodeError> {
        Err(DecodeError::Undefined { field, value })
    }
    assert_eq!(LineUp::decode(&[0]), undefined("line message", 0));
    assert_eq!(LineUp::decode(&[15]), undefined("line message", 15));
    assert_eq!(Trunk::decode(&[255]), undefined("trunk message", 255));
    assert_eq!(
        LineDown::decode(&[&[14][..], &[0; 32 + 8], &[4]].concat()),
        undefined("Tested.verdict", 4)
    );
    assert_eq!(LineDown::decode(&[3, 0]), undefined("Refused.reason", 0));
    assert_eq!(LineDown::decode(&[3, 6]), undefined("Refused.reason", 6));
    assert_eq!(LineDown::decode(&[11, 0, 0, 0, 0, 6]), undefined("Failed.reason", 6));
    assert_eq!(LineDown::decode(&[8, 0, 0, 6]), undefined("Closed.reason", 6));
    assert_eq!(CallMessage::decode(&[2, 2]), undefined("Hold.on", 2));
    let field = "Accepted.name";
    assert_eq!(ContactMessage::decode(&[2, 0, 1, 0xff]), Err(DecodeError::NotText { field }));
    assert_eq!(ContactMessage::decode(&[]), Err(DecodeError::Short { field: "contact message" }));
}

#[test]
fn the_longest_messages_fit_in_a_control_message() {
    let host = Text::new("x".repeat(HOST_MAX)).unwrap();
    let exchange = ExchangeRef { key: ExchangePub([0; 32]), host };
    let body = Blob::new(vec![0; BODY_MAX]).unwrap();
    let envelope = Envelope {
        address: Address([0; 16]),
        device: 0,
        counter: 0,
        signature: Signature([0; 64]),
        body,
    };
    let post = LineUp::Post { mail: MailId([0; 16]), exchange, envelope: envelope.clone() };
    assert!(post.encode().len() <= MESSAGE_MAX);
    assert!(Trunk::Mail { mail: MailId([0; 16]), envelope }.encode().len() <= MESSAGE_MAX);
}

#[test]
fn blobs_and_texts_are_bounded() {
    assert_eq!(Blob::<3>::new(vec![1; 3]).unwrap().as_bytes(), [1, 1, 1]);
    let long = DecodeError::TooLong { field: "blob", len: 4, max: 3 };
    assert_eq!(Blob::<3>::new(vec![1; 4]), Err(long));
    assert!(Text::<3>::new("äb").is_ok(), "three bytes");
    assert!(Text::<3>::new("ää").is_err(), "four bytes");
}

#[test]
fn debug_shows_nothing_of_secrets() {
    // 0xab is 171; a derived Debug would show either.
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        Address([0xab; 16]),
        CallId([0xab; 16]),
        MailId([0xab; 16]),
        Token([0xab; 16]),
        Nonce([0xab; 32]),
        Signature([0xab; 64]),
        IdentityPub([0xab; 32]),
        PairwisePub([0xab; 32]),
    );
    assert!(!shown.contains("ab") && !shown.contains("171"), "{shown}");
    assert_eq!(format!("{:?}", LinePub([0xab; 32])), "LinePub(abababab..)");
    assert_eq!(format!("{:?}", ExchangePub([0xab; 32])), "ExchangePub(abababab..)");
    let note = ContactMessage::Note {
        id: [0; 16],
        at: wire::Wall(0),
        text: Text::new("the treaty").unwrap(),
    };
    assert!(!format!("{note:?}").contains("treaty"));
    let data = LineUp::LegData { leg: Leg(1), body: Blob::new(vec![0xab; 4]).unwrap() };
    let shown = format!("{data:?}");
    assert!(!shown.contains("171") && shown.contains("[4 bytes]"), "{shown}");
    let prepare = ContactMessage::Prepare {
        call: CallId([0; 16]),
        psk: [0xab; 32],
        welcome: Blob::default(),
    };
    assert!(!format!("{prepare:?}").contains("171"), "{prepare:?}");
}
