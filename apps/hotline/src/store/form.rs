//! How a row stands in the file: as it is (an exchange, whose rows hold nothing readable), or sealed
//! under the passphrase (a handset, whose rows are keys and names).

use seal::vault::Vault;
use wire::rows::Row;
use wire::{Reader, Writer};

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

/// The name that a value is bound to: a value moved to another row does not open.
fn name(space: u8, blinded: &[u8]) -> Vec<u8> {
    [&[space], blinded].concat()
}

impl Form for Sealed {
    fn key(&self, space: u8, key: &[u8]) -> Vec<u8> {
        self.vault.blind(&name(space, key)).to_vec()
    }

    fn close(&mut self, row: &Row) -> Vec<u8> {
        let mut content = Writer::new();
        content.var(&row.key).bytes(&row.value);
        let blinded = self.key(row.space, &row.key);
        self.vault.seal_value(&name(row.space, &blinded), &content.finish(), &mut self.rng)
    }

    fn open(&self, space: u8, key: &[u8], value: Vec<u8>) -> Result<Row, String> {
        let content =
            self.vault.open_value(&name(space, key), &value).map_err(|e| e.to_string())?;
        let mut content = Reader::new(&content);
        let key = content.var(usize::from(u16::MAX), "key").map_err(|e| e.to_string())?.to_vec();
        let left = content.left();
        let value = content.bytes(left, "value").map_err(|e| e.to_string())?.to_vec();
        Ok(Row { space, key, value })
    }
}
