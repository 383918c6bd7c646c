//! An attempt to call a model failed: try again later, or end the turn.

use super::end::{self, Used};
use crate::command::StepRef;
use crate::draft::Draft;
use crate::event::{ModelFailed, TurnFailure};
use crate::model::Failure;
use crate::state::Turn;
use sha2::{Digest, Sha256};

/// How often one step is tried before the turn fails.
pub const ATTEMPTS_MAX: u32 = 6;
/// The longest wait that a provider may ask for, in milliseconds; a longer one ends the turn.
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

pub(super) fn model_failed(
    draft: &mut Draft<'_>,
    at: StepRef,
    turn: &Turn,
    failure: &Failure,
    latency_ms: u64,
) {
    let patient = failure
        .retry_after_ms
        .is_none_or(|ms| ms <= RETRY_AFTER_MAX_MS);
    let again = failure.class.is_transient() && at.attempt < ATTEMPTS_MAX && patient;
    let retry_at = again.then(|| {
        draft
            .now
            .plus_ms(retry_delay_ms(at, failure.retry_after_ms))
    });
    let seq = draft.emit(ModelFailed {
        turn: at.turn,
        member: turn.member.clone(),
        step: at.step,
        attempt: at.attempt,
        model: turn.model.clone(),
        class: failure.class,
        reason: failure.reason.clone(),
        retry_at,
        latency_ms,
    });
    if retry_at.is_none() {
        let reason = if at.attempt > 1 {
            format!("{} (after {} attempts)", failure.reason, at.attempt)
        } else {
            failure.reason.clone()
        };
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
