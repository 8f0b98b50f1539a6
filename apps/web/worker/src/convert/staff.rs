//! What attendants may do, and do, in the page's words, and back.

use phone::{Manage, ManagedState, ManagedWhat, RelayView, RequestState};
use protocol::Right;
use seal::delegation::Rights;
use wire::manage::{ManageRefusal, Standing};
use wire::talk::NotJoined;

use super::wall_ms;

fn machines_right(right: Right) -> Rights {
    match right {
        Right::Place => Rights::PLACE,
        Right::Receive => Rights::RECEIVE,
        Right::Screen => Rights::SCREEN,
        Right::Join => Rights::JOIN,
        Right::Manage => Rights::MANAGE,
    }
}

pub(super) fn rights(rights: Rights) -> Vec<Right> {
    Right::ALL.into_iter().filter(|right| rights.hold(machines_right(*right))).collect()
}

pub(super) fn machines_rights(rights: &[Right]) -> Rights {
    rights.iter().fold(Rights(0), |all, right| all.and(machines_right(*right)))
}

pub(super) fn relay(relay: &RelayView) -> protocol::Relay {
    use protocol::Relay as P;
    match relay {
        RelayView::Asked { contacts, screens } => {
            P::Asked { contacts: contacts.clone(), screens: *screens }
        }
        RelayView::Passing { contact } => P::Passing { contact: *contact },
        RelayView::Back { contact, .. } => P::Back { contact: *contact },
        RelayView::Passed { contact } => P::Passed { contact: *contact },
        RelayView::Comes => P::Comes,
        RelayView::Joins => P::Joins,
        RelayView::NotJoined { why } => P::NotJoined {
            why: same!(*why, NotJoined => NotJoined { NoRight, NoCall, NotNow, ByRule }),
        },
    }
}

pub(super) fn managed(m: &phone::ManagedView) -> protocol::ManagedView {
    use protocol::ManagedWhat as P;
    protocol::ManagedView {
        contact: m.contact,
        at_ms: wall_ms(m.at),
        what: match m.what {
            ManagedWhat::Card => P::Card,
            ManagedWhat::Redeemed => P::Redeemed,
            ManagedWhat::Renamed { .. } => P::Renamed,
            ManagedWhat::Revoked => P::Revoked,
        },
        subject: m.subject.clone(),
        state: same!(m.state, ManagedState => ManagedState { Open, Done, Refused }),
    }
}

pub(super) fn request(r: &phone::RequestView) -> protocol::RequestView {
    use protocol::{Manage as A, RequestState as S};
    protocol::RequestView {
        principal: r.principal,
        at_ms: wall_ms(r.at),
        ask: match &r.ask {
            Manage::List => A::List,
            Manage::Card { name } => A::Card { name: name.clone() },
            // The page has no use for the text of a card that was used.
            Manage::Redeem { .. } => A::Redeem { text: String::new() },
            Manage::Rename { contact, name } => A::Rename { contact: *contact, name: name.clone() },
            Manage::Revoke { contact } => A::Revoke { contact: *contact },
        },
        state: match &r.state {
            RequestState::Open => S::Open,
            RequestState::NoAnswer => S::NoAnswer,
            RequestState::Done => S::Done,
            RequestState::Card(link) => S::Card(link.clone()),
            RequestState::Refused(why) => S::Refused(same!(*why, ManageRefusal => Refusal {
                NoRight, NoSuch, NotYours, Limit, NotValid, Known, NotUnderstood, InCall,
            })),
        },
    }
}

pub(super) fn list(list: &phone::ListView) -> protocol::ListView {
    let listed = |c: &phone::ListedView| protocol::ListedView {
        number: c.number,
        name: c.name.clone(),
        office: c.office.clone(),
        standing: same!(c.standing, Standing => Progress {
            Redeeming, Redeemed, Accepted, Refused, Revoked, Gone,
        }),
    };
    protocol::ListView {
        principal: list.principal,
        contacts: list.contacts.iter().map(listed).collect(),
        whole: list.whole,
    }
}

pub(super) fn machines_ask(ask: protocol::Manage) -> Manage {
    use protocol::Manage as A;
    match ask {
        A::List => Manage::List,
        A::Card { name } => Manage::Card { name },
        A::Redeem { text } => Manage::Redeem { text },
        A::Rename { contact, name } => Manage::Rename { contact, name },
        A::Revoke { contact } => Manage::Revoke { contact },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_go_there_and_back() {
        for n in 0..32_u8 {
            assert_eq!(machines_rights(&rights(Rights(n))), Rights(n));
        }
        assert_eq!(rights(Rights(16 + 128)), [Right::Manage], "what is not known is not shown");
    }
}
