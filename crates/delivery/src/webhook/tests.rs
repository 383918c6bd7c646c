//! Names that change their minds.

use super::*;
use futures::future::BoxFuture;
use mobkit_domain::time::Time;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Mutex;
use std::thread::JoinHandle;

/// A name server whose answer changes with every question.
struct Fickle(Mutex<Vec<Vec<IpAddr>>>);

impl Fickle {
    fn answering(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| {
            let parsed = answer.iter().map(|ip| ip.parse().expect("an address"));
            parsed.collect::<Vec<IpAddr>>()
        };
        Arc::new(Self(Mutex::new(answers.iter().rev().map(parse).collect())))
    }

    fn left(&self) -> usize {
        self.0.lock().expect("no panic").len()
    }
}

impl Lookup for Fickle {
    fn lookup(&self, host: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let answer = self.0.lock().expect("no panic").pop();
        Box::pin(async move {
            assert_eq!(host, "hooks.example");
            answer.ok_or_else(|| std::io::Error::other("asked once too often"))
        })
    }
}

fn sink(port: u16, lookup: Arc<dyn Lookup>, allow_private: bool) -> WebhookSink {
    let webhook = Webhook {
        url: format!("http://hooks.example:{port}/T0123456789abcdef"),
        keys: None,
        headers: Vec::new(),
        allow_private,
    };
    WebhookSink::new(webhook, lookup).expect("a sink")
}

fn sending() -> Sending {
    Sending {
        id: "a".to_owned(),
        recipient: "ops".to_owned(),
        channel: None,
        payload: Value::Null,
        queued: Time(0),
        now: Time(0),
        repeated: false,
    }
}

/// Takes one request, keeps the connection for more, and gives it back.
fn take_one(listener: TcpListener) -> JoinHandle<std::net::TcpStream> {
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\nnull") {
            stream.read_exact(&mut byte).expect("a request");
            head.push(byte[0]);
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).expect("an answer");
        stream
    })
}

#[tokio::test]
async fn each_attempt_looks_the_name_up_once_and_goes_to_what_was_found() {
    let first = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = first.local_addr().expect("an address").port();
    let second = TcpListener::bind(SocketAddr::from(([127, 0, 0, 2], port))).expect("a port");
    let names = Fickle::answering(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let sink = sink(port, names.clone(), true);
    let (first, second) = (take_one(first), take_one(second));
    for left in [1, 0] {
        let sent = sink.send(&sending()).await;
        assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
        assert_eq!(names.left(), left);
    }
    first.join().expect("no panic");
    second.join().expect("no panic");
}

#[tokio::test]
async fn a_name_that_turns_inside_or_hides_an_inner_address_among_others_reaches_nothing() {
    let inside = TcpListener::bind("127.0.0.1:0").expect("a port");
    inside.set_nonblocking(true).expect("non-blocking");
    let port = inside.local_addr().expect("an address").port();
    let answers: [&[&str]; 5] = [
        &["127.0.0.1"],
        &["198.51.100.1", "127.0.0.1"],
        &["1.1.1.1", "127.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
    ];
    let names = Fickle::answering(&answers);
    let sink = sink(port, names.clone(), false);
    for _ in answers {
        let Sent::Failed(failure) = sink.send(&sending()).await else {
            panic!("it leads inside");
        };
        assert!(
            failure.reason.starts_with("hooks.example has the address"),
            "{failure:?}"
        );
        assert!(!failure.hopeless, "the name may lead outside again");
    }
    assert_eq!(names.left(), 0);
    assert!(inside.accept().is_err(), "nobody came");
    let Sent::Failed(failure) = sink.send(&sending()).await else {
        panic!("nobody knows the name");
    };
    assert_eq!(
        failure.reason,
        "hooks.example can't be found: asked once too often"
    );
}
