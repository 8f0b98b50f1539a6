//! The record, as its officer works with it: real exchanges, handsets and files, and hands that change them.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::{Path, PathBuf};

use common::{Exchange, Handset, PASSPHRASE, connect, introduce, run, text, tone};
use rusqlite::{Connection, params};
use serde_json::Value;

/// An office that keeps a record, another one, and a contact between them.
struct Offices {
    root: tempfile::TempDir,
    a: Exchange,
    _b: Exchange,
    anna: Handset,
    boris: Handset,
    contact: u64,
}

fn officer(root: &Path) -> PathBuf {
    root.join("officer")
}

/// `hotline record` with the officer's folder and passphrase; standard output, or what it said instead.
fn record(root: &Path, args: &[&str]) -> Result<String, String> {
    let (officer, pass) = (officer(root), root.join("pass"));
    std::fs::write(&pass, PASSPHRASE).unwrap();
    let own = ["--officer", officer.to_str().unwrap(), "--passphrase-file", pass.to_str().unwrap()];
    let output = run(&[&["record"], args, &own].concat());
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(text(&output))
    }
}

fn put_into_force(a: &Exchange, order: &Path, extra: &[&str]) -> std::process::Output {
    let args =
        [&["exchange", "record", "--dir", a.dir()], extra, &[order.to_str().unwrap()]].concat();
    run(&args)
}

fn offices() -> Offices {
    let root = tempfile::tempdir().unwrap();
    let wav = tone(root.path());
    let sound = ["--in", wav.to_str().unwrap(), "--repeat"];
    let (a, b) = (Exchange::new(root.path(), "ministry"), Exchange::new(root.path(), "embassy"));
    record(root.path(), &["init-officer", "--calls", "answered"]).unwrap();
    let order = officer(root.path()).join("record.order");
    assert!(put_into_force(&a, &order, &[]).status.success());
    let mut anna = Handset::new(root.path(), "Anna", &a.enroll("Anna"), &sound);
    let mut boris = Handset::new(root.path(), "Boris", &b.enroll("Boris"), &sound);
    let (contact, _) = introduce(&mut anna, &mut boris);
    Offices { root, a, _b: b, anna, boris, contact }
}

impl Offices {
    /// A call with a note, on the record when this returns.
    fn talk(&mut self, note: &str) {
        connect(&mut self.anna, self.contact, &mut self.boris);
        self.anna.must(&format!("minute {note}"));
        self.anna.until("recorded");
        self.anna.must("hangup");
        self.anna.until("recorded");
        self.boris.until_call("ended");
        // The keys of the next one.
        self.anna.until("contact-ready");
    }

    fn record(&self, args: &[&str]) -> Result<String, String> {
        record(self.root.path(), &[args, &["--from", self.a.dir()]].concat())
    }

    fn verify(&self) -> Result<String, String> {
        self.record(&["verify"])
    }
}

#[test]
fn an_officer_lists_shows_verifies_and_exports_while_the_exchange_runs() {
    let mut o = offices();
    o.talk("Agreed: <Tuesday>.");
    let here = o.anna.ask("record");
    assert_eq!(
        (&here["record"]["waiting"], &here["record"]["entries"]),
        (&0.into(), &2.into()),
        "{here}"
    );
    let first = o.verify().unwrap();
    assert!(first.contains("Whole") && first.contains("2 entries"), "{first}");
    assert!(
        first.contains(here["record"]["mark"].as_str().unwrap()),
        "the handset's mark: {first}"
    );
    o.talk("Second call.");
    let second = o.verify().unwrap();
    assert!(second.contains("against a checkpoint of 2 that was kept"), "{second}");
    assert!(!second.contains("is new"), "Anna is known now: {second}");

    let list = o.record(&["list"]).unwrap();
    assert_eq!(list.matches("Boris, embassy").count(), 2, "{list}");
    let shown = o.record(&["show", "0"]).unwrap();
    for part in ["Agreed: <Tuesday>.", "connected", "in the log", "ended by this side"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("Second call."), "{shown}");
    let file = |name: &str| o.root.path().join(name).to_str().unwrap().to_owned();
    o.record(&["export", "--format", "json", "--to", &file("all.json")]).unwrap();
    o.record(&["export", "--format", "csv", "--to", &file("all.csv")]).unwrap();
    o.record(&["export", "--format", "memo", "--entry", "1", "--to", &file("one.html")]).unwrap();
    let all: Value = serde_json::from_slice(&std::fs::read(file("all.json")).unwrap()).unwrap();
    assert_eq!(all["calls"].as_array().unwrap().len(), 2);
    assert_eq!(all["calls"][0]["notes"][0]["text"], "Agreed: <Tuesday>.");
    assert_eq!(std::fs::read_to_string(file("all.csv")).unwrap().lines().count(), 3);
    let memo = std::fs::read_to_string(file("one.html")).unwrap();
    assert!(memo.contains("Agreed: &lt;Tuesday&gt;.") && memo.contains("Boris, embassy"), "{memo}");
    let again = o.record(&["export", "--format", "csv", "--to", &file("all.csv")]).unwrap_err();
    assert!(again.contains("exists"), "nothing is overwritten: {again}");

    // A copy says the same, needs no exchange, and is continued.
    let copy = file("copy");
    let made = run(&["record", "copy", "--from", o.a.dir(), "--to", &copy]);
    assert!(made.status.success(), "{}", text(&made));
    assert_eq!(record(o.root.path(), &["list", "--from", &copy]).unwrap(), list);
    o.talk("Third call.");
    assert!(run(&["record", "copy", "--from", o.a.dir(), "--to", &copy]).status.success());
    let third = record(o.root.path(), &["verify", "--from", &copy]).unwrap();
    assert!(third.contains("Whole") && third.contains("6 entries"), "{third}");
    let other = run(&["record", "list", "--from", &copy, "--officer", "/nowhere"]);
    assert!(!other.status.success(), "without the officer's key there is nothing to read");
}

#[test]
fn the_record_survives_the_killing_of_exchange_and_handset() {
    let mut o = offices();
    o.talk("before");
    connect(&mut o.anna, o.contact, &mut o.boris);
    o.anna.must("minute in the call");
    o.a.kill();
    o.anna.until_call("reconnecting");
    o.anna.must("hangup");
    let dir = o.anna.kill();
    o.a.start();
    o.anna = Handset::start(&dir, &[]);
    o.anna.until("recorded");
    while o.anna.ask("record")["record"]["waiting"] != 0 {
        o.anna.until("recorded");
    }
    let verified = o.verify().unwrap();
    assert!(verified.contains("Whole") && verified.contains("4 entries"), "{verified}");
    assert!(o.record(&["show", "2"]).unwrap().contains("in the call"));
}

/// Changes the store of a stopped exchange, and verifies it with the officer's key and without; the store is put
/// back afterwards.
fn after(o: &Offices, change: impl Fn(&Connection)) -> (String, Result<String, String>) {
    let store = o.a.dir.join("exchange.db");
    // Whatever a killed exchange left beside it is put in.
    Connection::open(&store).unwrap().execute_batch("BEGIN IMMEDIATE; COMMIT").unwrap();
    let before = std::fs::read(&store).unwrap();
    let db = Connection::open(&store).unwrap();
    change(&db);
    db.close().unwrap();
    let found = o.verify().unwrap_err();
    let sealed = o.record(&["verify", "--sealed"]);
    std::fs::write(&store, before).unwrap();
    for left in ["exchange.db-wal", "exchange.db-shm"] {
        let _ = std::fs::remove_file(o.a.dir.join(left));
    }
    (found, sealed)
}

/// What is found, with the key and without.
fn found_by_all(o: &Offices, change: impl Fn(&Connection)) -> String {
    let (found, sealed) = after(o, change);
    let sealed = sealed.unwrap_err();
    assert!(sealed.contains("FOUND"), "{sealed}");
    found
}

fn entry(db: &Connection, index: u64) -> Vec<u8> {
    let key = index.to_be_bytes().to_vec();
    let sql = "SELECT value FROM rows WHERE space = 30 AND key = ?1";
    db.query_row(sql, [key], |row| row.get(0)).unwrap()
}

fn set(db: &Connection, index: u64, value: &[u8]) {
    let key = index.to_be_bytes().to_vec();
    db.execute("UPDATE rows SET value = ?2 WHERE space = 30 AND key = ?1", params![key, value])
        .unwrap();
}

fn drop_entry(db: &Connection, index: u64) {
    db.execute("DELETE FROM rows WHERE space = 30 AND key = ?1", [index.to_be_bytes().to_vec()])
        .unwrap();
}

fn set_head(db: &Connection, value: &[u8]) {
    db.execute("UPDATE rows SET value = ?1 WHERE space = 31", [value]).unwrap();
}

/// Writes the whole log anew from these entries, with hashes, numbers, head and signature right: what whoever
/// has the exchange's key can do.
fn sign_anew(o: &Offices, db: &Connection, entries: &[Vec<u8>]) {
    let signer = hotline::exchange::folder::signing_key(&o.a.dir).unwrap();
    db.execute("DELETE FROM rows WHERE space = 30", []).unwrap();
    let mut frontier = record::Frontier::default();
    for (index, entry) in entries.iter().enumerate() {
        let leaf = record::tree::leaf(entry);
        frontier.append(leaf);
        let (key, value) = ((index as u64).to_be_bytes().to_vec(), [&leaf[..], entry].concat());
        db.execute("INSERT INTO rows VALUES (30, ?1, ?2)", params![key, value]).unwrap();
    }
    let head = record::Head::sign(&signer, frontier.size(), frontier.root());
    let size = head.size.to_be_bytes();
    let peaks = frontier.peaks().concat();
    set_head(db, &[&head.exchange.0[..], &size, &head.signature.0, &peaks].concat());
}

fn all(db: &Connection, n: u64) -> Vec<Vec<u8>> {
    (0..n).map(|index| entry(db, index)[32..].to_vec()).collect()
}

#[test]
fn verify_finds_each_change_whoever_made_it() {
    let mut o = offices();
    o.talk("one");
    let early = o.root.path().join("early.note");
    o.record(&["verify", "--sealed", "--keep", early.to_str().unwrap()]).unwrap();
    let early_head = {
        let reader = hotline::exchange::folder::reader(&o.a.dir).unwrap();
        reader.row(exchange::RECORD_HEAD, &[]).unwrap().unwrap()
    };
    for note in ["two", "three"] {
        o.talk(note);
    }
    o.a.kill();
    assert!(o.verify().unwrap().contains("6 entries"));

    // A hasty hand, in the file.
    let found = found_by_all(&o, |db| {
        let mut value = entry(db, 3);
        value[1_000] ^= 1;
        set(db, 3, &value);
    });
    assert!(found.contains("entry 3 was changed"), "one byte: {found}");
    let found = found_by_all(&o, |db| drop_entry(db, 2));
    assert!(found.contains("entry 2 is missing"), "{found}");
    let found = found_by_all(&o, |db| {
        let (one, other) = (entry(db, 1), entry(db, 4));
        set(db, 1, &[&one[..32], &other[32..]].concat());
        set(db, 4, &[&other[..32], &one[32..]].concat());
    });
    assert!(found.contains("entries 1 and 4 were swapped"), "{found}");
    let found = found_by_all(&o, |db| drop_entry(db, 5));
    assert!(found.contains("the end was cut off"), "truncated: {found}");

    // A careful one: the checkpoint of an earlier day, and the log up to it.
    let found = found_by_all(&o, |db| {
        set_head(db, &early_head);
        (2..6).for_each(|index| drop_entry(db, index));
    });
    assert!(found.contains("rolled-back"), "{found}");

    // Whoever has the exchange's key signs anew what is left.
    let found = found_by_all(&o, |db| {
        let mut entries = all(db, 6);
        entries.swap(1, 4);
        sign_anew(&o, db, &entries);
    });
    assert!(found.contains("history was rewritten") && found.contains("out of order"), "{found}");
    let found = found_by_all(&o, |db| {
        let mut entries = all(db, 6);
        entries.remove(2);
        sign_anew(&o, db, &entries);
    });
    assert!(found.contains("left out") && found.contains("number"), "{found}");
    let found = found_by_all(&o, |db| {
        let mut entries = all(db, 6);
        entries[3][2_000] ^= 1;
        sign_anew(&o, db, &entries);
    });
    assert!(found.contains("entry 3 does not open"), "{found}");
    let (found, sealed) = after(&o, |db| {
        let mut entries = all(db, 6);
        entries.push(entries[2].clone());
        sign_anew(&o, db, &entries);
    });
    assert!(found.contains("entry 6 is a copy of entry 2"), "{found}");
    assert!(sealed.is_ok(), "the log only grew: nobody but the officer can tell");

    // And the early checkpoint, kept elsewhere, is still one of this log.
    o.record(&["verify", "--kept", early.to_str().unwrap()]).unwrap();
}

#[test]
fn two_of_three_officers_open_the_record_together_and_keys_rotate() {
    let root = tempfile::tempdir().unwrap();
    let dir = officer(root.path());
    let file = |n: u32| {
        let path = root.path().join(format!("pass-{n}"));
        std::fs::write(&path, format!("passphrase {n}")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let passes: Vec<String> = (1..=3).map(file).collect();
    let share = |n: u32| dir.join(format!("share-{n}.key")).to_str().unwrap().to_owned();
    let folder = dir.to_str().unwrap();
    let mut init =
        vec!["record", "init-officer", "--officer", folder, "--officers", "3", "--needed", "2"];
    for pass in &passes {
        init.extend(["--passphrase-file", pass]);
    }
    let made = run(&init);
    assert!(made.status.success(), "{}", text(&made));
    let rotate = |with: &[(String, &String)]| {
        let mut args = vec!["record", "order", "--rotate", "--officer", folder];
        for (share, pass) in with {
            args.extend(["--share", share, "--passphrase-file", pass]);
        }
        run(&args)
    };
    let done = rotate(&[(share(3), &passes[2]), (share(1), &passes[0])]);
    assert!(done.status.success(), "{}", text(&done));
    assert!(text(&done).contains("number 2"), "{}", text(&done));
    for (with, why) in [
        (vec![(share(1), &passes[0])], "2 officers together"),
        (vec![(share(1), &passes[0]), (share(1), &passes[0])], "given twice"),
        (vec![(share(1), &passes[0]), (share(2), &passes[0])], "passphrase"),
    ] {
        let refused = rotate(&with);
        assert!(
            !refused.status.success() && text(&refused).contains(why),
            "{why}: {}",
            text(&refused)
        );
    }
}

#[test]
fn a_wrong_passphrase_or_a_damaged_key_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    record(root.path(), &["init-officer"]).unwrap();
    let key = officer(root.path()).join("officer.key");
    let before = std::fs::read(&key).unwrap();
    let again = record(root.path(), &["init-officer"]).unwrap_err();
    assert!(again.contains("stay untouched"), "{again}");
    let wrong = root.path().join("wrong");
    std::fs::write(&wrong, "wrong").unwrap();
    let folder = officer(root.path());
    let refused = run(&[
        "record",
        "order",
        "--rotate",
        "--officer",
        folder.to_str().unwrap(),
        "--passphrase-file",
        wrong.to_str().unwrap(),
    ]);
    assert!(
        !refused.status.success() && text(&refused).contains("passphrase"),
        "{}",
        text(&refused)
    );
    assert_eq!(std::fs::read(&key).unwrap(), before);
    for at in [0, 9, 60, before.len() - 1] {
        let mut damaged = before.clone();
        damaged[at] ^= 1;
        std::fs::write(&key, &damaged).unwrap();
        assert!(record(root.path(), &["order", "--rotate"]).is_err(), "byte {at}");
        std::fs::write(&key, &before[..at]).unwrap();
        assert!(record(root.path(), &["order", "--rotate"]).is_err(), "cut at {at}");
    }
}

#[test]
fn an_order_of_another_officer_is_for_the_operator_to_insist_on() {
    let mut o = offices();
    let strange = o.root.path().join("strange");
    let pass = o.root.path().join("pass");
    let made = run(&[
        "record",
        "init-officer",
        "--officer",
        strange.to_str().unwrap(),
        "--passphrase-file",
        pass.to_str().unwrap(),
    ]);
    assert!(made.status.success(), "{}", text(&made));
    let order = strange.join("record.order");
    let refused = put_into_force(&o.a, &order, &[]);
    assert!(text(&refused).contains("--anew"), "{}", text(&refused));
    assert!(put_into_force(&o.a, &order, &["--anew"]).status.success());
    let doubt = o.anna.until("record-doubt");
    assert_eq!(doubt["doubt"], "otherofficer");
    let asked = o.anna.ask("record")["record"]["asked"].as_str().unwrap().to_owned();
    assert!(text(&made).contains(&asked), "the fingerprint that its officer has");
    // Until the owner accepts, all goes to the first officer.
    o.talk("to whom it belongs");
    assert!(o.record(&["show", "0"]).unwrap().contains("to whom it belongs"));
    o.anna.must(&format!("record accept {asked}"));
    let status = run(&["exchange", "status", "--dir", o.a.dir(), "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["record_officer"].as_str().unwrap(), asked);
    assert_eq!(status["record_entries"], 2);
}
