//! A call of more than two, on the screen: everybody who has its keys is there.

use call::End;
use call::handover::Party;
use call::vouch::Trust;
use voice::Level;
use wire::talk::Role;
use wire::{Precedence, Rule};

use super::Room;
use crate::night::NightThere;
use crate::rules::BarredView;

/// What a member of a call of more than two waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomStage {
    /// Attendants arrange it.
    Arranging,
    /// This handset's person is held until both principals are there.
    Held,
    /// The attendants are leaving.
    Handing,
    /// The attendants have left; those who stay confirm that they are there.
    Confirming,
    /// Those who are there can speak, and nobody else can hear.
    Connected,
}

/// A call of more than two.
pub struct RoomView {
    /// How far it is.
    pub stage: RoomStage,
    /// What this handset's person is in it.
    pub role: Role,
    /// Who is expected, and of which office, as an attendant said.
    pub expected: (String, String),
    /// Everybody who has its keys, this handset included.
    pub members: Vec<MemberView>,
    /// Whose handsets ring for it.
    pub bringing: Vec<BringingView>,
    /// The attendants can leave now.
    pub can_connect: bool,
    /// By a rule of somebody in it, they cannot: who has to be brought in before.
    pub missing: Option<Rule>,
    /// This attendant speaks to those who are held.
    pub announcing: bool,
    /// Counts changes of who is in it.
    pub epoch: u64,
    /// With which precedence it is arranged, as attendants say.
    pub urgency: Precedence,
}

/// A member.
pub struct MemberView {
    /// Its place in the call.
    pub leaf: u32,
    /// Its name, as whoever let it in has it; empty if nobody said who it is.
    pub name: String,
    /// Its office.
    pub office: String,
    /// What it is.
    pub role: Role,
    /// It is here on behalf of that person, whose handset let it in: the name, as it is known here.
    pub behalf: Option<String>,
    /// This handset.
    pub own: bool,
    /// It hung up or fell silent, and is being removed.
    pub gone: bool,
    /// It is heard here now.
    pub heard: bool,
    /// It muted itself.
    pub muted: bool,
    /// Its office keeps a record of the call, it says.
    pub on_record: bool,
    /// What is to be thought of voices in its name; for the own member, too.
    pub voice: Trust,
    /// Its level.
    pub level: Option<Level>,
}

/// Somebody whose handset rings for the call.
pub struct BringingView {
    /// Whom: this handset's number of the contact.
    pub contact: u32,
    /// As what.
    pub role: Role,
    /// It rings there.
    pub rings: bool,
    /// It is in night service there.
    pub night: Option<NightThere>,
    /// Why it did not come in.
    pub over: Option<End>,
    /// If a rule kept it from being rung: which, and who can lift it.
    pub barred: Option<BarredView>,
}

impl Room {
    pub(super) fn stage(&self) -> RoomStage {
        match self.machine.party() {
            Some(Party::Held(_)) => RoomStage::Held,
            Some(Party::Handing(_)) => RoomStage::Handing,
            Some(Party::Confirming(_)) => RoomStage::Confirming,
            Some(Party::Connected(_)) => RoomStage::Connected,
            Some(Party::Arranging(_)) | None => RoomStage::Arranging,
        }
    }

    pub(crate) fn view(&self) -> RoomView {
        let own = self.machine.own();
        let member = |m: &seal::group::Member| {
            let person = self.people.get(&m.device.device().0);
            let ear = self.ears.get(&m.leaf);
            MemberView {
                leaf: m.leaf,
                name: person.map(|p| p.name.as_str().to_owned()).unwrap_or_default(),
                office: person.map(|p| p.office.as_str().to_owned()).unwrap_or_default(),
                role: self.role_of(m.device.device()),
                behalf: self.stands_for.get(&m.device.device().0).cloned(),
                own: m.leaf == own,
                gone: self.machine.is_gone(m.leaf),
                heard: self.machine.hears(m.leaf),
                muted: ear.is_some_and(|ear| ear.muted),
                on_record: self.on_record.contains(&m.device.device().0),
                voice: self.trust(m.leaf),
                level: ear.map(|ear| ear.level),
            }
        };
        let bringing = self.bringing.iter().map(|b| BringingView {
            contact: b.contact,
            role: b.role,
            rings: b.rings,
            night: b.night.clone(),
            over: b.over,
            barred: None,
        });
        RoomView {
            stage: self.stage(),
            role: self.machine.role(own).unwrap_or(Role::NoteTaker),
            expected: self.expected.clone(),
            members: self.group.members().iter().map(member).collect(),
            bringing: bringing.collect(),
            can_connect: self.machine.can_connect() && self.missing().is_none(),
            missing: self.missing(),
            announcing: self.announcing,
            epoch: self.machine.epoch(),
            urgency: self.urgency.max(self.urges),
        }
    }

    /// With which precedence this member brings others in.
    pub(crate) fn urges(&self) -> Precedence {
        self.urges
    }
}
