//! Questions that the other side has not answered yet.

use super::host::Order;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use mobkit_engine::{HostFailure, HostPieces};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tokio::sync::oneshot;

/// A question that waits for its answer.
struct Open {
    answer: oneshot::Sender<Result<Value, HostFailure>>,
    pieces: Option<HostPieces>,
}

/// Questions by number.
#[derive(Default)]
pub(super) struct Questions {
    last: u64,
    open: BTreeMap<u64, Open>,
    /// Each ends with its number where nobody waits for the answer any longer.
    waits: FuturesUnordered<BoxFuture<'static, Option<u64>>>,
}

impl Questions {
    /// Notes a question, and says how it is put.
    pub fn put(&mut self, order: Order) -> Value {
        let Order {
            method,
            params,
            pieces,
            mut reply,
        } = order;
        self.last += 1;
        let id = self.last;
        let (answer, answered) = oneshot::channel();
        self.open.insert(id, Open { answer, pieces });
        self.waits.push(Box::pin(async move {
            tokio::select! {
                biased;
                answer = answered => {
                    // Who went in the meantime wants no answer.
                    let _ = reply.send(answer.unwrap_or(Err(HostFailure::Lost)));
                    None
                }
                () = reply.closed() => Some(id),
            }
        }));
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
    }

    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// The next question that nobody waits for any longer, as far as one is withdrawn.
    pub async fn withdrawn(&mut self) -> Option<u64> {
        let id = self.waits.next().await.flatten()?;
        self.open.remove(&id).map(|_| id)
    }

    /// Takes an answer. One to a question that was withdrawn comes too late.
    pub fn answer(&mut self, mut fields: Map<String, Value>) {
        let id = fields.get("id").and_then(Value::as_u64);
        let Some(open) = id.and_then(|id| self.open.remove(&id)) else {
            return;
        };
        let answer = match fields.remove("error") {
            Some(error) => {
                let message = error["message"].as_str().unwrap_or("no reason was given");
                Err(HostFailure::Refused(message.to_owned()))
            }
            None => Ok(fields.remove("result").unwrap_or(Value::Null)),
        };
        // Who went in the meantime wants no answer.
        let _ = open.answer.send(answer);
    }

    /// Takes a piece of an answer; a question whose pieces nobody can take has failed.
    pub fn piece(&mut self, id: u64, piece: Value) {
        let Some(pieces) = self.open.get(&id).and_then(|open| open.pieces.as_ref()) else {
            return;
        };
        if pieces.try_send(piece).is_ok() {
            return;
        }
        if let Some(open) = self.open.remove(&id) {
            let why = "its pieces come faster than they can be taken".to_owned();
            let _ = open.answer.send(Err(HostFailure::Refused(why)));
        }
    }

    /// The other side answers nothing any longer.
    pub fn lose_all(&mut self) {
        self.open.clear();
        self.waits.clear();
    }
}

/// Whether a message answers a question.
pub(super) fn is_answer(message: &Value) -> bool {
    message.as_object().is_some_and(|fields| {
        !fields.contains_key("method")
            && (fields.contains_key("result") || fields.contains_key("error"))
    })
}
