//! One office: an exchange, the rows on its disk, and a host that can be killed.

use core::time::Duration;
use std::collections::BTreeMap;

use exchange::{Command, Config, Event, Exchange, Reply, TrunkPolicy};
use seal::office::ExchangeKey;
use wire::enrol::EnrolLink;
use wire::rows::{Change, Row};
use wire::{ExchangePub, OfficerPub, Text, Time, Token, Wall};

/// What stands on a disk.
pub type Rows = BTreeMap<(u8, Vec<u8>), Vec<u8>>;

/// Writes a batch.
pub fn write(rows: &mut Rows, changes: Vec<Change>) {
    for change in changes {
        match change {
            Change::Put(Row { space, key, value }) => rows.insert((space, key), value),
            Change::Delete { space, key } => rows.remove(&(space, key)),
        };
    }
}

/// Reads everything back.
#[must_use]
pub fn read(rows: &Rows) -> Vec<Row> {
    let row = |((space, key), value): (&(u8, Vec<u8>), &Vec<u8>)| Row {
        space: *space,
        key: key.clone(),
        value: value.clone(),
    };
    rows.iter().map(row).collect()
}

/// An exchange and its disk.
pub struct Office {
    /// `None`: killed.
    pub exchange: Option<Exchange>,
    /// Its public key. In a test nobody has to prove it on a link; it signs the record.
    pub key: ExchangePub,
    signer: ExchangeKey,
    config: Config,
    /// Its disk.
    pub rows: Rows,
    /// What it said.
    pub events: Vec<Event>,
    /// What it answered.
    pub replies: Vec<Reply>,
    /// When it wants to be woken.
    pub timeout: Time,
    /// Trunks to and from it cannot be made.
    pub cut_off: bool,
    seed: u64,
    starts: u8,
    tokens: u8,
}

impl Office {
    /// An office with nobody in it.
    #[must_use]
    pub fn new(number: u8, seed: u64, now: Time, wall: Wall) -> Office {
        let signer = ExchangeKey::from_bytes(&[100 + number; 32]);
        let mut office = Office {
            exchange: None,
            key: signer.public(),
            signer,
            config: Config {
                office: text(&format!("Office {number}")),
                host: text(&format!("office{number}.example:4433")),
                trunks: TrunkPolicy::Open,
                trunk_cells: 1,
                line_test: None,
            },
            rows: Rows::new(),
            events: Vec::new(),
            replies: Vec::new(),
            timeout: now,
            cut_off: false,
            seed,
            starts: 0,
            tokens: 0,
        };
        office.start(now, wall);
        office
    }

    /// Starts the exchange from what is on its disk.
    ///
    /// # Panics
    /// If it cannot be restored.
    pub fn start(&mut self, now: Time, wall: Wall) {
        self.starts += 1;
        let mut seed = [self.starts ^ self.key.0[0]; 32];
        seed[..8].copy_from_slice(&self.seed.to_be_bytes());
        let rows = read(&self.rows);
        match Exchange::new(self.config.clone(), self.key, seed, rows, now, wall) {
            Ok(mut exchange) => {
                exchange.keep_record(self.signer.clone());
                self.exchange = Some(exchange);
            }
            Err(error) => panic!("exchange cannot be restored: {error}"),
        }
        self.timeout = now;
    }

    /// Tests its trunks so often, from its next start on.
    pub fn test_lines(&mut self, every: Duration) {
        self.config.line_test = Some(every);
    }

    /// The records officer, as the exchange has it.
    #[must_use]
    pub fn officer(&self) -> Option<OfficerPub> {
        self.exchange.as_ref().and_then(Exchange::officer)
    }

    /// A fresh token for a handset of `principal`: the command to the exchange, and the link.
    pub fn token(&mut self, principal: &str, wall: Wall) -> (Command, EnrolLink) {
        self.tokens += 1;
        let token = Token([self.tokens; 16]);
        let expires = Wall(wall.0 + 86_400);
        let command = Command::Enrol { principal: text(principal), token, expires };
        let host = text(&format!("line-{}", self.config.host.as_str()));
        (command, EnrolLink { exchange: self.key, token, host, officer: self.officer() })
    }
}

/// A short text.
pub(crate) fn text<const N: usize>(text: &str) -> Text<N> {
    Text::new(text).unwrap_or_default()
}
