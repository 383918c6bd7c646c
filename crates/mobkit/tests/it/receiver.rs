//! A receiver of webhooks in this process. It counts, and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    head: String,
    pub(crate) body: String,
}

impl Received {
    /// A header, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(given, _)| given.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id").expect("every request has an id")
    }
}

/// What it says to a request.
#[derive(Debug, Clone)]
pub(crate) enum Says {
    /// A status and further headers, each with its end of line.
    Status(u16, &'static str),
    /// Nothing, while the connection stays open.
    Nothing,
}

/// The receiver. It answers with what it was given, one after the other, and with 200 from then on.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    says: Arc<Mutex<VecDeque<Says>>>,
    received: watch::Sender<Vec<Received>>,
}

impl Receiver {
    pub(crate) async fn start(says: &[Says]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let receiver = Self {
            url: format!("http://{address}/hook"),
            says: Arc::new(Mutex::new(says.iter().cloned().collect())),
            received: watch::Sender::new(Vec::new()),
        };
        beside(receiver.clone().serve(listener));
        receiver
    }

    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let receiver = self.clone();
            beside(async move {
                // Whoever sends may go away in the middle; then nothing has arrived.
                let _ = receiver.answer(stream).await;
            });
        }
    }

    async fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        let mut part = [0; 4_096];
        let received = loop {
            match stream.read(&mut part).await? {
                0 => return Ok(()),
                count => bytes.extend_from_slice(&part[..count]),
            }
            if let Some(received) = whole(&bytes) {
                break received;
            }
        };
        self.received.send_modify(|all| all.push(received));
        let says = self.says.lock().expect("not poisoned").pop_front();
        match says.unwrap_or(Says::Status(200, "")) {
            Says::Nothing => std::future::pending().await,
            Says::Status(status, headers) => {
                let answer = format!("HTTP/1.1 {status} X\r\n{headers}content-length: 2\r\n\r\nok");
                stream.write_all(answer.as_bytes()).await
            }
        }
    }

    /// Everything that arrived, once it is so much.
    pub(crate) async fn received(&self, at_least: usize) -> Vec<Received> {
        let mut all = self.received.subscribe();
        let all = all.wait_for(|all| all.len() >= at_least).await;
        all.expect("it is kept by self").clone()
    }
}

fn whole(bytes: &[u8]) -> Option<Received> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let received = Received {
        head: head.to_owned(),
        body: body.to_owned(),
    };
    let length: usize = received.header("content-length")?.parse().ok()?;
    (body.len() == length).then_some(received)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a receiver is no task of the mob"
)]
pub(crate) fn beside(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}
