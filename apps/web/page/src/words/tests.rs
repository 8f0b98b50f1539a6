//! Each state has words and a look of its own.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use protocol::{Behalf, CallState, ContactView, End, Keys, Precedence, Progress, Rule};

use super::{behalf, call, callable, contact, ended, look, protection};
use crate::text::Lang;

fn somebody(progress: Progress, keys: Keys) -> ContactView {
    ContactView {
        id: 1,
        name: "Ana".into(),
        office: "Lisbon".into(),
        progress,
        keys,
        used: false,
        trusted: false,
        blocked: false,
        own_office: false,
        lamp_shown: false,
        lamp: None,
        may: Vec::new(),
        may_claim: Precedence::Routine,
        granted: Precedence::Routine,
        rules: protocol::Rules::default(),
        their_rules: protocol::Rules::default(),
        barred: None,
        own_device: false,
        ready: true,
        suite: String::new(),
        has_words: true,
    }
}

const STATES: [CallState; 10] = [
    CallState::Calling,
    CallState::Reached,
    CallState::Ringing,
    CallState::RingingHere,
    CallState::Connecting,
    CallState::Connected,
    CallState::HeldByMe,
    CallState::HeldByOther,
    CallState::Reconnecting,
    CallState::Ended(End::ByMe),
];

#[test]
fn states_of_a_call_differ_in_words_and_look() {
    for lang in Lang::ALL {
        let words: HashSet<_> = STATES.iter().map(|s| call(*s, lang.text()).0.words).collect();
        assert_eq!(words.len(), STATES.len(), "{lang:?}");
    }
    let looks: HashSet<_> = STATES.iter().map(|s| look(*s)).collect();
    assert_eq!(looks.len(), STATES.len());
}

#[test]
fn an_alarm_outweighs_everything() {
    let t = Lang::English.text();
    for progress in [Progress::Accepted, Progress::Redeemed, Progress::Revoked, Progress::Gone] {
        let c = somebody(progress, Keys::Alarmed);
        assert_eq!(contact(&c, t).words, t.s_alarmed);
        assert!(!callable(&c));
    }
}

#[test]
fn only_accepted_contacts_can_be_called() {
    assert!(callable(&somebody(Progress::Accepted, Keys::Unverified)));
    for progress in [
        Progress::Redeeming,
        Progress::Redeemed,
        Progress::Refused,
        Progress::Revoked,
        Progress::Gone,
    ] {
        assert!(!callable(&somebody(progress, Keys::Pinned)));
    }
    let own = ContactView { own_device: true, ..somebody(Progress::Accepted, Keys::Verified) };
    assert!(!callable(&own));
}

#[test]
fn nobody_else_can_hear_is_said_only_when_keys_are_known() {
    let t = Lang::English.text();
    for (keys, known) in [
        (Keys::Unverified, false),
        (Keys::Alarmed, false),
        (Keys::Pinned, true),
        (Keys::Verified, true),
    ] {
        let said = protection(Some(&somebody(Progress::Accepted, keys)), t).2;
        assert_eq!(said.contains("Nobody else"), known, "{keys:?}");
    }
    assert!(!protection(None, t).2.contains("Nobody else"));
}

#[test]
fn on_behalf_is_said_as_proved_only_when_it_is() {
    for t in Lang::ALL.map(Lang::text) {
        let words = |of: &Behalf| behalf(of, t);
        let verified = words(&Behalf::Verified { name: "Zoe".into() });
        let claimed = words(&Behalf::Claimed { name: "Zoe".into() });
        let mine = words(&Behalf::Mine { name: "Zoe".into() });
        assert!([&verified, &claimed, &mine].iter().all(|said| said.2.contains("Zoe")));
        assert!(verified.2 != claimed.2 && verified.0 != claimed.0, "in words, and in an icon");
        assert!(![&verified.2, &claimed.2].contains(&&mine.2), "said here, and not heard");
    }
    let t = Lang::English.text();
    let claimed = behalf(&Behalf::Claimed { name: "Zoe".into() }, t);
    assert!(claimed.2.contains("not verified") && !claimed.2.contains("behalf"));
}

#[test]
fn ends_have_words() {
    let t = Lang::Spanish.text();
    for end in [
        End::Busy,
        End::Declined,
        End::NoAnswer,
        End::Unreachable,
        End::NoPath,
        End::Lost,
        End::NoKeys,
        End::ByRule(Rule::Hours),
        End::Moved,
    ] {
        assert!(!ended(end, t).is_empty());
    }
}
