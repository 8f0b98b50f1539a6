//! A level as a bar.

use leptos::prelude::*;

/// Nothing is heard.
pub const SILENCE: f32 = -90.0;

/// How much of the bar a level in dBFS fills: -60 dB is empty, 0 dB full.
#[must_use]
pub fn heard(level: f32) -> f32 {
    if level.is_nan() { 0.0 } else { ((level + 60.0) / 60.0).clamp(0.0, 1.0) }
}

/// A bar with its name; `name` may change.
pub fn meter(
    name: impl Fn() -> String + Clone + Send + 'static,
    level: impl Fn() -> f32 + Clone + Send + 'static,
) -> AnyView {
    let label = name.clone();
    let width = level.clone();
    view! {
        <div class="meter">
            <span class="meter-name">{name}</span>
            <span
                class="meter-track"
                role="meter"
                aria-label=label
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=move || format!("{:.0}", heard(level()) * 100.0)
            >
                <span class="meter-rest" style:transform=move || format!("scaleX({:.3})", 1.0 - heard(width()))></span>
            </span>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::{SILENCE, heard};

    #[test]
    fn levels_are_decibels() {
        assert!((heard(0.0) - 1.0).abs() < 1e-6);
        assert!((heard(-20.0) - 2.0 / 3.0).abs() < 1e-3);
        assert!(heard(SILENCE) < 1e-6);
        assert!(heard(f32::NAN) < 1e-6);
    }
}
