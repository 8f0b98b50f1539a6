//! Rules for calls with a contact: the person's, to be made here, and the contact's, as it told them.

use leptos::prelude::*;
use protocol::{Barred, Command, ContactView, Progress, Rules};

use crate::app::App;
use crate::parts::fields::switch;
use crate::parts::hours;
use crate::parts::icon::Icon;
use crate::parts::state::spoken;
use crate::text::{Text, fill};
use crate::words::{self, Tone};

/// The person's own rules.
pub(super) fn own(app: App, id: u32, name: &str, rules: Rules<u32>) -> AnyView {
    let t = app.t();
    let choice = hours::Choice::new(rules.hours);
    let staff = RwSignal::new(rules.staff);
    let interpreter = RwSignal::new(rules.interpreter);
    let note_taker = RwSignal::new(rules.note_taker);
    let arranges =
        |c: &&ContactView| c.id != id && c.progress == Progress::Accepted && !c.own_device;
    let others = app.view.with_untracked(|v| {
        v.contacts.iter().filter(arranges).map(|c| (c.id, c.name.clone())).collect::<Vec<_>>()
    });
    let save = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let rules = Rules {
            staff: staff.get_untracked(),
            hours: choice.get(),
            interpreter: interpreter.get_untracked(),
            note_taker: note_taker.get_untracked(),
        };
        // How urgent its calls may be has a field of its own, and stays.
        let highest = app.contact(id).get_untracked().map(|c| c.granted).unwrap_or_default();
        let command = Command::SetRules { contact: id, rules, highest };
        app.want(command, move || app.notify(t.done.to_owned(), false));
    };
    let needs = |label, on: RwSignal<bool>| {
        switch(label, None, on.into(), Box::new(move |now| on.set(now)))
    };
    view! {
        <section class="block" aria-labelledby="rules-title">
            <h2 id="rules-title">{fill(t.ru_title, name)}</h2>
            <p class="hint">{t.ru_body}</p>
            <form class="stack" on:submit=save>
                <label class="field">
                    <span>{t.ru_who}</span>
                    <select on:change=move |e| staff.set(event_target_value(&e).parse().ok())>
                        <option value="" selected=move || staff.get().is_none()>{t.ru_direct}</option>
                        {others.into_iter().map(|(id, name)| view! {
                            <option value=id.to_string() selected=move || staff.get() == Some(id)>{name}</option>
                        }).collect_view()}
                    </select>
                </label>
                {choice.fields(app, t.ru_hours_only, None, t.ru_days)}
                {needs(t.ru_interpreter, interpreter)}
                {needs(t.ru_note_taker, note_taker)}
                <button type="submit">{t.save}</button>
            </form>
        </section>
    }
    .into_any()
}

/// The contact's rules, if it told any.
pub(super) fn theirs(app: App, c: &ContactView) -> Option<AnyView> {
    let t = app.t();
    let rules = &c.their_rules;
    let staff = rules.staff.as_ref().map(|name| match name.as_str() {
        "" => t.ru_staff.to_owned(),
        name => format!("{}: {name}", t.ru_staff),
    });
    let hours = rules.hours.map(|of| hours::said(app, of));
    let interpreter = rules.interpreter.then(|| t.ru_interpreter.to_owned());
    let note_taker = rules.note_taker.then(|| t.ru_note_taker.to_owned());
    let said: Vec<_> = [staff, hours, interpreter, note_taker].into_iter().flatten().collect();
    (!said.is_empty()).then(|| {
        view! {
            <section class="block">
                <h2>{fill(t.ru_theirs, &c.name)}</h2>
                <ul>{said.into_iter().map(|words| view! { <li dir="auto">{words}</li> }).collect_view()}</ul>
            </section>
        }
        .into_any()
    })
}

/// The rule that keeps a call from coming about, and whom to turn to.
pub(super) fn barred(barred: &Barred, t: &'static Text) -> AnyView {
    view! {
        {spoken(Icon::Block, Tone::Care, words::rule(barred.rule, t).to_owned())}
        {lifted_by(barred, t)}
    }
    .into_any()
}

/// Whom to turn to, if that is known.
pub(super) fn lifted_by(barred: &Barred, t: &'static Text) -> Option<AnyView> {
    let names = barred.lifted_by.join(", ");
    (!names.is_empty())
        .then(|| view! { <p class="explain" dir="auto">{fill(t.ru_by, &names)}</p> }.into_any())
}
