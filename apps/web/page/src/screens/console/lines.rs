//! Lines to other offices, as the exchange's tests find them.

use leptos::prelude::*;
use protocol::OfficeLineView;

use crate::app::App;
use crate::browser;
use crate::parts::icon::Icon;
use crate::parts::state::spoken;
use crate::text::{Text, fill};
use crate::words::Tone;

/// The list; nothing while no test is known.
pub(super) fn lines(app: App) -> AnyView {
    let t = app.t();
    let all = app.part(|v| v.office_lines.clone());
    let row = move |line: OfficeLineView| {
        let (of, tone, words) = said(&line, t, |ms| browser::day_and_time(ms, app.tag()));
        let tested = fill(t.ln_tested, &browser::clock(line.at_ms, app.tag()));
        let figures = match (line.lost_percent, line.round_trip_ms) {
            (Some(lost), Some(trip)) => format!("{lost:.1} % · {trip:.0} ms · {tested}"),
            _ => tested,
        };
        view! {
            <li class="queued">
                <span class="contact-words">
                    <strong dir="auto">{line.office}</strong>
                    <span class="hint">{figures}</span>
                </span>
                {spoken(of, tone, words)}
            </li>
        }
    };
    (move || {
        (!all.with(Vec::is_empty)).then(|| {
            view! {
                <section class="block" aria-labelledby="lines-title">
                    <h2 id="lines-title">{t.ln_title}</h2>
                    <p class="hint">{t.ln_body}</p>
                    <ul class="queue">{all.get().into_iter().map(row).collect_view()}</ul>
                </section>
            }
        })
    })
    .into_any()
}

/// How a line is.
fn said(
    line: &OfficeLineView,
    t: &'static Text,
    time: impl Fn(f64) -> String,
) -> (Icon, Tone, String) {
    match (line.failing_ms, line.works) {
        (Some(since), _) => (Icon::Alert, Tone::Bad, fill(t.ln_failing, &time(since))),
        (None, Some(true)) => (Icon::Check, Tone::Good, t.ln_works.to_owned()),
        (None, Some(false)) => (Icon::Alert, Tone::Care, t.ln_once.to_owned()),
        (None, None) => (Icon::Phone, Tone::Calm, t.ln_in_use.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lang;

    #[test]
    fn each_state_has_words_and_a_sign_of_its_own() {
        let line = |failing_ms, works| OfficeLineView {
            office: "Lisbon".into(),
            at_ms: 0.0,
            works,
            failing_ms,
            lost_percent: None,
            round_trip_ms: None,
        };
        for t in Lang::ALL.map(Lang::text) {
            let states =
                [(Some(1.0), Some(false)), (None, Some(true)), (None, Some(false)), (None, None)];
            let all =
                states.map(|(since, works)| said(&line(since, works), t, |_| "noon".into()).2);
            let different: std::collections::HashSet<_> = all.iter().collect();
            assert_eq!(different.len(), 4);
            assert!(all[0].contains("noon"), "since when");
        }
    }
}
