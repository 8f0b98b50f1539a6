//! A call goes to another handset of this person, and comes back.
//!
//! ```text
//!  in a call: Go on at … ─► offered ─► taken there: over here          everywhere: Go on here? · Take back
//! ```

use leptos::prelude::*;
use protocol::{CallState, Command, MovingView};

use crate::app::App;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::spoken;
use crate::text::fill;
use crate::words::Tone;

fn named(v: &protocol::View, contact: u32) -> String {
    let found = v.contacts.iter().find(|c| c.id == contact);
    found.map_or_else(|| "?".to_owned(), |c| c.name.clone())
}

/// In a call: to which handsets it can go, or where it is going, or that it came.
pub fn of_call(app: App, id: u32) -> AnyView {
    let t = app.t();
    let going = app.part(move |v| {
        let call = v.calls.iter().find(|c| c.id == id)?;
        Some((call.moving.map(|m| (m, named(v, m.to))), call.arriving, call.moved))
    });
    let handsets = app.part(move |v| {
        let can = v.calls.iter().any(|c| {
            let talks = matches!(
                c.state,
                CallState::Connected | CallState::HeldByMe | CallState::HeldByOther
            );
            c.id == id && talks && c.room.is_none() && c.moving.is_none()
        });
        let named = |to: &u32| (*to, named(v, *to));
        if can { v.handsets.iter().map(named).collect::<Vec<_>>() } else { Vec::new() }
    });
    let words = move || match going.get()? {
        (Some((MovingView { closed: true, .. }, to)), ..) => Some(fill(t.mv_closed, &to)),
        (Some((_, to)), ..) => Some(fill(t.mv_offered, &to)),
        (None, true, _) => Some(t.mv_arriving.to_owned()),
        (None, false, true) => Some(t.mv_moved.to_owned()),
        (None, false, false) => None,
    };
    let open = move || going.get().is_some_and(|(m, ..)| m.is_some_and(|(m, _)| !m.closed));
    view! {
        <div class="moves">
            <div role="status" aria-live="polite">
                {move || words().map(|words| spoken(Icon::Device, Tone::Care, words))}
            </div>
            <div class="row center">
                {move || open().then(|| view! {
                    <button on:click=move |_| app.command(Command::StayHere { call: id })>{t.mv_stay}</button>
                })}
                {move || handsets.get().into_iter().map(|(to, name)| view! {
                    <button on:click=move |_| app.command(Command::Move { call: id, to })>
                        {icon(Icon::Device)}<span dir="auto">{fill(t.mv_to, &name)}</span>
                    </button>
                }).collect_view()}
            </div>
        </div>
    }
    .into_any()
}

/// Above every screen: calls that another handset offers, and calls that were here.
pub fn beside(app: App) -> AnyView {
    let t = app.t();
    let offers = app.part(move |v| {
        let one = |o: &protocol::OfferView| (o.id, named(v, o.contact), o.reason.clone());
        v.offers.iter().map(one).collect::<Vec<_>>()
    });
    let elsewhere = app.part(move |v| {
        // One that is being taken back stands on its screen.
        let comes = |contact| v.calls.iter().any(|c| c.contact == contact && c.arriving);
        let there = v.elsewhere.iter().filter(|e| !comes(e.contact));
        there.map(|e| (e.id, named(v, e.contact))).collect::<Vec<_>>()
    });
    let offer = move |(id, name, reason): (u32, String, Option<String>)| {
        let (here, there) = (name.clone(), name.clone());
        view! {
            <p class="banner care">
                {icon(Icon::Device)}
                <span dir="auto">{fill(t.mv_offer, &name)}{reason.map(|r| format!(" ({r})"))}</span>
                <button class="go" aria-label=format!("{}: {here}", t.mv_continue) on:click=move |_| app.command(Command::Continue { offer: id })>{t.mv_continue}</button>
                <button aria-label=format!("{}: {there}", t.mv_leave) on:click=move |_| app.command(Command::LeaveThere { offer: id })>{t.mv_leave}</button>
            </p>
        }
    };
    let back = move |(number, name): (u32, String)| {
        let label = format!("{}: {name}", t.mv_back);
        view! {
            <p class="banner calm">
                {icon(Icon::Device)}
                <span dir="auto">{fill(t.mv_elsewhere, &name)}</span>
                <button aria-label=label on:click=move |_| app.command(Command::TakeBack { number })>{t.mv_back}</button>
            </p>
        }
    };
    view! {
        {move || offers.get().into_iter().map(offer).collect_view()}
        {move || elsewhere.get().into_iter().map(back).collect_view()}
    }
    .into_any()
}
