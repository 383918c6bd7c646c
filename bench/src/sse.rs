//! A reader of events over a TCP connection: just enough HTTP/1.1 to see when an event is there.

use anyhow::{bail, ensure};
use mobkit_domain::id::Seq;
use std::net::SocketAddr;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A stream that was accepted and has delivered nothing so far.
pub struct Reader {
    connection: TcpStream,
    read: Vec<u8>,
    after: Seq,
}

impl Reader {
    /// Asks for everything after `after`; returns once the server has begun to answer.
    pub async fn connect(address: SocketAddr, token: &str, after: Seq) -> anyhow::Result<Self> {
        let mut connection = TcpStream::connect(address).await?;
        connection.set_nodelay(true)?;
        let request = format!(
            "GET /api/v1/events?after={after}&follow=true HTTP/1.1\r\nHost: {address}\r\n\
             Accept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).await?;
        let mut reader = Self {
            connection,
            read: Vec::new(),
            after,
        };
        let head = loop {
            reader.fill().await?;
            if let Some(end) = reader.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break reader.read.drain(..end + 4).collect::<Vec<u8>>();
            }
        };
        let head = String::from_utf8_lossy(&head).into_owned();
        ensure!(
            head.starts_with("HTTP/1.1 200"),
            "the server answered: {head}"
        );
        Ok(reader)
    }

    /// Reads up to the event `last`, and says when each event was there. Each must come once, in
    /// order.
    pub async fn read_until(mut self, last: Seq) -> anyhow::Result<Vec<(Seq, Instant)>> {
        let mut seen = Vec::new();
        // An id without data is a sign of life, not an event.
        let mut id: Option<Seq> = None;
        loop {
            let now = Instant::now();
            while let Some(line) = self.line() {
                if let Some(text) = line.strip_prefix("id:") {
                    id = Some(text.trim().parse()?);
                }
                let data = line.starts_with("data:").then(|| id.take()).flatten();
                if let Some(seq) = data {
                    ensure!(
                        seq == self.after + 1,
                        "event {seq} came after event {}",
                        self.after
                    );
                    self.after = seq;
                    seen.push((seq, now));
                }
            }
            if self.after >= last {
                return Ok(seen);
            }
            self.fill().await?;
        }
    }

    /// The next whole line. Lengths of chunks are lines of their own, and look like none of these.
    fn line(&mut self) -> Option<String> {
        let end = self.read.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.read.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        if self.connection.read_buf(&mut self.read).await? == 0 {
            bail!("the server ended the stream after event {}", self.after);
        }
        Ok(())
    }
}
