//! Making a whole reply of a stream.

use super::seam::{Delta, ModelEvent};
use futures::{Stream, StreamExt};
use mobkit_domain::model::{CallRequest, Failure, FailureClass, Finish, Reply, Usage};
use serde_json::Value;
use std::pin::pin;

/// Most bytes of text, reasoning and arguments that one reply may have.
pub const REPLY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Reads `events` to their end and hands every piece of text to `on_delta` as it comes.
///
/// Fails with the failure of the stream; as [`FailureClass::Cut`] where it ends too early; as
/// [`FailureClass::Garbage`] where the reply breaks its own rules: longer than
/// [`REPLY_BYTES_MAX`], a call without a tool, or an end for calls without a call.
pub async fn collect(
    events: impl Stream<Item = Result<ModelEvent, Failure>>,
    mut on_delta: impl FnMut(Delta),
) -> Result<Reply, Failure> {
    let mut events = pin!(events);
    let mut reply = Collected::default();
    while let Some(event) = events.next().await {
        match event? {
            ModelEvent::Text { text } => {
                reply.grow(text.len())?;
                reply.text.push_str(&text);
                on_delta(Delta::Text(text));
            }
            ModelEvent::Reasoning { text } => {
                reply.grow(text.len())?;
                on_delta(Delta::Reasoning(text));
            }
            ModelEvent::Call(call) => {
                reply.grow(call.tool.len() + call.args.to_string().len())?;
                reply.calls.push(call);
            }
            ModelEvent::Usage(usage) => reply.usage = usage,
            ModelEvent::End { finish, carry } => return reply.finish(finish, carry),
        }
    }
    Err(failure(
        FailureClass::Cut,
        "the stream ended before the answer was whole",
    ))
}

#[derive(Default)]
struct Collected {
    text: String,
    calls: Vec<CallRequest>,
    usage: Usage,
    bytes: usize,
}

impl Collected {
    fn grow(&mut self, bytes: usize) -> Result<(), Failure> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > REPLY_BYTES_MAX {
            let reason = format!("the answer is longer than {REPLY_BYTES_MAX} bytes");
            return Err(failure(FailureClass::Garbage, &reason));
        }
        Ok(())
    }

    fn finish(self, finish: Finish, carry: Option<Value>) -> Result<Reply, Failure> {
        if self.calls.iter().any(|call| call.tool.is_empty()) {
            return Err(failure(
                FailureClass::Garbage,
                "the model called a tool without a name",
            ));
        }
        let finish = match (finish, self.calls.is_empty()) {
            (Finish::Calls, true) => {
                let reason = "the model stopped for tool calls but made none";
                return Err(failure(FailureClass::Garbage, reason));
            }
            // Some servers say "stop" beside calls.
            (Finish::Stop | Finish::Other, false) => Finish::Calls,
            (finish, _) => finish,
        };
        Ok(Reply {
            text: self.text.into(),
            calls: self.calls,
            usage: self.usage,
            finish,
            carry,
        })
    }
}

fn failure(class: FailureClass, reason: &str) -> Failure {
    Failure {
        class,
        reason: reason.to_owned(),
        retry_after_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::stream;
    use serde_json::json;

    fn text(text: &str) -> ModelEvent {
        ModelEvent::Text {
            text: text.to_owned(),
        }
    }

    fn call(tool: &str) -> ModelEvent {
        let (tool, args) = (tool.to_owned(), json!({}));
        ModelEvent::Call(CallRequest {
            tool,
            args,
            provider_id: None,
        })
    }

    fn end(finish: Finish) -> ModelEvent {
        ModelEvent::End {
            finish,
            carry: None,
        }
    }

    fn collected(events: Vec<ModelEvent>) -> (Result<Reply, Failure>, Vec<Delta>) {
        let mut deltas = Vec::new();
        let reply = block_on(collect(stream::iter(events.into_iter().map(Ok)), |delta| {
            deltas.push(delta);
        }));
        (reply, deltas)
    }

    #[test]
    fn a_reply_is_the_sum_of_its_pieces() {
        let usage = Usage {
            input_tokens: 3,
            output_tokens: 2,
            ..Usage::default()
        };
        let (reply, deltas) = collected(vec![
            text("Good "),
            ModelEvent::Reasoning {
                text: "hm".to_owned(),
            },
            text("day"),
            ModelEvent::Usage(usage),
            end(Finish::Stop),
            text("ignored after the end"),
        ]);
        let reply = reply.expect("whole");
        assert_eq!(reply.text.inline(), Some("Good day"));
        assert_eq!((reply.usage, reply.finish), (usage, Finish::Stop));
        let said = [Delta::Text("Good ".into()), Delta::Reasoning("hm".into())];
        assert_eq!(deltas[..2], said);
        assert_eq!(deltas.len(), 3);
    }

    #[test]
    fn a_stream_without_an_end_was_cut_whatever_came_before() {
        for events in [vec![], vec![text("Good")], vec![call("now")]] {
            let class = collected(events).0.map_err(|failure| failure.class);
            assert_eq!(class, Err(FailureClass::Cut));
        }
    }

    #[test]
    fn calls_and_the_reason_to_stop_must_agree() {
        let (reply, _) = collected(vec![call("now"), end(Finish::Stop)]);
        assert_eq!(reply.map(|reply| reply.finish), Ok(Finish::Calls));
        let (reply, _) = collected(vec![call("now"), end(Finish::Length)]);
        assert_eq!(reply.map(|reply| reply.finish), Ok(Finish::Length));
        for events in [vec![end(Finish::Calls)], vec![call(""), end(Finish::Calls)]] {
            let class = collected(events).0.map_err(|failure| failure.class);
            assert_eq!(class, Err(FailureClass::Garbage));
        }
    }

    #[test]
    fn an_endless_answer_is_given_up() {
        let piece = "x".repeat(1024 * 1024);
        let (reply, deltas) = collected((0..20).map(|_| text(&piece)).collect());
        assert_eq!(
            reply.map_err(|failure| failure.class),
            Err(FailureClass::Garbage)
        );
        assert_eq!(deltas.len(), 8);
    }
}
