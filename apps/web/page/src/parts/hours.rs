//! Hours of certain days of the week, being chosen.

use leptos::prelude::*;
use protocol::Hours;

use crate::app::App;
use crate::browser;
use crate::parts::fields::switch;
use crate::time;

/// Hours before anything is chosen: Monday to Friday, nine to six.
const USUAL: (u8, u16, u16) = (0x1f, 540, 1_080);

/// What is chosen so far.
#[derive(Clone, Copy)]
pub struct Choice {
    on: RwSignal<bool>,
    days: RwSignal<u8>,
    from: RwSignal<u16>,
    until: RwSignal<u16>,
    east: i16,
}

impl Choice {
    /// Begins with these. Hours that are new go by this device's clock.
    #[must_use]
    pub fn new(now: Option<Hours>) -> Choice {
        #[allow(clippy::cast_possible_truncation, reason = "minutes of a time zone fit")]
        let here = -js_sys::Date::new_0().get_timezone_offset() as i16;
        let (days, from, until) = now.map_or(USUAL, |h| (h.days, h.from, h.until));
        Choice {
            on: RwSignal::new(now.is_some()),
            days: RwSignal::new(days),
            from: RwSignal::new(from),
            until: RwSignal::new(until),
            east: now.map_or(here, |h| h.east),
        }
    }

    /// What is chosen; `None`: no hours at all.
    #[must_use]
    pub fn get(self) -> Option<Hours> {
        self.on.get_untracked().then(|| Hours {
            days: self.days.get_untracked(),
            from: self.from.get_untracked(),
            until: self.until.get_untracked(),
            east: self.east,
        })
    }

    /// The switch with its words, and once it is on, days under `legend`, and times.
    pub fn fields(
        self,
        app: App,
        label: &'static str,
        body: Option<&'static str>,
        legend: &'static str,
    ) -> AnyView {
        let t = app.t();
        let Choice { on, days, from, until, east } = self;
        let is_on = move |n: u8| days.get() >> n & 1 == 1;
        let clock = move |label: &'static str, minutes: RwSignal<u16>| {
            let typed = move |e| {
                if let Some(at) = time::minutes(&event_target_value(&e)) {
                    minutes.set(at);
                }
            };
            view! {
                <label class="field">
                    <span>{label}</span>
                    <input type="time" required prop:value=move || time::of_day(minutes.get()) on:input=typed />
                </label>
            }
        };
        view! {
            {switch(label, body, on.into(), Box::new(move |now| on.set(now)))}
            {move || on.get().then(|| view! {
                <fieldset class="days">
                    <legend>{legend}</legend>
                    {(0..7).map(|n| view! {
                        <label>
                            <input type="checkbox" prop:checked=move || is_on(n)
                                on:change=move |_| days.update(|d| *d ^= 1 << n) />
                            <span>{weekday(app, n)}</span>
                        </label>
                    }).collect_view()}
                </fieldset>
                <div class="row">{clock(t.ng_from, from)}{clock(t.ng_to, until)}</div>
                <p class="hint">{time::offset_words(east)}</p>
            })}
        }
        .into_any()
    }
}

/// Hours in words: `Mon, Tue 9:00–18:00 UTC+1`.
#[must_use]
pub fn said(app: App, hours: Hours) -> String {
    let days = (0..7).filter(|n| hours.days >> n & 1 == 1).map(|n| weekday(app, n));
    let days = days.collect::<Vec<_>>().join(", ");
    let (from, until) = (time::of_day(hours.from), time::of_day(hours.until));
    format!("{days} {from}\u{2013}{until} {}", time::offset_words(hours.east))
}

/// The name of a day of the week; 0 is Monday.
fn weekday(app: App, n: u8) -> String {
    // Noon of a Monday, UTC: the same day nearly everywhere.
    const MONDAY_MS: f64 = 1_699_876_800_000.0;
    browser::date(
        MONDAY_MS + f64::from(n) * 86_400_000.0,
        app.tag(),
        &[("weekday", "short"), ("timeZone", "UTC")],
    )
}
