//! Night service: whether it is on, the switch, and what is decided about it.

use leptos::prelude::*;
use protocol::{Command, NightRules, Precedence};

use crate::app::App;
use crate::browser;
use crate::parts::hours;
use crate::parts::icon::{Icon, icon};
use crate::text::{Text, fill};
use crate::words;

/// Night service that is on, in words, with its times in the person's way of writing them.
pub fn said(app: App, night: &protocol::NightView) -> Option<String> {
    let t = app.t();
    let time = |at| browser::day_and_time(at, app.tag());
    let since = fill(t.ng_since, &time(night.since_ms?));
    let until =
        night.until_ms.map_or_else(|| t.ng_until_off.to_owned(), |at| fill(t.ng_until, &time(at)));
    let instead = instead(&night.rules.instead, t);
    Some([Some(since), Some(until), instead].into_iter().flatten().collect::<Vec<_>>().join(" · "))
}

/// What the other side of a call says of its night service.
pub fn there(app: App, night: &protocol::NightThere) -> String {
    let t = app.t();
    let until = night.until_ms.map(|at| fill(t.ng_until, &browser::day_and_time(at, app.tag())));
    let parts = [Some(t.ng_there.to_owned()), until, instead(&night.instead, t)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn instead(name: &str, t: &'static Text) -> Option<String> {
    (!name.is_empty()).then(|| fill(t.ng_call_instead, name))
}

/// The switch.
pub fn switch(app: App) -> AnyView {
    let t = app.t();
    let on = app.part(|v| v.night.since_ms.is_some());
    view! {
        <button class="night" class:pressed=move || on.get() aria-pressed=move || on.get().to_string()
            on:click=move |_| app.command(Command::Night { on: !on.get_untracked() })>
            {icon(Icon::Moon)}<span>{t.ng_title}</span>
        </button>
    }
    .into_any()
}

/// The switch, and what is decided: hours, who answers instead, what rings all the same.
pub fn block(app: App) -> AnyView {
    let t = app.t();
    let now = app.view.with_untracked(|v| v.night.rules.clone());
    let hours = hours::Choice::new(now.staffed);
    let name = RwSignal::new(now.instead);
    let aloud = RwSignal::new(now.aloud.unwrap_or_default());
    let save = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let rules = NightRules {
            staffed: hours.get(),
            aloud: Some(aloud.get_untracked()).filter(|of| *of > Precedence::Routine),
            instead: name.get_untracked().trim().to_owned(),
        };
        app.want(Command::SetNight { rules }, move || app.notify(t.done.to_owned(), false));
    };
    view! {
        <section class="block" aria-labelledby="night-title">
            <h2 id="night-title">{t.ng_title}</h2>
            <p class="hint">{t.ng_body}</p>
            {switch(app)}
            <form class="stack" on:submit=save>
                {hours.fields(app, t.ng_hours, Some(t.ng_hours_body), t.ng_days)}
                <label class="field">
                    <span>{t.ng_instead}</span>
                    <input type="text" maxlength="54" dir="auto" autocomplete="off"
                        prop:value=move || name.get() on:input=move |e| name.set(event_target_value(&e)) />
                    <span class="hint">{t.ng_instead_body}</span>
                </label>
                <label class="field">
                    <span>{t.ng_aloud}</span>
                    <select on:change=move |e| {
                        let n: usize = event_target_value(&e).parse().unwrap_or_default();
                        aloud.set(Precedence::ALL.get(n).copied().unwrap_or_default());
                    }>
                        {Precedence::ALL.into_iter().enumerate().map(|(n, of)| view! {
                            <option value=n.to_string() selected=move || aloud.get() == of>
                                {if of == Precedence::Routine { t.ng_aloud_none } else { words::level(of, t) }}
                            </option>
                        }).collect_view()}
                    </select>
                </label>
                <button type="submit">{t.save}</button>
            </form>
        </section>
    }
    .into_any()
}
