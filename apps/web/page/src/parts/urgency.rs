//! How urgent a call is to be: one of what may be chosen.

use leptos::prelude::*;
use protocol::Precedence;

use crate::app::App;
use crate::words;

/// A choice of precedences up to `highest`, with what stands over it.
pub fn choose(
    app: App,
    label: &'static str,
    highest: Precedence,
    chosen: Signal<Precedence>,
    choose: impl Fn(Precedence) + 'static,
) -> AnyView {
    let t = app.t();
    let options = Precedence::ALL.into_iter().enumerate().filter(|(_, of)| *of <= highest);
    view! {
        <label class="field urgency">
            <span>{label}</span>
            <select on:change=move |e| {
                let n: usize = event_target_value(&e).parse().unwrap_or_default();
                choose(Precedence::ALL.get(n).copied().unwrap_or_default());
            }>
                {options.map(|(n, of)| {
                    let sign = words::precedence(of, t).map(|(sign, _)| format!("{sign} ")).unwrap_or_default();
                    view! {
                        <option value=n.to_string() selected=move || chosen.get() == of>{sign}{words::level(of, t)}</option>
                    }
                }).collect_view()}
            </select>
        </label>
    }
    .into_any()
}
