//! A model that does what messages say, when it feels like it.

use crate::acts::{Act, act_of};
use futures::{StreamExt, stream};
use mobkit::model::{Failure, FailureClass, Finish, Usage};
use mobkit::rehearse::Chance;
use mobkit::{Item, ModelEvent, ModelEvents, ModelProvider, ModelRequest};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How a call may fail, and how often of those that do.
const FAILURES: [(u64, FailureClass); 7] = [
    (6, FailureClass::RateLimited),
    (6, FailureClass::Server),
    (3, FailureClass::Timeout),
    (4, FailureClass::Cut),
    (2, FailureClass::Garbage),
    (2, FailureClass::Unreachable),
    (1, FailureClass::Rejected),
];

/// Does what messages say. What it does with a call depends on the seed and on the call alone.
pub(crate) struct Moody {
    pub(crate) name: &'static str,
    pub(crate) seed: u64,
    /// Whether nothing fails any longer.
    pub(crate) calm: Arc<AtomicBool>,
}

impl ModelProvider for Moody {
    fn describe(&self) -> String {
        format!("moody {}", self.name)
    }

    fn stream(&self, request: ModelRequest) -> ModelEvents {
        let is_calm = self.calm.load(Ordering::SeqCst);
        let call = format!(
            "{} {} {} {} {}",
            self.name, request.member, request.replies, request.step, request.attempt
        );
        let mut chance = Chance::of(self.seed, &call);
        let takes_ms = match chance.between(1, 10) {
            1..=2 => 0,
            3..=9 => chance.between(1, 3_000),
            _ => chance.between(3_000, 40_000),
        };
        let fails = !is_calm && chance.percent(12);
        let failure = *chance.weighed(&FAILURES);
        let retry_after_ms = chance.percent(30).then(|| chance.between(0, 20_000));
        let played = async move {
            if takes_ms > 0 {
                tokio::time::sleep(Duration::from_millis(takes_ms)).await;
            }
            let events = if fails {
                vec![Err(Failure {
                    class: failure,
                    reason: "on purpose".to_owned(),
                    retry_after_ms: retry_after_ms.filter(|_| failure == FailureClass::RateLimited),
                })]
            } else {
                answer(&request)
            };
            stream::iter(events)
        };
        stream::once(played).flatten().boxed()
    }
}

fn answer(request: &ModelRequest) -> Vec<Result<ModelEvent, Failure>> {
    let said = request.items.iter().rev().find_map(|item| match item {
        Item::User { text, .. } => Some(text.as_str()),
        Item::Assistant { .. } | Item::ToolResult { .. } => None,
    });
    let mut events = Vec::new();
    let finish = match act_of(said.unwrap_or("say what"), request.step) {
        Act::Say(text) => {
            events.push(Ok(ModelEvent::Text { text }));
            Finish::Stop
        }
        Act::Calls(calls) => {
            events.extend(calls.into_iter().map(|call| Ok(ModelEvent::Call(call))));
            Finish::Calls
        }
    };
    let words = request.items.len() as u64;
    events.push(Ok(ModelEvent::Usage(Usage {
        input_tokens: 10 + words,
        output_tokens: 3,
        ..Usage::default()
    })));
    events.push(Ok(ModelEvent::End {
        finish,
        carry: None,
    }));
    events
}
