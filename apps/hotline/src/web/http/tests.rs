use super::*;
use crate::web::door;

/// A door with a leaf, on a port of the system's choice.
fn door() -> SocketAddr {
    let leaf = door::Leaf::new(vec![1, 2, 3].into());
    let handler = door::handler(leaf, "exchange.example:4433", false);
    serve("test", "127.0.0.1:0".parse().unwrap(), None, handler).unwrap()
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
    }
    let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(HEAD_MAX));
    assert!(ask(to, &long).starts_with("HTTP/1.1 431"));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(HEADERS_MAX + 1));
    assert!(ask(to, &many).starts_with("HTTP/1.1 431"));
    let head = ask(to, "HEAD /line HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(head.contains("Content-Length: 3") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn a_silent_client_does_not_keep_others_waiting_and_one_address_has_its_limit() {
    let to = door();
    let mut silent: Vec<TcpStream> = Vec::new();
    for _ in 0..PER_ADDRESS - 1 {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(b"GET /").unwrap();
        silent.push(stream);
    }
    assert!(get(to, "/line").starts_with("HTTP/1.1 200"));
    // One more than allowed is closed unanswered; the places of those that leave are free again.
    silent.push(TcpStream::connect(to).unwrap());
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
