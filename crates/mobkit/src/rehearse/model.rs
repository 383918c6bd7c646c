//! The model of a rehearsal: its script, at a speed that the seed says, while nothing is broken.

use super::chance::Chance;
use super::lives::ShiftedClock;
use super::weather::Weather;
use futures::{StreamExt, stream};
use mobkit_agents::model::{ModelEvents, ModelProvider, ModelRequest, Rehearsal};
use mobkit_domain::definition::ModelFault;
use mobkit_domain::id::ModelId;
use mobkit_domain::model::{Failure, FailureClass};
use std::sync::Arc;
use std::time::Duration;

/// The shortest and the longest time until a model answers, in milliseconds.
const TAKES_MS: (u64, u64) = (300, 2_500);

/// One model of the mob.
pub(super) struct Played {
    pub(super) id: ModelId,
    pub(super) script: Rehearsal,
    pub(super) timeout_ms: u64,
    pub(super) seed: u64,
    pub(super) weather: Arc<Weather>,
    pub(super) clock: Arc<ShiftedClock>,
}

impl ModelProvider for Played {
    fn describe(&self) -> String {
        self.script.describe()
    }

    fn stream(&self, request: ModelRequest) -> ModelEvents {
        let call = format!(
            "model {} {} {} {}",
            request.member, request.replies, request.step, request.attempt
        );
        let takes_ms = Chance::of(self.seed, &call).between(TAKES_MS.0, TAKES_MS.1);
        let fault = self.weather.of_model(&self.id, self.clock.true_now());
        let takes_ms = match fault {
            Some(ModelFault::Timeout) => self.timeout_ms,
            _ => takes_ms,
        };
        let answer = match fault {
            Some(kind) => stream::iter([Err(failure(kind))]).boxed(),
            None => self.script.stream(request),
        };
        let waiting = async move {
            tokio::time::sleep(Duration::from_millis(takes_ms)).await;
            answer
        };
        stream::once(waiting).flatten().boxed()
    }
}

fn failure(kind: ModelFault) -> Failure {
    let class = match kind {
        ModelFault::Unauthorized => FailureClass::Unauthorized,
        ModelFault::RateLimited => FailureClass::RateLimited,
        ModelFault::Server => FailureClass::Server,
        ModelFault::Timeout => FailureClass::Timeout,
        ModelFault::Cut => FailureClass::Cut,
        ModelFault::Garbage => FailureClass::Garbage,
    };
    Failure {
        class,
        reason: format!("the scenario plays a fault of the model ({kind})"),
        retry_after_ms: None,
    }
}
