//! The work of an occurrence is started, in the decision that claims it.

use super::message;
use super::retry::{self, Attempt};
use crate::definition::{self, ScheduleTarget};
use crate::draft::Draft;
use crate::event::{Occasion, OccurrenceDispatched, Started};
use crate::id::{RouteId, Seq};
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::time::Time;
use serde_json::Value;

/// Why an occurrence could not be started.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    /// Why, one line.
    pub reason: String,
    /// Whether another attempt can't go better.
    pub hopeless: bool,
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self {
            hopeless: refusal.kind == RefusalKind::Invalid,
            reason: refusal.message,
        }
    }
}

fn hopeless(reason: String) -> Trouble {
    Trouble {
        reason,
        hopeless: true,
    }
}

/// Tries to start an occurrence. Whether it is open after that.
pub(super) fn attempt(
    draft: &mut Draft<'_>,
    spec: &definition::Schedule,
    attempt: &Attempt,
) -> bool {
    // Whoever had it run: the work is the runtime's own, and nobody attends to it.
    let actor = std::mem::replace(&mut draft.actor, Principal::Runtime);
    let started = start(draft, spec, attempt);
    draft.actor = actor;
    match started {
        Ok(started) => {
            draft.emit_from(
                attempt.claim,
                OccurrenceDispatched {
                    schedule: spec.id.clone(),
                    due: attempt.due,
                    started,
                    attempts: attempt.before + 1,
                },
            );
            true
        }
        Err(trouble) => retry::failed(draft, spec, attempt, trouble),
    }
}

fn start(
    draft: &mut Draft<'_>,
    spec: &definition::Schedule,
    attempt: &Attempt,
) -> Result<Started, Trouble> {
    let text = match &spec.message {
        None => None,
        Some(template) => Some(
            message::render(spec, template, attempt.due, draft.now).map_err(|problem| {
                hopeless(format!("the template of the message fails: {problem}"))
            })?,
        ),
    };
    let cause = attempt.claim;
    match &spec.to {
        ScheduleTarget::Member(to) => {
            let text = text.unwrap_or_default();
            let message =
                crate::message::accept_scheduled(draft, (&spec.id, to), text.into(), cause)?;
            Ok(Started::Message(message))
        }
        ScheduleTarget::Module { module, tool } => {
            let args = message::arguments(text.as_deref());
            let args = args.map_err(|problem| hopeless(format!("the message {problem}")))?;
            let call = crate::module::begin_call(draft, module, (tool, &args), Some(cause))?;
            Ok(Started::Call(call))
        }
        ScheduleTarget::Route(route) => deliver(draft, route, text.unwrap_or_default()),
        ScheduleTarget::Flow(flow) => {
            Err(hopeless(format!("this version starts no flows ({flow})")))
        }
    }
}

fn deliver(draft: &mut Draft<'_>, id: &RouteId, text: String) -> Result<Started, Trouble> {
    let Some(route) = draft.state().routes.get(id) else {
        return Err(Trouble {
            reason: format!("there is no route {id}"),
            hopeless: false,
        });
    };
    let exact = |name: &'static str, given: &str| (given != name).then(|| given.to_owned());
    let recipient = exact("*", &route.spec.matches.recipient);
    // A route that takes everybody needs some name to be reached by.
    let recipient = recipient.unwrap_or_else(|| id.to_string());
    let channel = exact("*", &route.spec.matches.channel);
    let payload = Value::String(text);
    let queued = crate::delivery::queue(draft, &recipient, channel.as_deref(), &payload)?;
    Ok(Started::Delivery(queued))
}

/// The first attempt at an occurrence that was just claimed.
pub(super) fn fresh(due: Time, claim: Seq, occasion: Occasion, now: Time) -> Attempt {
    Attempt {
        due,
        claim,
        occasion,
        claimed: now,
        before: 0,
    }
}
