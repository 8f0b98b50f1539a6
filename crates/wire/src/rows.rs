//! What a machine asks its host to keep: rows of a flat table, changed in batches.
//!
//! ```text
//!  machine ── Store{batch, changes} ──► host: one transaction, fsync ── Stored{batch} ──► machine
//! ```
//!
//! A machine acknowledges to others only what is in a batch that came back as stored. At the start it is
//! given all rows back. What stands in the rows is the machine's business alone.

/// One row: `key` is unique within `space`.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Which table of the machine's.
    pub space: u8,
    /// The row's name.
    pub key: Vec<u8>,
    /// The row's content.
    pub value: Vec<u8>,
}

/// One change within a batch. Later changes of the same row win.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Insert or replace.
    Put(Row),
    /// Remove, if it is there.
    Delete {
        /// Which table.
        space: u8,
        /// Which row.
        key: Vec<u8>,
    },
}

// Contents of rows can be secret: only their size is ever shown.
impl core::fmt::Debug for Row {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Row(space {}, {} bytes)", self.space, self.value.len())
    }
}

impl core::fmt::Debug for Change {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Change::Put(row) => write!(f, "Put({row:?})"),
            Change::Delete { space, .. } => write!(f, "Delete(space {space})"),
        }
    }
}
