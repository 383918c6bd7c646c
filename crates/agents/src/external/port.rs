//! What an engine may do to the mob while it runs a turn.

use super::seam::{CallResult, EngineError};
use crate::native::{kept, shown};
use mobkit_domain::command::{Command, TurnCommand};
use mobkit_domain::event::{Event, EventFilter, Fence};
use mobkit_domain::id::{CallId, MemberId, TurnId};
use mobkit_domain::model::Reply;
use mobkit_domain::text::Text;
use mobkit_engine::{
    CallOutcome, Delta, DeltaKind, EffectPort, Engine, Published, end_of_call, stash_value,
};
use mobkit_store::StoreError;
use serde_json::Value;
use std::sync::Arc;

/// A turn in the hands of an engine.
#[derive(Clone)]
pub struct TurnPort {
    pub(super) effect: EffectPort,
    pub(super) turn: TurnId,
    pub(super) member: MemberId,
    pub(super) fence: Fence,
}

impl TurnPort {
    /// Fires when the turn is no longer wanted.
    pub fn cancelled(&self) -> &tokio_util::sync::CancellationToken {
        &self.effect.cancelled
    }

    /// The mob.
    pub fn mob(&self) -> &Engine {
        &self.effect.engine
    }

    /// Shows text as it is being written; never stored.
    pub fn delta(&self, step: u32, text: &str) {
        let (member, turn) = (self.member.clone(), self.turn);
        let (kind, text) = (DeltaKind::Text, text.to_owned());
        self.effect.engine.delta(Delta {
            member,
            turn,
            step,
            attempt: 1,
            call: None,
            kind,
            text,
        });
    }

    /// Records a step, then makes its calls and waits for their results, in their order, as long
    /// as that takes: a call that a gate stops waits for a person. A long result is cut, and says
    /// so.
    ///
    /// The step is durable before a call is made. If the process dies while calls are open, the
    /// resumed turn finds the step in its items and gets the results from [`TurnPort::results`].
    pub async fn step(
        &self,
        reply: Reply,
        original: Value,
    ) -> Result<Vec<CallResult>, EngineError> {
        let calls = self.record(reply, original).await?;
        self.results(&calls).await
    }

    /// Records a step and has its calls made, for an engine that takes each result as it comes.
    /// Returns the ids of the calls, in their order.
    pub async fn record(&self, reply: Reply, original: Value) -> Result<Vec<CallId>, EngineError> {
        let engine = &self.effect.engine;
        let count = u32::try_from(reply.calls.len()).unwrap_or(u32::MAX);
        let reply = kept(engine, reply)
            .await
            .map_err(|e| EngineError::Failed(e.to_string()))?;
        let original = stash_value(engine.store().as_ref(), original)
            .await
            .map_err(|e| EngineError::Failed(e.to_string()))?;
        let (turn, fence) = (self.turn, self.fence);
        let command = TurnCommand::EngineReplied {
            turn,
            fence,
            reply,
            original,
        };
        let answer = engine.submit_internal(Command::Turn(command)).await;
        let seq = answer.map_err(|_| EngineError::Stale)?.seq();
        let calls = (1..=count).map(|index| CallId { reply: seq, index });
        Ok(calls.collect())
    }

    /// Waits for the results of calls of a recorded step, in their order.
    pub async fn results(&self, calls: &[CallId]) -> Result<Vec<CallResult>, EngineError> {
        let mut results = Vec::with_capacity(calls.len());
        for call in calls {
            let outcome = self.result(*call).await?;
            results.push(CallResult {
                call: *call,
                outcome,
            });
        }
        Ok(results)
    }

    /// Waits as long as it takes, hours where a person has to decide.
    async fn result(&self, call: CallId) -> Result<Result<String, String>, EngineError> {
        let engine = &self.effect.engine;
        let failed = |error: StoreError| EngineError::Failed(error.to_string());
        let waiting = engine.call_outcome(call);
        // Registered first, looked up second: a result in between is seen by one of the two.
        let outcome = match self.recorded(call).await.map_err(failed)? {
            Some(outcome) => outcome,
            None => waiting.await,
        };
        let changed = self.changed(call).await.map_err(failed)?;
        let (text, is_result) = match outcome {
            Ok(text) => (text, true),
            Err(reason) => (Text::from(reason), false),
        };
        let text = shown(engine.store().as_ref(), &text, changed.as_ref())
            .await
            .map_err(failed)?;
        Ok(if is_result { Ok(text) } else { Err(text) })
    }

    async fn recorded(&self, call: CallId) -> Result<Option<CallOutcome>, StoreError> {
        let found = self.events_of(call, &["tool.*"]).await?;
        Ok(found.iter().find_map(|event| {
            let (ended, outcome) = end_of_call(&event.envelope.event)?;
            (ended == call).then_some(outcome)
        }))
    }

    /// The arguments with which a call was made, where a person changed them.
    async fn changed(&self, call: CallId) -> Result<Option<Value>, StoreError> {
        let found = self
            .events_of(call, &["model.replied", "tool.started"])
            .await?;
        let mut asked = None;
        let mut made = None;
        for event in &found {
            match &event.envelope.event {
                Event::ModelReplied(e) => {
                    let recorded = e.calls.iter().find(|recorded| recorded.call == call);
                    asked = asked.or(recorded.map(|recorded| &recorded.args));
                }
                Event::ToolStarted(e) if e.call == call => made = Some(&e.args),
                _ => {}
            }
        }
        Ok(made.filter(|made| Some(*made) != asked).cloned())
    }

    /// Events of the member from the reply on that asked for a call.
    async fn events_of(
        &self,
        call: CallId,
        kinds: &[&str],
    ) -> Result<Vec<Arc<Published>>, StoreError> {
        let engine = &self.effect.engine;
        let filter = EventFilter {
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            subject: Some(format!("member/{}", self.member)),
            source: None,
        };
        let before = call.reply.saturating_sub(1);
        engine.events_between(before, engine.head(), &filter).await
    }
}
