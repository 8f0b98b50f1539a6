//! A person's commands as text: typed below the screen, or one a line on standard input.

use std::time::Duration;

use call::lamp::Shown;
use phone::{BehalfView, Command, DelegationState, DelegationView, Unproved, View};
use wire::Precedence;
use wire::talk::Role;

use super::urgent;

/// How long a card can be redeemed if nothing else is said.
const CARD_TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a card for a further handset can be redeemed: the person is at both.
const DEVICE_TTL: Duration = Duration::from_secs(3600);

/// What a line asks for.
pub enum Action {
    /// The machine does it.
    Command(Command),
    /// Something is to be shown.
    Show(Show),
    /// The handset ends.
    Quit,
}

/// What can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Contacts and their states.
    Contacts,
    /// Own cards.
    Cards,
    /// Calls that are over.
    History,
    /// Texts.
    Notes,
    /// Line, calls, levels, quality.
    Status,
    /// Who is in the call of more than two.
    Room,
    /// Safety words of a contact.
    Words(u32),
    /// What others may do in the owner's name.
    Delegations,
    /// What attendants did with the owner's contacts.
    Managed,
    /// What the owner asked of principals about theirs.
    Requests,
    /// Appointments.
    Agenda,
    /// Lines to other offices.
    Lines,
    /// The position, as it goes from one handset to another.
    Shift,
    /// The office's record.
    Record,
    /// The commands.
    Help,
}

/// The commands, for people.
pub const HELP: &str = "\
card [in-person] FOR WHOM   make a card            redeem [in-person] LINK   use a card
contacts, cards             with their states      words N                   safety words of contact N
verify N yes|no             after comparing them   trust N yes|no|default    may know that it rings here
block N yes|no              never rings            rename N NAME
policy N direct             calls with contact N come about as they are dialled, or
policy N through M          only arranged by contact M, whose name N is told if you trust N
policy N hours Mon-Fri 09:00-18:00 +01:00          only then (days, times, distance from UTC); or: hours always
policy N interpreter yes|no, note-taker yes|no     only with one in the call        policy N none   no rules
lamp N yes|no               contact N of your office sees whether you are free, ringing, on a call or away
away on|off                 calls come in silently, and who sees your lamp knows
revoke N                    withdraw a contact     revoke-card N             withdraw a card
device                      a card for a further handset of yours; then verify it here
delegate N RIGHTS DAYS      contact N may do that for you for so long; RIGHTS with commas: place (call in your name), receive (your
                            calls ring at N, too), screen (at N first, here after 20 seconds), join (come into your calls),
                            manage (list, rename and withdraw your contacts, make and use cards for you)
undelegate NUMBER           takes it back, at once here, and within 8 hours for whom N calls; delegations lists them
join N [listen]             come into the call of contact N, who delegated that to you; listen: as a note-taker
managed                     what was done with your contacts; manage NAME list   contacts of NAME, who delegated that to you
manage NAME card FOR WHOM, redeem LINK, rename N NEWNAME, revoke N      done by that handset, and shown there as done by you
requests                    what came of it, with the numbers that follow
call N for M                ring contact N in the name of contact M, who delegated that to you
call N [LEVEL] [for M]      the same as priority, immediate or flash, if contact N grants it: it rings over a less urgent call there
policy N precedence LEVEL   how urgent calls of contact N may be, if you trust N; routine, unless you say more
call N                      ring contact N         answer, decline, ignore   the call that comes in; of several the most urgent
hangup                      end, or give up        hold on|off, mute on|off
say TEXT                    beside voice           note N TEXT               to contact N, any time
minute TEXT                 a note for the office's record of this call; its records officer reads it
record                      how the record stands  record accept FINGERPRINT the records officer's, as they read it
hand N LINK                 pass a card on         history, notes, seen      past calls, texts; missed calls seen
bring [LEVEL] ROLE N [EXPECTED]   ring contact N into this call as principal, interpreter, note-taker, records-officer or
                            duty-officer; EXPECTED is shown there: who is awaited of the other side
announce on|off             speak to those who are held      room   who is in the call, how far it is
connect                     the attendants leave, those who stay are connected      leave   as hangup
position on|off             calls that come in during a call wait beside it, or find you busy
night on|off                calls come in silently, and callers whom you trust are told; until you are staffed again, or no longer
night staffed HOURS         the same by itself outside of these hours, as in `policy`; or: night staffed always
night instead NAME          who answers instead, as those callers are told it; without NAME nobody
night aloud LEVEL           calls of that level ring aloud all the same; or: night aloud none
park [REASON]               put the call aside; you are reminded after three minutes; `resume N` takes call N up again
move [N]                    go on with the call at your other handset N, where you type `here`; stay: no longer
here, there                 go on here with a call that your other handset offers, or leave it there
back [N]                    take back a call that was here and is on your other handset
handover [to N] NOTE        hand the position over to your other handset N: parked calls, appointments, the note; there
shift, shift take|leave     look at it, take it, or do not; here: shift stop takes it back
camp N, camp-end N          ring contact N, who was busy, again until it is free, for a quarter of an hour at most
agenda, start N, seen N     appointments; ring for appointment N; its reminder was seen
lines                       lines to other offices, as your exchange's tests find them (at a position)
status, help, quit";

/// Reads one line. Calls without a number mean the one that fits.
///
/// # Errors
/// What is missing or wrong, for the person who typed it.
pub fn read(line: &str, view: &View) -> Result<Action, String> {
    let line = line.trim();
    let (word, rest) = split(line);
    let command = match word {
        "card" => {
            let (in_person, hint) = in_person(rest);
            Command::IssueCard { hint: hint.into(), in_person, ttl: CARD_TTL }
        }
        "device" => Command::AdmitDevice { ttl: DEVICE_TTL },
        "redeem" => {
            let (in_person, text) = in_person(rest);
            let text = needed(text, "the card's link")?;
            Command::RedeemCard { text, in_person }
        }
        "revoke-card" => Command::RevokeCard { card: number(rest)?.0 },
        "revoke" => Command::RevokeContact { contact: number(rest)?.0 },
        "rename" => {
            let (contact, name) = number(rest)?;
            Command::RenameContact { contact, name: needed(name, "the new name")? }
        }
        "verify" => {
            let (contact, answer) = number(rest)?;
            Command::Verify { contact, matches: yes(answer)? }
        }
        "trust" => {
            let (contact, answer) = number(rest)?;
            let trusted = if answer == "default" { None } else { Some(yes(answer)?) };
            Command::SetTrusted { contact, trusted }
        }
        "block" => {
            let (contact, answer) = number(rest)?;
            Command::SetBlocked { contact, blocked: yes(answer)? }
        }
        "lamp" => {
            let (contact, answer) = number(rest)?;
            Command::SetLamp { contact, shown: yes(answer)? }
        }
        "away" => Command::SetAway { on: on(rest)? },
        "policy" => {
            let (contact, rest) = number(rest)?;
            super::rules::read(contact, rest, view)?
        }
        "call" => {
            let (contact, rest) = number(rest)?;
            let (precedence, rest) = precedence(rest);
            let principal = match split(rest) {
                ("", _) => None,
                ("for", principal) => Some(number(principal)?.0),
                (other, _) => {
                    let levels = urgent::words();
                    return Err(format!(
                        "say `call N`, `call N LEVEL` or `call N for M`, not `{other}`; levels are {levels}"
                    ));
                }
            };
            match (precedence, principal) {
                (None, None) => Command::Call { contact },
                (None, Some(principal)) => Command::CallFor { contact, principal },
                (Some(precedence), principal) => {
                    Command::CallUrgent { contact, principal, precedence }
                }
            }
        }
        "delegate" => {
            let (contact, rest) = number(rest)?;
            super::rights::delegate(contact, rest)?
        }
        "join" => {
            let (contact, rest) = number(rest)?;
            super::rights::join(contact, rest)?
        }
        "manage" => super::manage::read(rest, view)?,
        "managed" => return Ok(Action::Show(Show::Managed)),
        "requests" => return Ok(Action::Show(Show::Requests)),
        "undelegate" => Command::RevokeDelegation { number: number(rest)?.0.into() },
        "delegations" => return Ok(Action::Show(Show::Delegations)),
        "answer" => Command::Answer { call: coming_in(view)? },
        "decline" => Command::Decline { call: coming_in(view)? },
        "ignore" => Command::Ignore { call: coming_in(view)? },
        "bring" => {
            let (precedence, rest) = precedence(rest);
            let (word, rest) = split(rest);
            let role = role(word)?;
            let (contact, expected) = number(rest)?;
            let (call, precedence) = (current(view)?, precedence.unwrap_or_default());
            Command::Bring { call, contact, role, expected: expected.into(), precedence }
        }
        "position" => super::position::position(on(rest)?),
        "night" => super::night::read(rest, view)?,
        "park" => Command::Park { call: current(view)?, reason: rest.into(), recall: None },
        "resume" => Command::Hold { call: number(rest)?.0, on: false },
        "move" => {
            let to = super::transfer::handset(rest, view)?;
            Command::Move { call: current(view)?, to }
        }
        "stay" => Command::StayHere { call: current(view)? },
        "here" => Command::Continue { offer: super::transfer::offer(rest, view)? },
        "there" => Command::LeaveThere { offer: super::transfer::offer(rest, view)? },
        "back" => super::transfer::back(rest, view)?,
        "handover" => super::shift::hand_over(rest, view)?,
        "shift" => match super::shift::read(rest)? {
            Some(command) => command,
            None => return Ok(Action::Show(Show::Shift)),
        },
        "camp" => Command::Camp { contact: number(rest)?.0, time: super::position::CAMP },
        "camp-end" => Command::EndCamp { contact: number(rest)?.0 },
        "agenda" => return Ok(Action::Show(Show::Agenda)),
        "lines" => return Ok(Action::Show(Show::Lines)),
        "start" => Command::Start { id: number(rest)?.0 },
        "announce" => Command::Announce { call: current(view)?, on: on(rest)? },
        "connect" => Command::Connect { call: current(view)? },
        "hangup" | "cancel" | "leave" => Command::HangUp { call: current(view)? },
        "hold" => Command::Hold { call: current(view)?, on: on(rest)? },
        "mute" => Command::Mute { on: on(rest)? },
        "say" => Command::Say { call: current(view)?, text: needed(rest, "the text")? },
        "note" => {
            let (contact, text) = number(rest)?;
            Command::Note { contact, text: needed(text, "the text")? }
        }
        "hand" => {
            let (contact, text) = number(rest)?;
            Command::HandCard { contact, text: needed(text, "the card's link")? }
        }
        "minute" => Command::Minute { call: latest(view)?, text: needed(rest, "the note")? },
        "record" => match split(rest) {
            ("", _) => return Ok(Action::Show(Show::Record)),
            ("accept", fingerprint) => {
                Command::AcceptOfficer { fingerprint: needed(fingerprint, "the fingerprint")? }
            }
            (other, _) => return Err(format!("say `record` or `record accept`, not `{other}`")),
        },
        "seen" if !rest.is_empty() => Command::Reminded { id: number(rest)?.0 },
        "seen" => Command::ClearMissed,
        "contacts" => return Ok(Action::Show(Show::Contacts)),
        "cards" => return Ok(Action::Show(Show::Cards)),
        "history" => return Ok(Action::Show(Show::History)),
        "notes" => return Ok(Action::Show(Show::Notes)),
        "room" => return Ok(Action::Show(Show::Room)),
        "status" => return Ok(Action::Show(Show::Status)),
        "words" => return Ok(Action::Show(Show::Words(number(rest)?.0))),
        "help" | "?" => return Ok(Action::Show(Show::Help)),
        "quit" | "exit" => return Ok(Action::Quit),
        other => return Err(format!("there is no command `{other}`; `help` lists them")),
    };
    Ok(Action::Command(command))
}

fn split(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

fn in_person(text: &str) -> (bool, &str) {
    match split(text) {
        ("in-person", rest) => (true, rest),
        _ => (false, text),
    }
}

fn needed(text: &str, what: &str) -> Result<String, String> {
    if text.is_empty() { Err(format!("{what} is missing")) } else { Ok(text.into()) }
}

fn number(text: &str) -> Result<(u32, &str), String> {
    let (word, rest) = split(text);
    let number = word.parse().map_err(|_| format!("`{word}` is not a number from the list"))?;
    Ok((number, rest))
}

/// A precedence, if one is said first.
fn precedence(text: &str) -> (Option<Precedence>, &str) {
    let (word, rest) = split(text);
    match urgent::read(word) {
        Some(precedence) => (Some(precedence), rest),
        None => (None, text),
    }
}

fn yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(format!("say yes or no, not `{other}`")),
    }
}

fn on(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("say on or off, not `{other}`")),
    }
}

/// The roles that somebody can be brought in as, by their words.
const ROLES: [(&str, Role); 5] = [
    ("principal", Role::Principal),
    ("interpreter", Role::Interpreter),
    ("note-taker", Role::NoteTaker),
    ("records-officer", Role::RecordsOfficer),
    ("duty-officer", Role::DutyOfficer),
];

fn role(word: &str) -> Result<Role, String> {
    let found = ROLES.iter().find(|(name, _)| *name == word).map(|(_, role)| *role);
    let names = ROLES.map(|(name, _)| name).join(", ");
    found.ok_or_else(|| format!("`{word}` is not a role; there are {names}"))
}

/// A role in a word.
pub fn role_word(role: Role) -> &'static str {
    let found = ROLES.iter().find(|(_, r)| *r == role);
    found.map_or("attendant", |(name, _)| name)
}

/// In whose name a call is, in words that promise no more than was proved.
pub fn behalf(behalf: &BehalfView) -> String {
    match behalf {
        BehalfView::Mine { name } => format!("on behalf of {name}"),
        BehalfView::Verified { name, .. } => format!("on behalf of {name}, verified"),
        BehalfView::Claimed { name, why } => {
            let why = match why {
                Unproved::Stranger => "whoever signed is no contact of yours",
                Unproved::NotVerified => "you did not verify that contact",
                Unproved::Expired => "what it shows has expired",
                Unproved::OtherAttendant => "what it shows is somebody else's",
                Unproved::NotForCalls => "what it shows is not for calls",
                Unproved::Forged => "what it shows is forged",
            };
            format!("says that it calls for \u{201c}{name}\u{201d}: NOT VERIFIED, {why}")
        }
    }
}

/// A delegation in a line.
pub fn delegation(d: &DelegationView, view: &View) -> String {
    let name = view.contacts.iter().find(|c| c.id == d.contact).map_or("somebody", |c| &c.name);
    let state = match d.state {
        DelegationState::InForce => "in force",
        DelegationState::Expired => "expired",
        DelegationState::Revoked => "taken back",
    };
    format!("{}  {name} may {}: {state}", d.number, super::rights::meaning(d.rights))
}

/// A lamp in words.
pub fn lamp_word(lamp: Shown) -> &'static str {
    match lamp {
        Shown::Free => "free",
        Shown::Ringing => "ringing",
        Shown::OnCall => "on a call",
        Shown::Away => "away",
        Shown::NotKnown => "not known",
    }
}

fn coming_in(view: &View) -> Result<u32, String> {
    urgent::next(view).map(|c| c.id).ok_or_else(|| "no call comes in".into())
}

fn current(view: &View) -> Result<u32, String> {
    live(view).map(|c| c.id).ok_or_else(|| "there is no call".into())
}

/// The call that is spoken in; else one that was set aside for a more urgent call that is over; else the latest that is not over,
/// and of those rather one that does not wait to be answered.
pub fn live(view: &View) -> Option<&phone::CallView> {
    use call::CallState::{Connected, Ended, RingingHere};
    let order = |c: &&phone::CallView| match c.state {
        Connected => 3,
        _ if c.goes_back => 2,
        RingingHere => 0,
        _ => 1,
    };
    let live = view.calls.iter().filter(|c| !matches!(c.state, Ended(_)));
    // Of equals the last.
    live.max_by_key(order)
}

/// The call under way, or the one that was over a moment ago.
fn latest(view: &View) -> Result<u32, String> {
    current(view).or_else(|why| view.calls.last().map(|c| c.id).ok_or(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use seal::delegation::Rights;

    fn empty() -> View {
        crate::phone::screen::empty_view()
    }

    #[test]
    fn commands_are_read_and_what_is_missing_is_named() {
        let view = empty();
        let command = |line: &str| match read(line, &view) {
            Ok(Action::Command(command)) => Ok(command),
            Ok(_) => Err("no command".into()),
            Err(why) => Err(why),
        };
        assert!(matches!(command(" call 3 "), Ok(Command::Call { contact: 3 })));
        assert!(matches!(
            command("card in-person the other"),
            Ok(Command::IssueCard { hint, in_person: true, .. }) if hint == "the other"
        ));
        assert!(matches!(
            command("trust 1 default"),
            Ok(Command::SetTrusted { trusted: None, .. })
        ));
        assert!(matches!(command("lamp 2 yes"), Ok(Command::SetLamp { contact: 2, shown: true })));
        assert!(matches!(
            command("call 3 for 2"),
            Ok(Command::CallFor { contact: 3, principal: 2 })
        ));
        assert!(matches!(
            command("delegate 3 place 2"),
            Ok(Command::Delegate { contact: 3, rights: Rights::PLACE, ttl })
                if ttl == Duration::from_secs(2 * 86_400)
        ));
        let Ok(Command::CallUrgent { contact: 3, principal: None, precedence }) =
            command("call 3 flash")
        else {
            panic!("no such call");
        };
        assert_eq!(precedence, Precedence::Flash);
        let for_another = command("call 3 immediate for 2");
        assert!(matches!(for_another, Ok(Command::CallUrgent { principal: Some(2), .. })));
        assert!(matches!(command("undelegate 4"), Ok(Command::RevokeDelegation { number: 4 })));
        assert!(matches!(command("away off"), Ok(Command::SetAway { on: false })));
        assert!(matches!(command("mute on"), Ok(Command::Mute { on: true })));
        assert!(matches!(command("position on"), Ok(Command::SetPosition { recall: Some(_) })));
        assert!(matches!(command("night on"), Ok(Command::Night { on: true })));
        assert!(matches!(command("seen"), Ok(Command::ClearMissed)));
        assert!(matches!(command("seen 3"), Ok(Command::Reminded { id: 3 })));
        assert!(matches!(read("agenda", &view), Ok(Action::Show(Show::Agenda))));
        assert!(matches!(
            command("record accept 3f2a 91bc"),
            Ok(Command::AcceptOfficer { fingerprint }) if fingerprint == "3f2a 91bc"
        ));
        assert!(matches!(read("record", &view), Ok(Action::Show(Show::Record))));
        for (line, named) in [
            ("minute agreed", "there is no call"),
            ("record keep", "record accept"),
            ("call x", "`x` is not a number"),
            ("redeem", "link is missing"),
            ("verify 1 maybe", "yes or no"),
            ("call 3 at nine", "call N for M"),
            ("call 3 at nine", "routine, priority, immediate, flash"),
            ("delegate 3 sign 4", "there is `place`"),
            ("delegate 3 place soon", "`soon` is not a number of days"),
            ("lamp Ada yes", "`Ada` is not a number"),
            ("away", "say on or off"),
            ("answer", "no call comes in"),
            ("hangup", "there is no call"),
            ("bring guest 3", "`guest` is not a role"),
            ("bring principal x", "`x` is not a number"),
            ("bring note-taker 3", "there is no call"),
            ("connect", "there is no call"),
            ("park the minister is called", "there is no call"),
            ("position maybe", "on or off"),
            ("move", "you have no other handset"),
            ("stay", "there is no call"),
            ("here", "no other handset of yours offers"),
            ("back 3", "no call of this handset is on another"),
            ("handover all is quiet", "you have no other handset"),
            ("shift now", "shift take"),
            ("camp Boris", "`Boris` is not a number"),
            ("frobnicate", "`frobnicate`"),
        ] {
            assert!(matches!(command(line), Err(why) if why.contains(named)), "{line}");
        }
        assert!(matches!(read("quit", &view), Ok(Action::Quit)));
    }
}
