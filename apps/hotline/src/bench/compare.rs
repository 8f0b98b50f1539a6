//! `hotline bench exchange`: the exchange and a plain UDP forwarder under the same load, one after the other.
//!
//! The server under measurement runs in a process of its own on core 0, the load in this one on core 1.
#![allow(clippy::print_stdout, reason = "the measurement is the output")]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use wire::EnrolLink;

use super::exchange::{Figures, Plan, cpu_time, drive_lines, drive_udp, forward, pin};
use super::lines::{Lines, Load};
use crate::cli::Failure;
use crate::exchange::control::{self, Answer, Request};
use crate::exchange::folder;
use crate::exchange::settings::Settings;
use crate::net::ExchangeKey;
use crate::net::socket::Batch;

/// How long the exchange may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `hotline bench exchange` is told.
#[derive(Clone, Debug, clap::Args)]
pub struct ExchangeOptions {
    /// Lines that are always on, half of them in calls
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(4..=8000))]
    pub lines: u32,
    /// How long to measure each of the two
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Print one JSON object instead of the table
    #[arg(long)]
    pub json: bool,
    /// Be the plain UDP forwarder (the measurement starts itself so)
    #[arg(long, hide = true)]
    pub forward: bool,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Lines that were on.
    pub lines: u32,
    /// Of those, in calls.
    pub lines_in_calls: u32,
    /// Measured time of each run.
    pub seconds: u64,
    /// CPU time of the exchange for each cell that it took in and each that it sent for it. us.
    pub cpu_us_per_cell: f64,
    /// CPU time of the forwarder for each datagram in and out. us.
    pub udp_cpu_us_per_datagram: f64,
    /// The first over the second.
    pub ratio: f64,
    /// Share of one core that the exchange used.
    pub exchange_core_percent: f64,
    /// Lines that one core carries at this price.
    pub lines_per_core: u64,
    /// Cells of the exchange that did not come.
    pub lost: u64,
    /// Voice frames that did not come out at the partner.
    pub voice_lost: u64,
    /// Voice frames sent.
    pub voice_sent: u64,
    /// 99th percentile of cells' lateness in their ticks. ms.
    pub late_p99_ms: f64,
    /// The load's own lateness, which is part of the former. ms.
    pub load_late_p99_ms: f64,
    /// Datagrams that the forwarder lost.
    pub udp_lost: u64,
    /// 99th percentile of the forwarder's datagrams' lateness. ms.
    pub udp_late_p99_ms: f64,
}

/// Ends the child at the end, whatever happens.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures, and prints.
///
/// # Errors
/// What kept it from measuring.
pub fn run(options: ExchangeOptions) -> Result<(), Failure> {
    let plan = Plan::office(options.lines as usize, Duration::from_secs(options.seconds));
    if options.forward {
        return be_forwarder(&plan);
    }
    let cores = std::thread::available_parallelism()?.get();
    if cores < 2 {
        return Err(
            "this machine has one core: the load and the server would measure each other".into()
        );
    }
    let exchange = measure_exchange(&options, &plan)?;
    let udp = measure_udp(&options, &plan)?;
    let comparison = compare(&options, &exchange, &udp);
    if options.json {
        println!("{}", serde_json::to_string(&comparison)?);
    } else {
        print!("{}", table(&comparison));
    }
    Ok(())
}

struct Measured {
    figures: Figures,
    cpu: Duration,
    voice: (u64, u64),
}

/// Starts this program again on core 0, then moves to core 1.
fn start(arguments: &[&str]) -> Result<Server, Failure> {
    pin(0)?;
    let child = Command::new(std::env::current_exe()?)
        .args(arguments)
        .env("HOTLINE_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    pin(1)?;
    Ok(Server(child))
}

fn measure_exchange(options: &ExchangeOptions, plan: &Plan) -> Result<Measured, Failure> {
    let root = tempfile::Builder::new().prefix("hotline-bench-").tempdir()?;
    let dir = root.path().join("exchange");
    let any = "127.0.0.1:0".parse().ok();
    let settings = Settings {
        office: Some("Bench".into()),
        line_listen: any,
        trunk_listen: any,
        metrics_listen: any,
        web_listen: Some("off".into()),
        ..Settings::default()
    };
    folder::create(&dir, &settings, crate::host::seed()?)?;
    let server = start(&["exchange", "run", "--dir", &dir.to_string_lossy()])?;
    let ask = |request: &Request| control::ask(&dir, request);
    let deadline = Instant::now() + PATIENCE;
    while ask(&Request::Status)?.is_none() {
        if Instant::now() > deadline {
            return Err("the exchange to be measured does not start".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut links = Vec::new();
    for n in 0..options.lines {
        match ask(&Request::Enroll { principal: format!("line {n}"), hours: 1 })? {
            Some(Answer::Enrolled { link, .. }) => links.push(EnrolLink::parse(&link)?),
            _ => return Err("the exchange to be measured does not enrol".into()),
        }
    }
    let first = links.first().ok_or("no lines")?;
    let (address, key) = (first.host.as_str().parse()?, ExchangeKey(first.exchange.0));
    let mut lines = Lines::new(&links, crate::host::seed()?);
    let mut watched = Watched { lines: &mut lines, pid: server.0.id(), cpu: Vec::new() };
    let figures = drive_lines(address, key, plan, crate::host::seed()?, &mut watched)?;
    let cpu = watched.used()?;
    match lines.wrong {
        Some(wrong) => Err(format!("the load was not what it should be: {wrong}").into()),
        None => Ok(Measured { figures, cpu, voice: (lines.voice_sent, lines.voice_came) }),
    }
}

/// Reads the server's CPU time when the measured time begins and ends.
struct Watched<'a> {
    lines: &'a mut Lines,
    pid: u32,
    cpu: Vec<Duration>,
}

impl Watched<'_> {
    fn used(&self) -> Result<Duration, Failure> {
        match self.cpu[..] {
            [from, to] => Ok(to.saturating_sub(from)),
            _ => Err("the server's CPU time cannot be read".into()),
        }
    }
}

impl Load for Watched<'_> {
    fn fill(&mut self, line: usize, cell: &mut [u8]) {
        self.lines.fill(line, cell);
    }
    fn came(&mut self, line: usize, cell: &[u8]) {
        self.lines.came(line, cell);
    }
    fn ready(&self) -> bool {
        self.lines.ready()
    }
    fn measuring(&mut self, begins: bool) {
        self.lines.measuring(begins);
        self.cpu.extend(cpu_time(self.pid));
    }
}

fn measure_udp(options: &ExchangeOptions, plan: &Plan) -> Result<Measured, Failure> {
    use std::io::{BufRead, BufReader};
    let (lines, seconds) = (options.lines.to_string(), options.seconds.to_string());
    let mut server =
        start(&["bench", "exchange", "--forward", "--lines", &lines, "--seconds", &seconds])?;
    let mut address = String::new();
    let output = server.0.stdout.take().ok_or("the forwarder says nothing")?;
    BufReader::new(output).read_line(&mut address)?;
    let pid = server.0.id();
    let mut cpu = Vec::new();
    let figures = drive_udp(address.trim().parse()?, plan, |_| cpu.extend(cpu_time(pid)))?;
    match cpu[..] {
        [from, to] => Ok(Measured { figures, cpu: to.saturating_sub(from), voice: (0, 0) }),
        _ => Err("the forwarder's CPU time cannot be read".into()),
    }
}

fn be_forwarder(plan: &Plan) -> Result<(), Failure> {
    let mut socket = Batch::bind(([127, 0, 0, 1], 0).into())?;
    println!("{}", socket.local_addr()?);
    let stop = std::sync::atomic::AtomicBool::new(false);
    Ok(forward(&mut socket, plan, &stop)?)
}

fn compare(options: &ExchangeOptions, exchange: &Measured, udp: &Measured) -> Comparison {
    let each = |m: &Measured| m.cpu.as_secs_f64() * 1e6 / m.figures.received.max(1) as f64;
    let (cell, datagram) = (each(exchange), each(udp));
    let share = exchange.cpu.as_secs_f64() / options.seconds as f64;
    Comparison {
        lines: options.lines,
        lines_in_calls: options.lines / 4 * 2,
        seconds: options.seconds,
        cpu_us_per_cell: cell,
        udp_cpu_us_per_datagram: datagram,
        ratio: cell / datagram,
        exchange_core_percent: share * 100.0,
        lines_per_core: (f64::from(options.lines) / share) as u64,
        lost: exchange.figures.lost(),
        voice_sent: exchange.voice.0,
        voice_lost: exchange.voice.0.saturating_sub(exchange.voice.1),
        late_p99_ms: exchange.figures.late_p99_ms,
        load_late_p99_ms: exchange.figures.own_late_p99_ms,
        udp_lost: udp.figures.lost(),
        udp_late_p99_ms: udp.figures.late_p99_ms,
    }
}

fn table(c: &Comparison) -> String {
    format!(
        "{} lines for {} s, {} of them in calls; server on core 0, load on core 1\n\n\
         {:28}{:>14}{:>18}\n\
         {:28}{:>11.2} us{:>15.2} us   ratio {:.2} (target <= 2)\n\
         {:28}{:>14}{:>18}\n\
         {:28}{:>11.2} ms{:>15.2} ms   (the load's own: {:.2} ms)\n\
         {:28}{:>14}{:>18}   of {}\n\n\
         The exchange used {:.1} % of a core: {} lines on one at this price (target >= 4,000).\n",
        c.lines,
        c.seconds,
        c.lines_in_calls,
        "",
        "exchange",
        "plain UDP",
        "CPU for a cell forwarded",
        c.cpu_us_per_cell,
        c.udp_cpu_us_per_datagram,
        c.ratio,
        "lost",
        c.lost,
        c.udp_lost,
        "late, 99th percentile",
        c.late_p99_ms,
        c.udp_late_p99_ms,
        c.load_late_p99_ms,
        "voice frames lost",
        c.voice_lost,
        "",
        c.voice_sent,
        c.exchange_core_percent,
        c.lines_per_core,
    )
}
