//! A seized exchange shows no content: its memory and its files are searched for known plaintext.
//!
//! The exchanges run in this process, so that the test may read their memory (`/proc/self/mem`) without
//! being root; the handsets are processes of their own. This process must never hold the plaintext itself:
//! it holds it in rot13, a shell turns it for the handsets, and the search compares in rot13.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};

use hotline::exchange::control::{Answer, Request};
use hotline::exchange::folder;
use hotline::exchange::host::spawn;
use hotline::exchange::settings::Settings;

/// Said in the call, sent as a note, written on a card: in rot13.
const SAID: &str = "gurfubegfragraprgungvffnvqvapnyy";
const NOTE: &str = "gurabgrgungvffragbhgfvqrbsnalpnyy";
const NAME: &str = "Ivbynfurgvzrvfubefrjbzna";
/// Noted for the record, which the exchange keeps.
const MINUTE: &str = "gurnterrzragvfgbzrrgbaghrfqnl";
/// Known to an exchange, and so the proof that the search finds what is there.
const OFFICE: &str = "Bssvprbsrknzcyrf";

fn rot13(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        other => other,
    }
}

fn holds(bytes: &[u8], hidden: &str) -> bool {
    let hidden = hidden.as_bytes();
    bytes
        .windows(hidden.len())
        .any(|window| window.iter().zip(hidden).all(|(found, wanted)| rot13(*found) == *wanted))
}

/// Whether this process's writable memory holds it.
fn in_memory(hidden: &str) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
    maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let (range, _) = line.split_once(' ').unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let length = u64::from_str_radix(to, 16).unwrap() - from;
        // Thread stacks are mostly untouched; what cannot be read is not memory.
        let mut bytes = vec![0; usize::try_from(length).unwrap()];
        memory.seek(SeekFrom::Start(from)).is_ok()
            && memory.read_exact(&mut bytes).is_ok()
            && holds(&bytes, hidden)
    })
}

fn in_files(dir: &Path, hidden: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let entry = entry.unwrap();
        entry.file_type().unwrap().is_file() && holds(&std::fs::read(entry.path()).unwrap(), hidden)
    })
}

fn entries(answer: Answer) -> u64 {
    match answer {
        Answer::Status(status) => status.record_entries,
        _ => panic!("no status"),
    }
}

#[test]
fn a_seized_exchange_holds_no_plaintext() {
    let root = tempfile::tempdir().unwrap();
    let start = |name: &str| {
        let dir = root.path().join(name);
        let any = "127.0.0.1:0".parse().ok();
        let office: String = OFFICE.bytes().map(|b| char::from(rot13(b))).collect();
        let settings = Settings {
            office: Some(office),
            line_listen: any,
            trunk_listen: any,
            metrics_listen: any,
            web_listen: Some("off".into()),
            ..Settings::default()
        };
        folder::create(&dir, &settings, hotline::host::seed().unwrap()).unwrap();
        let (handle, thread) = spawn(&dir, &settings.resolve().unwrap()).unwrap();
        (dir, handle, thread)
    };
    // The officer's keys are made by a process of their own, as on a machine of their own.
    let officer = root.path().join("officer");
    std::fs::write(root.path().join("pass"), "secret").unwrap();
    let made = common::run(&[
        "record",
        "init-officer",
        "--calls",
        "all",
        "--officer",
        officer.to_str().unwrap(),
        "--passphrase-file",
        root.path().join("pass").to_str().unwrap(),
    ]);
    assert!(made.status.success(), "{}", common::text(&made));
    let order = folder::hex(&std::fs::read(officer.join("record.order")).unwrap());
    let offices = [start("a"), start("b")];
    for (_, handle, _) in &offices {
        let order = Request::Order { order: order.clone(), anew: false };
        assert!(matches!(handle.ask(order), Some(Answer::Ordered { .. })));
    }
    let enrol = |office: usize| match offices[office]
        .1
        .ask(Request::Enroll { principal: "somebody".into(), hours: 1 })
    {
        Some(Answer::Enrolled { link, .. }) => link,
        _ => panic!("no link"),
    };

    // Two handsets talk through a shell script that knows the plaintext; this process sees "done".
    let wav = common::tone(root.path());
    let script = r#"
        set -eu
        turn() { printf %s "$1" | tr 'A-Za-z' 'N-ZA-Mn-za-m'; }
        said=$(turn "$SAID"); note=$(turn "$NOTE"); name=$(turn "$NAME"); minute=$(turn "$MINUTE")
        mkfifo "$DIR/a.in" "$DIR/b.in" "$DIR/a.out" "$DIR/b.out"
        phone() { "$HOTLINE" phone --headless --dir "$DIR/$1" --passphrase-file "$DIR/pass" \
            --enroll "$2" --name "$name $1" --in "$WAV" --repeat <"$DIR/$1.in" >"$DIR/$1.out" & }
        phone a "$LINK_A"; exec 3>"$DIR/a.in" 5<"$DIR/a.out"
        phone b "$LINK_B"; exec 4>"$DIR/b.in" 6<"$DIR/b.out"
        await() { while IFS= read -r line; do case "$line" in *"$1"*) return;; esac; done; exit 1; }
        await line-up <&5; await line-up <&6
        echo "card in-person $name" >&3; await card-issued <&5
        card=$(printf %s "$line" | sed 's/.*"link":"\([^"]*\)".*/\1/')
        echo "redeem in-person $card" >&4; await contact-ready <&6; await contact-ready <&5
        echo "note 1 $note" >&3; await "$note" <&6
        echo "call 1" >&3; await incoming <&6
        echo answer >&4; await '"event":"voice"' <&5
        echo "say $said" >&3; await "$said" <&6
        echo "minute $minute" >&3; await '"event":"recorded"' <&5
        echo "both texts arrived"
        read -r _ || true
        echo quit >&3; echo quit >&4; wait
    "#;
    let mut talk = Command::new("sh")
        .args(["-c", script])
        .env("HOTLINE", env!("CARGO_BIN_EXE_hotline"))
        .env("HOTLINE_LOG", "warn")
        .env("DIR", root.path())
        .env("WAV", wav)
        .env("LINK_A", enrol(0))
        .env("LINK_B", enrol(1))
        .env("SAID", SAID)
        .env("NOTE", NOTE)
        .env("NAME", NAME)
        .env("MINUTE", MINUTE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut out = std::io::BufReader::new(talk.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut said).unwrap();
    assert_eq!(
        said.trim(),
        "both texts arrived",
        "the call took place and said what is searched for"
    );

    // In the middle of the call.
    assert!(in_memory(OFFICE), "the search finds what is there");
    assert_eq!(offices[0].1.ask(Request::Status).map(entries), Some(1), "the note is in its log");
    for hidden in [SAID, NOTE, NAME, MINUTE] {
        assert!(!in_memory(hidden), "plaintext in an exchange's memory");
        for (dir, ..) in &offices {
            assert!(!in_files(dir, hidden), "plaintext in an exchange's files");
        }
    }
    drop(talk.stdin.take());
    talk.wait().unwrap();
    for (_, handle, thread) in offices {
        handle.stop();
        thread.join().unwrap().unwrap();
    }
}
