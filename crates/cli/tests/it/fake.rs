//! A server that answers as it is told, one thread for each connection.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// What to do with it.
pub(crate) enum Reply {
    /// Answer with a document.
    Json(u16, Value),
    /// Answer with text of a type.
    Text(u16, &'static str, String),
    /// Send this and wait until the reader goes.
    Hold(&'static str, String),
    /// Promise more than this, and vanish.
    Cut(&'static str, String),
    /// Refuse with this status, and say after how many seconds it is worth another try.
    Later(u16, u32),
    /// Vanish without an answer.
    Vanish,
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// A server of a test.
pub(crate) struct Fake {
    url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Fake {
    pub fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, handler) = (Arc::clone(&seen), Arc::new(handler) as Arc<Handler>);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, handler) = (Arc::clone(&log), Arc::clone(&handler));
                std::thread::spawn(move || serve(&stream, &log, &*handler));
            }
        });
        Self { url, seen }
    }

    /// A server that gives every operation the same answer.
    pub fn always(status: u16, body: Value) -> Self {
        Self::start(move |_| Reply::Json(status, body.clone()))
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no panic elsewhere").clone()
    }
}

/// A problem as a server tells it (RFC 9457).
pub(crate) fn problem(status: u16, kind: &str, code: &str, detail: &str) -> Reply {
    let body = json!({
        "type": format!("https://mobkit.dev/codes/{code}"), "title": detail, "status": status,
        "detail": detail, "code": code, "kind": kind,
    });
    Reply::Text(status, "application/problem+json", body.to_string())
}

fn serve(stream: &TcpStream, log: &Mutex<Vec<Request>>, handler: &Handler) {
    let Some(request) = read(stream) else { return };
    log.lock()
        .expect("no panic elsewhere")
        .push(request.clone());
    // The client may be gone; that is its right.
    let _ = answer(stream, handler(&request));
}

fn answer(mut stream: &TcpStream, reply: Reply) -> std::io::Result<()> {
    let head = |status: u16, kind: &str, len: Option<usize>| {
        let len = len.map_or(String::new(), |len| format!("content-length: {len}\r\n"));
        format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{len}connection: close\r\n\r\n")
    };
    match reply {
        Reply::Json(status, body) => {
            let body = body.to_string();
            let head = head(status, "application/json", Some(body.len()));
            stream.write_all(format!("{head}{body}").as_bytes())
        }
        Reply::Text(status, kind, body) => {
            let head = head(status, kind, Some(body.len()));
            stream.write_all(format!("{head}{body}").as_bytes())
        }
        Reply::Hold(kind, body) => {
            stream.write_all(format!("{}{body}", head(200, kind, None)).as_bytes())?;
            stream.read(&mut [0]).map(drop)
        }
        Reply::Cut(kind, body) => {
            let head = head(200, kind, Some(body.len() + 1_000));
            stream.write_all(format!("{head}{body}").as_bytes())
        }
        Reply::Later(status, seconds) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\nretry-after: {seconds}\r\ncontent-type: application/json\r\n\
                 content-length: 2\r\nconnection: close\r\n\r\n{{}}"
            );
            stream.write_all(head.as_bytes())
        }
        Reply::Vanish => Ok(()),
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let len = headers
        .get("content-length")
        .and_then(|len| len.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    Some(Request {
        method,
        path: path.to_owned(),
        query: pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    })
}
