//! Night service, in the page's words.

use protocol::Problem;

use super::rules::{hours, machines_hours};
use super::{machines_precedence, precedence, wall_ms};

pub(super) fn view(night: &phone::NightView) -> protocol::NightView {
    protocol::NightView {
        since_ms: night.on.map(|on| wall_ms(on.since)),
        until_ms: night.on.and_then(|on| on.until).map(wall_ms),
        rules: protocol::NightRules {
            staffed: night.rules.staffed.as_ref().map(hours),
            aloud: night.rules.aloud.map(precedence),
            instead: night.rules.instead.clone(),
        },
    }
}

pub(super) fn there(night: &phone::NightThere) -> protocol::NightThere {
    protocol::NightThere { until_ms: night.until.map(wall_ms), instead: night.instead.clone() }
}

/// What was decided, in the machine's words.
///
/// # Errors
/// There are no such hours.
pub(super) fn machines_rules(rules: protocol::NightRules) -> Result<phone::NightRules, Problem> {
    Ok(phone::NightRules {
        staffed: rules.staffed.map(machines_hours).transpose()?,
        aloud: rules.aloud.map(machines_precedence),
        instead: rules.instead,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_decided_goes_there_and_back() {
        let staffed = Some(protocol::Hours { days: 31, from: 540, until: 1_080, east: -90 });
        let aloud = Some(protocol::Precedence::Flash);
        let made = protocol::NightRules { staffed, aloud, instead: "Clara".into() };
        let rules = machines_rules(made.clone()).unwrap();
        assert_eq!(view(&phone::NightView { on: None, rules }).rules, made);
    }
}
