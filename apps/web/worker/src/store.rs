//! The handset at rest, in IndexedDB: rows under blinded names, sealed.
//!
//! ```text
//!  object store "lock"  "header" -> the vault's header, 109 B     "passkey" -> {credential, salt}
//!  object store "rows"  blinded key, 32 B -> [space u8 | sealed row]
//! ```
//!
//! **A batch is one transaction with strict durability, and is told as stored when that completed.** The header is written
//! with the first batch: a store is either whole or not there.

use js_sys::{Array, Uint8Array};
use rand_chacha::ChaCha20Rng;
use seal::vault::Vault;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbOpenDbRequest, IdbRequest, IdbTransaction};
use wire::rows::{Change, Row};

use crate::browser::{get, object, scope, strict, words};
use protocol::StoreState;

const NAME: &str = "hotline";
const LOCK: &str = "lock";
const ROWS: &str = "rows";
const HEADER: &str = "header";
const PASSKEY: &str = "passkey";

/// A passkey's public half: which credential gives the secret, and for what salt.
#[derive(Clone)]
pub(crate) struct Passkey {
    /// Base64url.
    pub(crate) credential: String,
    /// Base64url.
    pub(crate) salt: String,
}

/// The browser's database, locked or not.
pub(crate) struct Store {
    db: IdbDatabase,
}

/// What opening and writing need.
pub(crate) struct Key {
    pub(crate) vault: Vault,
    pub(crate) rng: ChaCha20Rng,
}

impl Store {
    /// Opens the database of this origin, and asks the browser to keep it.
    pub(crate) async fn open() -> Result<Store, String> {
        let factory: web_sys::IdbFactory = get(&scope(), "indexedDB")
            .dyn_into()
            .map_err(|_| "this browser has no storage for this page".to_owned())?;
        let request = factory.open_with_u32(NAME, 1).map_err(|e| words(&e))?;
        let upgrading = request.clone();
        let upgrade = Closure::once(move || {
            if let Ok(db) = upgrading.result().and_then(|r| r.dyn_into::<IdbDatabase>()) {
                // The names are new in a database of version 0.
                let _ = db.create_object_store(LOCK);
                let _ = db.create_object_store(ROWS);
            }
        });
        request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
        let db = result(request.unchecked_ref::<IdbRequest>()).await?;
        let db = db.dyn_into().map_err(|_| "the browser's storage is damaged".to_owned())?;
        Ok(Store { db })
    }

    /// What there is to open.
    pub(crate) async fn state(&self) -> Result<StoreState, String> {
        if self.header().await?.is_none() {
            return Ok(StoreState::Empty);
        }
        let passkey = self.read(LOCK, PASSKEY).await?;
        let part = |name| get(&passkey, name).as_string();
        Ok(match (part("credential"), part("salt")) {
            (Some(credential), Some(salt)) => StoreState::Passkey { credential, salt },
            _ => StoreState::Passphrase,
        })
    }

    /// The vault's header; `None`: there is no handset.
    pub(crate) async fn header(&self) -> Result<Option<Vec<u8>>, String> {
        let found = self.read(LOCK, HEADER).await?;
        Ok((!found.is_undefined()).then(|| Uint8Array::new(&found).to_vec()))
    }

    /// All rows, opened.
    pub(crate) async fn rows(&self, key: &Key) -> Result<Vec<Row>, String> {
        let transaction = self.db.transaction_with_str(ROWS).map_err(|e| words(&e))?;
        let store = transaction.object_store(ROWS).map_err(|e| words(&e))?;
        let keys = store.get_all_keys().map_err(|e| words(&e))?;
        let values = store.get_all().map_err(|e| words(&e))?;
        let (keys, values) = (result(&keys).await?, result(&values).await?);
        let (keys, values) = (Array::from(&keys), Array::from(&values));
        let pairs = keys.iter().zip(values.iter());
        let row = |(blinded, value): (JsValue, JsValue)| {
            let (blinded, value) =
                (Uint8Array::new(&blinded).to_vec(), Uint8Array::new(&value).to_vec());
            let (space, sealed) = value.split_first().ok_or("a row of the store is empty")?;
            key.vault.open_row(*space, &blinded, sealed).map_err(|e| e.to_string())
        };
        pairs.map(row).collect()
    }

    /// Writes a batch, and with `header` the lock. When this returns, it is on disk.
    pub(crate) async fn write(
        &self,
        sealed: SealedBatch,
        header: Option<(Vec<u8>, Option<Passkey>)>,
    ) -> Result<(), String> {
        let transaction = strict(&self.db, &[ROWS, LOCK]).map_err(|e| words(&e))?;
        self.fill(&transaction, sealed, header).map_err(|e| {
            // Half a batch must not be kept.
            let _ = transaction.abort();
            words(&e)
        })?;
        complete(&transaction).await
    }

    fn fill(
        &self,
        transaction: &IdbTransaction,
        sealed: SealedBatch,
        header: Option<(Vec<u8>, Option<Passkey>)>,
    ) -> Result<(), JsValue> {
        if let Some((header, passkey)) = header {
            let lock = transaction.object_store(LOCK)?;
            lock.put_with_key(&Uint8Array::from(&header[..]), &HEADER.into())?;
            match passkey {
                Some(Passkey { credential, salt }) => {
                    let kept = object(&[("credential", credential.into()), ("salt", salt.into())]);
                    lock.put_with_key(&kept, &PASSKEY.into())?;
                }
                None => {
                    lock.delete(&PASSKEY.into())?;
                }
            }
        }
        let rows = transaction.object_store(ROWS)?;
        for (key, value) in sealed.0 {
            let key = Uint8Array::from(&key[..]);
            match value {
                Some(value) => rows.put_with_key(&Uint8Array::from(&value[..]), &key)?,
                None => rows.delete(&key)?,
            };
        }
        Ok(())
    }

    /// Removes the handset.
    pub(crate) async fn wipe(&self) -> Result<(), String> {
        let transaction = strict(&self.db, &[ROWS, LOCK]).map_err(|e| words(&e))?;
        for name in [ROWS, LOCK] {
            let cleared = transaction.object_store(name).and_then(|store| store.clear());
            cleared.map_err(|e| words(&e))?;
        }
        complete(&transaction).await
    }

    async fn read(&self, store: &str, key: &str) -> Result<JsValue, String> {
        let transaction = self.db.transaction_with_str(store).map_err(|e| words(&e))?;
        let request = transaction.object_store(store).and_then(|s| s.get(&key.into()));
        result(&request.map_err(|e| words(&e))?).await
    }
}

/// Changes, sealed: key, and value or nothing to delete.
pub(crate) struct SealedBatch(Vec<([u8; 32], Option<Vec<u8>>)>);

impl SealedBatch {
    /// No change.
    pub(crate) fn empty() -> Self {
        SealedBatch(Vec::new())
    }

    /// Seals what the machine wants kept.
    pub(crate) fn new(changes: &[Change], key: &mut Key) -> Self {
        let sealed = changes.iter().map(|change| match change {
            Change::Put(row) => {
                let (name, sealed) = key.vault.seal_row(row, &mut key.rng);
                (name, Some([&[row.space], &sealed[..]].concat()))
            }
            Change::Delete { space, key: name } => (key.vault.row_key(*space, name), None),
        });
        SealedBatch(sealed.collect())
    }
}

/// What a request gives.
async fn result(request: &IdbRequest) -> Result<JsValue, String> {
    let waiting = js_sys::Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
        if let Some(open) = request.dyn_ref::<IdbOpenDbRequest>() {
            open.set_onblocked(Some(&reject));
        }
    });
    let refused = || match request.error() {
        Ok(Some(e)) => e.message(),
        _ => "the browser refuses to store".into(),
    };
    JsFuture::from(waiting).await.map_err(|_| refused())?;
    request.result().map_err(|e| words(&e))
}

/// Until a transaction is on disk.
async fn complete(transaction: &IdbTransaction) -> Result<(), String> {
    let waiting = js_sys::Promise::new(&mut |resolve, reject| {
        transaction.set_oncomplete(Some(&resolve));
        transaction.set_onerror(Some(&reject));
        transaction.set_onabort(Some(&reject));
    });
    match JsFuture::from(waiting).await {
        Ok(_) => Ok(()),
        Err(_) => Err(transaction
            .error()
            .map_or_else(|| "the browser took the write back".into(), |e| e.message())),
    }
}
