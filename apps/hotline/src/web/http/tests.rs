use std::time::Instant;

use super::bounds::PER_SOURCE;
use super::head::{HEAD_MAX, HEADERS_MAX};
use super::*;
use crate::web::door;

/// A door with a leaf, on a port of the system's choice.
fn door() -> SocketAddr {
    let leaf = door::Leaf::new(vec![1, 2, 3].into());
    let service = door::service(leaf, "exchange.example:4433", false);
    serve("test", "127.0.0.1:0".parse().unwrap(), None, service).unwrap()
}

fn ask(to: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(to: SocketAddr, path: &str) -> String {
    ask(to, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
}

#[test]
fn every_answer_carries_the_policy() {
    let to = door();
    for path in ["/", "/line", "/nothing", "/../Cargo.toml", "/%2e%2e/x", "//"] {
        let answer = get(to, path);
        assert!(answer.contains("default-src 'none'"), "{path}: {answer}");
        assert!(answer.contains("connect-src 'self' https://exchange.example:4433;"), "{path}");
        assert!(answer.contains("nosniff") && !answer.contains("unsafe-inline"), "{path}");
    }
    assert!(get(to, "/nothing").starts_with("HTTP/1.1 404"));
    assert!(get(to, "/../Cargo.toml").starts_with("HTTP/1.1 404"));
}

#[test]
fn the_line_doors_certificate_is_handed_out_fresh() {
    let answer = get(door(), "/line?x=1");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("no-store"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n\u{1}\u{2}\u{3}"));
}

#[test]
fn only_whole_and_short_get_and_head_are_answered() {
    let to = door();
    let cases = [
        ("POST / HTTP/1.1\r\n\r\n", "405"),
        ("nonsense\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "400"),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
    ];
    for (request, status) in cases {
        let answer = ask(to, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
        assert!(answer.contains("default-src 'none'"), "refusals too: {answer}");
    }
    let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(HEAD_MAX));
    assert!(ask(to, &long).starts_with("HTTP/1.1 431"));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(HEADERS_MAX + 1));
    assert!(ask(to, &many).starts_with("HTTP/1.1 431"));
    let head = ask(to, "HEAD /line HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(head.contains("Content-Length: 3") && head.ends_with("\r\n\r\n"), "{head}");
}

/// So many that have begun to ask, and say no more.
fn silent(to: SocketAddr, count: usize) -> Vec<TcpStream> {
    let begin = |_| {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(b"GET /").unwrap();
        stream
    };
    (0..count).map(begin).collect()
}

#[test]
fn silent_clients_do_not_keep_others_waiting() {
    let to = door();
    let _silent = silent(to, PER_SOURCE - 1);
    assert!(get(to, "/line").starts_with("HTTP/1.1 200"));
}

#[test]
fn one_source_has_its_limit_and_gets_its_places_back() {
    let to = door();
    let silent = silent(to, PER_SOURCE);
    // They are taken in the order in which they come: one more is closed unanswered.
    let mut over = TcpStream::connect(to).unwrap();
    over.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = over.write_all(b"GET /line HTTP/1.1\r\n\r\n");
    let mut answer = Vec::new();
    let _ = over.read_to_end(&mut answer);
    assert!(answer.is_empty());
    drop(silent);
    let until = Instant::now() + Duration::from_secs(20);
    while !get_or_nothing(to).starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < until, "places are given back");
    }
}

fn get_or_nothing(to: SocketAddr) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    let mut answer = Vec::new();
    let _ = stream.write_all(b"GET /line HTTP/1.1\r\nConnection: close\r\n\r\n");
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn several_requests_come_on_one_connection_and_known_files_are_not_sent_again() {
    let to = door();
    let twice = "GET /line HTTP/1.1\r\n\r\nGET /line HTTP/1.1\r\nConnection: close\r\n\r\n";
    assert_eq!(ask(to, twice).matches("HTTP/1.1 200").count(), 2);
    // With the web handset built in there are files to be known.
    for asset in crate::web::assets::ASSETS {
        let answer = get(to, asset.path);
        let tag = answer.split("ETag: ").nth(1).and_then(|t| t.split("\r\n").next()).unwrap();
        let request = format!(
            "GET {} HTTP/1.1\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n",
            asset.path
        );
        assert!(ask(to, &request).starts_with("HTTP/1.1 304"), "{}", asset.path);
    }
}

#[test]
fn brotli_is_sent_to_those_who_take_it() {
    let takes = |accepts: &str| {
        let head = format!("GET / HTTP/1.1\r\nAccept-Encoding: {accepts}\r\n\r\n");
        match parse(head.as_bytes()) {
            Parsed::Whole(_, asked) => asked.request.brotli,
            _ => panic!("a whole head"),
        }
    };
    assert!(takes("br") && takes("gzip, br;q=0.5"));
    assert!(!takes("gzip") && !takes("br;q=0") && !takes("xbr"));
    let to = door();
    for asset in crate::web::assets::ASSETS.iter().filter(|a| a.brotli.is_some()) {
        let (path, close) = (asset.path, "Connection: close\r\n\r\n");
        let answer = ask(to, &format!("HEAD {path} HTTP/1.1\r\nAccept-Encoding: br\r\n{close}"));
        assert!(answer.contains("Content-Encoding: br"), "{answer}");
        let answer = ask(to, &format!("HEAD {path} HTTP/1.1\r\n{close}"));
        assert!(!answer.contains("Content-Encoding"), "{answer}");
    }
}

#[test]
fn a_tag_is_known_in_a_list_and_after_a_proxy() {
    let request =
        |tags: &str| Request { path: "/".into(), brotli: false, none_match: tags.to_owned() };
    assert!(request("\"a\"").has("\"a\"") && request("\"b\", W/\"a\"").has("\"a\""));
    assert!(!request("").has("\"a\"") && !request("\"ab\"").has("\"a\""));
}

#[test]
fn one_byte_at_a_time_does_not_keep_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    let until = Until::after(Duration::from_millis(50));
    let mut timed = Timed { stream, until: until.clone() };
    let mut byte = [0];
    let ended = loop {
        client.write_all(b"x").unwrap();
        if let Err(e) = timed.read(&mut byte) {
            break e;
        }
    };
    assert_eq!(ended.kind(), ErrorKind::TimedOut);
    until.again(HEAD_WITHIN);
    client.write_all(b"x").unwrap();
    assert_eq!(timed.read(&mut byte).unwrap(), 1, "what comes next has its own time");
}

/// Believes the one certificate that it is given.
fn trusting(der: Vec<u8>) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der.into()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = rustls::ClientConfig::builder_with_provider(provider.into());
    let config = config.with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
    config.with_root_certificates(roots).with_no_client_auth().into()
}

#[test]
fn the_page_comes_over_tls_with_the_operators_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let der = crate::web::tls::tests::write(dir.path(), "hotline.example");
    let tls = Arc::new(Tls::open(cert, key).unwrap());
    let service = door::service(door::Leaf::default(), "exchange.example:4433", true);
    let to = serve("test", "127.0.0.1:0".parse().unwrap(), Some(tls), service).unwrap();
    let name = "hotline.example".try_into().unwrap();
    let session = rustls::ClientConnection::new(trusting(der), name).unwrap();
    let mut stream = rustls::StreamOwned::new(session, TcpStream::connect(to).unwrap());
    stream.write_all(b"GET /line HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    // Ends with a close_notify: a cut connection would be an error.
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("Strict-Transport-Security"), "{answer}");
    // Plain HTTP to the same port gets nothing.
    assert!(!get_or_nothing(to).contains("HTTP/1.1"));
}
