//! One model call: read the session, call, stream, report.

use super::assemble::{instructions, member_tools};
use super::compaction::compact;
use super::providers::Providers;
use super::transcript::{Transcript, TranscriptError};
use crate::model::{Delta as ModelDelta, Item, ModelRequest, collect};
use mobkit_domain::command::{Command, StepRef, TurnCommand};
use mobkit_domain::definition::Definition;
use mobkit_domain::id::{MemberId, ModelId};
use mobkit_domain::model::{CallRequest, Failure, FailureClass, Reply};
use mobkit_domain::text::Text;
use mobkit_domain::turn::compaction_due;
use mobkit_engine::{Delta, DeltaKind, EffectPort, Engine, stash_text, stash_value};
use mobkit_store::StoreError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Calls models for native turns.
pub struct NativeEngine {
    providers: Arc<dyn Providers>,
    /// Sessions of members that have work right now.
    warm: Mutex<HashMap<MemberId, Transcript>>,
}

/// Why a call could not even be made, or its answer not be kept.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    #[error("the answer could not be kept: {0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Definition(String),
    #[error("{}", .0.reason)]
    Model(Failure),
}

impl CallError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Model(failure) => failure,
            other => Failure {
                class: FailureClass::Internal,
                reason: other.to_string(),
                retry_after_ms: None,
            },
        }
    }
}

impl NativeEngine {
    /// An engine that asks `providers` before every call.
    pub fn new(providers: Arc<dyn Providers>) -> Self {
        Self {
            providers,
            warm: Mutex::default(),
        }
    }

    /// Makes one model call, and says what came of it.
    pub async fn model_call(&self, at: StepRef, member: MemberId, port: &EffectPort) -> Command {
        let engine = &port.engine;
        let began = engine.now();
        let outcome = self.attempt(at, &member, engine).await;
        let latency_ms = engine.now().since_ms(began);
        Command::Turn(match outcome {
            Ok(reply) => TurnCommand::ModelReplied {
                at,
                reply,
                latency_ms,
            },
            Err(error) => TurnCommand::ModelFailed {
                at,
                failure: error.into_failure(),
                latency_ms,
            },
        })
    }

    async fn attempt(
        &self,
        at: StepRef,
        member: &MemberId,
        engine: &Engine,
    ) -> Result<Reply, CallError> {
        let mut transcript = self.take_warm(member, engine);
        transcript.read_on(engine, member).await?;
        let (definition, model, mut request) = request(at, member, engine, transcript.items())?;
        let provider = self
            .providers
            .provider(&definition, &model)
            .await
            .map_err(CallError::Model)?;
        if let Some(compaction) = engine.view(|world| compaction_due(world, at)) {
            let asked = (provider.as_ref(), request.clone());
            let turn = (at, member, engine);
            match compact(&mut transcript, compaction, asked, turn).await {
                Ok(()) => request.items = transcript.items().to_vec(),
                Err(error) => {
                    tracing::warn!(%member, turn = %at.turn, "not compacted: {error}");
                    transcript = Transcript::of(transcript.session());
                }
            }
        }
        let lane = engine.clone();
        let (turn, step, attempt) = (at.turn, at.step, at.attempt);
        let name = member.clone();
        let reply = collect(provider.stream(request), move |delta| {
            let (kind, text) = match delta {
                ModelDelta::Text(text) => (DeltaKind::Text, text),
                ModelDelta::Reasoning(text) => (DeltaKind::Reasoning, text),
            };
            lane.delta(Delta {
                member: name.clone(),
                turn,
                step,
                attempt,
                call: None,
                kind,
                text,
            });
        })
        .await
        .map_err(CallError::Model)?;
        let goes_on = !reply.calls.is_empty()
            || engine.view(|world| {
                world
                    .state
                    .members
                    .get(member)
                    .is_some_and(|m| !m.queue.is_empty())
            });
        if goes_on {
            self.warm().insert(member.clone(), transcript);
        }
        Ok(kept(engine, reply).await?)
    }

    fn warm(&self) -> std::sync::MutexGuard<'_, HashMap<MemberId, Transcript>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session as far as it was read before, or from its beginning.
    fn take_warm(&self, member: &MemberId, engine: &Engine) -> Transcript {
        let session = engine.view(|world| world.state.members.get(member).map(|m| m.session));
        let warm = self.warm().remove(member);
        match (warm, session) {
            (Some(transcript), Some(session)) if transcript.session() == session => transcript,
            (_, session) => Transcript::of(session.unwrap_or(mobkit_domain::id::SessionId(0))),
        }
    }
}

/// What the model is asked, with the definition under which it is asked.
fn request(
    at: StepRef,
    member: &MemberId,
    engine: &Engine,
    items: &[Item],
) -> Result<(Arc<Definition>, ModelId, ModelRequest), CallError> {
    let asked = engine.view(|world| {
        let turn = world
            .state
            .turns
            .get(&at.turn)
            .ok_or("the turn has ended")?;
        let definition = &world.definition;
        let profile = definition
            .profiles
            .get(&turn.profile)
            .ok_or("the definition no longer has the profile")?;
        let request = ModelRequest {
            member: member.clone(),
            profile: turn.profile.clone(),
            step: at.step,
            attempt: at.attempt.saturating_sub(turn.attempts_before),
            replies: world.state.members.get(member).map_or(0, |m| m.replies),
            instructions: instructions(world, member, profile),
            items: items.to_vec(),
            tools: member_tools(world, member, profile),
            output_schema: profile.output_schema.clone(),
            from: sender(items).unwrap_or_else(|| turn.from.to_string()),
        };
        Ok((Arc::clone(definition), turn.model.clone(), request))
    });
    asked.map_err(|reason: &str| CallError::Definition(reason.to_owned()))
}

/// Who sent the last message.
fn sender(items: &[Item]) -> Option<String> {
    let mut said = items.iter().rev();
    said.find_map(|item| match item {
        Item::User { from, .. } => Some(from.clone()),
        Item::Assistant { .. } | Item::ToolResult { .. } => None,
    })
}

/// The reply with long payloads in the blob store.
pub(crate) async fn kept(engine: &Engine, reply: Reply) -> Result<Reply, StoreError> {
    let store = engine.store().as_ref();
    let text = match reply.text.inline() {
        Some(text) => stash_text(store, text).await?,
        None => reply.text,
    };
    let mut calls = Vec::with_capacity(reply.calls.len());
    for call in reply.calls {
        let args = stash_value(store, call.args).await?;
        calls.push(CallRequest { args, ..call });
    }
    let carry = match reply.carry {
        Some(carry) => Some(stash_value(store, carry).await?),
        None => None,
    };
    Ok(Reply {
        text: Text::clone(&text),
        calls,
        carry,
        ..reply
    })
}
