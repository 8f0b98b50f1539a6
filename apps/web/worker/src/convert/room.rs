//! Calls of more than two, in the page's words.

use phone::{RoomStage, Trust};
use wire::talk::Role;

use super::end;

fn role(role: Role) -> protocol::Role {
    same!(role, Role => Role { Principal, Attendant, Interpreter, NoteTaker, RecordsOfficer, DutyOfficer })
}

/// A role in the machine's word.
pub(super) fn machines_role(role: protocol::Role) -> Role {
    use protocol::Role as P;
    match role {
        P::Principal => Role::Principal,
        P::Attendant => Role::Attendant,
        P::Interpreter => Role::Interpreter,
        P::NoteTaker => Role::NoteTaker,
        P::RecordsOfficer => Role::RecordsOfficer,
        P::DutyOfficer => Role::DutyOfficer,
    }
}

pub(super) fn asked((asked, office, expected): &(Role, String, String)) -> protocol::Asked {
    let expected = protocol::Expected { name: expected.clone(), office: office.clone() };
    protocol::Asked { role: role(*asked), expected }
}

/// How loud the members are that are heard here.
pub(super) fn levels(room: &phone::RoomView) -> Vec<protocol::MemberLevel> {
    let heard = room.members.iter().filter(|m| m.heard);
    heard
        .filter_map(|m| Some(protocol::MemberLevel { leaf: m.leaf, level: m.level.as_ref()?.rms }))
        .collect()
}

pub(super) fn view(room: &phone::RoomView) -> protocol::RoomView {
    let (name, office) = room.expected.clone();
    protocol::RoomView {
        stage: same!(room.stage, RoomStage => RoomStage { Arranging, Held, Handing, Confirming, Connected }),
        role: role(room.role),
        expected: protocol::Expected { name, office },
        members: room.members.iter().map(member).collect(),
        bringing: room.bringing.iter().map(bringing).collect(),
        can_connect: room.can_connect,
        announcing: room.announcing,
        urgency: super::precedence(room.urgency),
    }
}

fn member(m: &phone::MemberView) -> protocol::MemberView {
    protocol::MemberView {
        leaf: m.leaf,
        name: m.name.clone(),
        office: m.office.clone(),
        role: role(m.role),
        behalf: m.behalf.clone(),
        own: m.own,
        gone: m.gone,
        heard: m.heard,
        muted: m.muted,
        on_record: m.on_record,
        voice: same!(m.voice, Trust => Trust { Vouched, Late, Forged }),
    }
}

fn bringing(b: &phone::BringingView) -> protocol::BringingView {
    protocol::BringingView {
        contact: b.contact,
        role: role(b.role),
        rings: b.rings,
        night: b.night.is_some(),
        over: b.over.map(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> phone::RoomView {
        let member = |leaf, role, heard| phone::MemberView {
            leaf,
            name: format!("Member {leaf}"),
            office: "Ministry".into(),
            role,
            behalf: None,
            own: leaf == 0,
            gone: leaf == 3,
            heard,
            muted: false,
            on_record: leaf == 1,
            voice: [Trust::Vouched, Trust::Late, Trust::Forged][leaf as usize % 3],
            level: (leaf > 0).then_some(voice::Meter::new().level()),
        };
        phone::RoomView {
            stage: RoomStage::Held,
            role: Role::Principal,
            expected: ("President Marchand".into(), "Présidence".into()),
            members: vec![
                member(0, Role::Principal, false),
                member(1, Role::Attendant, true),
                member(2, Role::NoteTaker, false),
                member(3, Role::Interpreter, false),
            ],
            bringing: Vec::new(),
            can_connect: true,
            missing: None,
            announcing: false,
            epoch: 7,
            urgency: wire::Precedence::Flash,
        }
    }

    /// Nobody can be in a call and not on the page.
    #[test]
    fn everybody_who_has_the_keys_reaches_the_page() {
        let (machine, page) = (room(), view(&room()));
        let leaves = |n: usize| machine.members[n].leaf;
        assert_eq!(page.members.len(), machine.members.len());
        for (n, m) in page.members.iter().enumerate() {
            assert_eq!(m.leaf, leaves(n));
        }
        assert_eq!(page.members[2].role, protocol::Role::NoteTaker);
        assert!(page.members[3].gone && page.members[1].on_record && page.members[0].own);
        assert_eq!(page.stage, protocol::RoomStage::Held);
        assert_eq!(page.expected.name, "President Marchand");
        use protocol::Trust as T;
        let voices: Vec<_> = page.members.iter().map(|m| m.voice).collect();
        assert_eq!(voices, [T::Vouched, T::Late, T::Forged, T::Vouched]);
    }

    #[test]
    fn only_who_is_heard_has_a_level() {
        let heard: Vec<u32> = levels(&room()).iter().map(|l| l.leaf).collect();
        assert_eq!(heard, [1]);
    }

    #[test]
    fn roles_go_there_and_back() {
        for of in protocol::Role::BROUGHT {
            assert_eq!(role(machines_role(of)), of);
            assert_eq!(machines_role(of).speaks(), of.speaks());
        }
        assert_eq!(role(machines_role(protocol::Role::Attendant)), protocol::Role::Attendant);
    }
}
