//! Night service, as people type and read it.
//!
//! ```text
//!  night on    night staffed Mon-Fri 09:00-18:00 +01:00    night instead Clara Duarte, duty officer    night aloud flash
//! ```

use call::hours;
use phone::{Command, NightThere, NightView, View};
use serde_json::{Value, json};

use super::position::local;
use super::urgent;

/// Minutes east of UTC of the clock by which times are shown: that of the hours, if there are any.
fn east(night: &NightView) -> i16 {
    night.rules.staffed.as_ref().map_or(0, wire::Hours::offset)
}

fn instead(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("; instead: {name}") }
}

/// Night service that is on, in a line; `None`: it is off.
pub(super) fn line(night: &NightView) -> Option<String> {
    let (on, east) = (night.on.as_ref()?, east(night));
    let until = on.until.map_or_else(|| "you turn it off".into(), |at| local(at, east));
    let aloud = night.rules.aloud.map(|level| format!("; {} rings aloud", level.word()));
    Some(format!(
        "NIGHT SERVICE since {} until {until}{}{}",
        local(on.since, east),
        instead(&night.rules.instead),
        aloud.unwrap_or_default()
    ))
}

/// What a called handset says of its night service.
pub(super) fn there(night: &NightThere) -> String {
    let until = night.until.map(|at| format!(" until {}", local(at, 0))).unwrap_or_default();
    format!("Night service there{until}{}", instead(&night.instead))
}

/// Night service for a program.
pub(super) fn json(night: &NightView) -> Value {
    json!({
        "on": night.on.is_some(), "since": night.on.map(|on| on.since.0),
        "until": night.on.and_then(|on| on.until).map(|at| at.0),
        "staffed": night.rules.staffed.as_ref().map(hours::words), "instead": night.rules.instead,
        "aloud": night.rules.aloud.map(wire::Precedence::word),
    })
}

/// Reads what follows `night`.
///
/// # Errors
/// What is wrong, for whoever typed it.
pub(super) fn read(text: &str, view: &View) -> Result<Command, String> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let mut rules = view.night.rules.clone();
    match (word, rest) {
        ("on", "") => return Ok(Command::Night { on: true }),
        ("off", "") => return Ok(Command::Night { on: false }),
        ("staffed", "always") => rules.staffed = None,
        ("staffed", text) => rules.staffed = Some(hours::read(text)?),
        ("instead", name) => rules.instead = name.into(),
        ("aloud", "none") => rules.aloud = None,
        ("aloud", level) => {
            let wrong = || format!("`{level}` is none of {}", urgent::words());
            rules.aloud = Some(urgent::read(level).ok_or_else(wrong)?);
        }
        _ => return Err("say night on, off, staffed, instead or aloud".into()),
    }
    Ok(Command::SetNight { rules })
}

/// A moment, for tests of what is shown.
#[cfg(test)]
pub(super) const MOMENT: wire::Wall = wire::Wall(1_699_884_000);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::screen::empty_view;

    #[test]
    fn one_thing_is_changed_and_the_others_stay() {
        let mut view = empty_view();
        for text in [
            "staffed Mon-Fri 09:00-18:00 +01:00",
            "instead Clara Duarte, duty officer",
            "aloud flash",
        ] {
            let Ok(Command::SetNight { rules }) = read(text, &view) else { panic!("{text}") };
            view.night.rules = rules;
        }
        assert_eq!(line(&view.night), None, "it is off");
        view.night.on = Some(call::night::On { since: MOMENT, until: None });
        assert_eq!(
            line(&view.night).as_deref(),
            Some(
                "NIGHT SERVICE since Mon 2023-11-13 15:00 +01:00 until you turn it off; \
                 instead: Clara Duarte, duty officer; flash rings aloud"
            )
        );
        assert!(matches!(read("staffed always", &view), Ok(Command::SetNight { rules })
            if rules.staffed.is_none() && !rules.instead.is_empty()));
        for (text, named) in [
            ("", "say night on"),
            ("on now", "say night on"),
            ("staffed soon", "Mon-Fri 09:00-18:00"),
            ("aloud red", "none of routine"),
        ] {
            assert!(matches!(read(text, &view), Err(why) if why.contains(named)), "{text}");
        }
        let said = there(&NightThere { until: Some(MOMENT), instead: "Clara".into() });
        assert_eq!(said, "Night service there until Mon 2023-11-13 14:00 +00:00; instead: Clara");
    }
}
