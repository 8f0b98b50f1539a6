//! The largest of everything. A decoder checks against these before it allocates.

/// Protocol version of lines and trunks. Both ends must have the same one.
pub const VERSION: u16 = 1;

/// Length of one sealed voice frame: 20 ms of speech in SFrame, always. Bytes.
pub const VOICE_LEN: usize = 128;
/// Length of one Opus packet inside the sealed voice frame, always. Bytes.
pub const PACKET_LEN: usize = 100;

/// Longest control message (a whole `LineUp`, `LineDown` or `Trunk`). Bytes.
pub const MESSAGE_MAX: usize = 20 * 1024;
/// Longest body of an envelope or of leg data: sealed, opaque to every exchange. Bytes.
pub const BODY_MAX: usize = 16 * 1024;
/// Longest offer that waits at an exchange for the redeemer of a card. Bytes.
pub const OFFER_MAX: usize = 4 * 1024;
/// Length to which every answer to a redemption is padded, offer or none. Bytes.
pub const OFFER_LEN: usize = OFFER_MAX;
/// Longest key package. Bytes.
pub const KEY_PACKAGE_MAX: usize = 4 * 1024;
/// Longest Welcome. Bytes.
pub const WELCOME_MAX: usize = 14 * 1024;
/// Longest roster of a call, for whoever is let into it. Bytes.
pub const ROSTER_MAX: usize = 2 * 1024;
/// Longest text of who answers instead. Bytes. What says it is then no longer than what says that a call rings.
pub const INSTEAD_MAX: usize = 54;
/// Longest text of who can lift an office's rule. UTF-8 bytes.
pub const LIFTS_MAX: usize = 64;
/// Longest invitation in one that says how urgent it is. Bytes.
pub const INVITATION_MAX: usize = 256;
/// Longest card. Bytes.
pub const CARD_MAX: usize = 512;
/// Longest request about a principal's contacts: one with a card. Bytes.
pub const MANAGE_MAX: usize = CARD_MAX + 16;
/// Contacts in one answer: sixteen with the longest names. Bytes.
pub const LISTED_MAX: usize = 16 * (4 + 2 * (2 + NAME_MAX) + 1);
/// Longest answer to such a request. Bytes.
pub const MANAGED_MAX: usize = LISTED_MAX + 16;
/// Longest delegation. Bytes.
pub const DELEGATION_MAX: usize = 256;
/// Longest display or office name. UTF-8 bytes.
pub const NAME_MAX: usize = 64;
/// Longest `host:port` of an exchange. Bytes.
pub const HOST_MAX: usize = 128;
/// Longest reason for which a call is put aside. UTF-8 bytes.
pub const REASON_MAX: usize = 200;
/// Longest text message. UTF-8 bytes.
pub const TEXT_MAX: usize = 2_000;

/// Length of one entry of the record as it leaves the handset, always. Bytes.
pub const ENTRY_LEN: usize = 4_096;
/// Longest order of a records officer. Bytes.
pub const ORDER_MAX: usize = 5 * 1024;
/// Longest proof that an entry is in the record: 64 hashes. Bytes.
pub const PROOF_MAX: usize = 64 * 32;
/// Length of the tag of a voice frame.
pub const TAG_LEN: usize = 6;
/// Tags of half a second of voice frames.
pub const TAGS_MAX: usize = 25 * TAG_LEN;
