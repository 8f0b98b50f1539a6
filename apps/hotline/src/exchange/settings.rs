//! How an exchange is set up: `hotline.toml`, environment and flags, one name for each setting.
//!
//! ```text
//!  flag (--line-listen)  before  HOTLINE_LINE_LISTEN  before  hotline.toml (line_listen)  before  default
//! ```
//!
//! An unknown name in the file is refused: a misspelt setting must not be a silent default.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

/// Name of the file in an exchange's folder.
pub const FILE: &str = "hotline.toml";
/// Longest origin of the web handset: a link still fits a QR code. Bytes.
const ORIGIN_MAX: usize = 200;

/// What can be set. Every field is optional here, and resolved by [`Settings::resolve`].
#[derive(Args, Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the office, as it stands on cards. At most 64 bytes.
    #[arg(long, env = "HOTLINE_OFFICE")]
    pub office: Option<String>,
    /// Where handsets connect: UDP address and port to listen on (default: port 4433 of all addresses)
    #[arg(long, env = "HOTLINE_LINE_LISTEN")]
    pub line_listen: Option<SocketAddr>,
    /// host:port under which handsets reach this exchange; stands in enrolment links [default: the
    /// address listened on]
    #[arg(long, env = "HOTLINE_LINE_HOST")]
    pub line_host: Option<String>,
    /// Where other exchanges connect: UDP address and port to listen on (default: port 4434 of all addresses)
    #[arg(long, env = "HOTLINE_TRUNK_LISTEN")]
    pub trunk_listen: Option<SocketAddr>,
    /// host:port under which other exchanges reach this one; stands on cards [default: the address
    /// listened on]
    #[arg(long, env = "HOTLINE_TRUNK_HOST")]
    pub trunk_host: Option<String>,
    /// Metrics and health over HTTP; a loopback address only [default: 127.0.0.1:9464]
    #[arg(long, env = "HOTLINE_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// The web handset: TCP address and port to serve it on, or `off`. Without a certificate a loopback address
    /// only [default: 127.0.0.1:8443]
    #[arg(long, env = "HOTLINE_WEB_LISTEN")]
    pub web_listen: Option<String>,
    /// Where people open the web handset, such as `https://hotline.example`; stands in enrolment links
    /// [default: with a certificate https:// and the name in line_host, or else http://localhost, and the port]
    #[arg(long, env = "HOTLINE_WEB_ORIGIN")]
    pub web_origin: Option<String>,
    /// PEM file of the web certificate's chain; read again when it changes
    #[arg(long, env = "HOTLINE_WEB_CERTIFICATE")]
    pub web_certificate: Option<PathBuf>,
    /// PEM file of the web certificate's private key
    #[arg(long, env = "HOTLINE_WEB_KEY")]
    pub web_key: Option<PathBuf>,
    /// How often each trunk is tested by a short call to the other exchange: a time such as 30m or 1h between 10s and 24h,
    /// or `off` [default: 1h]
    #[arg(long, env = "HOTLINE_LINE_TEST")]
    pub line_test: Option<String>,
    /// The only exchanges to have trunks with, as hex keys; without it, any whose card is redeemed here
    /// or who redeems one of ours.
    #[arg(long, env = "HOTLINE_PEERS", value_delimiter = ',')]
    pub peers: Option<Vec<String>>,
}

/// Settings, complete and checked.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Office name.
    pub office: String,
    /// Line door.
    pub line_listen: SocketAddr,
    /// Line door as handsets see it, if set.
    pub line_host: Option<String>,
    /// Trunk door.
    pub trunk_listen: SocketAddr,
    /// Trunk door as others see it, if set.
    pub trunk_host: Option<String>,
    /// Metrics.
    pub metrics_listen: SocketAddr,
    /// How often trunks are tested, if they are.
    pub line_test: Option<Duration>,
    /// The web handset's door, if it is on.
    pub web: Option<Web>,
    /// Listed peers, if trunks are limited to them.
    pub peers: Option<Vec<[u8; 32]>>,
}

/// How the web handset is served.
#[derive(Clone, Debug)]
pub struct Web {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Where people open it, if set.
    pub origin: Option<String>,
    /// Chain and key files; without them it is plain HTTP on loopback.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

impl Web {
    /// The origin under the line door's name, if there is a certificate and a port that is known before the start.
    fn https_of(&self, line_host: &str) -> Option<String> {
        let (name, _) = line_host.rsplit_once(':')?;
        match (self.certificate.as_ref()?, self.listen.port()) {
            (_, 0) => None,
            (_, 443) => Some(format!("https://{name}")),
            (_, port) => Some(format!("https://{name}:{port}")),
        }
    }
}

/// What is wrong with the settings. The operator's to mend; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and what, in the parser's words.
        message: String,
    },
    /// A value cannot be used.
    #[error("setting `{name}`: {what}")]
    Value {
        /// Which.
        name: &'static str,
        /// What is wrong, and what would be right.
        what: String,
    },
}

impl Settings {
    /// Reads the file in `folder`; no file is no settings.
    ///
    /// # Errors
    /// Unreadable, not TOML, or with an unknown name.
    pub fn read(folder: &Path) -> Result<Settings, SettingsError> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Settings::default()),
            Err(source) => return Err(SettingsError::Unreadable { path, source }),
        };
        toml::from_str(&text).map_err(|e| SettingsError::Malformed { path, message: e.to_string() })
    }

    /// These settings, and `below` where these say nothing.
    #[must_use]
    pub fn over(self, below: Settings) -> Settings {
        Settings {
            office: self.office.or(below.office),
            line_listen: self.line_listen.or(below.line_listen),
            line_host: self.line_host.or(below.line_host),
            trunk_listen: self.trunk_listen.or(below.trunk_listen),
            trunk_host: self.trunk_host.or(below.trunk_host),
            metrics_listen: self.metrics_listen.or(below.metrics_listen),
            web_listen: self.web_listen.or(below.web_listen),
            web_origin: self.web_origin.or(below.web_origin),
            web_certificate: self.web_certificate.or(below.web_certificate),
            web_key: self.web_key.or(below.web_key),
            line_test: self.line_test.or(below.line_test),
            peers: self.peers.or(below.peers),
        }
    }

    /// Fills in defaults, and checks every value.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub fn resolve(self) -> Result<Resolved, SettingsError> {
        let wrong = |name, what: String| SettingsError::Value { name, what };
        let office = self
            .office
            .ok_or_else(|| wrong("office", "is missing: the name of your office".into()))?;
        if office.is_empty() || office.len() > wire::limits::NAME_MAX {
            return Err(wrong(
                "office",
                format!("has to have 1 to {} bytes", wire::limits::NAME_MAX),
            ));
        }
        let metrics_listen = self.metrics_listen.unwrap_or(([127, 0, 0, 1], 9464).into());
        if !metrics_listen.ip().is_loopback() {
            let what = format!(
                "{metrics_listen} is not a loopback address; metrics are not for the network"
            );
            return Err(wrong("metrics_listen", what));
        }
        for (name, host) in [("line_host", &self.line_host), ("trunk_host", &self.trunk_host)] {
            if let Some(host) = host {
                check_host(host).map_err(|what| wrong(name, what))?;
            }
        }
        let mut web = web(self.web_listen, self.web_origin, self.web_certificate, self.web_key)
            .map_err(|(name, what)| wrong(name, what))?;
        if let (Some(web), Some(host)) = (&mut web, &self.line_host) {
            web.origin = web.origin.take().or_else(|| web.https_of(host));
        }
        let line_test = line_test(self.line_test.as_deref().unwrap_or("1h"))
            .map_err(|what| wrong("line_test", what))?;
        let peers = self
            .peers
            .map(|keys| keys.iter().map(|key| parse_key(key)).collect::<Result<Vec<_>, _>>())
            .transpose()
            .map_err(|what| wrong("peers", what))?;
        let any = |port| SocketAddr::from(([0u16; 8], port));
        Ok(Resolved {
            office,
            line_listen: self.line_listen.unwrap_or_else(|| any(4433)),
            line_host: self.line_host,
            trunk_listen: self.trunk_listen.unwrap_or_else(|| any(4434)),
            trunk_host: self.trunk_host,
            metrics_listen,
            line_test,
            web,
            peers,
        })
    }
}

/// `off`, or how often.
fn line_test(text: &str) -> Result<Option<Duration>, String> {
    if text == "off" {
        return Ok(None);
    }
    let units = [('s', 1), ('m', 60), ('h', 3_600)];
    let seconds = units.iter().find_map(|(unit, seconds)| {
        text.strip_suffix(*unit)?.parse::<u64>().ok()?.checked_mul(*seconds)
    });
    match seconds {
        Some(seconds) if (10..=86_400).contains(&seconds) => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(format!("`{text}` is neither `off` nor a time between 10s and 24h, such as 30m")),
    }
}

/// Browsers give microphone and keys to pages from HTTPS or from this machine only, and plain HTTP could be changed on
/// its way: so there is no such page anywhere else.
fn web(
    listen: Option<String>,
    origin: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<Web>, (&'static str, String)> {
    let listen = match listen.as_deref() {
        Some("off") => return Ok(None),
        None => SocketAddr::from(([127, 0, 0, 1], 8443)),
        Some(text) => text.parse().map_err(|_| {
            ("web_listen", format!("`{text}` is neither `off` nor an address and port"))
        })?,
    };
    let certificate = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) if listen.ip().is_loopback() => None,
        (None, None) => {
            let what = format!(
                "{listen} is not a loopback address: set `web_certificate` and `web_key`, or keep it on 127.0.0.1"
            );
            return Err(("web_listen", what));
        }
        (None, _) => return Err(("web_certificate", "is missing beside `web_key`".into())),
        (_, None) => return Err(("web_key", "is missing beside `web_certificate`".into())),
    };
    if let Some(origin) = &origin {
        // As browsers write it: it stands in links, and is compared with theirs.
        let written =
            url::Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:/[]".contains(c);
        let secure = origin.starts_with("https://")
            || origin == "http://localhost"
            || origin.starts_with("http://localhost:");
        if !(written && secure && origin.chars().all(plain) && origin.len() <= ORIGIN_MAX) {
            let what = format!(
                "`{origin}` is not like https://hotline.example (small letters, no slash at its end)"
            );
            return Err(("web_origin", what));
        }
    }
    Ok(Some(Web { listen, origin, certificate }))
}

/// `host:port`, short enough for a card, and without what would mean something else in a header.
fn check_host(host: &str) -> Result<(), String> {
    let (name, port) = host.rsplit_once(':').unwrap_or_default();
    let name_is = match name.strip_prefix('[').and_then(|v6| v6.strip_suffix(']')) {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            !name.is_empty() && name.chars().all(letter)
        }
    };
    let port_is = port.parse::<u16>().is_ok_and(|port| port > 0);
    if name_is && port_is && host.len() <= wire::limits::HOST_MAX {
        return Ok(());
    }
    Err(format!("`{host}` is not host:port of at most {} bytes", wire::limits::HOST_MAX))
}

/// 32 bytes in hex.
///
/// # Errors
/// Says what is expected.
pub fn parse_key(text: &str) -> Result<[u8; 32], String> {
    let wrong = || format!("`{text}` is not a key of 64 hex digits");
    if text.len() != 64 || !text.is_ascii() {
        return Err(wrong());
    }
    let mut key = [0; 32];
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn office() -> Settings {
        Settings { office: Some("Ministry".into()), ..Settings::default() }
    }

    #[test]
    fn a_misspelt_setting_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "office = 'x'\nline_lissen = '[::]:1'\n").unwrap();
        let error = Settings::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("line_lissen"), "{error}");
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let file: Settings =
            toml::from_str("office = 'File'\nline_listen = '127.0.0.1:5000'").unwrap();
        let flags = Settings { office: Some("Flag".into()), ..Settings::default() };
        let resolved = flags.over(file).resolve().unwrap();
        assert_eq!(resolved.office, "Flag");
        assert_eq!(resolved.line_listen.port(), 5000);
        assert_eq!(resolved.trunk_listen.port(), 4434);
    }

    #[test]
    fn metrics_stay_on_loopback() {
        let open = Settings { metrics_listen: Some(([0, 0, 0, 0], 9464).into()), ..office() };
        assert!(open.resolve().unwrap_err().to_string().contains("loopback"));
    }

    #[test]
    fn trunks_are_tested_each_hour_or_as_the_operator_likes() {
        let set = |text: &str| Settings { line_test: Some(text.into()), ..office() };
        let every = |settings: Settings| settings.resolve().map(|r| r.line_test);
        assert_eq!(every(office()).unwrap(), Some(Duration::from_secs(3_600)));
        assert_eq!(every(set("off")).unwrap(), None);
        for (text, seconds) in [("10s", 10), ("30m", 1_800), ("24h", 86_400)] {
            assert_eq!(every(set(text)).unwrap(), Some(Duration::from_secs(seconds)));
        }
        for bad in [
            "",
            "9s",
            "25h",
            "60",
            "1d",
            "-1h",
            "h",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            let error = every(set(bad)).unwrap_err().to_string();
            assert!(error.contains("line_test") && error.contains("30m"), "{error}");
        }
    }

    #[test]
    fn the_web_handset_is_served_safely_or_not_at_all() {
        let web = |settings: Settings| settings.resolve().map(|r| r.web);
        let listen = |text: &str| Settings { web_listen: Some(text.into()), ..office() };
        assert!(web(listen("off")).unwrap().is_none());
        assert!(web(office()).unwrap().unwrap().listen.ip().is_loopback());
        let error = web(listen("0.0.0.0:443")).unwrap_err().to_string();
        assert!(error.contains("web_certificate"), "{error}");
        assert!(web(listen("here")).unwrap_err().to_string().contains("web_listen"));
        let one = Settings { web_key: Some("key.pem".into()), ..listen("0.0.0.0:443") };
        assert!(web(one).unwrap_err().to_string().contains("web_certificate"));
        let both = Settings {
            web_key: Some("key.pem".into()),
            web_certificate: Some("cert.pem".into()),
            ..listen("0.0.0.0:443")
        };
        assert!(web(both).unwrap().unwrap().certificate.is_some());
        let bad = ["http://hotline.example", "https://", "https://a/", "a.example", "https://A.b"];
        for bad in bad.into_iter().chain(["https://a;b", "http://localhost.example"]) {
            let settings = Settings { web_origin: Some(bad.into()), ..office() };
            assert!(web(settings).is_err(), "{bad}");
        }
        for good in ["https://hotline.example", "https://h.example:8443", "http://localhost:1"] {
            let settings = Settings { web_origin: Some(good.into()), ..office() };
            assert_eq!(web(settings).unwrap().unwrap().origin.as_deref(), Some(good));
        }
    }

    #[test]
    fn with_a_certificate_the_page_is_under_the_line_doors_name() {
        let origin = |listen: &str| {
            let settings = Settings {
                web_listen: Some(listen.into()),
                web_key: Some("key.pem".into()),
                web_certificate: Some("cert.pem".into()),
                line_host: Some("calls.example:4433".into()),
                ..office()
            };
            settings.resolve().unwrap().web.unwrap().origin
        };
        assert_eq!(origin("0.0.0.0:443").as_deref(), Some("https://calls.example"));
        assert_eq!(origin("0.0.0.0:8443").as_deref(), Some("https://calls.example:8443"));
        assert_eq!(origin("0.0.0.0:0"), None);
    }

    #[test]
    fn hosts_and_keys_are_checked() {
        let long = format!("{}:1", "h".repeat(130));
        for bad in ["nohost", ":1", "host:0", "host:x", "a b:1", "a;b:1", "::1:1", &long] {
            let settings = Settings { trunk_host: Some(bad.into()), ..office() };
            assert!(settings.resolve().is_err(), "{bad}");
        }
        assert!(check_host("[2001:db8::1]:4434").is_ok());
        assert!(parse_key(&"g".repeat(64)).is_err());
        assert_eq!(parse_key(&"0a".repeat(32)).unwrap(), [10; 32]);
    }
}
