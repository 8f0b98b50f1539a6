//! How urgent a call is, as its caller says it and as the called owner lets that caller say it.
//!
//! ```text
//!  Routine < Priority < Immediate < Flash
//! ```

use crate::codec::codes;

codes! {
    /// How urgent a call is. They are in order: of two calls the greater one is the more urgent.
    #[derive(Default)]
    Precedence {
        /// As calls are.
        #[default]
        1 => Routine,
        /// Before those.
        2 => Priority,
        /// Cannot wait.
        3 => Immediate,
        /// Before everything else.
        4 => Flash,
    }
}

impl Precedence {
    /// In a word, as it is typed, and as the record has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Precedence::Routine => "routine",
            Precedence::Priority => "priority",
            Precedence::Immediate => "immediate",
            Precedence::Flash => "flash",
        }
    }

    /// All of them, the least urgent first.
    pub const ALL: [Precedence; 4] =
        [Precedence::Routine, Precedence::Priority, Precedence::Immediate, Precedence::Flash];

    /// Whether it is above routine.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        self > Precedence::Routine
    }
}
