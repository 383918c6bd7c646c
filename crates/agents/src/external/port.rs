//! What an engine may do to the mob while it runs a turn.

use super::seam::{CallResult, EngineError};
use crate::native::kept;
use mobkit_domain::command::{Command, TurnCommand};
use mobkit_domain::event::{Event, EventFilter, Fence};
use mobkit_domain::id::{CallId, MemberId, TurnId};
use mobkit_domain::model::Reply;
use mobkit_domain::text::Text;
use mobkit_engine::{Delta, DeltaKind, EffectPort, stash_value, unstash};
use serde_json::Value;

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

    /// Shows text as it is being written; never stored.
    pub fn delta(&self, step: u32, text: &str) {
        let (member, turn) = (self.member.clone(), self.turn);
        let (kind, text) = (DeltaKind::Text, text.to_owned());
        self.effect.engine.delta(Delta {
            member,
            turn,
            step,
            attempt: 1,
            kind,
            text,
        });
    }

    /// Records a step, then makes its calls and waits for their results, in their order.
    ///
    /// The step is durable before a call is made. If the process dies while calls are open, the
    /// resumed turn finds the step in its items and gets the results from [`TurnPort::results`].
    pub async fn step(
        &self,
        reply: Reply,
        original: Value,
    ) -> Result<Vec<CallResult>, EngineError> {
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
        let calls: Vec<CallId> = (1..=count)
            .map(|index| CallId { reply: seq, index })
            .collect();
        self.results(&calls).await
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

    async fn result(&self, call: CallId) -> Result<Result<String, String>, EngineError> {
        let engine = &self.effect.engine;
        let failed = |error: mobkit_store::StoreError| EngineError::Failed(error.to_string());
        let waiting = engine.call_outcome(call);
        // Registered first, looked up second: a result in between is seen by one of the two.
        let outcome = match self.recorded(call).await.map_err(failed)? {
            Some(outcome) => outcome,
            None => waiting.await,
        };
        match outcome {
            Ok(text) => unstash(engine.store().as_ref(), &text)
                .await
                .map(Ok)
                .map_err(failed),
            Err(reason) => Ok(Err(reason)),
        }
    }

    async fn recorded(
        &self,
        call: CallId,
    ) -> Result<Option<Result<Text, String>>, mobkit_store::StoreError> {
        let engine = &self.effect.engine;
        let filter = EventFilter {
            kinds: vec!["tool.*".to_owned()],
            subject: Some(format!("member/{}", self.member)),
            source: None,
        };
        let found = engine
            .events_between(call.reply, engine.head(), &filter)
            .await?;
        Ok(found.iter().find_map(|event| match &event.envelope.event {
            Event::ToolFinished(e) if e.call == call => Some(Ok(e.result.clone())),
            Event::ToolFailed(e) if e.call == call => Some(Err(e.reason.clone())),
            Event::ToolRefused(e) if e.call == call => Some(Err(e.reason.clone())),
            Event::ToolResolved(e) if e.call == call => e.result.clone().map(Ok),
            _ => None,
        }))
    }
}
