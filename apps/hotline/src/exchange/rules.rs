//! The office's rules about its own lines, as the operator writes and reads them.
//!
//! ```text
//!  Anna    no calls with other offices but through staff                    ask Ada, room 12
//!  Boris   calls with other offices: Mon-Fri 09:00-18:00 +01:00             ask the duty officer
//! ```

use std::fmt::Write;

use call::hours;
use exchange::{OfficeRule, RuleInfo};
use wire::Text;
use wire::limits::LIFTS_MAX;

use super::control::RuleStatus;

/// A rule from what the operator wrote; none if it lifts all.
///
/// # Errors
/// What is wrong with it, and what to do.
pub(super) fn read(
    staff: bool,
    open: Option<&str>,
    lifts: &str,
) -> Result<Option<OfficeRule>, String> {
    let hours = open.map(hours::read).transpose()?;
    if !staff && hours.is_none() {
        return Ok(None);
    }
    let lifts = lifts.trim();
    if lifts.is_empty() || lifts.chars().any(char::is_control) {
        return Err(
            "say with --ask, on one line, who can lift the rule: the person whom it stops reads it"
                .into(),
        );
    }
    let long = |_| format!("who can lift it is told in at most {LIFTS_MAX} bytes");
    let lifts: Text<LIFTS_MAX> = Text::new(lifts.to_owned()).map_err(long)?;
    Ok(Some(OfficeRule { staff, hours, lifts }))
}

/// What an operator is told.
pub(super) fn answer(rules: Vec<RuleInfo>) -> Vec<RuleStatus> {
    let status = |info: RuleInfo| RuleStatus {
        principal: info.principal.as_str().to_owned(),
        staff: info.rule.staff,
        hours: info.rule.hours.as_ref().map(hours::words),
        lifts: info.rule.lifts.as_str().to_owned(),
    };
    rules.into_iter().map(status).collect()
}

/// The same for a terminal.
pub(super) fn page(rules: &[RuleStatus]) -> String {
    let mut out = String::new();
    if rules.is_empty() {
        out.push_str("no rules: everybody here calls other offices, and is rung from there\n");
    }
    let width = rules.iter().map(|rule| rule.principal.chars().count()).max().unwrap_or(0);
    for RuleStatus { principal, staff, hours, lifts } in rules {
        let what = match (staff, hours) {
            (true, _) => "no calls with other offices but through staff".to_owned(),
            (false, Some(hours)) => format!("calls with other offices: {hours}"),
            (false, None) => "nothing".to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{principal:<width$}   {what:<60}   ask {lifts}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_as_it_is_listed_and_names_who_can_lift_it() {
        assert_eq!(read(false, None, ""), Ok(None));
        let rule = read(false, Some("Mon-Fri 09:00-18:00 +01:00"), " Ada, room 12 ").unwrap();
        let principal = Text::new("Anna").unwrap();
        let list = answer(vec![RuleInfo { principal, rule: rule.unwrap() }]);
        let shown = page(&list);
        assert!(shown.contains("calls with other offices: Mon-Fri 09:00-18:00 +01:00"), "{shown}");
        assert!(shown.contains("Anna ") && shown.contains("ask Ada, room 12"), "{shown}");
        let rule = read(true, None, "Ada").unwrap().unwrap();
        assert!(rule.staff && rule.hours.is_none());
        for (open, lifts, named) in [
            (None, "", "who can lift"),
            (None, "Ada\u{1b}[2J", "who can lift"),
            (None, &*"a".repeat(65), "at most 64 bytes"),
            (Some("soon"), "Ada", "Mon-Fri 09:00-18:00"),
        ] {
            assert!(matches!(read(true, open, lifts), Err(why) if why.contains(named)), "{named}");
        }
        assert!(page(&[]).contains("no rules"));
    }
}
