//! What the person has to know, above every screen: line down, storage, clock, a new version.

use leptos::prelude::*;
use protocol::{Command, LineState};
use wasm_bindgen_futures::spawn_local;

use crate::app::{App, SoundState};
use crate::attention;
use crate::browser::{remember, remembered};
use crate::parts::icon::{Icon, icon};
use crate::screens::night;
use crate::sound::SoundProblem;
use crate::text::fill;
use crate::time::span;

/// A clock may be this far off.
const CLOCK_SLACK_S: u64 = 60;

fn banner(of: Icon, class: &'static str, words: String) -> AnyView {
    view! { <p class=format!("banner {class}")>{icon(of)}<span>{words}</span></p> }.into_any()
}

/// All banners.
pub fn banners(app: App) -> AnyView {
    let t = app.t();
    let line = app.part(|v| v.line);
    let fails = app.part(|v| v.store_fails);
    let clock = app.part(|v| v.clock_off);
    let waiting = app.part(|v| v.mail_waiting);
    let away = app.part(|v| v.away);
    let at_night = app.part(|v| v.night.clone());
    let asks = RwSignal::new(attention::may_ask() && remembered("notify").is_none());
    let no = move || {
        remember("notify", "no");
        asks.set(false);
    };
    let yes = move || {
        asks.set(false);
        spawn_local(attention::allow());
    };
    view! {
        <div class="banners" role="status">
            {move || app.line_refused.get().then(|| banner(Icon::Alert, "bad", t.refused_line.to_owned()))}
            {move || (line.get() == LineState::Down && !app.line_refused.get())
                .then(|| banner(Icon::LampOff, "care", t.line_down_body.to_owned()))}
            {move || night::said(app, &at_night.get()).map(|said| banner(Icon::Moon, "care", said))}
            {move || fails.get().then(|| banner(Icon::Alert, "bad", t.store_fails.to_owned()))}
            {move || {
                let off = clock.get().unsigned_abs();
                (off > CLOCK_SLACK_S).then(|| banner(Icon::Clock, "care", fill(t.clock_wrong, &span(off))))
            }}
            {move || (waiting.get() > 0 && line.get() != LineState::Up)
                .then(|| banner(Icon::Clock, "calm", fill(t.mail_waiting, &waiting.get().to_string())))}
            {move || away.get().then(|| view! {
                <p class="banner care">
                    {icon(Icon::Block)}<span>{t.away_now}</span>
                    <button on:click=move |_| app.command(Command::SetAway { on: false })>{t.away_end}</button>
                </p>
            })}
            {move || app.update.get().then(|| view! {
                <p class="banner calm">
                    {icon(Icon::Refresh)}<span>{t.update}</span>
                    <button disabled=move || app.calls_under_way().get() on:click=move |_| crate::shell::load_update()>
                        {t.update_now}
                    </button>
                </p>
            })}
            {move || asks.get().then(|| view! {
                <p class="banner calm">
                    {icon(Icon::Bell)}<span>{t.notify_ask}</span>
                    <button on:click=move |_| yes()>{t.notify_yes}</button>
                    <button class="quiet" on:click=move |_| no()>{t.notify_no}</button>
                </p>
            })}
        </div>
    }
    .into_any()
}

/// What is wrong with the devices, and the way to try again.
pub fn sound_problem(app: App) -> AnyView {
    let t = app.t();
    (move || {
        let SoundState::Failed(problem) = app.sound.get() else { return ().into_any() };
        let words = match problem {
            SoundProblem::Refused => t.mic_refused.to_owned(),
            SoundProblem::Missing => t.mic_missing.to_owned(),
            SoundProblem::InUse => t.mic_in_use.to_owned(),
            SoundProblem::Other(why) => fill(t.mic_other, &why),
        };
        view! {
            <p class="banner bad" role="alert">
                {icon(Icon::MicOff)}<span>{words}</span>
                <button on:click=move |_| app.sound_again()>{t.retry}</button>
            </p>
        }
        .into_any()
    })
    .into_any()
}

/// The short message that goes by itself.
pub fn notice(app: App) -> AnyView {
    let t = app.t();
    view! {
        <div class="notices" role="status" aria-live="polite">
            {move || app.notice.get().map(|n| view! {
                <p class="notice" class:bad=n.bad>
                    {icon(if n.bad { Icon::Alert } else { Icon::Check })}
                    <span>{n.words}</span>
                    <button class="round quiet" aria-label=t.close on:click=move |_| app.notice.set(None)>
                        {icon(Icon::Cross)}
                    </button>
                </p>
            })}
        </div>
    }
    .into_any()
}
