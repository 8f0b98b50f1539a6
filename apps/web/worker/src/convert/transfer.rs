//! What goes from one handset of a person to another, in the page's words.

pub(super) fn offer(o: &phone::OfferView) -> protocol::OfferView {
    let phone::OfferView { id, from, contact, held, reason } = o.clone();
    protocol::OfferView { id, from, contact, held, reason }
}

pub(super) fn elsewhere(e: &phone::ElsewhereView) -> protocol::ElsewhereView {
    protocol::ElsewhereView { id: e.id, on: e.on, contact: e.contact }
}

pub(super) fn moving(m: phone::MovingView) -> protocol::MovingView {
    protocol::MovingView { to: m.to, closed: m.closed }
}

pub(super) fn shift(s: &phone::ShiftView) -> protocol::ShiftView {
    use phone::ShiftStage;
    let phone::ShiftView { with, stage, note, appointments, left, calls, parked } = s.clone();
    let stage = same!(stage, ShiftStage => ShiftStage { Offered, UnderWay, Over, NotTaken });
    protocol::ShiftView { with, stage, note, appointments, left, calls, parked }
}
