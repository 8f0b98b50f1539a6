//! A call of more than two: how far it is, everybody who is in it, and what an attendant does with it.
//!
//! ```text
//!   arranging ─ held ─ handing over ─ confirming ─ connected
//!   who can hear: each member, with role, office and voice      who is being called
//!   bring somebody in    announce    connect
//! ```

use leptos::prelude::*;
use protocol::{Command, MemberView, Role, RoomStage, RoomView};

use crate::app::App;
use crate::parts::avatar::avatar;
use crate::parts::icon::{Icon, icon};
use crate::parts::meter::{SILENCE, meter};
use crate::parts::state::{spoken, state};
use crate::text::fill;
use crate::words::Tone;
use crate::words::room as said;

/// The room of a call as it is now, or as it was when the call ended.
pub fn found(app: App, id: u32, v: &protocol::View) -> Option<RoomView> {
    match v.calls.iter().find(|c| c.id == id) {
        Some(call) => call.room.clone(),
        None => app.ended.with(|c| c.as_ref().filter(|c| c.id == id)?.room.clone()),
    }
}

/// The stages as a picture: a mark and a word for each, the present one named as such.
pub fn stages(app: App, at: RoomStage) -> AnyView {
    let t = app.t();
    let here = said::STAGES.iter().position(|s| *s == at).unwrap_or_default();
    let step = move |(n, stage): (usize, &RoomStage)| {
        let of = said::stage(*stage, t);
        let (class, mark, hidden) = match n.cmp(&here) {
            core::cmp::Ordering::Less => ("stage done", Some(Icon::Check), t.stage_done),
            core::cmp::Ordering::Equal => ("stage here", Some(of.icon), t.stage_now),
            core::cmp::Ordering::Greater => ("stage", None, t.stage_to_come),
        };
        let mark = mark.map_or_else(|| (n + 1).to_string().into_any(), icon);
        view! {
            <li class=class aria-current=(n == here).then_some("step")>
                <span class="stage-mark" aria-hidden="true">{mark}</span>
                <span>{of.words}<span class="unseen">", "{hidden}</span></span>
            </li>
        }
    };
    view! { <ol class="stages" aria-label=t.stages>{said::STAGES.iter().enumerate().map(step).collect_view()}</ol> }
        .into_any()
}

/// Everybody who has the keys, and whose handsets ring.
pub fn people(app: App, id: u32, room: Memo<Option<RoomView>>, known: Memo<bool>) -> AnyView {
    let t = app.t();
    let muted = app.part(|v| v.muted);
    let hear =
        Memo::new(move |_| room.get().map(|r| said::who_can_hear(&r, t)).unwrap_or_default());
    let of = move || {
        if known.get() { (Icon::ShieldCheck, Tone::Good) } else { (Icon::Shield, Tone::Care) }
    };
    view! {
        <section class="room" aria-label=t.room_title>
            <p class="who-hears" role="status" aria-live="polite">
                {move || spoken(of().0, of().1, hear.get())}
            </p>
            <div class="alarms" role="alert">
                {move || room.get().map(|r| {
                    let forged = r.members.iter().filter_map(|m| said::forged(m, t));
                    forged.map(|words| view! { <p>{spoken(Icon::Alert, Tone::Bad, words)}</p> }).collect_view()
                })}
            </div>
            <ul class="members">
                {move || room.get().map(|r| {
                    r.members.iter().map(|m| member(app, id, m, &r, muted.get())).collect_view()
                })}
                {move || room.get().map(|r| r.bringing.iter().map(|b| bringing(app, b)).collect_view())}
            </ul>
        </section>
    }
    .into_any()
}

fn member(app: App, id: u32, m: &MemberView, room: &RoomView, muted: bool) -> AnyView {
    let t = app.t();
    let (leaf, own, gone) = (m.leaf, m.own, m.gone);
    let name = if m.name.is_empty() { t.m_unknown.to_owned() } else { m.name.clone() };
    let shown = if own { format!("{name} ({})", t.you) } else { name.clone() };
    let what = if m.office.is_empty() {
        said::role(m.role, t).to_owned()
    } else {
        format!("{} · {}", said::role(m.role, t), m.office)
    };
    let voice = said::voice(m, room, muted, t);
    let loud = m.role.speaks() && !gone && if own { voice.icon == Icon::Mic } else { m.heard };
    let level = move || {
        app.meters.with(|m| {
            if own {
                return m.mic;
            }
            let call = m.calls.iter().find(|c| c.id == id);
            let of = call.and_then(|c| c.levels.iter().find(|l| l.leaf == leaf));
            of.map_or(SILENCE, |l| l.level)
        })
    };
    let class = if gone { "member gone" } else { "member" };
    view! {
        <li class=class>
            {avatar(&name, false)}
            <span class="member-words">
                <strong dir="auto">{shown}</strong>
                <span class="member-role" dir="auto">{what}</span>
                <span class="member-states">
                    {if gone { spoken(Icon::Cross, Tone::Care, t.m_gone.to_owned()) } else { state(voice) }}
                    {m.behalf.as_ref().map(|of| spoken(Icon::People, Tone::Calm, fill(t.behalf_for, of)))}
                    {m.on_record.then(|| spoken(Icon::Pen, Tone::Calm, t.m_record.to_owned()))}
                </span>
            </span>
            {loud.then(|| meter(move || name.clone(), level))}
        </li>
    }
    .into_any()
}

fn bringing(app: App, b: &protocol::BringingView) -> AnyView {
    let t = app.t();
    let name = app.view.with_untracked(|v| {
        v.contacts
            .iter()
            .find(|c| c.id == b.contact)
            .map_or_else(|| "?".to_owned(), |c| c.name.clone())
    });
    let (of, tone, words) = match (b.over, b.rings) {
        (Some(end), _) => (Icon::Cross, Tone::Care, crate::words::ended(end, t)),
        (None, true) => (Icon::Bell, Tone::Calm, t.b_rings),
        (None, false) if b.night => (Icon::Moon, Tone::Care, t.ng_there),
        (None, false) => (Icon::Phone, Tone::Calm, t.b_called),
    };
    view! {
        <li class="member bringing">
            {avatar(&name, false)}
            <span class="member-words">
                <strong dir="auto">{name}</strong>
                <span class="member-role">{said::role(b.role, t)}</span>
                <span class="member-states" role="status">{spoken(of, tone, words.to_owned())}</span>
            </span>
        </li>
    }
    .into_any()
}

/// Whether this handset's person arranges the call.
fn arranges(room: Memo<Option<RoomView>>) -> Memo<bool> {
    let yes = |r: &RoomView| r.role == Role::Attendant && r.stage == RoomStage::Arranging;
    Memo::new(move |_| room.with(|r| r.as_ref().is_some_and(yes)))
}

/// An attendant speaks to those who are held, or no longer.
pub fn announce(app: App, id: u32, room: Memo<Option<RoomView>>) -> AnyView {
    let t = app.t();
    let arranges = arranges(room);
    let on = Memo::new(move |_| room.with(|r| r.as_ref().is_some_and(|r| r.announcing)));
    let press = move |_| app.command(Command::Announce { call: id, on: !on.get_untracked() });
    (move || arranges.get().then(|| view! {
        <button id="key-announce" class:pressed=move || on.get() aria-pressed=move || on.get().to_string()
            aria-keyshortcuts="n" aria-describedby="announcing" on:click=press>
            {icon(Icon::Bell)}<span>{move || if on.get() { t.announce_off } else { t.announce }}</span>
        </button>
        <p id="announcing" class="hint" role="status">{move || on.get().then_some(t.announce_body)}</p>
    }))
    .into_any()
}

/// An attendant connects those who stay, and leaves: what that means stands beside it.
pub fn connect(app: App, id: u32, room: Memo<Option<RoomView>>) -> AnyView {
    let t = app.t();
    let arranges = arranges(room);
    let can = Memo::new(move |_| {
        arranges.get() && room.with(|r| r.as_ref().is_some_and(|r| r.can_connect))
    });
    let one = Memo::new(move |_| {
        let leads = |m: &&MemberView| m.role.leads() && !m.gone;
        room.with(|r| r.as_ref().is_some_and(|r| r.members.iter().filter(leads).count() < 2))
    });
    (move || can.get().then(|| view! {
        <div class="connect">
            <button id="key-connect" class="go wide" aria-keyshortcuts="c" aria-describedby="connect-means"
                on:click=move |_| app.command(Command::Connect { call: id })>
                {icon(Icon::Handshake)}<span>{t.connect}</span>
            </button>
            <p id="connect-means" class="hint">{move || if one.get() { t.connect_one } else { t.connect_body }}</p>
        </div>
    }))
    .into_any()
}
