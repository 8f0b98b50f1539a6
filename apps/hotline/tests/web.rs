//! The web handset's door and links, on real processes.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use common::{Exchange, Handset, PATIENCE, hotline, run, text, tone};

/// Asks the door at `origin` for a path; the head, and the content.
fn get(origin: &str, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(origin.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let content = answer.split_off(end);
    (String::from_utf8(answer).unwrap(), content)
}

/// The length of a DER element with its header.
fn element(der: &[u8]) -> usize {
    match der[1] {
        short @ ..=0x7f => 2 + usize::from(short),
        0x81 => 3 + usize::from(der[2]),
        _ => 4 + usize::from(u16::from_be_bytes([der[2], der[3]])),
    }
}

/// Checks the Ed25519 signature of a certificate (RFC 5280 section 4.1, RFC 8410).
fn signed_by(der: &[u8], key: &[u8]) -> bool {
    let inner = &der[4..element(der)];
    let (signed, signature) = (&inner[..element(inner)], &inner[inner.len() - 64..]);
    UnparsedPublicKey::new(&ED25519, key).verify(signed, signature).is_ok()
}

#[test]
fn the_page_the_line_doors_certificate_and_the_links_come_from_a_running_exchange() {
    let root = tempfile::tempdir().unwrap();
    let exchange = Exchange::new(root.path(), "ministry");
    let status = exchange.status().unwrap();
    let origin = status["web"].as_str().unwrap();

    let (head, page) = get(origin, "/");
    // A build without the web handset says so, in words.
    assert!(
        head.starts_with("HTTP/1.1 200") || String::from_utf8_lossy(&page).contains("make web")
    );
    let policy = format!("connect-src 'self' https://127.0.0.1:{};", exchange.lines);
    assert!(head.contains(&policy), "{head}");

    let (head, leaf) = get(origin, "/line");
    assert!(head.contains("application/pkix-cert") && head.contains("no-store"), "{head}");
    let key = hotline::exchange::settings::parse_key(status["key"].as_str().unwrap()).unwrap();
    assert!(signed_by(&leaf, &key), "the exchange's key has signed it");
    assert!(!signed_by(&leaf, &[7; 32]));

    let enroll = |extra: &[&str]| {
        let args = [&["exchange", "enroll", "--dir", exchange.dir()], extra, &["Zoë"]].concat();
        run(&args)
    };
    let all = text(&enroll(&[]));
    assert!(
        all.contains(&format!("{origin}/#enroll=")) && all.contains("hotline:enroll/"),
        "{all}"
    );
    let web = text(&enroll(&["--web", "--card", "hotline:card/AbC-_9"]));
    assert!(web.starts_with(origin) && web.lines().count() == 1, "{web}");
    assert!(web.trim().ends_with("&name=Zo%C3%AB&card=AbC-_9"), "{web}");
    let bad = enroll(&["--web", "--card", "hotline:card/a&b"]);
    assert!(!bad.status.success() && text(&bad).contains("not a card"), "{}", text(&bad));
    let version = text(&run(&["--version"]));
    assert!(version.contains("web handset"), "{version}");
}

/// `hotline demo` as a process, and what it prints.
struct Demo {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Demo {
    fn start(dir: &Path) -> Demo {
        let mut child = hotline()
            .args(["demo", "--dir", dir.to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let (tx, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if tx.send(line).is_err() {
                    return;
                }
            }
        });
        Demo { child, lines, seen: Vec::new() }
    }

    /// Waits for a line; lines before it count too.
    fn until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        if let Some(at) = self.seen.iter().position(|line| wanted(line)) {
            return self.seen.remove(at);
        }
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("the demo did not say it: {:#?}", self.seen)
            };
            if wanted(&line) {
                return line;
            }
            self.seen.push(line);
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a page takes out of a link: for a native handset.
fn value(link: &str, key: &str) -> String {
    let fragment = link.trim().split_once('#').unwrap().1;
    let pairs = fragment.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(k, _)| *k == key).map(|(_, value)| value.to_owned()).next().unwrap()
}

#[test]
fn a_link_of_the_demo_makes_a_further_handset_that_calls_the_other_office() {
    let root = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(&root.path().join("demo"));
    let link = demo.until(|line| line.contains("/#enroll=") && line.contains("&name=Anna"));
    assert!(link.trim().starts_with("http://localhost:") && link.contains("&keep=no"), "{link}");
    demo.until(|line| line.contains("/#enroll=") && line.contains("&name=Boris"));

    // As the page does it.
    let (wav, enroll) = (tone(root.path()), format!("hotline:enroll/{}", value(&link, "enroll")));
    let sound = ["--in", wav.to_str().unwrap(), "--repeat"];
    let mut second = Handset::new(root.path(), &value(&link, "name"), &enroll, &sound);
    second.must(&format!("redeem in-person hotline:card/{}", value(&link, "card")));
    second.until("admitted");
    demo.until(|line| line.contains("Anna's browser is in"));
    let fresh = demo.until(|line| line.contains("/#enroll=") && line.contains("&name=Anna"));
    assert!(value(&fresh, "enroll") != value(&link, "enroll"), "for one more handset");
    assert!(value(&fresh, "card") != value(&link, "card"));

    // Anna's contact is there, and answers by himself, as no other handset of his does.
    let boris = loop {
        let ready = second.until("contact-ready");
        if ready["name"] == "Boris" {
            break ready["contact"].as_u64().unwrap();
        }
    };
    second.must(&format!("call {boris}"));
    second.until("voice");
    common::hears(&mut second);
    demo.until(|line| line.contains("Boris answers"));
    second.must("hangup");
}
