//! An attempt to call a model failed: try again later, ask another model, or end the turn.

use super::end::{self, Used};
use crate::command::StepRef;
use crate::definition::Definition;
use crate::draft::Draft;
use crate::event::{ModelFailed, TurnFailure};
use crate::id::ModelId;
use crate::model::Failure;
use crate::state::Turn;
use sha2::{Digest, Sha256};

/// How often one step is tried with one model.
pub const ATTEMPTS_MAX: u32 = 6;
/// The longest wait that a provider may ask for, in milliseconds; after a longer one the model is
/// given up.
pub const RETRY_AFTER_MAX_MS: u64 = 600_000;
const BACKOFF_FIRST_MS: u64 = 500;
const BACKOFF_MAX_MS: u64 = 30_000;

/// How long to wait after a failed attempt, in milliseconds: doubling from half a second to half a
/// minute, spread by a quarter either way, and never less than the provider asked for.
///
/// The spread comes from the step itself, so that the same journal always gives the same times.
pub fn retry_delay_ms(at: StepRef, retry_after_ms: Option<u64>) -> u64 {
    let doubled = BACKOFF_FIRST_MS << at.attempt.saturating_sub(1).min(10);
    let base = doubled.min(BACKOFF_MAX_MS);
    let seed = format!("{}/{}/{}", at.turn, at.step, at.attempt);
    let digest = Sha256::digest(seed.as_bytes());
    let spread = u64::from(digest[0]) * base / 512;
    (base * 3 / 4 + spread).max(retry_after_ms.unwrap_or(0))
}

/// What follows a failed attempt.
enum Next<'d> {
    /// The same model is asked again.
    Again { pause_ms: u64 },
    /// Another model is asked at once.
    Fallback(&'d ModelId),
    /// The turn ends.
    Nothing,
}

fn next<'d>(
    definition: &'d Definition,
    at: StepRef,
    turn: &'d Turn,
    failure: &Failure,
) -> Next<'d> {
    if !failure.class.is_transient() {
        // Another model would hide a wrong key, or be asked what this one refuses.
        return Next::Nothing;
    }
    let tries = at.attempt.saturating_sub(turn.attempts_before);
    let wait_ms = failure.retry_after_ms;
    if tries < ATTEMPTS_MAX && wait_ms.is_none_or(|ms| ms <= RETRY_AFTER_MAX_MS) {
        let at = StepRef {
            attempt: tries,
            ..at
        };
        return Next::Again {
            pause_ms: retry_delay_ms(at, wait_ms),
        };
    }
    let first = turn.given_up.first().unwrap_or(&turn.model);
    definition
        .models_for(first)
        .into_iter()
        .find(|model| **model != turn.model && !turn.given_up.contains(model))
        .map_or(Next::Nothing, Next::Fallback)
}

/// The last failure, and what had been tried before it.
fn told(attempts: u32, turn: &Turn, reason: &str) -> String {
    if attempts == 1 {
        return reason.to_owned();
    }
    if turn.attempts_before == 0 {
        return format!("{reason} (after {attempts} attempts)");
    }
    let models = turn.given_up.iter().map(ModelId::as_str);
    let models = models.collect::<Vec<_>>().join(", ");
    let last = &turn.model;
    format!("{reason} (after {attempts} attempts with {models} and {last})")
}

pub(super) fn model_failed(
    draft: &mut Draft<'_>,
    at: StepRef,
    turn: &Turn,
    failure: &Failure,
    latency_ms: u64,
) {
    let next = next(&draft.world.definition, at, turn, failure);
    let (retry_at, fallback) = match next {
        Next::Again { pause_ms } => (Some(draft.now.plus_ms(pause_ms)), None),
        Next::Fallback(model) => (Some(draft.now), Some(model.clone())),
        Next::Nothing => (None, None),
    };
    let seq = draft.emit(ModelFailed {
        turn: at.turn,
        member: turn.member.clone(),
        step: at.step,
        attempt: at.attempt,
        model: turn.model.clone(),
        class: failure.class,
        reason: failure.reason.clone(),
        retry_at,
        fallback,
        latency_ms,
    });
    if retry_at.is_none() {
        let reason = told(at.attempt, turn, &failure.reason);
        let used = Used::so_far(turn);
        end::fail(
            draft,
            seq,
            (at.turn, turn),
            (TurnFailure::Model, &reason),
            used,
        );
    }
}
