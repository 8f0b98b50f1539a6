//! Real processes for the tests: exchanges and headless handsets of the built `hotline`.
//!
//! Every wait is for something that a process says, with a deadline; ports are the system's choice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses its part"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait for anything: machines can be slow, and a test that hangs must end.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const PASSPHRASE: &str = "correct horse battery staple";

pub fn hotline() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.env("HOTLINE_LOG", "warn");
    command
}

/// Runs to the end; its whole output.
pub fn run(args: &[&str]) -> Output {
    hotline().args(args).stdin(Stdio::null()).output().unwrap()
}

pub fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A port that was free a moment ago. An exchange that is started again needs the same one.
pub fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An exchange as a process, which can be killed and started again on the same ports.
pub struct Exchange {
    pub dir: PathBuf,
    pub lines: u16,
    pub trunks: u16,
    child: Option<Child>,
}

impl Exchange {
    pub fn new(root: &Path, office: &str) -> Exchange {
        let dir = root.join(office);
        let (lines, trunks) = (free_port(), free_port());
        let made = run(&[
            "exchange",
            "init",
            "--dir",
            dir.to_str().unwrap(),
            "--office",
            office,
            "--line-listen",
            &format!("127.0.0.1:{lines}"),
            "--trunk-listen",
            &format!("127.0.0.1:{trunks}"),
            "--metrics-listen",
            "127.0.0.1:0",
            "--web-listen",
            "127.0.0.1:0",
        ]);
        assert!(made.status.success(), "{}", text(&made));
        let mut exchange = Exchange { dir, lines, trunks, child: None };
        exchange.start();
        exchange
    }

    pub fn dir(&self) -> &str {
        self.dir.to_str().unwrap()
    }

    /// Starts the process, and waits until it answers its operator.
    pub fn start(&mut self) {
        let child = hotline()
            .args(["exchange", "run", "--dir", self.dir()])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        self.until_it_answers();
    }

    pub fn adopt(&mut self, child: Child) {
        self.child = Some(child);
        self.until_it_answers();
    }

    fn until_it_answers(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.status().is_none() {
            let ended = self.child.as_mut().and_then(|c| c.try_wait().unwrap());
            assert!(ended.is_none(), "the exchange ended at its start: {ended:?}");
            assert!(Instant::now() < deadline, "the exchange does not answer");
        }
    }

    pub fn status(&self) -> Option<Value> {
        let output = run(&["exchange", "status", "--dir", self.dir(), "--json"]);
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    pub fn enroll(&self, person: &str) -> String {
        let output = run(&["exchange", "enroll", "--dir", self.dir(), "--quiet", person]);
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap().trim().into()
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// SIGKILL: no chance to write anything.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

/// A headless handset as a process.
pub struct Handset {
    pub dir: PathBuf,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Value>,
    seen: Vec<Value>,
}

impl Handset {
    /// A new handset of `person`, enrolled; its line is up.
    pub fn new(root: &Path, person: &str, link: &str, extra: &[&str]) -> Handset {
        let dir = root.join(person);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("passphrase"), PASSPHRASE).unwrap();
        let mut handset =
            Self::start(&dir, &[&["--enroll", link, "--name", person][..], extra].concat());
        handset.until("line-up");
        handset
    }

    /// Starts the handset in `dir`.
    pub fn start(dir: &Path, extra: &[&str]) -> Handset {
        let mut child = hotline()
            .args(["phone", "--headless", "--dir", dir.to_str().unwrap(), "--passphrase-file"])
            .arg(dir.join("passphrase"))
            .args(extra)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let (tx, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                let value = serde_json::from_str(&line).expect("one JSON object a line");
                if tx.send(value).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        Handset { dir: dir.into(), child, input, lines, seen: Vec::new() }
    }

    /// Types a command without waiting for what comes of it.
    pub fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Types a command; what it is answered.
    pub fn ask(&mut self, line: &str) -> Value {
        self.say(line);
        self.find(&format!("an answer to `{line}`"), |v| v.get("event").is_none())
    }

    /// Types a command that has to be taken.
    pub fn must(&mut self, line: &str) -> Value {
        let answer = self.ask(line);
        assert!(answer.get("error").is_none(), "{line}: {answer}");
        answer
    }

    /// Waits for an event.
    pub fn until(&mut self, event: &str) -> Value {
        self.find(event, |v| v["event"] == event)
    }

    /// Waits until a call is in `state`.
    pub fn until_call(&mut self, state: &str) -> Value {
        self.find(state, |v| {
            v["event"] == "call" && v["state"].as_str().is_some_and(|s| s.contains(state))
        })
    }

    fn find(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(value) = self.lines.recv_timeout(left) else {
                panic!("{}: {what} did not happen; it said {:#?}", self.dir.display(), self.seen)
            };
            self.seen.push(value.clone());
            if wanted(&value) {
                return value;
            }
        }
    }

    /// SIGKILL.
    pub fn kill(mut self) -> PathBuf {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.dir.clone()
    }

    /// Ends it as its person would.
    pub fn quit(mut self) -> PathBuf {
        self.say("quit");
        let status = self.child.wait().unwrap();
        assert!(status.success());
        self.dir.clone()
    }
}

impl Drop for Handset {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `a` gives `b` a card; both have the contact and keys for a call. Their numbers of the contact.
pub fn introduce(a: &mut Handset, b: &mut Handset) -> (u64, u64) {
    a.must("card in-person the other");
    let card = a.until("card-issued");
    b.must(&format!("redeem in-person {}", card["link"].as_str().unwrap()));
    let used = a.until("card-used");
    let accepted = b.until("contact-accepted");
    b.until("contact-ready");
    a.until("contact-ready");
    (used["contact"].as_u64().unwrap(), accepted["contact"].as_u64().unwrap())
}

/// `a` calls `b`, who answers; both are connected and hear each other.
pub fn connect(a: &mut Handset, contact: u64, b: &mut Handset) {
    a.must(&format!("call {contact}"));
    b.until("incoming");
    a.until_call("ringing");
    b.must("answer");
    a.until("voice");
}

/// Waits until `handset` plays voice that comes in now.
pub fn hears(handset: &mut Handset) {
    let played =
        |handset: &mut Handset| handset.must("status")["voice"]["played"].as_u64().unwrap();
    let (before, deadline) = (played(handset), Instant::now() + PATIENCE);
    // A stream that starts anew counts anew.
    while (before..before + 10).contains(&played(handset)) {
        assert!(Instant::now() < deadline, "no voice comes in");
    }
}

/// A WAV file with something to hear: a second of a tone that changes.
pub fn tone(dir: &Path) -> PathBuf {
    let path = dir.join("tone.wav");
    let samples: Vec<f32> =
        (0..48_000).map(|n| (n as f32 * (0.02 + n as f32 * 4e-7)).sin() * 0.3).collect();
    hotline::phone::sound::write_wav(&path, &samples).unwrap();
    path
}
