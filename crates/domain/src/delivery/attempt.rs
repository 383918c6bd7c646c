//! Attempts begin: the intent is recorded before anything leaves the mob.

use super::dead;
use super::ended::{Attempt, Failed, failed};
use super::resolve::member_of;
use crate::definition::Sink;
use crate::draft::Draft;
use crate::event::{DeliveryAttempted, DeliveryDelivered};
use crate::id::{CallId, DeliveryId, MemberId, ModuleId, Seq};
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{Delivery, State};
use crate::text::{BlobRef, Content, Part, Text};
use serde::Deserialize;
use serde_json::{Value, json};

/// Where the attempts of a route go.
enum Way<'s> {
    /// The route is gone or out of use; why.
    None(String),
    /// To a member: in this very decision.
    Member(MemberId),
    /// To a tool of a module.
    Module(&'s ModuleId, &'s str),
    /// Out of the mob.
    Outside,
}

/// Begins the attempt whose time has come, one at a time: whatever follows by itself is asked for
/// again with the state that this one leaves, so that no bound is overrun.
pub(crate) fn begin_due(draft: &mut Draft<'_>) {
    let state = draft.state();
    if !draft.is_empty() {
        // What this decision has done already is not in the state yet.
        return;
    }
    let due = state.delivery_dues.first();
    let Some((_, route)) = due.filter(|(due, _)| *due <= draft.now) else {
        return;
    };
    let waiting = state.delivery_waiting.get(route);
    let first = waiting.and_then(|waiting| waiting.deliveries.first());
    if let Some((id, open)) = first.and_then(|(_, id)| state.deliveries.get_key_value(id)) {
        begin(draft, *id, open);
    }
}

fn way<'s>(state: &'s State, name: &str) -> Way<'s> {
    let Some(route) = state.route(name) else {
        return match member_of(name) {
            Some(member) => Way::Member(member),
            None => Way::None(format!("there is no route {name} any longer")),
        };
    };
    if let Some(why) = &route.disabled {
        return Way::None(format!("route {name} is out of use: {why}"));
    }
    match &route.spec.sink {
        Sink::Member { member } => Way::Member(member.clone()),
        Sink::Module { module, tool } => Way::Module(module, tool),
        Sink::Webhook { .. } | Sink::Email { .. } | Sink::File { .. } => Way::Outside,
    }
}

fn begin(draft: &mut Draft<'_>, id: DeliveryId, open: &Delivery) {
    match way(draft.state(), &open.queued.route) {
        Way::None(why) => {
            let seq = dead::dead(draft, open.seq, dead::unsent(id, open, &why));
            dead::raise(draft, seq, id, why);
        }
        Way::Member(member) => to_member(draft, (id, open), &member),
        Way::Module(module, tool) => to_module(draft, (id, open), module, tool),
        Way::Outside => _ = attempted(draft, id, open, None),
    }
}

fn attempted(draft: &mut Draft<'_>, id: DeliveryId, open: &Delivery, call: Option<CallId>) -> Seq {
    draft.emit_from(
        open.seq,
        DeliveryAttempted {
            delivery: id,
            route: open.queued.route.clone(),
            attempt: open.attempts + 1,
            repeated: open.repeated,
            call,
        },
    )
}

fn refused(draft: &mut Draft<'_>, cause: Seq, (id, open): (DeliveryId, &Delivery), why: &Refusal) {
    let attempt = Attempt {
        id,
        open,
        nth: open.attempts + 1,
        cause,
        took_ms: 0,
    };
    let failure = Failed {
        reason: why.message.clone(),
        // What is malformed stays so; everything else may be mended.
        hopeless: why.kind == RefusalKind::Invalid,
        ..Failed::default()
    };
    failed(draft, &attempt, &failure);
}

/// The member has the message with the attempt, so it gets it exactly once.
fn to_member(draft: &mut Draft<'_>, (id, open): (DeliveryId, &Delivery), to: &MemberId) {
    let seq = attempted(draft, id, open, None);
    let content = content(&open.queued.payload);
    match crate::message::accept_delivered(draft, &open.queued, to, content, seq) {
        Ok(message) => {
            let delivered = DeliveryDelivered {
                delivery: id,
                route: open.queued.route.clone(),
                attempt: open.attempts + 1,
                status: None,
                excerpt: Some(format!("accepted as {message}")),
                took_ms: 0,
            };
            let seq = draft.emit_from(seq, delivered);
            crate::schedule::delivery_ended(draft, seq, id, true, "");
        }
        Err(refusal) => refused(draft, seq, (id, open), &refusal),
    }
}

/// What a member is told: text as it is, anything else as data.
fn content(payload: &Value) -> Content {
    let text = match payload {
        Value::String(text) => Text::from(text.as_str()),
        other => match BlobRef::deserialize(other) {
            Ok(blob) if blob.is_well_formed() => Text::Blob(blob),
            Ok(_) | Err(_) => {
                let parts = vec![Part::Data {
                    data: other.clone(),
                }];
                let text = Text::from(other.to_string());
                return Content { text, parts };
            }
        },
    };
    Content {
        text,
        parts: Vec::new(),
    }
}

/// A direct call of a tool; what comes of it ends the attempt.
fn to_module(
    draft: &mut Draft<'_>,
    (id, open): (DeliveryId, &Delivery),
    module: &ModuleId,
    tool: &str,
) {
    let args = arguments(&open.queued.payload);
    let call = CallId {
        reply: draft.next_seq() + 1,
        index: 0,
    };
    // Asked aside first: the intent that names the call goes before the call.
    let mut aside = Draft::new(draft.world, draft.now, draft.actor.clone());
    let possible = pinned(draft, module, tool).and_then(|()| {
        crate::module::begin_call(&mut aside, module, (tool, &args), None).map(|_| ())
    });
    let seq = attempted(draft, id, open, possible.is_ok().then_some(call));
    let begun =
        possible.and_then(|()| crate::module::begin_call(draft, module, (tool, &args), Some(seq)));
    if let Err(refusal) = begun {
        refused(draft, seq, (id, open), &refusal);
    }
}

/// A tool of a pinned module that has changed takes nothing before somebody has agreed.
fn pinned(draft: &Draft<'_>, module: &ModuleId, tool: &str) -> Result<(), Refusal> {
    let name = format!("module:{module}/{tool}");
    if crate::tool::held(draft.state(), &name).is_none() {
        return Ok(());
    }
    let message = format!("the definition of {name} has changed since it was pinned");
    let code = "module.unavailable";
    Err(Refusal::new(RefusalKind::Unavailable, code, message))
}

/// The arguments of the tool: the payload where it is an object, else an object with it.
fn arguments(payload: &Value) -> Value {
    let is_text = BlobRef::deserialize(payload).is_ok_and(|blob| blob.is_well_formed());
    if payload.is_object() && !is_text {
        payload.clone()
    } else {
        json!({ "payload": payload })
    }
}
