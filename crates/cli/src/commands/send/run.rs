//! Which way of sending.

use super::args::{PATIENCE, SendArgs, checked_key};
use super::{each_line, single};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use serde_json::{Value, json};

pub(crate) async fn run(args: &SendArgs, output: &Output) -> Result<Exit, Failure> {
    if let Some(key) = &args.key {
        checked_key(key)?;
    }
    let client = args.server.client(output, None, PATIENCE)?;
    match &args.each_line {
        Some(source) => each_line::run(args, source, &client).await,
        None => single::run(args, &client).await,
    }
}

/// A message that is durable.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub message: String,
    /// Its place in the journal.
    pub seq: u64,
}

/// Sends a message, through an outage if need be: the key makes a repetition harmless.
pub(crate) async fn send(
    client: &Client<'_>,
    to: &str,
    content: &Value,
    key: &str,
) -> Result<Accepted, Failure> {
    let params = json!({"to": to, "content": content, "key": key});
    let answer = client.call("member/send", &params).await?;
    let (Value::String(message), Some(seq)) = (&answer["message"], answer["seq"].as_u64()) else {
        let message = format!("the server accepted a message in an unknown shape: {answer}");
        return Err(Failure::new(Exit::Failed, "server.foreign", message));
    };
    Ok(Accepted {
        message: message.clone(),
        seq,
    })
}
