//! A reader of streams, as a client would write it.

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, Response};
use futures::StreamExt;
use serde_json::Value;
use std::collections::VecDeque;

/// What a stream carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Whole, with the id that came with it.
    Event(Option<u64>, Value),
    /// Something with a name of its own: `delta`, `runtime.stopping`, `problem`.
    Named(String, Value),
    /// A comment, and the id that came with it.
    Comment(String, Option<u64>),
    /// An id alone.
    Position(u64),
}

/// An open stream.
pub struct Stream {
    pub headers: HeaderMap,
    body: BodyDataStream,
    text: String,
    items: VecDeque<Item>,
    is_sse: bool,
}

impl Stream {
    pub fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let is_sse = parts.headers["content-type"] == "text/event-stream";
        Self {
            headers: parts.headers,
            body: body.into_data_stream(),
            text: String::new(),
            items: VecDeque::new(),
            is_sse,
        }
    }

    /// The next item; `None` at the end.
    pub async fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Some(item);
            }
            let chunk = self.body.next().await?.expect("no error");
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
            let end = if self.is_sse { "\n\n" } else { "\n" };
            while let Some(at) = self.text.find(end) {
                let block: String = self.text.drain(..at + end.len()).collect();
                let block = block.trim_end_matches('\n');
                self.items
                    .push_back(if self.is_sse { sse(block) } else { line(block) });
            }
        }
    }

    /// The next event, with whatever else comes left out; `None` at the end.
    pub async fn event(&mut self) -> Option<Value> {
        loop {
            if let Item::Event(id, event) = self.next().await? {
                if self.is_sse {
                    assert_eq!(id, event["seq"].as_u64());
                }
                return Some(event);
            }
        }
    }

    /// Everything up to the end.
    pub async fn rest(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item);
        }
        items
    }
}

fn line(text: &str) -> Item {
    if text.is_empty() {
        return Item::Comment(String::new(), None);
    }
    let value: Value = serde_json::from_str(text).expect("JSON");
    match (&value["delta"], value["seq"].is_u64()) {
        (_, true) => Item::Event(None, value),
        (Value::Null, false) => {
            Item::Named(value["kind"].as_str().expect("a kind").to_owned(), value)
        }
        (delta, false) => Item::Named("delta".to_owned(), delta.clone()),
    }
}

fn sse(block: &str) -> Item {
    let (mut id, mut name, mut data, mut comment) = (None, None, None, None);
    for line in block.lines() {
        let (field, value) = line.split_once(':').expect("a field");
        let value = value.trim_start();
        match field {
            "" => comment = Some(value.to_owned()),
            "id" => id = Some(value.parse::<u64>().expect("a position")),
            "event" => name = Some(value.to_owned()),
            "data" => data = Some(serde_json::from_str(value).expect("JSON on one line")),
            "retry" => {}
            other => panic!("the field {other:?}"),
        }
    }
    match (comment, name, data) {
        (Some(comment), None, None) => Item::Comment(comment, id),
        (None, None, Some(data)) => Item::Event(id, data),
        (None, Some(name), Some(data)) => {
            assert_eq!(id, None, "{name} has no place in the journal");
            Item::Named(name, data)
        }
        (None, None, None) => Item::Position(id.expect("an id")),
        other => panic!("the block {other:?}"),
    }
}
