//! How a call sounds, in a word that a person understands and in the numbers behind it.
//!
//! The word follows what the listener would say (compare ITU-T G.107 and G.114): delay matters
//! beyond 150 ms, invented speech far more than rebuilt speech.

use crate::jitter::Outcomes;

/// How it sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Words are being lost.
    Poor,
    /// Every word can be had with some effort.
    Fair,
    /// Now and then something is to be heard.
    Good,
    /// As in the same room.
    Excellent,
}

/// The figures of the last five seconds of one incoming voice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// The word for it.
    pub grade: Grade,
    /// Frames whose own packet did not come in time, per cent.
    pub loss_percent: f32,
    /// Of all frames, those rebuilt from redundancy, per cent.
    pub rebuilt_percent: f32,
    /// Time between a packet's arrival and its being heard, ms.
    pub delay_ms: f32,
    /// Spread of the arrivals (5 to 95 of a hundred), ms.
    pub jitter_ms: f32,
}

impl Quality {
    pub(crate) fn of(outcomes: Outcomes, delay_us: i64, jitter_us: i64) -> Self {
        let frames = outcomes.played + outcomes.rebuilt + outcomes.concealed;
        let percent = |part: u32| 100.0 * part as f32 / frames.max(1) as f32;
        let invented = percent(outcomes.concealed);
        let rebuilt_percent = percent(outcomes.rebuilt);
        let delay_ms = delay_us as f32 / 1_000.0;
        // What hurts, in points: a percent invented weighs as much as six rebuilt.
        let hurt = invented + rebuilt_percent / 6.0 + (delay_ms - 150.0).max(0.0) / 25.0;
        let grade = match hurt {
            h if h < 1.0 => Grade::Excellent,
            h if h < 3.0 => Grade::Good,
            h if h < 8.0 => Grade::Fair,
            _ => Grade::Poor,
        };
        Self {
            grade,
            loss_percent: invented + rebuilt_percent,
            rebuilt_percent,
            delay_ms,
            jitter_ms: jitter_us as f32 / 1_000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(played: u32, rebuilt: u32, concealed: u32, delay_us: i64) -> Grade {
        Quality::of(Outcomes { played, rebuilt, concealed }, delay_us, 0).grade
    }

    #[test]
    fn a_person_would_say_the_same() {
        assert_eq!(grade(250, 0, 0, 20_000), Grade::Excellent);
        assert_eq!(grade(0, 0, 0, 0), Grade::Excellent);
        assert_eq!(grade(240, 10, 0, 20_000), Grade::Excellent);
        assert_eq!(grade(220, 28, 2, 60_000), Grade::Good);
        assert_eq!(grade(200, 48, 2, 170_000), Grade::Fair);
        assert_eq!(grade(200, 0, 50, 20_000), Grade::Poor);
        assert_eq!(grade(250, 0, 0, 500_000), Grade::Poor);
    }
}
