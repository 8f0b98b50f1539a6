//! What attendants may do and do, in words.

use protocol::{
    Manage, ManagedState, ManagedView, ManagedWhat, NotJoined, Refusal, Relay, RequestState,
    RequestView, Right,
};

use super::{Said, Tone, said};
use crate::parts::icon::Icon;
use crate::text::{Text, fill};

/// A right.
#[must_use]
pub fn right(right: Right, t: &'static Text) -> &'static str {
    match right {
        Right::Place => t.ri_place,
        Right::Receive => t.ri_receive,
        Right::Screen => t.ri_screen,
        Right::Join => t.ri_join,
        Right::Manage => t.ri_manage,
    }
}

/// Who answers a call for whom. `name`: of a contact; `with`: whom the call is with.
#[must_use]
pub fn relay(
    relay: &Relay,
    with: &str,
    name: impl Fn(u32) -> String,
    t: &'static Text,
) -> (Icon, Tone, String) {
    match relay {
        Relay::Asked { contacts, screens } => {
            let names: Vec<_> = contacts.iter().map(|c| name(*c)).collect();
            let words = if *screens { t.re_screened } else { t.re_asked };
            (Icon::People, Tone::Calm, fill(words, &names.join(", ")))
        }
        Relay::Passing { contact } => {
            (Icon::Handshake, Tone::Care, fill(t.re_passing, &name(*contact)))
        }
        Relay::Back { contact } => (Icon::Alert, Tone::Care, fill(t.re_back, &name(*contact))),
        Relay::Passed { contact } => (Icon::Check, Tone::Good, fill(t.re_passed, &name(*contact))),
        Relay::Comes => (Icon::People, Tone::Care, fill(t.re_comes, with)),
        Relay::Joins => (Icon::Clock, Tone::Calm, fill(t.re_joins, with)),
        Relay::NotJoined { why } => (Icon::Cross, Tone::Care, not_joined(*why, t).to_owned()),
    }
}

fn not_joined(why: NotJoined, t: &'static Text) -> &'static str {
    match why {
        NotJoined::NoRight => t.mg_no_right,
        NotJoined::NoCall => t.re_no_call,
        NotJoined::NotNow => t.r_not_now,
        NotJoined::ByRule => t.re_by_rule,
    }
}

/// What an attendant did with the person's contacts.
#[must_use]
pub fn managed(m: &ManagedView, t: &'static Text) -> (Said, String) {
    let words = match m.what {
        ManagedWhat::Card => t.mg_did_card,
        ManagedWhat::Redeemed => t.mg_did_redeem,
        ManagedWhat::Renamed => t.mg_did_rename,
        ManagedWhat::Revoked => t.mg_did_revoke,
    };
    let state = match m.state {
        ManagedState::Open => said(Icon::Clock, Tone::Calm, t.mg_open),
        ManagedState::Done => said(Icon::Check, Tone::Good, t.done),
        ManagedState::Refused => said(Icon::Cross, Tone::Care, t.mg_vain),
    };
    (state, fill(words, &m.subject))
}

/// What was asked of a principal's handset; `name`: of a contact of the principal's.
#[must_use]
pub fn asked(r: &RequestView, name: impl Fn(u32) -> String, t: &'static Text) -> String {
    match &r.ask {
        Manage::List => t.mg_list.to_owned(),
        Manage::Card { name } => fill(t.mg_did_card, name),
        Manage::Redeem { .. } => t.take.to_owned(),
        Manage::Rename { name, .. } => fill(t.mg_did_rename, name),
        Manage::Revoke { contact } => fill(t.mg_did_revoke, &name(*contact)),
    }
}

/// What came of it.
#[must_use]
pub fn answered(state: &RequestState, t: &'static Text) -> Said {
    match state {
        RequestState::Open => said(Icon::Clock, Tone::Calm, t.mg_asked),
        RequestState::NoAnswer => said(Icon::Alert, Tone::Care, t.mg_no_answer),
        RequestState::Done | RequestState::Card(_) => said(Icon::Check, Tone::Good, t.done),
        RequestState::Refused(why) => said(Icon::Cross, Tone::Care, refusal(*why, t)),
    }
}

fn refusal(why: Refusal, t: &'static Text) -> &'static str {
    match why {
        Refusal::NoRight => t.mg_no_right,
        Refusal::NoSuch => t.r_gone,
        Refusal::NotYours => t.mg_not_yours,
        Refusal::Limit => t.r_too_many,
        Refusal::NotValid => t.s_refused,
        Refusal::Known => t.mg_known,
        Refusal::NotUnderstood => t.mg_not_understood,
        Refusal::InCall => t.mg_in_call,
    }
}
