//! How a row stands in the file: as it is (an exchange, whose rows hold nothing readable), or sealed
//! under the passphrase (a handset, whose rows are keys and names).

use seal::vault::Vault;
use wire::rows::Row;

/// Turns rows into what stands on disk, and back.
pub trait Form: Send + 'static {
    /// The key under which a row is found.
    fn key(&self, space: u8, key: &[u8]) -> Vec<u8>;
    /// The value of a row as it stands on disk.
    fn close(&mut self, row: &Row) -> Vec<u8>;
    /// The row that stands on disk.
    ///
    /// # Errors
    /// What is wrong with it.
    fn open(&self, space: u8, key: &[u8], value: Vec<u8>) -> Result<Row, String>;
}

/// As it is.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Form for Plain {
    fn key(&self, _: u8, key: &[u8]) -> Vec<u8> {
        key.to_vec()
    }
    fn close(&mut self, row: &Row) -> Vec<u8> {
        row.value.clone()
    }
    fn open(&self, space: u8, key: &[u8], value: Vec<u8>) -> Result<Row, String> {
        Ok(Row { space, key: key.to_vec(), value })
    }
}

/// Sealed: keys are blinded, values encrypted together with their keys.
pub struct Sealed {
    vault: Vault,
    rng: rand_chacha::ChaCha20Rng,
}

impl Sealed {
    /// Seals with `vault`; nonces are drawn from `rng`.
    #[must_use]
    pub fn new(vault: Vault, rng: rand_chacha::ChaCha20Rng) -> Self {
        Sealed { vault, rng }
    }
}

impl Form for Sealed {
    fn key(&self, space: u8, key: &[u8]) -> Vec<u8> {
        self.vault.row_key(space, key).to_vec()
    }

    fn close(&mut self, row: &Row) -> Vec<u8> {
        self.vault.seal_row(row, &mut self.rng).1
    }

    fn open(&self, space: u8, key: &[u8], value: Vec<u8>) -> Result<Row, String> {
        self.vault.open_row(space, key, &value).map_err(|e| e.to_string())
    }
}
