//! The replay model behind the seam.

use super::input::difference;
use super::recording::Recording;
use crate::model::seam::{ModelEvent, ModelEvents, ModelProvider, ModelRequest};
use futures::{StreamExt, stream};
use mobkit_domain::model::{Failure, FailureClass};
use std::sync::Arc;

/// A model that gives each member the answers that a recording holds of it, in their order. A
/// member that asks for more, or is told something else than then, gets a failure that is never
/// tried again.
#[derive(Debug, Clone)]
pub struct Replay {
    recording: Arc<Recording>,
    name: Arc<str>,
}

impl Replay {
    /// A model that answers of `recording`, which people know as `name`.
    pub fn new(recording: Arc<Recording>, name: &str) -> Self {
        let name = name.into();
        Self { recording, name }
    }

    fn answer(&self, request: &ModelRequest) -> Result<Vec<ModelEvent>, Failure> {
        let (member, number) = (&request.member, request.replies.saturating_add(1));
        let Some(recorded) = self.recording.answer(member, request.replies) else {
            let held = self.recording.len(member);
            return Err(self.failure(&format!(
                "it ends: it holds {held} answers of {member}, and this would be answer {number}"
            )));
        };
        let at = || format!("answer {number} of {member} (event {})", recorded.seq);
        if let Some(difference) = difference(&recorded.heard, &request.items) {
            let at = at();
            return Err(self.failure(&format!("the input diverges at {at}: {difference}")));
        }
        let reply = recorded.reply.clone();
        let Some(text) = reply.text.inline() else {
            let at = at();
            return Err(self.failure(&format!(
                "the text of {at} is kept in a blob store, which is not part of a recording"
            )));
        };
        let mut events = Vec::new();
        if !text.is_empty() {
            let text = text.to_owned();
            events.push(ModelEvent::Text { text });
        }
        events.extend(reply.calls.into_iter().map(ModelEvent::Call));
        events.push(ModelEvent::Usage(reply.usage));
        events.push(ModelEvent::End {
            finish: reply.finish,
            carry: reply.carry,
        });
        Ok(events)
    }

    fn failure(&self, reason: &str) -> Failure {
        Failure {
            class: FailureClass::Rejected,
            reason: format!("recording {}: {reason}", self.name),
            retry_after_ms: None,
        }
    }
}

impl ModelProvider for Replay {
    fn describe(&self) -> String {
        format!("replay of {}", self.name)
    }

    fn stream(&self, request: ModelRequest) -> ModelEvents {
        match self.answer(&request) {
            Ok(events) => stream::iter(events.into_iter().map(Ok)).boxed(),
            Err(failure) => stream::iter([Err(failure)]).boxed(),
        }
    }
}
