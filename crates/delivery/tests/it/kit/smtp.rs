//! A mail server that answers as it is told, on a thread of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::Notify;

/// What the server does when it hears something.
#[derive(Debug, Clone, Copy)]
pub enum Turn {
    /// Says this, whole lines.
    Say(&'static str),
    /// Says this and closes the connection.
    Break(&'static str),
    /// Says nothing, with the connection open.
    Hold,
    /// Says that it is ready for the message, takes a little of it and closes the connection.
    Choke,
}

#[derive(Default)]
struct Shared {
    /// What was said to the server: commands, and whole messages.
    heard: Mutex<Vec<String>>,
    held: Notify,
    stop: AtomicBool,
}

/// Listens until it is dropped. Each rule is used once, at the first command that begins so;
/// `GREETING` and `MESSAGE` stand for what is no command. Otherwise it takes whatever comes.
pub struct MailServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl MailServer {
    pub fn start(rules: Vec<(&'static str, Turn)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || serve(&listener, rules, &own));
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything that was said to it.
    pub fn heard(&self) -> Vec<String> {
        self.shared.heard.lock().expect("no panic").clone()
    }

    /// The messages that it got whole, as they came.
    pub fn messages(&self) -> Vec<String> {
        let mut heard = self.heard();
        heard.retain(|said| said.ends_with("\r\n.\r\n"));
        heard
    }

    /// Waits until it falls silent.
    pub async fn held(&self) {
        self.shared.held.notified().await;
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes it up; if it is gone already, so much the better.
        drop(TcpStream::connect(self.address));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(
            ended.is_none_or(|ended| ended.is_ok()),
            "the server panicked"
        );
    }
}

fn serve(listener: &TcpListener, mut rules: Vec<(&'static str, Turn)>, shared: &Shared) {
    let mut held = Vec::new();
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let stream = stream.expect("a connection");
        // A client that goes away ends the conversation, which is its right.
        if let Ok(Some(silent)) = talk(stream, &mut rules, shared) {
            held.push(silent);
        }
    }
}

/// One conversation; gives the connection back where it has fallen silent.
fn talk(
    mut stream: TcpStream,
    rules: &mut Vec<(&'static str, Turn)>,
    shared: &Shared,
) -> std::io::Result<Option<TcpStream>> {
    let mut said = "GREETING".to_owned();
    loop {
        let turn = take(rules, &said);
        let in_message =
            matches!(turn, Turn::Say(answer) if answer.starts_with("354")) && said == "DATA\r\n";
        match turn {
            Turn::Say(answer) => stream.write_all(answer.as_bytes())?,
            Turn::Break(answer) => {
                stream.write_all(answer.as_bytes())?;
                return Ok(None);
            }
            Turn::Hold => {
                shared.held.notify_one();
                return Ok(Some(stream));
            }
            Turn::Choke => {
                stream.write_all(b"354 go\r\n")?;
                stream.read_exact(&mut [0; 1_024])?;
                return Ok(None);
            }
        }
        let text = hear(&mut stream, if in_message { "\r\n.\r\n" } else { "\r\n" })?;
        shared.heard.lock().expect("no panic").push(text.clone());
        said = if in_message {
            "MESSAGE".to_owned()
        } else {
            text
        };
    }
}

fn take(rules: &mut Vec<(&'static str, Turn)>, said: &str) -> Turn {
    if let Some(at) = rules.iter().position(|(begin, _)| said.starts_with(begin)) {
        return rules.remove(at).1;
    }
    match said.split([' ', '\r']).next().unwrap_or_default() {
        "GREETING" => Turn::Say("220 test ESMTP\r\n"),
        "EHLO" => Turn::Say("250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n"),
        "AUTH" => Turn::Say("235 welcome\r\n"),
        "DATA" => Turn::Say("354 go\r\n"),
        "MESSAGE" => Turn::Say("250 2.0.0 queued as 42\r\n"),
        "QUIT" => Turn::Break(""),
        _ => Turn::Say("250 ok\r\n"),
    }
}

/// What is said up to `end`.
fn hear(stream: &mut TcpStream, end: &str) -> std::io::Result<String> {
    let mut said = Vec::new();
    let mut byte = [0];
    while !said.ends_with(end.as_bytes()) {
        stream.read_exact(&mut byte)?;
        said.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}
