//! Reading the journal: in order, without gaps and doubles, through disconnections.

use super::api::Client;
use super::lines::LineBuffer;
use crate::failure::{Exit, Failure};
use crate::hex::hex;
use reqwest::Response;
use serde_json::Value;
use std::collections::VecDeque;

/// Which events.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventQuery {
    /// The reader continues after this place; `0` is the beginning.
    pub after: u64,
    /// Kinds, separated by commas.
    pub kinds: Option<String>,
    pub subject: Option<String>,
    pub source: Option<String>,
    /// Whether to wait for events that are still to come.
    pub follow: bool,
}

/// How events travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON document per line: events alone.
    Lines,
    /// Server-sent events: streaming text too.
    Stream,
}

/// What a reader gets.
#[derive(Debug)]
pub(crate) enum Frame {
    /// An event: its envelope, and the same as it was sent.
    Event(Value, String),
    /// A piece of text that a model is saying. May be lost, is never repeated.
    Delta(Value),
}

/// A reader that goes on where it was when the connection breaks.
pub(crate) struct EventReader<'a> {
    client: &'a Client<'a>,
    query: EventQuery,
    format: Format,
    connection: Option<Connection>,
    waiting: VecDeque<Frame>,
    was_connected: bool,
    /// The place at which an end of the stream was last reported.
    reported: Option<u64>,
}

struct Connection {
    response: Response,
    lines: LineBuffer,
    message: Message,
}

/// A server-sent event that is being read.
#[derive(Default)]
struct Message {
    event: String,
    data: String,
}

impl<'a> EventReader<'a> {
    pub fn new(client: &'a Client<'a>, query: EventQuery, format: Format) -> Self {
        Self {
            client,
            query,
            format,
            connection: None,
            waiting: VecDeque::new(),
            was_connected: false,
            reported: None,
        }
    }

    /// The place of the last event that was handed out.
    pub fn position(&self) -> u64 {
        self.query.after
    }

    /// The next frame; `None` at the end of a journal that is not followed. An outage that lasts
    /// longer than the client's patience is an error.
    pub async fn next(&mut self) -> Result<Option<Frame>, Failure> {
        loop {
            while let Some(frame) = self.waiting.pop_front() {
                if self.is_due(&frame) {
                    return Ok(Some(frame));
                }
            }
            if self.connection.is_none() {
                self.connect().await?;
            }
            let Some(connection) = &mut self.connection else {
                continue;
            };
            match connection.response.chunk().await {
                Ok(Some(chunk)) => {
                    connection.lines.push(&chunk)?;
                    self.take_lines()?;
                }
                Ok(None) if !self.query.follow => return Ok(None),
                Ok(None) | Err(_) => {
                    self.connection = None;
                    self.report_end();
                }
            }
        }
    }

    /// Whether the frame is new; an event moves the place on.
    fn is_due(&mut self, frame: &Frame) -> bool {
        let Frame::Event(envelope, _) = frame else {
            return true;
        };
        let seq = envelope["seq"].as_u64().unwrap_or(0);
        let is_new = seq > self.query.after;
        self.query.after = self.query.after.max(seq);
        is_new
    }

    /// Says that the stream ended, once for each place: a server that stops ends many.
    fn report_end(&mut self) {
        let after = self.query.after;
        if self.reported.replace(after) != Some(after) {
            let text = format!("the stream ended after event {after}; connecting again");
            self.client.output.stream_ended(&text);
        }
    }

    async fn connect(&mut self) -> Result<(), Failure> {
        let path = self.query.path();
        let accept = match self.format {
            Format::Lines => "application/x-ndjson",
            Format::Stream => "text/event-stream",
        };
        let response = self
            .client
            .persist(async || self.client.open(&path, accept).await)
            .await?;
        // A server that ends every stream at once would otherwise be asked without a pause.
        if self.was_connected {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        self.was_connected = true;
        let connection = Connection {
            response,
            lines: LineBuffer::default(),
            message: Message::default(),
        };
        self.connection = Some(connection);
        Ok(())
    }

    fn take_lines(&mut self) -> Result<(), Failure> {
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        while let Some(line) = connection.lines.next_line() {
            let frame = match self.format {
                Format::Lines => event(&line)?,
                Format::Stream => connection.message.take_line(&line)?,
            };
            self.waiting.extend(frame);
        }
        Ok(())
    }
}

impl EventQuery {
    fn path(&self) -> String {
        let mut path = format!("api/v1/events?after={}&follow={}", self.after, self.follow);
        for (name, value) in [
            ("kinds", &self.kinds),
            ("subject", &self.subject),
            ("source", &self.source),
        ] {
            if let Some(value) = value {
                path.extend(["&", name, "=", &encoded(value)]);
            }
        }
        path
    }
}

/// The value as a query parameter (RFC 3986; `*`, `,`, `:`, `@` and `/` may stand in a query).
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~*,:@/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&hex(&[byte]).to_uppercase());
        }
    }
    text
}

/// Reads a line that holds an event. Lines without a place in the journal keep the stream alive or
/// say that the server stops; the reader then connects again.
fn event(line: &str) -> Result<Option<Frame>, Failure> {
    if line.trim().is_empty() {
        return Ok(None);
    }
    let envelope: Value = serde_json::from_str(line).map_err(|error| {
        let message = format!("the server sends an event that is no JSON: {error}");
        Failure::new(Exit::Failed, "stream.malformed", message)
    })?;
    let has_place = envelope["seq"].is_u64();
    Ok(has_place.then(|| Frame::Event(envelope, line.to_owned())))
}

impl Message {
    /// Reads one line of a stream of server-sent events (WHATWG HTML, section 9.2.6).
    fn take_line(&mut self, line: &str) -> Result<Option<Frame>, Failure> {
        if line.is_empty() {
            let Self { event: name, data } = std::mem::take(self);
            return if name == "delta" {
                // A delta that can't be read is as good as lost, and deltas may be lost.
                Ok(serde_json::from_str(&data).ok().map(Frame::Delta))
            } else {
                event(&data)
            };
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // Comments keep the stream alive; `id` repeats the place that the envelope holds.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &str) -> Vec<String> {
        let mut message = Message::default();
        let mut frames = Vec::new();
        for line in text.lines() {
            match message.take_line(line).expect("well formed") {
                Some(Frame::Event(envelope, _)) => {
                    frames.push(format!("event {}", envelope["seq"]));
                }
                Some(Frame::Delta(delta)) => frames.push(format!("delta {}", delta["text"])),
                None => {}
            }
        }
        frames
    }

    #[test]
    fn events_and_deltas_are_told_apart() {
        let text = ": beat\n\nid: 1\nevent: turn.started\ndata: {\"seq\": 1}\n\n\
                    event: delta\ndata: {\"text\": \"a\"}\n\ndata:{\"seq\":\ndata:2}\n\n\
                    event: runtime.stopping\ndata: {}\n\nevent: delta\ndata: garbage\n\n";
        assert_eq!(frames(text), ["event 1", "delta \"a\"", "event 2"]);
    }

    #[test]
    fn a_query_says_what_is_given() {
        let query = EventQuery {
            after: 7,
            kinds: Some("turn.*,tool.unknown".to_owned()),
            subject: Some("member/user:ada".to_owned()),
            source: Some("a&b".to_owned()),
            follow: true,
        };
        assert_eq!(
            query.path(),
            "api/v1/events?after=7&follow=true&kinds=turn.*,tool.unknown\
             &subject=member/user:ada&source=a%26b"
        );
    }
}
