//! What came of an attempt, and whether another one follows.

use super::dead;
use super::ladder::pause_ms;
use crate::command::AttemptOutcome;
use crate::definition::ROUTE_RETRY;
use crate::draft::Draft;
use crate::event::{
    DeliveryDead, DeliveryDelivered, DeliveryFailed, DeliveryUnknown, RouteDefined,
};
use crate::id::{CallId, DeliveryId, Seq};
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{Delivery, DeliveryStatus, Route};
use crate::text::Text;

/// Longest excerpt of an answer, in characters.
const EXCERPT_CHARS_MAX: usize = 1_000;
/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 500;

/// An attempt that has come to its end.
pub(super) struct Attempt<'w> {
    /// The delivery.
    pub(super) id: DeliveryId,
    /// The delivery as the state has it.
    pub(super) open: &'w Delivery,
    /// Which attempt it is.
    pub(super) nth: u32,
    /// The event that led to its end.
    pub(super) cause: Seq,
    /// How long it took, in milliseconds.
    pub(super) took_ms: u64,
}

/// Why an attempt failed.
#[derive(Default)]
pub(super) struct Failed {
    pub(super) status: Option<u16>,
    pub(super) reason: String,
    pub(super) excerpt: Option<String>,
    pub(super) retry_after_ms: Option<u64>,
    pub(super) gone: bool,
    pub(super) hopeless: bool,
    pub(super) lost: bool,
}

/// What came of the call of a tool that sent a delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CallOutcome<'a> {
    /// It gave a result.
    Finished(&'a Text),
    /// It failed, or was not made.
    Failed(&'a str),
    /// It may have been made, and can be made again.
    Lost(&'a str),
    /// It may have been made, and must not be made again by itself.
    Unknown,
}

fn stale(id: DeliveryId, nth: u32) -> Refusal {
    let message =
        format!("attempt {nth} at {id} is not in flight; its outcome is recorded already");
    Refusal::new(RefusalKind::Conflict, "delivery.stale", message)
}

/// Records what came of an attempt that was made outside.
pub(super) fn ended(
    draft: &mut Draft<'_>,
    id: DeliveryId,
    nth: u32,
    outcome: &AttemptOutcome,
) -> Result<(), Refusal> {
    let open = draft.state().deliveries.get(&id);
    let open = open.filter(|open| open.attempts == nth);
    let open = open.ok_or_else(|| stale(id, nth))?;
    let DeliveryStatus::Attempting {
        since,
        call: None,
        repeatable,
    } = open.status
    else {
        return Err(stale(id, nth));
    };
    let attempt = Attempt {
        id,
        open,
        nth,
        cause: open.seq,
        took_ms: draft.now.since_ms(since),
    };
    match outcome {
        AttemptOutcome::Delivered { status, excerpt } => {
            delivered(draft, &attempt, *status, excerpt.as_deref());
        }
        AttemptOutcome::Failed {
            status,
            reason,
            excerpt,
            retry_after_ms,
            gone,
            hopeless,
        } => {
            let failure = Failed {
                status: *status,
                reason: reason.clone(),
                excerpt: excerpt.clone(),
                retry_after_ms: *retry_after_ms,
                gone: *gone,
                hopeless: *hopeless,
                lost: false,
            };
            failed(draft, &attempt, &failure);
        }
        AttemptOutcome::Unknown { reason } => lost(draft, &attempt, reason, repeatable),
    }
    Ok(())
}

/// Records what came of the call of a tool that sent a delivery, if it did.
pub(crate) fn call_ended(
    draft: &mut Draft<'_>,
    cause: Seq,
    call: CallId,
    outcome: CallOutcome<'_>,
) {
    let state = draft.state();
    let found = state.delivery_calls.get(&call);
    let Some((id, open)) = found.and_then(|id| state.deliveries.get_key_value(id)) else {
        return;
    };
    let DeliveryStatus::Attempting { since, .. } = open.status else {
        return;
    };
    let attempt = Attempt {
        id: *id,
        open,
        nth: open.attempts,
        cause,
        took_ms: draft.now.since_ms(since),
    };
    match outcome {
        CallOutcome::Finished(result) => {
            let excerpt = result.excerpt(EXCERPT_CHARS_MAX);
            delivered(draft, &attempt, None, Some(&excerpt));
        }
        CallOutcome::Failed(reason) => {
            let reason = reason.to_owned();
            let failure = Failed {
                reason,
                ..Failed::default()
            };
            failed(draft, &attempt, &failure);
        }
        CallOutcome::Lost(reason) => lost(draft, &attempt, reason, true),
        CallOutcome::Unknown => {
            lost(
                draft,
                &attempt,
                "nobody can say what came of the call",
                false,
            );
        }
    }
}

fn delivered(
    draft: &mut Draft<'_>,
    attempt: &Attempt<'_>,
    status: Option<u16>,
    said: Option<&str>,
) {
    let seq = draft.emit_from(
        attempt.cause,
        DeliveryDelivered {
            delivery: attempt.id,
            route: attempt.open.queued.route.clone(),
            attempt: attempt.nth,
            status,
            excerpt: said.map(cut),
            took_ms: attempt.took_ms,
        },
    );
    crate::schedule::delivery_ended(draft, seq, attempt.id, true, "");
}

/// An attempt of which nobody knows: made again where the receiver knows repetitions.
pub(super) fn lost(draft: &mut Draft<'_>, attempt: &Attempt<'_>, reason: &str, repeatable: bool) {
    if repeatable {
        let failure = Failed {
            reason: reason.to_owned(),
            lost: true,
            ..Failed::default()
        };
        return failed(draft, attempt, &failure);
    }
    let reason = line(reason);
    let seq = draft.emit_from(
        attempt.cause,
        DeliveryUnknown {
            delivery: attempt.id,
            route: attempt.open.queued.route.clone(),
            attempt: attempt.nth,
            reason: reason.clone(),
        },
    );
    crate::schedule::delivery_ended(draft, seq, attempt.id, false, &reason);
}

/// Another attempt follows, or none does.
pub(super) fn failed(draft: &mut Draft<'_>, attempt: &Attempt<'_>, failure: &Failed) {
    let name = &attempt.open.queued.route;
    let route = draft.state().route(name);
    let reason = line(&failure.reason);
    let retry = route.map_or(ROUTE_RETRY, |route| route.spec.retry);
    let tried = attempt.nth.saturating_sub(attempt.open.attempts_before);
    let over = match route {
        _ if failure.gone || failure.hopeless => Some(reason.clone()),
        None if super::resolve::member_of(name).is_none() => {
            Some(format!("{reason}; route {name} is gone"))
        }
        Some(Route {
            disabled: Some(why),
            ..
        }) => Some(format!("{reason}; route {name} is out of use: {why}")),
        _ if tried >= retry.attempts => Some(format!("{reason}; no attempt is left of {tried}")),
        Some(_) | None => None,
    };
    let Some(over) = over else {
        let key = (attempt.id, attempt.nth);
        let pause = pause_ms(retry.backoff, key, tried, failure.retry_after_ms);
        let again = DeliveryFailed {
            delivery: attempt.id,
            route: name.clone(),
            attempt: attempt.nth,
            status: failure.status,
            excerpt: failure.excerpt.as_deref().map(cut),
            reason,
            lost: failure.lost,
            retry_at: draft.now.plus_ms(pause),
            took_ms: attempt.took_ms,
        };
        draft.emit_from(attempt.cause, again);
        return;
    };
    let dead = DeliveryDead {
        delivery: attempt.id,
        route: name.clone(),
        attempt: attempt.nth,
        status: failure.status,
        excerpt: failure.excerpt.as_deref().map(cut),
        reason: over.clone(),
        lost: failure.lost,
    };
    let seq = dead::dead(draft, attempt.cause, dead);
    dead::raise(draft, seq, attempt.id, over);
    if let Some(route) = route.filter(|_| failure.gone) {
        disable(draft, seq, attempt, route, &reason);
    }
}

/// The receiver wants nothing more over this route.
fn disable(draft: &mut Draft<'_>, cause: Seq, attempt: &Attempt<'_>, route: &Route, reason: &str) {
    if route.disabled.is_some() || route.seq > attempt.open.seq {
        // It was out of use before, or it is another one since: that one has said nothing.
        return;
    }
    let seq = draft.emit_from(
        cause,
        RouteDefined {
            route: route.spec.id.clone(),
            spec: route.spec.clone(),
            origin: route.origin,
            disabled: Some(reason.to_owned()),
        },
    );
    let name = &attempt.open.queued.route;
    let why = format!("route {name} is out of use: {reason}");
    dead::all_waiting(draft, seq, name, &why, Some(attempt.id));
}

fn line(reason: &str) -> String {
    Text::from(reason).excerpt(REASON_CHARS_MAX)
}

fn cut(excerpt: &str) -> String {
    excerpt.chars().take(EXCERPT_CHARS_MAX).collect()
}
