//! An attendant manages a principal's contacts: as typed, as read, and as the principal reads it.
//!
//! ```text
//!  manage Paula list    manage 3 card Pavel    manage 3 redeem hotline:card/...    manage 3 rename 7 Pavel    manage 3 revoke 7
//! ```

use phone::{
    Command, Manage, ManagedState, ManagedView, ManagedWhat, RequestState, RequestView, View,
};
use serde_json::{Value, json};
use wire::manage::{ManageRefusal, Standing};

/// Reads what follows `manage`.
///
/// # Errors
/// What is missing or wrong, for whoever typed it.
pub(super) fn read(text: &str, view: &View) -> Result<Command, String> {
    let (principal, rest) = principal(text, view)?;
    let (word, rest) = split(rest);
    let needed = |text: &str, what: &str| match text {
        "" => Err(format!("{what} is missing")),
        text => Ok(text.to_owned()),
    };
    let numbered = |text: &str| {
        let (number, rest) = split(text);
        let wrong = |_| format!("`{number}` is not a number from the list of `requests`");
        Ok::<_, String>((number.parse::<u32>().map_err(wrong)?, rest.to_owned()))
    };
    let ask = match word {
        "list" => Manage::List,
        "card" => Manage::Card { name: needed(rest, "for whom the card is")? },
        "redeem" => Manage::Redeem { text: needed(rest, "the card's link")? },
        "rename" => {
            let (contact, name) = numbered(rest)?;
            Manage::Rename { contact, name: needed(&name, "the new name")? }
        }
        "revoke" => Manage::Revoke { contact: numbered(rest)?.0 },
        _ => {
            return Err(
                "say manage NAME list, card FOR WHOM, redeem LINK, rename N NAME or revoke N"
                    .into(),
            );
        }
    };
    Ok(Command::Manage { principal, ask })
}

fn split(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// Whose contacts: by number, or by name. Of several names that fit the longest is meant.
fn principal<'a>(text: &'a str, view: &View) -> Result<(u32, &'a str), String> {
    let (word, rest) = split(text);
    if let Ok(number) = word.parse() {
        return Ok((number, rest));
    }
    let fits = view.contacts.iter().filter(|c| c.may_manage.is_some()).filter_map(|c| {
        let head = text.get(..c.name.len()).filter(|head| *head == c.name)?;
        let rest = &text[head.len()..];
        let whole = rest.is_empty() || rest.starts_with(char::is_whitespace);
        whole.then_some((c.id, rest.trim()))
    });
    let longest = fits.min_by_key(|(_, rest)| rest.len());
    longest.ok_or_else(|| format!("nobody called `{word}` lets you manage contacts"))
}

/// What an attendant did, in a line for the principal.
pub(super) fn did(m: &ManagedView) -> String {
    let (by, subject) = (&m.by, &m.subject);
    let what = match &m.what {
        ManagedWhat::Card => format!("{by} made a card for {subject}"),
        ManagedWhat::Redeemed => format!("{by} used a card of {subject}"),
        ManagedWhat::Renamed { before } => format!("{by} renamed {before}: {subject}"),
        ManagedWhat::Revoked => format!("{by} withdrew {subject}"),
    };
    match m.state {
        ManagedState::Done => what,
        ManagedState::Open => format!("{what} (waits for the exchange)"),
        ManagedState::Refused => format!("{what} (came to nothing)"),
    }
}

/// The newest thing that an attendant did.
pub(super) fn latest(view: &View) -> String {
    view.managed.first().map(did).unwrap_or_default()
}

fn refusal(why: ManageRefusal) -> &'static str {
    match why {
        ManageRefusal::NoRight => "you are not allowed to, or no longer: ask for a new delegation",
        ManageRefusal::NoSuch => "there is no such contact: list them again",
        ManageRefusal::NotYours => {
            "that contact is a handset of the principal's, or has a delegation: the principal alone changes it"
        }
        ManageRefusal::Limit => "too much is open, out or done today: try again later",
        ManageRefusal::NotValid => "the card is not valid (any more)",
        ManageRefusal::Known => "its issuer is a contact already",
        ManageRefusal::NotUnderstood => {
            "that handset cannot do it: no proper name, or another version"
        }
        ManageRefusal::InCall => "a call with that contact is under way: try again later",
    }
}

/// What was asked, in words.
fn asked(ask: &Manage) -> String {
    match ask {
        Manage::List => "list the contacts".into(),
        Manage::Card { name } => format!("a card for {name}"),
        Manage::Redeem { .. } => "use a card".into(),
        Manage::Rename { contact, name } => format!("rename {contact}: {name}"),
        Manage::Revoke { contact } => format!("withdraw {contact}"),
    }
}

fn state(state: &RequestState) -> String {
    match state {
        RequestState::Open => "asked".into(),
        RequestState::NoAnswer => "no answer within a day".into(),
        RequestState::Done => "done".into(),
        RequestState::Card(link) => format!("made: {link}"),
        RequestState::Refused(why) => format!("not done: {}", refusal(*why)),
    }
}

fn name(view: &View, contact: u32) -> &str {
    view.contacts.iter().find(|c| c.id == contact).map_or("somebody", |c| &c.name)
}

fn request(r: &RequestView, view: &View) -> String {
    format!("{}  {}: {}: {}", r.number, name(view, r.principal), asked(&r.ask), state(&r.state))
}

/// The answer to a request, in a line.
pub(super) fn answered(number: u64, view: &View) -> String {
    let found = view.requests.iter().find(|r| r.number == number);
    found.map(|r| request(r, view)).unwrap_or_default()
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Redeeming => "redeeming the card",
        Standing::Redeemed => "redeemed, not accepted yet",
        Standing::Accepted => "a contact",
        Standing::Refused => "card no longer valid",
        Standing::Revoked => "revoked",
        Standing::Gone => "ended by the other side",
    }
}

/// What was done here, what was asked elsewhere, and the lists that came: for the screen.
pub(super) fn lines(view: &View) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for list in &view.lists {
        let end = if list.whole { "" } else { " (not all)" };
        lines.push(format!("Contacts of {}{end}", name(view, list.principal)));
        lines.extend(list.contacts.iter().map(|c| {
            format!("  {}  {}, {}: {}", c.number, c.name, c.office, standing(c.standing))
        }));
    }
    lines.extend(view.requests.iter().map(|r| request(r, view)));
    if !view.managed.is_empty() {
        lines.push("By your attendants:".into());
    }
    lines.extend(view.managed.iter().map(did));
    lines
}

/// The same for a program: what attendants did here.
pub(super) fn managed_json(view: &View) -> Value {
    json!({"managed": view.managed.iter().map(|m| json!({
        "contact": m.contact, "by": m.by, "at": m.at.0, "subject": m.subject, "words": did(m),
        "what": match &m.what {
            ManagedWhat::Card => "card",
            ManagedWhat::Redeemed => "redeem",
            ManagedWhat::Renamed { .. } => "rename",
            ManagedWhat::Revoked => "revoke",
        },
        "state": format!("{:?}", m.state).to_lowercase(),
    })).collect::<Vec<_>>()})
}

/// The same for a program: what was asked, and the lists that came.
pub(super) fn requests_json(view: &View) -> Value {
    json!({
        "requests": view.requests.iter().map(|r| request_json(r, view)).collect::<Vec<_>>(),
        "lists": view.lists.iter().map(|list| json!({
            "principal": list.principal, "name": name(view, list.principal), "whole": list.whole,
            "contacts": list.contacts.iter().map(|c| json!({
                "contact": c.number, "name": c.name, "office": c.office,
                "state": format!("{:?}", c.standing).to_lowercase(),
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

/// One request for a program.
pub(super) fn request_json(r: &RequestView, view: &View) -> Value {
    let link = match &r.state {
        RequestState::Card(link) => Some(link.as_str()),
        _ => None,
    };
    json!({
        "number": r.number, "principal": r.principal, "name": name(view, r.principal), "at": r.at.0,
        "asked": asked(&r.ask), "state": state(&r.state), "link": link,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::screen::empty_view;

    #[test]
    fn requests_are_read_by_name_or_number_and_what_is_missing_is_named() {
        let mut view = empty_view();
        view.contacts[0].may_manage = Some(wire::Wall(1));
        view.contacts[0].name = "Paula P".into();
        let asked = |text: &str| match read(text, &view) {
            Ok(Command::Manage { principal: 7, ask }) => Ok(ask),
            Ok(_) => panic!("another command"),
            Err(why) => Err(why),
        };
        assert_eq!(asked("Paula P list"), Ok(Manage::List));
        assert_eq!(asked("7 card Pavel X"), Ok(Manage::Card { name: "Pavel X".into() }));
        let rename = Manage::Rename { contact: 3, name: "Pavel".into() };
        assert_eq!(asked("Paula P rename 3 Pavel"), Ok(rename));
        assert_eq!(asked("7 revoke 3"), Ok(Manage::Revoke { contact: 3 }));
        assert_eq!(asked("7 redeem x"), Ok(Manage::Redeem { text: "x".into() }));
        for (text, named) in [
            ("", "lets you manage"),
            ("Paula list", "nobody called `Paula`"),
            ("Paula Pan list", "nobody called `Paula`"),
            ("7", "manage NAME list"),
            ("7 verify 3", "manage NAME list"),
            ("7 card", "for whom"),
            ("7 rename 3", "new name is missing"),
            ("7 rename Pavel Pavel", "`Pavel` is not a number"),
        ] {
            assert!(asked(text).is_err_and(|why| why.contains(named)), "{text}");
        }
    }

    #[test]
    fn what_an_attendant_did_is_said_with_her_name() {
        let mut m = ManagedView {
            contact: 7,
            by: "Ada".into(),
            at: wire::Wall(0),
            what: ManagedWhat::Card,
            subject: "Pavel".into(),
            state: ManagedState::Done,
        };
        assert_eq!(did(&m), "Ada made a card for Pavel");
        m.what = ManagedWhat::Renamed { before: "Paul".into() };
        m.state = ManagedState::Refused;
        assert_eq!(did(&m), "Ada renamed Paul: Pavel (came to nothing)");
    }
}
