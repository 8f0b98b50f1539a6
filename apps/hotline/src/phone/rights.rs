//! What an attendant may do for somebody, as people type and read it.
//!
//! ```text
//!  delegate 3 receive,join 30      undelegate 1      delegations
//!  join 2        join 2 listen     as whom contact 2 delegated that to
//! ```

use std::time::Duration;

use call::End;
use phone::{CallView, Command, RelayView, View};
use seal::delegation::Rights;
use serde_json::{Value, json};
use wire::talk::NotJoined;

const WORDS: [(&str, Rights); 5] = [
    ("place", Rights::PLACE),
    ("receive", Rights::RECEIVE),
    ("screen", Rights::SCREEN),
    ("join", Rights::JOIN),
    ("manage", Rights::MANAGE),
];

/// Rights in words.
pub(super) fn words(rights: Rights) -> String {
    let held = WORDS.iter().filter(|(_, right)| rights.hold(*right)).map(|(word, _)| *word);
    held.collect::<Vec<_>>().join(", ")
}

/// What they let an attendant do, for the one who gives them.
pub(super) fn meaning(rights: Rights) -> String {
    let said = [
        (Rights::PLACE, "call in your name"),
        (Rights::RECEIVE, "answer your calls"),
        (Rights::SCREEN, "be asked before your calls ring here"),
        (Rights::JOIN, "come into your calls"),
        (Rights::MANAGE, "manage your contacts"),
    ];
    let held = said.iter().filter(|(right, _)| rights.hold(*right)).map(|(_, said)| *said);
    held.collect::<Vec<_>>().join(", ")
}

/// Lets a contact do things, as typed after `delegate N`.
pub(super) fn delegate(contact: u32, rest: &str) -> Result<Command, String> {
    let (list, days) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let mut rights = Rights(0);
    for word in list.split(',') {
        let found = WORDS.iter().find(|(known, _)| *known == word.trim());
        let Some((_, right)) = found else {
            return Err(format!(
                "`{word}` is no right: there is `place`, `receive`, `screen`, `join`, `manage`, with commas between them"
            ));
        };
        rights = rights.and(*right);
    }
    let days = days.trim();
    let days: u64 = days.parse().map_err(|_| format!("`{days}` is not a number of days"))?;
    let ttl = Duration::from_secs(days.saturating_mul(24 * 3600));
    Ok(Command::Delegate { contact, rights, ttl })
}

/// Comes into a call, as typed after `join N`.
pub(super) fn join(contact: u32, rest: &str) -> Result<Command, String> {
    match rest {
        "" => Ok(Command::Join { contact, listens: false }),
        "listen" => Ok(Command::Join { contact, listens: true }),
        other => Err(format!("say `join N` or `join N listen`, not `{other}`")),
    }
}

fn name(view: &View, contact: u32) -> String {
    let found = view.contacts.iter().find(|c| c.id == contact);
    found.map_or_else(|| "somebody".into(), |c| c.name.clone())
}

fn why_not(why: NotJoined) -> &'static str {
    match why {
        NotJoined::NoRight => {
            "you have no right to, or it was taken back or has run out: ask for it"
        }
        NotJoined::NoCall => "there is no call under way on the first handset",
        NotJoined::NotNow => "somebody else is being brought in, or the call is full: try again",
        NotJoined::ByRule => "a rule keeps you from it: ask to have it lifted",
    }
}

/// Who answers a call for whom, in words.
pub(super) fn line(call: &CallView, view: &View) -> Option<String> {
    Some(match call.relay.as_ref()? {
        RelayView::Asked { contacts, screens } => {
            let names: Vec<String> = contacts.iter().map(|c| name(view, *c)).collect();
            let names = names.join(", ");
            match screens {
                true => format!("{names} is being asked first; you can answer all the same"),
                false => format!("It rings at {names}, too"),
            }
        }
        RelayView::Passing { contact } => {
            format!(
                "{} answered for you, and is being let in; nobody hears you",
                name(view, *contact)
            )
        }
        RelayView::Back { contact, why } => {
            let why = if *why == End::Cancelled { "was not let in" } else { "did not come in" };
            format!("{} {why}: the caller waits for you", name(view, *contact))
        }
        RelayView::Passed { contact } => format!("{} has the call, for you", name(view, *contact)),
        RelayView::Comes => {
            let who = name(view, call.contact);
            format!("An attendant of {who} answered, and comes in: nobody hears you until then")
        }
        RelayView::Joins => {
            format!("You ask to come into the call of {}", name(view, call.contact))
        }
        RelayView::NotJoined { why } => format!("Not let in: {}", why_not(*why)),
    })
}

/// The same for a program.
pub(super) fn json(call: &CallView, view: &View) -> Value {
    let Some(relay) = &call.relay else { return Value::Null };
    let (state, contacts) = match relay {
        RelayView::Asked { contacts, screens: true } => ("screening", contacts.clone()),
        RelayView::Asked { contacts, screens: false } => ("asked", contacts.clone()),
        RelayView::Passing { contact } => ("passing", vec![*contact]),
        RelayView::Back { contact, .. } => ("back", vec![*contact]),
        RelayView::Passed { contact } => ("passed", vec![*contact]),
        RelayView::Comes => ("comes", vec![]),
        RelayView::Joins => ("joins", vec![]),
        RelayView::NotJoined { .. } => ("not-joined", vec![]),
    };
    json!({"state": state, "contacts": contacts, "words": line(call, view)})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::phone::screen::{empty_call, empty_view};
    use call::CallState;

    #[test]
    fn rights_are_read_and_said_in_the_same_words() {
        let all = "place,receive, screen,join,manage";
        let typed = format!("{} 30", all.replace(' ', ""));
        let Ok(Command::Delegate { contact: 3, rights, ttl }) = delegate(3, &typed) else {
            panic!("not read")
        };
        assert_eq!(words(rights), "place, receive, screen, join, manage");
        assert_eq!(ttl, Duration::from_secs(30 * 86_400));
        assert_eq!(words(Rights::RECEIVE), "receive");
        for (typed, named) in [
            ("sign 4", "`sign` is no right"),
            ("receive,sign 4", "`sign` is no right"),
            ("", "is no right"),
            ("join", "is not a number of days"),
        ] {
            let why = delegate(3, typed).map(|_| ()).unwrap_err();
            assert!(why.contains(named), "{typed}: {why}");
        }
        assert!(matches!(join(2, "listen"), Ok(Command::Join { contact: 2, listens: true })));
        assert!(matches!(join(2, ""), Ok(Command::Join { contact: 2, listens: false })));
        assert!(join(2, "now").is_err());
    }

    #[test]
    fn each_state_has_words_of_its_own() {
        let view = empty_view();
        let contact = 7;
        let states = [
            RelayView::Asked { contacts: vec![7], screens: true },
            RelayView::Asked { contacts: vec![7], screens: false },
            RelayView::Passing { contact },
            RelayView::Back { contact, why: End::Lost },
            RelayView::Back { contact, why: End::Cancelled },
            RelayView::Passed { contact },
            RelayView::Comes,
            RelayView::Joins,
            RelayView::NotJoined { why: NotJoined::NoRight },
            RelayView::NotJoined { why: NotJoined::NoCall },
            RelayView::NotJoined { why: NotJoined::NotNow },
            RelayView::NotJoined { why: NotJoined::ByRule },
        ];
        let said: std::collections::BTreeSet<String> = states
            .iter()
            .map(|relay| {
                let relay = Some(relay.clone());
                line(&CallView { relay, ..empty_call(CallState::Connecting) }, &view).unwrap()
            })
            .collect();
        assert_eq!(said.len(), states.len(), "{said:?}");
        assert!(line(&empty_call(CallState::Connected), &view).is_none());
    }
}
