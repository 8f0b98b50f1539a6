use super::*;
use rand_core::SeedableRng as _;

const EXPIRY: Wall = Wall(1_900_000_000);

fn identity() -> IdentityKey {
    IdentityKey::generate(&mut rand_chacha::ChaCha20Rng::seed_from_u64(1))
}

fn fields() -> Fields {
    Fields {
        kind: Kind::Contact,
        office: Text::new("Chancellery").unwrap(),
        exchange: ExchangeRef {
            key: ExchangePub([7; 32]),
            host: Text::new("exchange.example:4433").unwrap(),
        },
        address: Address([0xA5; 16]),
        name: Text::new("Ada").unwrap(),
        expiry: EXPIRY,
    }
}

#[test]
fn there_and_back() {
    let card = VerifiedCard::issue(&identity(), fields()).unwrap();
    let read = UnverifiedCard::from_bytes(card.to_bytes()).unwrap().verify(EXPIRY).unwrap();
    assert!(read == card && read.fields() == &fields());
    assert_eq!(read.issuer(), identity().principal());
    let link = card.to_link();
    assert!(link.starts_with("hotline:card/") && link.is_ascii());
    let (head, tail) = link.split_at(50);
    let wrapped = format!("  {head}\r\n{tail}\n");
    assert!(UnverifiedCard::from_link(&wrapped).unwrap().verify(Wall(0)).unwrap() == card);
}

#[test]
fn the_longest_card_fits_and_has_a_code() {
    let long = |n: usize| "x".repeat(n);
    let mut all = fields();
    all.kind = Kind::Device;
    all.office = Text::new(long(64)).unwrap();
    all.name = Text::new(long(64)).unwrap();
    all.exchange.host = Text::new(long(128)).unwrap();
    let card = VerifiedCard::issue(&identity(), all).unwrap();
    assert_eq!(card.to_bytes().len(), 416);
    assert!(card.to_bytes().len() <= LEN_MAX && LEN_MAX <= limits::CARD_MAX);
    let read = UnverifiedCard::from_link(&card.to_link()).unwrap().verify(EXPIRY).unwrap();
    assert_eq!(read.fields().kind, Kind::Device);
    let text = qr::text(&card).unwrap();
    assert!(text.lines().count() <= 48 && text.lines().all(|l| l.chars().count() <= 96));
    assert!(qr::picture(&card).unwrap().starts_with("<?xml"));
}

#[test]
fn forged_expired_foreign() {
    let card = VerifiedCard::issue(&identity(), fields()).unwrap();
    let parse = |b: &[u8]| UnverifiedCard::from_bytes(b);
    let good = card.to_bytes();
    for i in 0..good.len() {
        let mut bad = good.to_vec();
        bad[i] ^= 1 << (i % 8);
        assert!(parse(&bad).and_then(|c| c.verify(Wall(0))).is_err(), "byte {i}");
        assert!(parse(&good[..i]).is_err(), "cut {i}");
    }
    let mut forged = good.to_vec();
    forged[20] ^= 1;
    assert_eq!(parse(&forged).unwrap().verify(Wall(0)).err(), Some(CardError::Forged));
    // Signed again by somebody else who leaves the issuer's name on it.
    let other = IdentityKey::generate(&mut rand_chacha::ChaCha20Rng::seed_from_u64(2));
    let cut = good.len() - SIGNATURE_LEN;
    let swapped = [&good[..cut], &other.sign(LABEL, &[&good[..cut]])].concat();
    assert_eq!(parse(&swapped).unwrap().verify(Wall(0)).err(), Some(CardError::Forged));

    let late = parse(good).unwrap().verify(Wall(EXPIRY.0 + 86_400)).err().unwrap();
    assert_eq!(
        late.to_string(),
        "card expired on 2030-03-17 17:46 UTC, and this device's clock says 2030-03-18 17:46 UTC: \
         if the clock is right, ask for another card; else set the clock"
    );
    let mut other_version = good.to_vec();
    other_version[0] = 2;
    let error = parse(&other_version).err();
    assert_eq!(error, Some(CardError::Unknown { what: "version", value: 2 }));
    assert_eq!(
        parse(&[&[1, 9], &good[2..]].concat()).err(),
        Some(CardError::Unknown { what: "kind", value: 9 })
    );
    assert!(matches!(parse(&[good, &[0]].concat()), Err(CardError::Malformed(_))));
    assert_eq!(parse(&[1; 421]).err(), Some(CardError::TooLong(421)));
    for text in
        ["", "hotline:enroll/AAAA", "hotline:card/%%%", "https://example.org", &"x".repeat(2000)]
    {
        assert_eq!(UnverifiedCard::from_link(text).err(), Some(CardError::NotACard), "{text}");
    }
}

#[test]
fn names_cannot_fake_the_screen() {
    for bad in ["A\x1b[2Jda", "Ada\n", "\u{202e}adA", "a\u{2066}b"] {
        let mut with = fields();
        with.name = Text::new(bad).unwrap();
        assert_eq!(VerifiedCard::issue(&identity(), with).err(), Some(CardError::BadName("name")));
    }
    let mut fine = fields();
    fine.name = Text::new("Иван Ądam 王").unwrap();
    assert!(VerifiedCard::issue(&identity(), fine).is_ok());
}

#[test]
fn nothing_prints_the_address() {
    let card = VerifiedCard::issue(&identity(), fields()).unwrap();
    let open = UnverifiedCard::from_bytes(card.to_bytes()).unwrap();
    let shown = format!("{card:?} {open:?} {:?}", card.fields());
    assert_eq!(shown, "VerifiedCard(..) UnverifiedCard(..) Fields(..)");
}

#[test]
fn dates() {
    for (seconds, text) in [
        (0, "1970-01-01 00:00 UTC"),
        (951_782_399, "2000-02-28 23:59 UTC"),
        (951_782_400, "2000-02-29 00:00 UTC"),
        (1_767_225_600, "2026-01-01 00:00 UTC"),
        (u64::MAX, "9999-12-31 23:59 UTC"),
    ] {
        assert_eq!(date(Wall(seconds)), text);
    }
}
