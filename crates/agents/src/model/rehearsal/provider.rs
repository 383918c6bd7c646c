//! The rehearsal model behind the seam.

use super::outcome::{self, Outcome};
use super::script::Script;
use crate::model::seam::{ModelEvents, ModelProvider, ModelRequest};
use futures::{StreamExt, stream};
use mobkit_domain::model::{Failure, FailureClass};
use std::sync::Arc;
use std::time::Duration;

/// A model that follows a script. Without a rule that matches, it answers
/// `rehearsal: <the last message>`.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    script: Arc<Script>,
    timeout_ms: u64,
}

impl Rehearsal {
    /// A model that follows `script`; a rule that waits longer than `timeout_ms` fails as a real
    /// model would.
    pub fn new(script: Arc<Script>, timeout_ms: u64) -> Self {
        Self { script, timeout_ms }
    }
}

impl ModelProvider for Rehearsal {
    fn describe(&self) -> String {
        "rehearsal".to_owned()
    }

    fn stream(&self, request: ModelRequest) -> ModelEvents {
        let Self { script, timeout_ms } = self.clone();
        let played = async move {
            let Outcome { delay_ms, events } = outcome::of(&script, &request);
            if delay_ms > 0 {
                tokio::time::sleep(Duration::from_millis(delay_ms.min(timeout_ms))).await;
            }
            if delay_ms > timeout_ms {
                let reason = format!("no answer within {timeout_ms} ms");
                let class = FailureClass::Timeout;
                return stream::iter(vec![Err(Failure {
                    class,
                    reason,
                    retry_after_ms: None,
                })]);
            }
            stream::iter(events)
        };
        stream::once(played).flatten().boxed()
    }
}
