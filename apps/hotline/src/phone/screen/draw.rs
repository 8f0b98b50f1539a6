//! Each state has its own clear look, in words; colour only repeats what the words say.

use call::contact::{CardState, Keys, Progress};
use call::{CallState, Direction, End};
use phone::{CallView, ContactView, Doubt, LineState, View};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Borders, Clear, Gauge, List, ListItem, ListState, Paragraph, Wrap};
use voice::{Grade, Level};

use super::keys::{Pane, Prompt, State, incoming, live};
use crate::phone::console::{HELP, behalf, delegation, lamp_word};
use crate::phone::{manage, night, rights, rules, shift, transfer, urgent};

const KEYS: &str = "Enter call   c make a card   r redeem a card   v verify   t text   n texts   y history   C cards   : command   ? help   q quit";
const CALL_KEYS: &str =
    "e end   h hold or resume   m mute   t text   M note for the record   : command";

/// Draws everything.
pub(super) fn screen(frame: &mut Frame<'_>, view: &View, state: &State) {
    let [top, middle, bottom] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(8), Constraint::Length(4)])
            .areas(frame.area());
    frame.render_widget(Paragraph::new(header(view)), top);
    if let Some(call) = incoming(view) {
        ringing(frame, middle, call, view);
    } else {
        let [left, right] =
            Layout::horizontal([Constraint::Percentage(38), Constraint::Percentage(62)])
                .areas(middle);
        contacts(frame, left, view, state);
        match (live(view), &state.pane) {
            (Some(call), Pane::Contact) => match &call.room {
                Some(room) => super::room::draw(frame, right, room, call, view),
                None => in_call(frame, right, call, view),
            },
            (_, pane) => side(frame, right, pane, view, state),
        }
    }
    footer(frame, bottom, view, state);
}

fn bold(text: impl Into<String>) -> Span<'static> {
    Span::styled(text.into(), Style::new().add_modifier(Modifier::BOLD))
}

fn header(view: &View) -> Line<'static> {
    let (lamp, colour) = match view.line {
        LineState::Up => ("● line up", Color::Green),
        LineState::Connecting => ("◌ line connecting", Color::Yellow),
        LineState::Down => ("○ line down, trying again", Color::Red),
        LineState::NotEnrolled => ("○ not enrolled", Color::Red),
    };
    let mut spans = vec![
        bold(" Hotline "),
        Span::raw(format!(" {}, {}   ", view.name, view.office)),
        Span::styled(lamp, Style::new().fg(colour)),
    ];
    if view.away {
        spans.push(bold("   away: calls come in silently"));
    }
    if let Some(night) = night::line(&view.night) {
        spans.push(bold(format!("   {night}")));
    }
    if view.missed > 0 {
        spans.push(bold(format!("   {} missed: press y", view.missed)));
    }
    if view.mail_waiting > 0 {
        spans.push(Span::raw(format!("   {} messages wait for the line", view.mail_waiting)));
    }
    if view.store_fails {
        let warn = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
        spans.push(Span::styled("   DISK FULL", warn));
    }
    Line::from(spans)
}

fn contacts(frame: &mut Frame<'_>, area: Rect, view: &View, state: &State) {
    let items: Vec<ListItem<'_>> = view
        .contacts
        .iter()
        .map(|c| {
            ListItem::new(Text::from(vec![
                Line::from(bold(c.name.clone())),
                Line::from(match c.lamp {
                    Some(lamp) => format!("  {} · {}", c.office, lamp_word(lamp)),
                    None => format!("  {} · {}", c.office, contact_state(c)),
                }),
            ]))
        })
        .collect();
    let empty = items.is_empty();
    let block = Block::new().borders(Borders::ALL).title(" Contacts ");
    if empty {
        let hint =
            "Nobody yet.\n\nMake a card (c) for somebody, or redeem one (r) that you were given.";
        frame.render_widget(Paragraph::new(hint).wrap(Wrap { trim: true }).block(block), area);
        return;
    }
    let list = List::new(items)
        .block(block)
        .highlight_symbol("▶ ")
        .highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut selection = ListState::default().with_selected(Some(state.selected));
    frame.render_stateful_widget(list, area, &mut selection);
}

/// A contact's state in words.
fn contact_state(c: &ContactView) -> &'static str {
    match (c.progress, c.keys) {
        (_, Keys::Alarmed) => "WORDS DIFFERED: do not trust",
        (Progress::Accepted, Keys::Verified) if c.own_device => "another handset of yours",
        (Progress::Accepted, _) if c.own_device => "wants to be a handset of yours: press v",
        (Progress::Redeeming, _) => "redeeming the card",
        (Progress::Redeemed, _) => "redeemed, not accepted yet",
        (Progress::Refused, _) => "card no longer valid",
        (Progress::Revoked, _) => "revoked",
        (Progress::Gone, _) => "ended by the other side",
        (Progress::Accepted, _) if c.blocked => "blocked",
        (Progress::Accepted, Keys::Unverified) => "not verified: press v",
        (Progress::Accepted, Keys::Pinned) => "card handed over in person",
        (Progress::Accepted, Keys::Verified) => "verified",
    }
}

/// A call's state in words.
fn call_state(state: CallState) -> &'static str {
    match state {
        CallState::Calling => "Calling",
        CallState::Reached => "Reached",
        CallState::Ringing => "Ringing",
        CallState::RingingHere => "Incoming",
        CallState::Connecting => "Connecting",
        CallState::Connected => "Connected",
        CallState::HeldByMe => "On hold",
        CallState::HeldByOther => "Held by the other side",
        CallState::Reconnecting => "Reconnecting",
        CallState::Ended(end) => ended(end),
    }
}

pub(super) fn ended(end: End) -> &'static str {
    match end {
        End::ByMe => "Ended",
        End::ByOther => "Ended by the other side",
        End::Cancelled => "Cancelled",
        End::Busy => "Busy",
        End::Declined => "Declined",
        End::NoAnswer => "No answer",
        End::Unreachable => "Cannot be reached",
        End::NoPath => "All voice paths in use",
        End::Missed => "Missed",
        End::DeclinedByMe => "Declined",
        End::Elsewhere => "Answered on another handset",
        End::Glare => "Both called; the other call goes on",
        End::Lost => "Connection lost",
        End::NoKeys => "No keys for the call",
        End::ByRule(_) => "Not by the rules",
        End::Moved => "Goes on at another handset of yours",
    }
}

fn name(view: &View, contact: u32) -> (String, String) {
    let found = view.contacts.iter().find(|c| c.id == contact);
    found.map_or_else(|| ("Unknown".into(), String::new()), |c| (c.name.clone(), c.office.clone()))
}

fn ringing(frame: &mut Frame<'_>, area: Rect, call: &CallView, view: &View) {
    let (who, office) = name(view, call.contact);
    let silent = call.sound == Some(call::Sound::Silent);
    let asked = call.asked.as_ref().map(|(role, office, expected)| {
        let as_what = crate::phone::console::role_word(*role);
        format!("to be in a call with {} as {as_what}", super::room::expected(expected, office))
    });
    let asked = asked.unwrap_or_default();
    let text = Text::from(vec![
        Line::default(),
        Line::from(bold(match (urgent::mark(call.precedence), silent) {
            (None, false) => "Incoming call".to_owned(),
            (None, true) => "Incoming call (silenced)".to_owned(),
            (Some(mark), false) => format!("{mark}   Incoming call"),
            (Some(mark), true) => format!("{mark}   Incoming call (silenced)"),
        })),
        Line::from(match call.rings_over {
            true => "more urgent than the call under way, which is held if you answer",
            false => "",
        }),
        Line::from(bold(who)),
        Line::from(office),
        Line::default(),
        Line::from(format!("for {}", view.name)),
        Line::from(asked),
        Line::from(bold(call.behalf.as_ref().map(behalf).unwrap_or_default())),
        Line::from(rights::line(call, view).unwrap_or_default()),
        Line::from("[a] Answer      [d] Decline      [i] Ignore: nobody is told"),
    ]);
    frame.render_widget(Clear, area);
    let block = Block::new().borders(Borders::ALL).border_style(Style::new().fg(Color::Green));
    frame.render_widget(Paragraph::new(text).alignment(Alignment::Center).block(block), area);
}

fn in_call(frame: &mut Frame<'_>, area: Rect, call: &CallView, view: &View) {
    let (who, office) = name(view, call.contact);
    let block = Block::new().borders(Borders::ALL).title(format!(" {} ", call_state(call.state)));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [title, levels, quality, texts] = Layout::vertical([
        Constraint::Length(8),
        Constraint::Length(4),
        Constraint::Length(3),
        Constraint::Min(1),
    ])
    .areas(inner);
    let secs = call.timer.as_secs();
    let mark = urgent::mark(call.precedence).map(|mark| format!("   {mark}")).unwrap_or_default();
    let mut lines = vec![
        Line::from(bold(format!("{who}{mark}"))),
        Line::from(office),
        Line::from(format!("{}   {:02}:{:02}", call_state(call.state), secs / 60, secs % 60)),
    ];
    lines.extend(aside(call, &who).map(|said| Line::from(bold(said))));
    lines.extend(call.night.as_ref().map(|said| Line::from(bold(night::there(said)))));
    lines.extend(rights::line(call, view).map(|said| Line::from(bold(said))));
    let known = view.contacts.iter().find(|c| c.id == call.contact).map(|c| c.keys);
    lines.push(Line::from(match known {
        Some(Keys::Verified | Keys::Pinned) => {
            format!("Only you and {who} can hear: end to end, keys known.")
        }
        _ => "End to end; but compare the words (v) to know with whom.".to_string(),
    }));
    let words = view.contacts.iter().find(|c| c.id == call.contact).and_then(|c| c.words.as_ref());
    if let Some((mine, theirs)) = words {
        lines.push(Line::from(format!("Words: yours {mine}; theirs {theirs}")));
    }
    if let Some(of) = &call.behalf {
        lines.push(Line::from(bold(behalf(of))));
    }
    if let Some(parked) = &call.parked {
        lines.push(Line::from(bold(format!("Parked: {}", parked.reason))));
    }
    if let Some(words) = transfer::words(call, view) {
        lines.push(Line::from(bold(words)));
    }
    if let Some(kept) = on_record(call) {
        lines.push(Line::from(bold(kept)));
    }
    frame.render_widget(Paragraph::new(lines), title);

    let [mine, theirs] =
        Layout::vertical([Constraint::Length(2), Constraint::Length(2)]).areas(levels);
    let you = if view.muted { "You (muted)" } else { "You" };
    meter(frame, mine, you, view.mic);
    let other = if call.muted_by_other { format!("{who} (muted)") } else { who };
    meter(frame, theirs, &other, call.level);

    let sound = call.quality.as_ref().map_or_else(
        || "nothing heard now".to_string(),
        |q| {
            let grade = match q.grade {
                Grade::Excellent => "excellent",
                Grade::Good => "good",
                Grade::Fair => "fair",
                Grade::Poor => "poor",
            };
            format!(
                "Sound is {grade}: {:.1} % lost, {:.0} % of that rebuilt, {:.0} ms buffered",
                q.loss_percent, q.rebuilt_percent, q.delay_ms
            )
        },
    );
    frame.render_widget(Paragraph::new(sound).wrap(Wrap { trim: true }), quality);
    let said: Vec<Line<'_>> = call
        .texts
        .iter()
        .map(|(mine, text, arrived)| {
            let from = if *mine { "you" } else { "they" };
            let tick = if *mine && *arrived { " ✓" } else { "" };
            Line::from(format!("{from}: {text}{tick}"))
        })
        .chain(call.minutes.iter().map(|(_, text)| Line::from(format!("for the record: {text}"))))
        .collect();
    frame.render_widget(Paragraph::new(said).wrap(Wrap { trim: true }), texts);
}

/// What became of a call because of a more urgent one, and that nobody answered one that was.
pub(super) fn aside(call: &CallView, who: &str) -> Option<String> {
    let urgent = call.precedence.word();
    match call.state {
        CallState::HeldByOther if call.preempted.by_other => {
            Some(format!("A more urgent call came to {who}: stay on, or call later"))
        }
        CallState::HeldByMe if call.goes_back => {
            Some(format!("The more urgent call is over: h goes back to {who}"))
        }
        CallState::HeldByMe if call.preempted.by_me => {
            Some("Set aside for a more urgent call".into())
        }
        CallState::Ended(End::NoAnswer) if call.precedence.is_urgent() => Some(format!(
            "Nobody answered, though it rang as {urgent}: try somebody else, or staff"
        )),
        _ => None,
    }
}

/// Who keeps a record of a call, in words.
pub(super) fn on_record(call: &CallView) -> Option<&'static str> {
    Some(match (call.on_record, call.on_record_there) {
        (true, true) => "ON THE RECORD of both offices: facts and notes, no speech",
        (true, false) => "ON THE RECORD of your office: facts and notes, no speech",
        (false, true) => "ON THE RECORD of the other office: facts and notes, no speech",
        (false, false) => return None,
    })
}

/// Appointments, the earliest first.
fn agenda_text(view: &View) -> Text<'static> {
    if view.agenda.is_empty() {
        return Text::from("No appointments. They are made on the console of the web handset.");
    }
    let line = |a| Line::from(crate::phone::position::line(a, view));
    Text::from(view.agenda.iter().map(line).collect::<Vec<_>>())
}

/// The lines to other offices, in words.
fn lines_text(view: &View) -> Text<'static> {
    if view.office_lines.is_empty() {
        return Text::from(
            "No test of a line is known. Tests are shown at a switchboard position (`position on`), of offices where you have contacts, if your exchange makes any.",
        );
    }
    let line = |l| Line::from(crate::phone::position::office_line(l));
    Text::from(view.office_lines.iter().map(line).collect::<Vec<_>>())
}

/// The record, in words.
fn record_text(view: &View) -> Text<'static> {
    let r = &view.record;
    let mut lines = Vec::new();
    if let Some(asked) = &r.asked {
        lines.push(Line::from(bold(
            "Your exchange names a records officer that nobody vouched for:",
        )));
        lines.push(Line::from(format!("  {asked}")));
        lines.push(Line::from("Have the officer read the fingerprint to you. If it is the same:"));
        lines.push(Line::from("  :record accept FINGERPRINT"));
        lines.push(Line::from(
            "If it is not, tell them: somebody wants to read your office's record.",
        ));
        lines.push(Line::default());
    }
    let calls = match r.calls {
        record::Calls::None => "No calls go on the record.",
        record::Calls::Answered => "Calls that are answered go on the record: who, when and notes.",
        record::Calls::All => "All calls go on the record, missed ones too: who, when and notes.",
    };
    lines.push(Line::from(calls));
    if let Some(officer) = &r.officer {
        lines.push(Line::from("Only the records officer with this fingerprint can read it:"));
        lines.push(Line::from(format!("  {officer}")));
    }
    lines.push(Line::from(format!("You stand in it as {}", r.mark)));
    lines.push(Line::from(format!(
        "Entries of this handset: {}, {} of them wait",
        r.entries, r.waiting
    )));
    if let Some(size) = r.proved {
        lines.push(Line::from(format!("Proved last in a record of {size} entries")));
    }
    if let Some(doubt) = r.doubt {
        lines.push(Line::default());
        lines.push(Line::from(bold(doubt_in_words(doubt))));
    }
    Text::from(lines)
}

/// What does not look right, and what to do.
pub(super) fn doubt_in_words(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::OtherOfficer => {
            "The exchange names another records officer than yours, without that one's word: not obeyed. Ask the officer."
        }
        Doubt::OldOrder => {
            "The exchange came with an old order of the records officer: not obeyed."
        }
        Doubt::BadProof => {
            "The exchange took an entry of the record without proving it: it is kept, and sent again. Tell the officer."
        }
        Doubt::RolledBack => "The record has fewer entries than it had: tell the records officer.",
    }
}

/// A level from -60 dBFS (empty) to 0 (full).
fn meter(frame: &mut Frame<'_>, area: Rect, who: &str, level: Level) {
    let full = f64::from(((level.rms + 60.0) / 60.0).clamp(0.0, 1.0));
    let colour = if level.peak > -1.0 { Color::Red } else { Color::Green };
    let gauge = Gauge::default()
        .gauge_style(Style::new().fg(colour))
        .ratio(if full.is_nan() { 0.0 } else { full })
        .label(who.to_owned());
    frame.render_widget(gauge, Rect { height: 1, ..area });
}

fn side(frame: &mut Frame<'_>, area: Rect, pane: &Pane, view: &View, state: &State) {
    let (title, text) = match pane {
        Pane::Contact => {
            let mut text = contact_text(view, state);
            for (at, line) in transfer::lines(view).into_iter().enumerate() {
                text.lines.insert(at, Line::from(bold(line)));
            }
            (" Contact ", text)
        }
        Pane::Cards => (" Cards ", cards_text(view)),
        Pane::History => (" History ", history_text(view)),
        Pane::Notes => (" Texts ", notes_text(view)),
        Pane::Record => (" Record ", record_text(view)),
        Pane::Delegations => (" In your name ", delegations_text(view)),
        Pane::Agenda => {
            let mut text = agenda_text(view);
            for (at, line) in shift::lines(view).into_iter().enumerate() {
                text.lines.insert(at, Line::from(bold(line)));
            }
            (" Appointments ", text)
        }
        Pane::Lines => (" Lines to other offices ", lines_text(view)),
        Pane::Help => (
            " Help ",
            Text::from(format!("{KEYS}\n\nIn a call: {CALL_KEYS}\n\nAfter a colon:\n{HELP}")),
        ),
        Pane::Verify { contact, choices } => {
            let (who, _) = name(view, *contact);
            let mine = view.contacts.iter().find(|c| c.id == *contact);
            let mine = mine.and_then(|c| c.words.as_ref()).map(|w| w.0.to_string());
            let mut lines = vec![
                Line::from(format!("Your words, which {who} has to pick on the other side:")),
                Line::default(),
                Line::from(bold(format!("    {}", mine.unwrap_or_default()))),
                Line::default(),
                Line::from(format!("Which of these does {who} read to you?")),
                Line::default(),
            ];
            for (n, words) in choices.options().iter().enumerate() {
                lines.push(Line::from(format!("  [{}] {words}", n + 1)));
            }
            lines.push(Line::from("  [x] none of them"));
            lines.push(Line::from("  [Esc] later"));
            (" Verify ", Text::from(lines))
        }
    };
    let block = Block::new().borders(Borders::ALL).title(title);
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }).block(block), area);
}

fn contact_text(view: &View, state: &State) -> Text<'static> {
    let Some(c) = state.contact(view) else { return Text::from("") };
    let mut lines = vec![
        Line::from(bold(c.name.clone())),
        Line::from(c.office.clone()),
        Line::default(),
        Line::from(format!("State     {}", contact_state(c))),
        Line::from(format!("Calls     {}", if c.used { "have been made" } else { "none yet" })),
        Line::from(format!(
            "Next call {}",
            if c.ready { "keys are ready" } else { "keys are being made" }
        )),
        Line::from(format!(
            "Told      {}",
            if c.trusted {
                "that it rings, that you are busy or decline, and your rules"
            } else {
                "nothing: it just rings out"
            }
        )),
    ];
    if let Some(lamp) = c.lamp {
        lines.push(Line::from(format!("Lamp      {}", lamp_word(lamp))));
    }
    if c.may_call_for.is_some() {
        lines.push(Line::from("Calls     you may call others in this contact's name"));
    }
    if c.may.hold(seal::delegation::Rights::JOIN) {
        lines.push(Line::from(format!("Joins     you may come into its calls: `:join {}`", c.id)));
    }
    if c.lamp_shown {
        lines.push(Line::from("Sees      your lamp: free, ringing, on a call, away"));
    }
    if let Some((mine, _)) = &c.words {
        lines.push(Line::from(format!("Words     {mine}")));
    }
    if let Some(own) = rules::own(c, view) {
        lines.push(Line::from(format!("Your rule {own}")));
    }
    if let Some(theirs) = rules::theirs(c) {
        lines.push(Line::from(format!("Theirs    {theirs}")));
    }
    if let Some(barred) = &c.barred {
        lines.push(Line::from(bold(format!("No call   {}", rules::barred(barred)))));
    }
    if let Some(last) = view.calls.iter().rev().find(|k| k.contact == c.id) {
        lines.push(Line::default());
        lines.push(Line::from(bold(call_state(last.state))));
        lines.extend(last.barred.as_ref().map(|why| Line::from(rules::barred(why))));
        lines.extend(aside(last, &c.name).map(|said| Line::from(bold(said))));
        lines.extend(last.night.as_ref().map(|said| Line::from(bold(night::there(said)))));
        lines.extend(rights::line(last, view).map(|said| Line::from(bold(said))));
    }
    Text::from(lines)
}

fn delegations_text(view: &View) -> Text<'static> {
    let nobody = "Nobody may do anything in your name. `:delegate N RIGHTS DAYS` lets contact N: place, receive, screen, join, manage.";
    let mut lines: Vec<String> = view.delegations.iter().map(|d| delegation(d, view)).collect();
    if lines.is_empty() {
        lines.push(nobody.into());
    }
    lines.extend(manage::lines(view));
    lines.into_iter().map(Line::from).collect()
}

fn cards_text(view: &View) -> Text<'static> {
    let mut lines = Vec::new();
    for card in &view.cards {
        let state = match card.state {
            CardState::Issuing => "being made",
            CardState::Issued => "can be redeemed, once",
            CardState::Used { .. } => "redeemed",
            CardState::Expired => "expired",
            CardState::Revoked => "withdrawn",
        };
        lines.push(Line::from(format!("{:>3}  {}: {state}", card.id, card.hint)));
    }
    let open = view.cards.iter().rev().find_map(|card| card.link.as_deref());
    if let Some(link) = open {
        lines.push(Line::default());
        lines.push(Line::from(link.to_owned()));
        if let Ok(code) = seal::card::qr::terminal(link) {
            lines.extend(code.lines().map(|line| Line::from(line.to_owned())));
        }
    }
    if lines.is_empty() {
        lines.push(Line::from("No cards. Press c to make one for somebody."));
    }
    Text::from(lines)
}

fn history_text(view: &View) -> Text<'static> {
    if view.history.is_empty() {
        return Text::from("No calls yet.");
    }
    view.history
        .iter()
        .map(|h| {
            let (who, _) = name(view, h.contact);
            let arrow = match h.direction {
                Direction::Placed => "→",
                Direction::Received => "←",
            };
            let secs = h.talked.as_secs();
            let talked = if secs > 0 {
                format!("  {:02}:{:02}", secs / 60, secs % 60)
            } else {
                String::new()
            };
            let rule = h.barred.as_ref().map(|b| format!(": {}", rules::barred(b)));
            let end = format!("{}{}", ended(h.end), rule.unwrap_or_default());
            let mark = urgent::mark(h.precedence).map(|m| format!("  {m}")).unwrap_or_default();
            Line::from(format!("{}  {arrow} {who}: {end}{talked}{mark}", ago(h.at.0)))
        })
        .collect()
}

fn notes_text(view: &View) -> Text<'static> {
    if view.notes.is_empty() {
        return Text::from("No texts yet. Press t to write to the selected contact.");
    }
    view.notes
        .iter()
        .map(|n| {
            let (who, _) = name(view, n.contact);
            let way = if n.sent { format!("you to {who}") } else { who };
            let text = n
                .card
                .as_ref()
                .map_or_else(|| n.text.clone(), |card| format!("hands you a card: {card}"));
            Line::from(format!("{}  {way}: {text}", ago(n.at.0)))
        })
        .collect()
}

/// A time of day, as a distance: no time zone is needed for it.
fn ago(at: u64) -> String {
    let now = crate::host::Clock::start().wall().0;
    match now.saturating_sub(at) {
        s @ 0..60 => format!("{s:>3} s ago"),
        s @ 60..3_600 => format!("{:>3} min ago", s / 60),
        s @ 3_600..86_400 => format!("{:>3} h ago", s / 3_600),
        s => format!("{:>3} days ago", s / 86_400),
    }
}

fn footer(frame: &mut Frame<'_>, area: Rect, view: &View, state: &State) {
    let label = match state.prompt {
        Prompt::None => None,
        Prompt::Command => Some("Command"),
        Prompt::Card => Some("A card for whom?"),
        Prompt::Redeem => Some("The card's link"),
        Prompt::Text => Some("Text"),
        Prompt::Minute => Some("Note for the record"),
    };
    let line = match label {
        Some(label) => format!("{label}: {}▏", state.typed),
        None => state.said.clone(),
    };
    let keys = if live(view).is_some() { CALL_KEYS } else { KEYS };
    let text = Text::from(vec![Line::from(keys), Line::from(line)]);
    let block = Block::new().borders(Borders::TOP);
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }).block(block), area);
}
