//! What two exchanges say to each other on the leg of a line test, in the `body` of `Data`.
//!
//! ```text
//!  Open{leg, to Address::LINE_TEST} ─► ◄─ Data Ready ── voice ═► ◄═ the same voice ── Data Finish ─► ◄─ Data Report ── Close ─►
//! ```
//!
//! An exchange that does not know line tests takes the address for one that nobody has, and never answers.

use crate::codec::messages;

messages! {
    /// On the leg of a line test.
    LineTest, "line test message" {
        /// From the tested exchange: the leg is there, and voice on it comes back.
        1 => Ready { },
        /// From the testing exchange: no more voice comes.
        2 => Finish { },
        /// The answer: how many frames of voice came.
        3 => Report { received: u16 },
    }
}
