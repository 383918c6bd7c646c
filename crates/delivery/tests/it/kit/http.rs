//! A receiver of webhooks that answers as it is told. It has a thread of its own, so that its time
//! is real where that of a test is virtual.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::Notify;

/// What the receiver does with a request.
#[derive(Clone)]
pub enum Reply {
    /// Says this and closes the connection.
    Say(Vec<u8>),
    /// Says this and then nothing, with the connection open.
    Hold(Vec<u8>),
    /// Says this, and after it one letter as long as somebody listens.
    Endless(Vec<u8>),
    /// Says what it was told: head and body of the request, under this status.
    Echo(&'static str),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its first line.
    pub line: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    head: Vec<u8>,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Request>>,
    came: Notify,
    left: Notify,
    stop: AtomicBool,
}

/// Listens until it is dropped. The last reply is that of every further request.
pub struct Receiver {
    pub address: SocketAddr,
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

/// An answer with a status and headers.
pub fn answer(status: &str, headers: &str) -> Reply {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 2\r\n\r\nok");
    Reply::Say(head.into_bytes())
}

impl Receiver {
    pub fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        let thread = std::thread::spawn(move || serve(&listener, &replies, &shared));
        Self {
            address,
            seen,
            thread: Some(thread),
        }
    }

    /// Its URL with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came so far.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().expect("no panic").clone()
    }

    /// How often a delivery came.
    pub fn count(&self, id: &str) -> usize {
        let of = |request: &&Request| request.headers.get("webhook-id").is_some_and(|of| of == id);
        self.requests().iter().filter(of).count()
    }

    /// Waits for a request.
    pub async fn came(&self) {
        self.seen.came.notified().await;
    }

    /// Waits until whoever asked for an endless answer has gone.
    pub async fn left(&self) {
        self.seen.left.notified().await;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.seen.stop.store(true, Ordering::SeqCst);
        // Wakes it up; if it is gone already, so much the better.
        drop(TcpStream::connect(self.address));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(
            ended.is_none_or(|ended| ended.is_ok()),
            "the receiver panicked"
        );
    }
}

fn serve(listener: &TcpListener, replies: &[Reply], seen: &Seen) {
    let mut open = Vec::new();
    let mut turn = 0;
    for stream in listener.incoming() {
        if seen.stop.load(Ordering::SeqCst) {
            return;
        }
        let mut stream = stream.expect("a connection");
        let Some(request) = read(&mut stream) else {
            continue;
        };
        let echo = [request.head.as_slice(), &request.body].concat();
        seen.requests.lock().expect("no panic").push(request);
        seen.came.notify_one();
        let reply = &replies[turn.min(replies.len() - 1)];
        turn += 1;
        // Whoever called may have gone away, which is its right.
        let _ = match reply {
            Reply::Say(bytes) => stream.write_all(bytes),
            Reply::Hold(bytes) => {
                let said = stream.write_all(bytes);
                open.push(stream);
                said
            }
            Reply::Endless(bytes) => {
                let mut said = stream.write_all(bytes);
                while said.is_ok() {
                    said = stream.write_all(&[b'a'; 1_024]);
                }
                seen.left.notify_one();
                said
            }
            Reply::Echo(status) => {
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
                    echo.len()
                );
                stream.write_all(&[head.as_bytes(), &echo].concat())
            }
        };
    }
}

/// A whole request; `None` where the connection ends before.
fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let text = String::from_utf8(head.clone()).expect("a head of text");
    let mut lines = text.lines();
    let line = lines.next().expect("a first line").to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let len = headers
        .get("content-length")
        .map_or(0, |len| len.parse().expect("a length"));
    let mut body = vec![0; len];
    stream.read_exact(&mut body).ok()?;
    Some(Request {
        line,
        headers,
        body,
        head,
    })
}
