//! Where machines' rows are kept: one SQLite file, written by one thread.
//!
//! ```text
//!  machine ─ Store{batch, changes} ─► queue ─► writer thread: BEGIN .. COMMIT (WAL, fsync) ─► Outcome
//!                                          what waits is committed together
//! ```
//!
//! A batch is reported as stored only after `COMMIT` returned with `synchronous=FULL`. When the disk
//! refuses (full, read-only, gone), the batch and all behind it are reported as refused and nothing of
//! them is written; the machine brings them again. So what is on disk is always a prefix of what happened.
//!
//! One process serves a store; others can read it meanwhile ([`Reader`]), as `hotline record` does.

mod form;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use wire::rows::{Change, Row};

pub use form::{Form, Plain, Sealed};

/// `HOTL`: marks our files among other SQLite files.
const APPLICATION_ID: i32 = 0x484f_544c;
/// Layout of the tables. A file with a higher one was written by a newer Hotline.
const SCHEMA: i32 = 1;

/// Whose store it is; one program never opens another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An exchange's.
    Exchange,
    /// A handset's.
    Handset,
}

impl Kind {
    /// The space whose rows are not brought back at the start: they are many, and the machine needs none of them.
    fn cold(self) -> Option<u8> {
        match self {
            Kind::Exchange => Some(exchange::RECORD_ENTRIES),
            Kind::Handset => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Exchange => "exchange",
            Kind::Handset => "handset",
        }
    }
}

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No file there.
    #[error("there is no {kind} store at {}: make one first with `hotline {kind} init`", path.display())]
    Missing {
        /// Expected kind.
        kind: &'static str,
        /// Looked at.
        path: PathBuf,
    },
    /// A file is there already.
    #[error("{} is there already and stays untouched: choose another folder, or move it away", path.display())]
    Exists {
        /// Looked at.
        path: PathBuf,
    },
    /// Not ours, or of the other kind.
    #[error("{} is not a Hotline {kind} store; it stays untouched: check the folder you named", path.display())]
    Foreign {
        /// Expected kind.
        kind: &'static str,
        /// Looked at.
        path: PathBuf,
    },
    /// Written by a newer program.
    #[error("{} was written by a newer Hotline (layout {found}, this one knows {SCHEMA}): use that one", path.display())]
    Newer {
        /// Looked at.
        path: PathBuf,
        /// Its layout.
        found: i32,
    },
    /// In use.
    #[error("{} is in use by another process: stop that one first", path.display())]
    InUse {
        /// Looked at.
        path: PathBuf,
    },
    /// A row does not open.
    #[error("{} is damaged ({what}); it stays untouched: restore it from a backup", path.display())]
    Damaged {
        /// Looked at.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The passphrase.
    #[error(transparent)]
    Vault(#[from] seal::vault::VaultError),
    /// Everything that the database or the disk refuses.
    #[error("cannot use {}: {source}", path.display())]
    Refused {
        /// Looked at.
        path: PathBuf,
        /// The database's own words.
        source: rusqlite::Error,
    },
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk.
    Stored(u64),
    /// The disk refused it, in these words; nothing of it was written.
    Refused(u64, String),
}

enum Job {
    Commit(u64, Vec<Change>),
    Stop,
}

/// A store that is open, with its writer thread.
pub struct Store {
    jobs: Sender<Job>,
    outcomes: Receiver<Outcome>,
    writer: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// Called by the writer thread after each outcome, so that a host that sleeps looks at it.
pub type Wake = Box<dyn Fn() + Send>;

/// A store file before its rows are read.
#[derive(Debug)]
pub struct File {
    db: Connection,
    path: PathBuf,
    kind: Kind,
    lock: Lock,
}

impl File {
    /// Makes a new store at `path`. Nothing that exists is overwritten.
    ///
    /// # Errors
    /// The file exists, or the disk refuses.
    pub fn create(path: &Path, kind: Kind) -> Result<File, StoreError> {
        let refused = |source| StoreError::Refused { path: path.into(), source };
        if path.exists() {
            return Err(StoreError::Exists { path: path.into() });
        }
        let lock = Lock::take(path)?;
        let mut db = Connection::open(path).map_err(refused)?;
        restrict(path);
        prepare(&db).map_err(|e| in_use(path, e))?;
        let setup = db.transaction().map_err(refused)?;
        setup
            .execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {SCHEMA};
                 CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
                 CREATE TABLE rows (space INTEGER, key BLOB, value BLOB NOT NULL,
                                    PRIMARY KEY (space, key)) STRICT, WITHOUT ROWID;"
            ))
            .map_err(refused)?;
        setup
            .execute("INSERT INTO meta VALUES ('kind', ?1)", [kind.name().as_bytes()])
            .map_err(refused)?;
        setup.commit().map_err(refused)?;
        Ok(File { db, path: path.into(), kind, lock })
    }

    /// Opens the store at `path`, and checks that it is one of ours, of this kind, and not in use.
    ///
    /// # Errors
    /// See [`StoreError`]; in each case the file is as it was.
    pub fn open(path: &Path, kind: Kind) -> Result<File, StoreError> {
        let db = ours(path, kind, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        of_kind(&db, path, kind)?;
        let lock = Lock::take(path)?;
        prepare(&db).map_err(|e| in_use(path, e))?;
        Ok(File { db, path: path.into(), kind, lock })
    }

    /// A value beside the rows: what is needed before they can be opened.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        meta(&self.db, &self.path, name)
    }

    /// Sets a value beside the rows; it is on disk when this returns.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.db
            .execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![name, value])
            .map(|_| ())
            .map_err(|source| StoreError::Refused { path: self.path.clone(), source })
    }

    /// Reads all rows, and starts the writer.
    ///
    /// # Errors
    /// A row does not open, or the disk refuses.
    pub fn start(self, form: impl Form, wake: Wake) -> Result<(Store, Vec<Row>), StoreError> {
        let rows = self.rows(&form)?;
        let (jobs, inbox) = mpsc::channel();
        let (out, outcomes) = mpsc::channel();
        let mut writer = Writer { db: self.db, form, inbox, out, wake, _lock: self.lock };
        let writer = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run())
            .map_err(|e| StoreError::Refused {
            path: self.path,
            source: rusqlite::Error::ToSqlConversionFailure(Box::new(e)),
        })?;
        Ok((Store { jobs, outcomes, writer: Some(writer) }, rows))
    }

    fn rows(&self, form: &impl Form) -> Result<Vec<Row>, StoreError> {
        let refused = |source| StoreError::Refused { path: self.path.clone(), source };
        let mut query = self
            .db
            .prepare("SELECT space, key, value FROM rows WHERE space IS NOT ?1 ORDER BY space, key")
            .map_err(refused)?;
        let stored = query
            .query_map([self.kind.cold()], |r| Ok((r.get::<_, u8>(0)?, r.get(1)?, r.get(2)?)))
            .map_err(refused)?;
        stored
            .map(|row| {
                let (space, key, value): (u8, Vec<u8>, Vec<u8>) = row.map_err(|e| {
                    StoreError::Damaged { path: self.path.clone(), what: e.to_string() }
                })?;
                form.open(space, &key, value)
                    .map_err(|what| StoreError::Damaged { path: self.path.clone(), what })
            })
            .collect()
    }
}

/// Opens a file, if it is one of ours.
fn ours(path: &Path, kind: Kind, flags: rusqlite::OpenFlags) -> Result<Connection, StoreError> {
    let foreign = || StoreError::Foreign { kind: kind.name(), path: path.into() };
    if !path.exists() {
        return Err(StoreError::Missing { kind: kind.name(), path: path.into() });
    }
    let flags = flags | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)
        .map_err(|source| StoreError::Refused { path: path.into(), source })?;
    let number = |name: &str| db.pragma_query_value(None, name, |r| r.get::<_, i32>(0));
    match number("application_id") {
        Ok(APPLICATION_ID) => {}
        Ok(_) => return Err(foreign()),
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Err(foreign());
        }
        Err(e) => return Err(in_use(path, e)),
    }
    match number("user_version") {
        Ok(found) if found > SCHEMA => {
            return Err(StoreError::Newer { path: path.into(), found });
        }
        Ok(_) => {}
        Err(e) => return Err(in_use(path, e)),
    }
    Ok(db)
}

fn of_kind(db: &Connection, path: &Path, kind: Kind) -> Result<(), StoreError> {
    match meta(db, path, "kind")? {
        Some(found) if found == kind.name().as_bytes() => Ok(()),
        _ => Err(StoreError::Foreign { kind: kind.name(), path: path.into() }),
    }
}

fn meta(db: &Connection, path: &Path, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |r| r.get(0))
        .optional()
        .map_err(|source| StoreError::Refused { path: path.into(), source })
}

/// One process at a time serves a store: it holds the lock of a file beside it. Others may read meanwhile.
#[derive(Debug)]
struct Lock {
    _held: std::fs::File,
}

impl Lock {
    fn take(store: &Path) -> Result<Lock, StoreError> {
        let mut name = store.as_os_str().to_owned();
        name.push("-lock");
        let path = PathBuf::from(name);
        let refused = |source: std::io::Error| StoreError::Refused {
            path: path.clone(),
            source: rusqlite::Error::ToSqlConversionFailure(Box::new(source)),
        };
        let options =
            std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let held = options.map_err(refused)?;
        restrict(&path);
        match held.try_lock() {
            Ok(()) => Ok(Lock { _held: held }),
            Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path: store.into() }),
            Err(std::fs::TryLockError::Error(source)) => Err(refused(source)),
        }
    }
}

/// Durable commits; readers do not wait for the writer, nor it for them.
fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(Duration::ZERO)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "secure_delete", "ON")?;
    // What cannot be written at all is said at the start.
    db.execute_batch("BEGIN IMMEDIATE; COMMIT;")
}

/// A store that is only read, whether a process serves it or not.
pub struct Reader {
    db: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens the store at `path` for reading. All that is read is of one moment.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(path: &Path, kind: Kind) -> Result<Reader, StoreError> {
        let db = ours(path, kind, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        of_kind(&db, path, kind)?;
        db.execute_batch("BEGIN").map_err(|e| in_use(path, e))?;
        Ok(Reader { db, path: path.into() })
    }

    /// One row, as it stands on disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn row(&self, space: u8, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db
            .query_row(
                "SELECT value FROM rows WHERE space = ?1 AND key = ?2",
                params![space, key],
                |r| r.get(0),
            )
            .optional()
            .map_err(|source| StoreError::Refused { path: self.path.clone(), source })
    }

    /// All rows of a space, in the order of their keys.
    ///
    /// # Errors
    /// The disk refuses, or `take` does.
    pub fn each<E: From<StoreError>>(
        &self,
        space: u8,
        mut take: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let refused = |source| StoreError::Refused { path: self.path.clone(), source };
        let mut query = self
            .db
            .prepare("SELECT key, value FROM rows WHERE space = ?1 ORDER BY key")
            .map_err(refused)?;
        let mut rows = query.query([space]).map_err(refused)?;
        while let Some(row) = rows.next().map_err(refused)? {
            let blob = |column: usize| row.get_ref(column).and_then(|value| Ok(value.as_blob()?));
            let (key, value) = (blob(0).map_err(refused)?, blob(1).map_err(refused)?);
            take(key, value)?;
        }
        Ok(())
    }
}

fn in_use(path: &Path, source: rusqlite::Error) -> StoreError {
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            StoreError::InUse { path: path.into() }
        }
        _ => StoreError::Refused { path: path.into(), source },
    }
}

/// Only the owner may read the file. A file system without permissions keeps what it has.
fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
}

impl Store {
    /// Queues a batch. Its outcome comes from [`Store::outcome`].
    pub fn commit(&self, batch: u64, changes: Vec<Change>) {
        // The writer ends only after this store is dropped.
        let _ = self.jobs.send(Job::Commit(batch, changes));
    }

    /// The next outcome, if there is one.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcomes.try_recv().ok()
    }

    /// Waits for the next outcome; for commands that run without a loop.
    #[must_use]
    pub fn wait(&self) -> Option<Outcome> {
        self.outcomes.recv().ok()
    }
}

impl Drop for Store {
    /// Writes what waits (unless the disk refuses it), and ends the writer.
    fn drop(&mut self) {
        let _ = self.jobs.send(Job::Stop);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

struct Writer<F> {
    db: Connection,
    form: F,
    inbox: Receiver<Job>,
    out: Sender<Outcome>,
    wake: Wake,
    _lock: Lock,
}

impl<F: Form> Writer<F> {
    fn run(&mut self) {
        loop {
            let mut stop = false;
            let mut batches = Vec::new();
            for job in self.inbox.recv().into_iter().chain(self.inbox.try_iter()) {
                match job {
                    Job::Commit(batch, changes) => batches.push((batch, changes)),
                    Job::Stop => stop = true,
                }
            }
            stop |= batches.is_empty();
            let written = self.write(&batches).map_err(|e| e.to_string());
            for (batch, _) in batches {
                let outcome = match &written {
                    Ok(()) => Outcome::Stored(batch),
                    Err(why) => Outcome::Refused(batch, why.clone()),
                };
                // A host that has gone needs no outcome any more.
                let _ = self.out.send(outcome);
            }
            (self.wake)();
            if stop {
                return;
            }
        }
    }

    /// Commits all that waits in one transaction.
    fn write(&mut self, batches: &[(u64, Vec<Change>)]) -> rusqlite::Result<()> {
        let transaction = self.db.transaction()?;
        {
            let mut put =
                transaction.prepare_cached("INSERT OR REPLACE INTO rows VALUES (?1, ?2, ?3)")?;
            let mut delete =
                transaction.prepare_cached("DELETE FROM rows WHERE space = ?1 AND key = ?2")?;
            for change in batches.iter().flat_map(|(_, changes)| changes) {
                match change {
                    Change::Put(row) => {
                        let key = self.form.key(row.space, &row.key);
                        put.execute(params![row.space, key, self.form.close(row)])?;
                    }
                    Change::Delete { space, key } => {
                        delete.execute(params![space, self.form.key(*space, key)])?;
                    }
                }
            }
        }
        transaction.commit()
    }
}
