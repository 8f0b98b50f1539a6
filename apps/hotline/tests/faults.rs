//! Killed processes, trunks that are down, full disks, taken ports, wrong passphrases: on real processes.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::process::{Command, Stdio};
use std::time::Instant;

use common::{Exchange, Handset, PATIENCE, connect, hears, hotline, introduce, run, text, tone};

/// Taken apart whole: what is left out is dropped, and a dropped exchange is killed.
struct Two {
    root: tempfile::TempDir,
    a: Exchange,
    b: Exchange,
    anna: Handset,
    boris: Handset,
}

fn two() -> Two {
    let root = tempfile::tempdir().unwrap();
    let wav = tone(root.path());
    let sound = ["--in", wav.to_str().unwrap(), "--repeat"];
    let a = Exchange::new(root.path(), "ministry");
    let b = Exchange::new(root.path(), "embassy");
    let anna = Handset::new(root.path(), "Anna", &a.enroll("Anna"), &sound);
    let boris = Handset::new(root.path(), "Boris", &b.enroll("Boris"), &sound);
    Two { root, a, b, anna, boris }
}

#[test]
fn a_call_survives_the_killing_of_either_exchange() {
    let Two { root: _root, mut a, mut b, mut anna, mut boris } = two();
    let (contact, _) = introduce(&mut anna, &mut boris);
    connect(&mut anna, contact, &mut boris);

    b.kill();
    anna.until_call("reconnecting");
    b.start();
    anna.until_call("connected");
    hears(&mut anna);
    hears(&mut boris);

    a.kill();
    anna.until_call("reconnecting");
    a.start();
    anna.until_call("connected");
    hears(&mut anna);
    hears(&mut boris);

    anna.must("hangup");
    boris.until_call("ended");
}

#[test]
fn an_exchange_killed_in_the_middle_of_a_redeem_loses_nothing() {
    let Two { root: _root, mut a, mut b, mut anna, mut boris } = two();
    anna.must("card in-person Boris");
    let card = anna.until("card-issued");
    boris.say(&format!("redeem in-person {}", card["link"].as_str().unwrap()));
    // Wherever the request is now: on the line, on the trunk, on its way to the disk, or not sent.
    a.kill();
    b.kill();
    a.start();
    b.start();
    anna.until("card-used");
    boris.until("contact-accepted");
    boris.until("contact-ready");
}

#[test]
fn a_handset_killed_in_the_middle_of_a_redeem_goes_on_with_it() {
    let Two { root: _root, a: _a, b: _b, mut anna, mut boris } = two();
    anna.must("card in-person Boris");
    let card = anna.until("card-issued");
    boris.must(&format!("redeem in-person {}", card["link"].as_str().unwrap()));
    let dir = boris.kill();
    let mut boris = Handset::start(&dir, &[]);
    anna.until("card-used");
    boris.until("contact-accepted");
}

#[test]
fn a_call_to_an_office_that_is_down_says_so_and_is_seen_there_later() {
    let Two { root: _root, a: _a, mut b, mut anna, mut boris } = two();
    let (contact, _) = introduce(&mut anna, &mut boris);
    b.kill();
    // Until the trunk's silence is noticed the call rings into nothing; then it is unreachable.
    let deadline = Instant::now() + PATIENCE;
    loop {
        anna.must(&format!("call {contact}"));
        let ended = anna.until_call("ended");
        if ended["state"].as_str().unwrap().contains("unreachable") {
            break;
        }
        assert!(Instant::now() < deadline, "{ended}");
    }
    b.start();
    boris.until("missed");
}

#[test]
fn a_handset_that_was_off_learns_of_the_missed_call() {
    let Two { root: _root, a: _a, b: _b, mut anna, mut boris } = two();
    let (contact, _) = introduce(&mut anna, &mut boris);
    let dir = boris.quit();
    anna.must(&format!("call {contact}"));
    anna.must("hangup");
    let mut boris = Handset::start(&dir, &[]);
    boris.until("missed");
}

#[test]
fn a_card_used_twice_is_no_longer_valid_for_the_second() {
    let Two { root, a: _a, b, mut anna, mut boris } = two();
    let mut carla = Handset::new(root.path(), "Carla", &b.enroll("Carla"), &[]);
    anna.must("card Boris");
    let link = anna.until("card-issued")["link"].as_str().unwrap().to_owned();
    boris.must(&format!("redeem {link}"));
    boris.until("contact-accepted");
    carla.must(&format!("redeem {link}"));
    carla.until("card-no-longer-valid");
}

#[test]
fn a_second_exchange_on_the_same_port_names_the_port() {
    let root = tempfile::tempdir().unwrap();
    let first = Exchange::new(root.path(), "first");
    let dir = root.path().join("second");
    let port = format!("127.0.0.1:{}", first.lines);
    let dir = dir.to_str().unwrap();
    let made =
        run(&["exchange", "init", "--dir", dir, "--office", "second", "--line-listen", &port]);
    assert!(made.status.success());
    let second = run(&["exchange", "run", "--dir", dir]);
    assert!(!second.status.success());
    assert!(text(&second).contains(&first.lines.to_string()), "{}", text(&second));
    let again = run(&["exchange", "run", "--dir", first.dir()]);
    assert!(text(&again).contains("in use"), "{}", text(&again));
}

#[test]
fn a_full_disk_refuses_what_is_new_and_heals() {
    let root = tempfile::tempdir().unwrap();
    let mut exchange = Exchange::new(root.path(), "office");
    exchange.enroll("before");
    exchange.kill();
    // What a full disk does to a process: writes to files fail. The signal that comes with it is ignored.
    let shell = "trap '' XFSZ; exec \"$0\" exchange run --dir \"$1\"";
    let child = Command::new("sh")
        .args(["-c", shell, env!("CARGO_BIN_EXE_hotline"), exchange.dir()])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    exchange.adopt(child);
    let pid = exchange.pid().to_string();
    let limit = |size: &str| {
        let size = format!("--fsize={size}:unlimited");
        assert!(Command::new("prlimit").args(["--pid", &pid, &size]).status().unwrap().success());
    };
    limit("1");
    let refused = run(&["exchange", "enroll", "--dir", exchange.dir(), "--quiet", "during"]);
    assert!(!refused.status.success(), "{}", text(&refused));
    assert_eq!(exchange.status().unwrap()["storage_ok"], false);

    limit("unlimited");
    let deadline = Instant::now() + PATIENCE;
    while exchange.status().unwrap()["storage_ok"] != true {
        assert!(Instant::now() < deadline, "it does not notice that there is room");
    }
    exchange.enroll("after");
}

#[test]
fn a_wrong_passphrase_and_a_foreign_store_change_nothing() {
    let root = tempfile::tempdir().unwrap();
    let exchange = Exchange::new(root.path(), "office");
    let dir = Handset::new(root.path(), "Anna", &exchange.enroll("Anna"), &[]).quit();
    let store = dir.join("handset.db");
    let before = std::fs::read(&store).unwrap();

    let wrong = dir.join("wrong");
    std::fs::write(&wrong, "another one").unwrap();
    let open = |passphrase: &std::path::Path| {
        hotline()
            .args(["phone", "--headless", "--dir", dir.to_str().unwrap(), "--passphrase-file"])
            .arg(passphrase)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let refused = open(&wrong);
    assert!(!refused.status.success());
    assert!(text(&refused).contains("passphrase"), "{}", text(&refused));
    assert_eq!(std::fs::read(&store).unwrap(), before);

    std::fs::write(&store, b"something else entirely").unwrap();
    let refused = open(&dir.join("passphrase"));
    assert!(!refused.status.success());
    assert!(text(&refused).contains("not a Hotline"), "{}", text(&refused));
    assert_eq!(std::fs::read(&store).unwrap(), b"something else entirely");
}

#[test]
fn an_enrolment_link_works_once() {
    let root = tempfile::tempdir().unwrap();
    let exchange = Exchange::new(root.path(), "office");
    let link = exchange.enroll("Anna");
    let _anna = Handset::new(root.path(), "Anna", &link, &[]);
    let dir = root.path().join("thief");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("passphrase"), "x").unwrap();
    let mut thief = Handset::start(&dir, &["--enroll", &link, "--name", "Thief"]);
    assert_eq!(thief.until("refused")["reason"], "token");
}

#[test]
fn a_revoked_handset_is_shut_out() {
    let root = tempfile::tempdir().unwrap();
    let exchange = Exchange::new(root.path(), "office");
    let mut anna = Handset::new(root.path(), "Anna", &exchange.enroll("Anna"), &[]);
    let done = run(&["exchange", "revoke", "--dir", exchange.dir(), "Anna"]);
    assert!(done.status.success(), "{}", text(&done));
    assert_eq!(anna.until("refused")["reason"], "unknown");
    let nobody = run(&["exchange", "revoke", "--dir", exchange.dir(), "Nobody"]);
    assert!(!nobody.status.success());
}
