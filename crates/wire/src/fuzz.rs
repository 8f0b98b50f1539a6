//! Bodies of the fuzz targets: no input may panic, and what decodes must encode to the same bytes.

use crate::cell::CellReader;
use crate::line::{LineDown, LineUp};
use crate::linetest::LineTest;
use crate::manage::{ManageAnswer, ManageAsk, listed};
use crate::talk::{CallMessage, ContactMessage, Offer, Sealed, SiblingMessage};
use crate::trunk::Trunk;

/// A received cell.
pub fn cell(data: &[u8]) {
    let Ok(mut cell) = CellReader::new(data) else { return };
    while let Ok(Some(_)) = cell.frame() {}
}

macro_rules! canonical {
    ($data:expr, $($t:ty)*) => {$(
        if let Ok(message) = <$t>::decode($data) {
            assert_eq!(message.encode(), $data, "one message, two encodings");
        }
    )*};
}

/// A control message of a line, either way.
pub fn line_message(data: &[u8]) {
    canonical!(data, LineUp LineDown);
}

/// A control message of a trunk, or what stands in one on the leg of a line test.
pub fn trunk_message(data: &[u8]) {
    canonical!(data, Trunk LineTest);
}

/// What handsets say end to end.
pub fn contact_message(data: &[u8]) {
    canonical!(data, Sealed Offer ContactMessage SiblingMessage CallMessage);
    if let Ok(ContactMessage::Urgent { invitation, .. }) = ContactMessage::decode(data) {
        canonical!(invitation.as_bytes(), ContactMessage);
    }
    canonical!(data, ManageAsk ManageAnswer);
    if let Ok(ManageAnswer::Contacts { list, .. }) = ManageAnswer::decode(data)
        && let Ok(contacts) = listed(&list)
    {
        assert_eq!(crate::manage::list(contacts).0, list, "one list, two encodings");
    }
}
