//! A call that goes on at another handset of the same person, as people type and read it.
//!
//! ```text
//!  move [N]  stay  |  here, there (what is offered)  |  back (what was here)
//! ```

use phone::{CallView, Command, View};
use serde_json::{Value, json};

fn name(view: &View, contact: u32) -> String {
    let found = view.contacts.iter().find(|c| c.id == contact);
    found.map_or_else(|| "somebody".into(), |c| c.name.clone())
}

/// The number that was typed, or the only one that there is.
pub(super) fn one_of(typed: &str, all: &[u32], none: &str) -> Result<u32, String> {
    match (typed.parse(), typed, all) {
        (Ok(number), _, all) if all.contains(&number) => Ok(number),
        (_, "", [one]) => Ok(*one),
        (.., []) => Err(none.into()),
        (_, _, all) => {
            let all: Vec<String> = all.iter().map(u32::to_string).collect();
            Err(format!("say which: {}", all.join(", ")))
        }
    }
}

/// To which handset, as typed after `move`.
pub(super) fn handset(typed: &str, view: &View) -> Result<u32, String> {
    one_of(typed, &view.handsets, "you have no other handset: `device` makes a card for one")
}

/// Which offer, as typed after `here` or `there`.
pub(super) fn offer(typed: &str, view: &View) -> Result<u32, String> {
    let all: Vec<u32> = view.offers.iter().map(|o| o.id).collect();
    one_of(typed, &all, "no other handset of yours offers a call")
}

/// Takes back what was here.
pub(super) fn back(typed: &str, view: &View) -> Result<Command, String> {
    let all: Vec<u32> = view.elsewhere.iter().map(|e| e.id).collect();
    let number = one_of(typed, &all, "no call of this handset is on another one of yours")?;
    Ok(Command::TakeBack { number })
}

/// Where a call is going, or where it comes from, in words.
pub(super) fn words(call: &CallView, view: &View) -> Option<String> {
    match (&call.moving, call.arriving, call.moved) {
        (Some(m), ..) if m.closed => {
            Some(format!("Going to {}: nobody hears you here now", name(view, m.to)))
        }
        (Some(m), ..) => Some(format!("Offered to {}: `:stay` takes that back", name(view, m.to))),
        (None, true, _) => Some("Comes from another handset of yours".into()),
        (None, false, true) => Some("Now on another handset".into()),
        (None, false, false) => None,
    }
}

/// What other handsets offer and have, a line each.
pub(super) fn lines(view: &View) -> Vec<String> {
    let offers = view.offers.iter().map(|o| {
        let (from, with) = (name(view, o.from), name(view, o.contact));
        let reason = o.reason.as_ref().map(|r| format!(" (parked: {r})")).unwrap_or_default();
        format!("{from} offers the call with {with}{reason}: `:here {0}` or `:there {0}`", o.id)
    });
    let elsewhere = view.elsewhere.iter().map(|e| {
        let (on, with) = (name(view, e.on), name(view, e.contact));
        format!("The call with {with} is on {on}: `:back {}` takes it back", e.id)
    });
    offers.chain(elsewhere).collect()
}

/// The same for a program.
pub(super) fn offers(view: &View) -> Value {
    let one = |o: &phone::OfferView| {
        json!({"offer": o.id, "from": name(view, o.from), "contact": o.contact, "name": name(view, o.contact),
               "held": o.held, "reason": o.reason})
    };
    json!(view.offers.iter().map(one).collect::<Vec<_>>())
}

/// The same for a program.
pub(super) fn elsewhere(view: &View) -> Value {
    let one = |e: &phone::ElsewhereView| json!({"number": e.id, "on": name(view, e.on), "contact": e.contact, "name": name(view, e.contact)});
    json!(view.elsewhere.iter().map(one).collect::<Vec<_>>())
}
