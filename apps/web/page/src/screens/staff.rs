//! What a contact of the own staff sees, may do and did, and in whose name the person may call this contact, or come into its calls.

use leptos::prelude::*;
use protocol::{Command, ContactView, DelegationState, DelegationView, Lamp, Progress, Right};

use crate::app::App;
use crate::browser;
use crate::parts::fields::switch;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::spoken;
use crate::text::fill;
use crate::words::{self, Tone};

/// For how long a contact may call in the person's name. Days.
const DAYS: [u32; 4] = [1, 7, 30, 90];

/// Whether the contact sees what the person is doing, and may call in the own name.
pub(super) fn staff(app: App, id: u32) -> AnyView {
    let t = app.t();
    // Contacts are decided about on the first handset.
    let facts = app.part(move |v| {
        let fits = |c: &&ContactView| {
            c.id == id && c.progress == Progress::Accepted && !c.own_device && v.first_handset
        };
        v.contacts.iter().find(fits).map(|c| (c.name.clone(), c.own_office, c.lamp_shown))
    });
    let lent = app.part(move |v| v.delegations.iter().rev().find(|d| d.contact == id).cloned());
    (move || {
        let (name, own_office, lamp_shown) = facts.get()?;
        Some(view! {
            <section class="block" aria-labelledby="staff-title">
                <h2 id="staff-title">{t.staff}</h2>
                {own_office.then(|| view! {
                    {switch(t.staff_lamp, Some(t.staff_lamp_body), Signal::stored(lamp_shown),
                        Box::new(move |shown| app.command(Command::SetLamp { contact: id, shown })))}
                })}
                {move || lending(app, id, &name, lent.get())}
                {done(app, id)}
            </section>
        })
    })
    .into_any()
}

/// In the person's own name: what and until when, or what to allow from now on.
fn lending(app: App, id: u32, name: &str, lent: Option<DelegationView>) -> AnyView {
    let t = app.t();
    let time = |ms: f64| browser::day_and_time(ms, app.tag());
    let said = lent.as_ref().map(|d| {
        let (icon, tone, words) = match d.state {
            DelegationState::InForce => (Icon::Check, Tone::Good, fill(t.lend_until, &time(d.until_ms))),
            DelegationState::Expired => (Icon::Clock, Tone::Calm, fill(t.lend_over, &time(d.until_ms))),
            DelegationState::Revoked => (Icon::Block, Tone::Care, fill(t.lend_taken, &time(d.shown_until_ms))),
        };
        let rights = d.rights.clone();
        view! {
            {spoken(icon, tone, words)}
            <ul>{rights.into_iter().map(|of| view! { <li>{words::staff::right(of, t)}</li> }).collect_view()}</ul>
        }
    });
    let keys = match lent.filter(|d| d.state == DelegationState::InForce) {
        Some(DelegationView { number, .. }) => view! {
            <button class="danger-quiet" on:click=move |_| app.command(Command::RevokeDelegation { number })>{t.lend_back}</button>
        }
        .into_any(),
        None => lend(app, id),
    };
    view! {
        <p><strong>{t.lend}</strong></p>
        <p class="hint">{fill(t.lend_body, name)}</p>
        {said}
        {keys}
    }
    .into_any()
}

fn lend(app: App, id: u32) -> AnyView {
    let t = app.t();
    let days = RwSignal::new(DAYS[1]);
    let rights = RwSignal::new(vec![Right::Place]);
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let rights = rights.get_untracked();
        app.command(Command::Delegate { contact: id, rights, days: days.get_untracked() });
    };
    let toggle = move |right: Right| {
        rights.update(|all| match all.iter().position(|of| *of == right) {
            Some(at) => {
                all.remove(at);
            }
            None => all.push(right),
        });
    };
    view! {
        <form class="stack" on:submit=go>
            {Right::ALL.map(|right| {
                let held = Signal::derive(move || rights.with(|all| all.contains(&right)));
                switch(words::staff::right(right, t), None, held, Box::new(move |_| toggle(right)))
            }).into_iter().collect_view()}
            <label class="field">
                <span>{t.lend_days}</span>
                <select on:change=move |e| days.set(event_target_value(&e).parse().unwrap_or(DAYS[1]))>
                    {DAYS.map(|n| view! {
                        <option value=n.to_string() selected=move || days.get() == n>{n.to_string()}</option>
                    }).into_iter().collect_view()}
                </select>
            </label>
            <button type="submit" disabled=move || rights.with(Vec::is_empty)>{t.lend_go}</button>
        </form>
    }
    .into_any()
}

/// What the contact did with the person's contacts.
fn done(app: App, id: u32) -> AnyView {
    let t = app.t();
    let done = app
        .part(move |v| v.managed.iter().filter(|m| m.contact == id).cloned().collect::<Vec<_>>());
    (move || {
        let all = done.get();
        (!all.is_empty()).then(|| view! {
            <p><strong>{t.mg_done}</strong></p>
            <ul class="done-for-me">
                {all.iter().map(|m| {
                    let (state, what) = words::staff::managed(m, t);
                    view! {
                        <li>
                            <span dir="auto">{what}</span>
                            <span class="hint">{browser::day_and_time(m.at_ms, app.tag())}</span>
                            {spoken(state.icon, state.tone, state.words.to_owned())}
                        </li>
                    }
                }).collect_view()}
            </ul>
        })
    })
    .into_any()
}

/// Buttons to ring this contact in the names that the person may use.
pub(super) fn call_for(app: App, id: u32) -> AnyView {
    let t = app.t();
    let names = app.part(move |v| {
        let callable = v.contacts.iter().any(|c| c.id == id && words::callable(c));
        let may = |c: &&ContactView| callable && c.may.contains(&Right::Place) && c.id != id;
        v.contacts.iter().filter(may).map(|c| (c.id, c.name.clone())).collect::<Vec<_>>()
    });
    (move || {
        names.get().into_iter().map(|(principal, name)| view! {
            <button on:click=move |_| app.call_for(id, principal)>{icon(Icon::Phone)}<span>{fill(t.call_for, &name)}</span></button>
        }).collect_view()
    })
    .into_any()
}

/// Buttons to come into the call of this contact, who lets the person.
pub(super) fn join(app: App, id: u32) -> AnyView {
    let t = app.t();
    let may = app.part(move |v| {
        let joins = |c: &ContactView| {
            c.id == id
                && words::callable(c)
                && c.may.contains(&Right::Join)
                && matches!(c.lamp, None | Some(Lamp::OnCall))
        };
        v.contacts.iter().any(joins)
    });
    (move || may.get().then(|| view! {
        <button on:click=move |_| app.join(id, false)>{icon(Icon::People)}<span>{t.re_join}</span></button>
        <button on:click=move |_| app.join(id, true)>{icon(Icon::Pen)}<span>{t.re_listen}</span></button>
    }))
    .into_any()
}
