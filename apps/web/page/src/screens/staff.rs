//! What a contact of the own staff sees and may do, and in whose name the person may call this contact.

use leptos::prelude::*;
use protocol::{Command, ContactView, DelegationState, DelegationView, Progress};

use crate::app::App;
use crate::browser;
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
    let lent = app.part(move |v| v.delegations.iter().rev().find(|d| d.contact == id).copied());
    (move || {
        let (name, own_office, lamp_shown) = facts.get()?;
        Some(view! {
            <section class="block" aria-labelledby="staff-title">
                <h2 id="staff-title">{t.staff}</h2>
                {own_office.then(|| view! {
                    <label class="switch">
                        <input type="checkbox" role="switch" prop:checked=lamp_shown
                            on:change=move |_| app.command(Command::SetLamp { contact: id, shown: !lamp_shown }) />
                        <span><strong>{t.staff_lamp}</strong><span class="hint">{t.staff_lamp_body}</span></span>
                    </label>
                })}
                {move || lending(app, id, &name, lent.get())}
            </section>
        })
    })
    .into_any()
}

/// In the person's own name: until when, or for how long from now.
fn lending(app: App, id: u32, name: &str, lent: Option<DelegationView>) -> AnyView {
    let t = app.t();
    let time = |ms: f64| browser::day_and_time(ms, app.tag());
    let said = lent.map(|d| match d.state {
        DelegationState::InForce => {
            spoken(Icon::Check, Tone::Good, fill(t.lend_until, &time(d.until_ms)))
        }
        DelegationState::Expired => {
            spoken(Icon::Clock, Tone::Calm, fill(t.lend_over, &time(d.until_ms)))
        }
        DelegationState::Revoked => {
            spoken(Icon::Block, Tone::Care, fill(t.lend_taken, &time(d.shown_until_ms)))
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
        <p><strong>{t.lend}</strong><span class="hint">{fill(t.lend_body, name)}</span></p>
        {said}
        {keys}
    }
    .into_any()
}

fn lend(app: App, id: u32) -> AnyView {
    let t = app.t();
    let days = RwSignal::new(DAYS[1]);
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        app.command(Command::Delegate { contact: id, days: days.get_untracked() });
    };
    view! {
        <form class="row" on:submit=go>
            <label class="field">
                <span>{t.lend_days}</span>
                <select on:change=move |e| days.set(event_target_value(&e).parse().unwrap_or(DAYS[1]))>
                    {DAYS.map(|n| view! {
                        <option value=n.to_string() selected=move || days.get() == n>{n.to_string()}</option>
                    }).into_iter().collect_view()}
                </select>
            </label>
            <button type="submit">{t.lend_go}</button>
        </form>
    }
    .into_any()
}

/// Buttons to ring this contact in the names that the person may use.
pub(super) fn call_for(app: App, id: u32) -> AnyView {
    let t = app.t();
    let names = app.part(move |v| {
        let callable = v.contacts.iter().any(|c| c.id == id && words::callable(c));
        let may = |c: &&ContactView| callable && c.may_call_for && c.id != id;
        v.contacts.iter().filter(may).map(|c| (c.id, c.name.clone())).collect::<Vec<_>>()
    });
    (move || {
        names.get().into_iter().map(|(principal, name)| view! {
            <button on:click=move |_| app.call_for(id, principal)>{icon(Icon::Phone)}<span>{fill(t.call_for, &name)}</span></button>
        }).collect_view()
    })
    .into_any()
}
