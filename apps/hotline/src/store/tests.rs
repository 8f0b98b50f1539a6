#![allow(clippy::unwrap_used)]
use super::*;

fn put(key: &[u8], value: &[u8]) -> Change {
    Change::Put(Row { space: 1, key: key.into(), value: value.into() })
}

fn start(file: File) -> (Store, Vec<Row>) {
    file.start(Plain, Box::new(|| ())).unwrap()
}

#[test]
fn what_was_reported_stored_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let (store, rows) = start(File::create(&path, Kind::Exchange).unwrap());
    assert!(rows.is_empty());
    store.commit(1, vec![put(b"a", b"1"), put(b"b", b"2")]);
    store.commit(2, vec![put(b"a", b"3"), Change::Delete { space: 1, key: b"b".to_vec() }]);
    assert_eq!(store.wait(), Some(Outcome::Stored(1)));
    assert_eq!(store.wait(), Some(Outcome::Stored(2)));
    drop(store);
    let (_store, rows) = start(File::open(&path, Kind::Exchange).unwrap());
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0].key[..], &rows[0].value[..]), (&b"a"[..], &b"3"[..]));
}

#[test]
fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let _open = File::create(&path, Kind::Handset).unwrap();
    assert!(matches!(File::open(&path, Kind::Handset), Err(StoreError::InUse { .. })));
}

#[test]
fn foreign_newer_missing_and_existing_files_stay_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    assert!(matches!(File::open(&path, Kind::Handset), Err(StoreError::Missing { .. })));

    let letter =
        b"Dear colleague, this is not a database, and it is longer than a header of one has to be.";
    std::fs::write(&path, letter.repeat(30)).unwrap();
    assert!(matches!(File::create(&path, Kind::Handset), Err(StoreError::Exists { .. })));
    assert!(matches!(File::open(&path, Kind::Handset), Err(StoreError::Foreign { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), letter.repeat(30));

    let other = folder.path().join("other");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(File::open(&other, Kind::Handset), Err(StoreError::Foreign { .. })));

    let exchange = folder.path().join("exchange");
    drop(File::create(&exchange, Kind::Exchange).unwrap());
    assert!(matches!(File::open(&exchange, Kind::Handset), Err(StoreError::Foreign { .. })));

    let newer = folder.path().join("newer");
    drop(File::create(&newer, Kind::Handset).unwrap());
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 9).unwrap();
    assert!(matches!(File::open(&newer, Kind::Handset), Err(StoreError::Newer { found: 9, .. })));
}

#[test]
fn a_full_disk_refuses_and_writes_nothing_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let file = File::create(&path, Kind::Exchange).unwrap();
    // SQLite's own way to run out of room: no page may be added.
    let pages: i64 = file.db.pragma_query_value(None, "page_count", |r| r.get(0)).unwrap();
    file.db.pragma_update(None, "max_page_count", pages).unwrap();
    let (store, _) = start(file);
    store.commit(1, vec![put(b"small", b"x"), put(b"large", &[7; 100_000])]);
    assert!(matches!(store.wait(), Some(Outcome::Refused(1, why)) if why.contains("full")));
    drop(store);

    let (store, rows) = start(File::open(&path, Kind::Exchange).unwrap());
    assert!(rows.is_empty(), "nothing of a refused batch is there");
    store.commit(1, vec![put(b"small", b"x"), put(b"large", &[7; 100_000])]);
    assert_eq!(store.wait(), Some(Outcome::Stored(1)));
}

#[test]
fn sealed_rows_show_nothing_and_cannot_be_moved() {
    use rand_chacha::rand_core::SeedableRng;
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
    let (vault, header) =
        seal::vault::Vault::create("correct horse", seal::vault::Params::TEST, &mut rng).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let file = File::create(&path, Kind::Handset).unwrap();
    file.set_meta("vault", &header).unwrap();
    let (store, _) = file.start(Sealed::new(vault, rng.clone()), Box::new(|| ())).unwrap();
    store.commit(1, vec![put(b"contact 1", b"Angela"), put(b"contact 2", b"Boris")]);
    assert_eq!(store.wait(), Some(Outcome::Stored(1)));
    drop(store);

    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for word in [&b"contact"[..], b"Angela", b"Boris"] {
            assert!(!bytes.windows(word.len()).any(|w| w == word));
        }
    }

    let open = || {
        let file = File::open(&path, Kind::Handset)?;
        let header = file.meta("vault")?.unwrap();
        let vault = seal::vault::Vault::open(&header, "correct horse")?;
        file.start(Sealed::new(vault, rng.clone()), Box::new(|| ()))
    };
    let (store, rows) = open().unwrap();
    assert!(rows.iter().any(|r| r.key == b"contact 1" && r.value == b"Angela"));
    drop(store);

    // Somebody with the disk swaps two contacts' rows.
    let db = Connection::open(&path).unwrap();
    let values: Vec<(Vec<u8>, Vec<u8>)> = db
        .prepare("SELECT key, value FROM rows ORDER BY key")
        .unwrap()
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (a, b) in [(0, 1), (1, 0)] {
        let swapped = params![values[b].1, values[a].0];
        assert_eq!(db.execute("UPDATE rows SET value = ?1 WHERE key = ?2", swapped).unwrap(), 1);
    }
    drop(db);
    assert!(matches!(open(), Err(StoreError::Damaged { .. })));
}
