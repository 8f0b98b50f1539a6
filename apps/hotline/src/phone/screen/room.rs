//! A call of more than two: how far it is, and everybody who is in it.

use call::CallState;
use phone::{CallView, MemberView, RoomStage, RoomView, Trust, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};
use wire::talk::Role;

use crate::phone::console::role_word;

/// Who is expected, and of which office, as far as an attendant said it.
pub(super) fn expected(who: &str, office: &str) -> String {
    match (who, office) {
        ("", "") => "the other side".into(),
        ("", office) => office.into(),
        (who, "") => who.into(),
        (who, office) => format!("{who} ({office})"),
    }
}

/// What the call's state and its stage mean for this handset's person.
fn stage(room: &RoomView, call: &CallView) -> String {
    match call.state {
        CallState::HeldByMe => return "On hold: you hear nobody, and nobody hears you".into(),
        CallState::Reconnecting => {
            return "Reconnecting: the connection broke and is made again; stay on".into();
        }
        _ => {}
    }
    if call.relay.is_some() {
        // Said in a line of its own.
        return "Wait a moment: nobody hears you".into();
    }
    match room.stage {
        RoomStage::Arranging if room.role == Role::Attendant => "You arrange this call".into(),
        RoomStage::Arranging => "The call is being arranged; the attendants hear you".into(),
        RoomStage::Held => {
            let who = expected(&room.expected.0, &room.expected.1);
            format!("Please hold: {who} is expected. Nobody hears you.")
        }
        RoomStage::Handing => "The attendants are leaving; you are not heard".into(),
        RoomStage::Confirming => "The attendants have left; waiting for all to be there".into(),
        RoomStage::Connected => "Only those named here can hear".into(),
    }
}

fn member(m: &MemberView, muted: bool) -> Line<'static> {
    let name = if m.name.is_empty() { "Unknown".to_owned() } else { m.name.clone() };
    let mut said = format!("  {}", role_word(m.role));
    if let Some(whom) = &m.behalf {
        said += &format!(", on behalf of {whom}");
    }
    if !m.office.is_empty() {
        said += &format!(", {}", m.office);
    }
    if m.own {
        said += ", you";
    }
    if !m.role.speaks() {
        said += ", only listens";
    }
    if m.muted || m.own && muted {
        said += ", muted";
    }
    if m.on_record {
        said += ", on its office's record";
    }
    if m.gone {
        said += ", gone: being removed";
    }
    let bold = Style::new().add_modifier(Modifier::BOLD);
    Line::from(vec![Span::styled(name, bold), Span::raw(said)])
}

/// What is wrong with a member's voice.
fn alarm(m: &MemberView) -> Option<Line<'static>> {
    let name = if m.name.is_empty() { "somebody unknown" } else { &m.name };
    let said = match (m.voice, m.own) {
        (Trust::Vouched, _) => return None,
        (Trust::Forged, true) => "A forged voice in your name was dropped".to_owned(),
        (Trust::Forged, false) => format!("A forged voice in the name of {name} was dropped"),
        (Trust::Late, _) => {
            format!("The voice of {name} is not vouched for at the moment: not played")
        }
    };
    Some(Line::from(Span::styled(said, Style::new().fg(Color::Red).add_modifier(Modifier::BOLD))))
}

/// The lines of a call's room.
pub(super) fn lines(room: &RoomView, call: &CallView, view: &View) -> Vec<Line<'static>> {
    let secs = call.timer.as_secs();
    let mut lines = vec![
        Line::from(stage(room, call)),
        Line::from(format!("{:02}:{:02}", secs / 60, secs % 60)),
        Line::default(),
    ];
    lines.extend(crate::phone::rights::line(call, view).map(Line::from));
    let urgency = crate::phone::urgent::mark(room.urgency.max(call.precedence));
    lines.extend(urgency.map(Line::from));
    lines.extend(room.members.iter().map(|m| member(m, view.muted)));
    lines.extend(room.members.iter().filter_map(alarm));
    for b in &room.bringing {
        let name = view.contacts.iter().find(|c| c.id == b.contact).map_or("?", |c| &c.name);
        let state = match (b.over, b.rings) {
            (Some(end), _) => super::draw::ended(end),
            (None, true) => "rings",
            (None, false) => "is called",
        };
        lines.push(Line::from(format!("{name}  {}: {state}", role_word(b.role))));
        lines.extend(b.barred.as_ref().map(|why| Line::from(crate::phone::rules::barred(why))));
        lines.extend(b.night.as_ref().map(|said| Line::from(crate::phone::night::there(said))));
    }
    lines.push(Line::default());
    if room.role == Role::Attendant && room.stage == RoomStage::Arranging {
        let on = if room.announcing { "announce off" } else { "announce on" };
        lines.push(Line::from(format!(":bring [LEVEL] ROLE N EXPECTED   :{on}")));
        if let Some(missing) = room.missing {
            let word = crate::phone::rules::rule_word(missing);
            lines.push(Line::from(format!("By a rule, not without: {word}")));
        }
        if room.can_connect {
            lines.push(Line::from(":connect   you leave, and can hear nothing from then on"));
            // A duty officer stands in for a principal.
            let leads =
                |m: &&MemberView| matches!(m.role, Role::Principal | Role::DutyOfficer) && !m.gone;
            if room.members.iter().filter(leads).count() < 2 {
                lines
                    .push(Line::from("Only one principal is in the call: the other side's is not"));
            }
        }
    }
    lines
}

/// Draws a call of more than two.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    room: &RoomView,
    call: &CallView,
    view: &View,
) {
    let block =
        Block::new().borders(Borders::ALL).title(format!(" {} in the call ", room.members.len()));
    let mut text = lines(room, call, view);
    text.extend(super::draw::on_record(call).map(Line::from));
    for (mine, said, arrived) in &call.texts {
        let tick = if *mine && *arrived { " ✓" } else { "" };
        let from = if *mine { "you: " } else { "" };
        text.push(Line::from(format!("{from}{said}{tick}")));
    }
    for (_, note) in &call.minutes {
        text.push(Line::from(format!("for the record: {note}")));
    }
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }).block(block), area);
}
