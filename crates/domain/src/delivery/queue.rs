//! Something is to be sent: it is durable before anybody is answered.

use super::resolve::taker;
use super::route::NAME_BYTES_MAX;
use crate::draft::Draft;
use crate::event::{DeliveryQueued, NewEvent};
use crate::id::{DeliveryId, Seq, TurnId};
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::text::BlobRef;
use serde::Deserialize;
use serde_json::Value;

/// Longest payload, in bytes of JSON; long texts that are kept elsewhere count whole.
const PAYLOAD_BYTES_MAX: u64 = 256 * 1_024;
/// Most deliveries that are open at once.
const OPEN_MAX: usize = 100_000;
/// After how many milliseconds it is worth another try where too many are open.
const BUSY_RETRY_AFTER_MS: u64 = 5_000;

/// Something to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) recipient: &'a str,
    pub(crate) channel: Option<&'a str>,
    pub(crate) payload: &'a Value,
}

/// Queues a delivery in the name of the draft's actor; schedules use it. The error says why nobody
/// takes it, and nothing is recorded then.
pub(crate) fn queue(
    draft: &mut Draft<'_>,
    recipient: &str,
    channel: Option<&str>,
    payload: &Value,
) -> Result<DeliveryId, Refusal> {
    let outgoing = Outgoing {
        recipient,
        channel,
        payload,
    };
    let from = draft.actor.clone();
    let queued = queued(draft, from, outgoing)?;
    let id = queued.delivery;
    draft.order(queued);
    Ok(id)
}

/// Queues a delivery in the name of a member that works on a turn; gives it with its route.
pub(crate) fn queue_for(
    draft: &mut Draft<'_>,
    from: &Principal,
    turn: TurnId,
    cause: Seq,
    outgoing: Outgoing<'_>,
) -> Result<(DeliveryId, String), Refusal> {
    let mut queued = queued(draft, from.clone(), outgoing)?;
    queued.turn = Some(turn);
    let named = (queued.delivery, queued.route.clone());
    draft.push(NewEvent::of(queued).by(from).caused_by(cause));
    Ok(named)
}

fn queued(
    draft: &Draft<'_>,
    from: Principal,
    outgoing: Outgoing<'_>,
) -> Result<DeliveryQueued, Refusal> {
    let Outgoing {
        recipient,
        channel,
        payload,
    } = outgoing;
    check_name("recipient", "delivery.bad_recipient", Some(recipient))?;
    check_name("channel", "delivery.bad_channel", channel)?;
    let bytes = (payload.to_string().len() as u64).saturating_add(kept_elsewhere(payload));
    if bytes > PAYLOAD_BYTES_MAX {
        let message =
            format!("the payload has {bytes} bytes; at most {PAYLOAD_BYTES_MAX} are sent");
        return Err(
            Refusal::new(RefusalKind::Invalid, "delivery.too_large", message)
                .hint("send a reference to where it can be found"),
        );
    }
    check_room(draft)?;
    let route = taker(draft.state(), recipient, channel)?.name();
    let origin = crate::message::origin(draft, &from);
    Ok(DeliveryQueued {
        delivery: DeliveryId(draft.next_seq()),
        route,
        recipient: recipient.to_owned(),
        channel: channel.map(str::to_owned),
        payload: payload.clone(),
        from,
        origin,
        turn: None,
    })
}

/// Refuses where too many deliveries are open.
pub(super) fn check_room(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.state().deliveries.len() < OPEN_MAX {
        return Ok(());
    }
    let message = format!("{OPEN_MAX} deliveries are on their way already");
    Err(Refusal::new(RefusalKind::Busy, "delivery.busy", message)
        .hint("wait until some have come to their end, or remove the route that is stuck")
        .retry_after_ms(BUSY_RETRY_AFTER_MS))
}

fn check_name(name: &str, code: &str, given: Option<&str>) -> Result<(), Refusal> {
    if given.is_none_or(|given| (1..=NAME_BYTES_MAX).contains(&given.len())) {
        return Ok(());
    }
    let message = format!("the {name} must have 1 to {NAME_BYTES_MAX} bytes");
    Err(Refusal::new(RefusalKind::Invalid, code, message))
}

/// Bytes of the texts of a payload that are kept elsewhere.
fn kept_elsewhere(payload: &Value) -> u64 {
    match payload {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        Value::Array(items) => sum(items.iter()),
        Value::Object(fields) => match BlobRef::deserialize(payload) {
            Ok(blob) if blob.is_well_formed() => blob.bytes,
            Ok(_) | Err(_) => sum(fields.values()),
        },
    }
}

fn sum<'v>(values: impl Iterator<Item = &'v Value>) -> u64 {
    values.map(kept_elsewhere).fold(0, u64::saturating_add)
}
