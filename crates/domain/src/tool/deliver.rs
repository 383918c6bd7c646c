//! `deliver`: something leaves the mob, or goes to a member by name, over a route.

use super::content::ToolRefusal;
use super::send_message::check_edge;
use super::toolbox::ToolSpec;
use crate::definition::Sink;
use crate::delivery::{Outgoing, Taker, queue_for, taker};
use crate::draft::Draft;
use crate::event::ToolEffect;
use crate::id::{MemberId, Seq, TurnId};
use crate::principal::Principal;
use crate::state::{Call, State};
use crate::text::Text;
use serde_json::{Value, json};

const NAME: &str = "deliver";

/// The tool as models are told of it.
pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.to_owned(),
        description: "Sends something to a named recipient over the route that takes it. Give \
                      either text or payload. It is on its way when the call returns; whether it \
                      arrived is not told."
            .to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "recipient": {"type": "string", "description": "for whom, as the routes name it"},
                "channel": {"type": "string", "description": "on which channel, where it has any"},
                "text": {"type": "string", "description": "what to say"},
                "payload": {"description": "what to send, as any JSON"}
            },
            "required": ["recipient"],
            "additionalProperties": false
        }),
        effect: ToolEffect::Effect,
    }
}

pub(super) fn run(
    draft: &mut Draft<'_>,
    (turn, member): (TurnId, &MemberId),
    cause: Seq,
    args: &Value,
) -> Result<Text, ToolRefusal> {
    let outgoing = outgoing(args)?;
    if let Ok(Taker::Member(to)) = taker(draft.state(), outgoing.recipient, outgoing.channel)
        && to != *member
    {
        check_edge(draft, member, &to)?;
    }
    let from = Principal::Agent(member.clone());
    let queued = queue_for(draft, &from, turn, cause, outgoing);
    let (delivery, route) = queued.map_err(|refusal| {
        let reason = match refusal.hint {
            Some(hint) => format!("{}; {hint}", refusal.message),
            None => refusal.message,
        };
        ToolRefusal::new("delivery.refused", reason)
    })?;
    Ok(Text::from(format!(
        "queued as {delivery} over route {route}"
    )))
}

/// The tool of a module that a delivery would be made by: a gate on it guards the call as well.
pub(super) fn sink_tool(state: &State, call: &Call) -> Option<String> {
    if call.tool != NAME {
        return None;
    }
    let outgoing = outgoing(&call.args).ok()?;
    match taker(state, outgoing.recipient, outgoing.channel) {
        Ok(Taker::Route(_, route)) => match &route.spec.sink {
            Sink::Module { module, tool } => Some(format!("module:{module}/{tool}")),
            Sink::Member { .. } | Sink::Webhook { .. } | Sink::Email { .. } | Sink::File { .. } => {
                None
            }
        },
        Ok(Taker::Member(_)) | Err(_) => None,
    }
}

/// Reads `{"recipient", "channel"?, "text" | "payload"}`.
fn outgoing(args: &Value) -> Result<Outgoing<'_>, ToolRefusal> {
    let bad = |reason: &str| ToolRefusal::new("tool.bad_arguments", reason);
    let given = |name: &str| args.get(name).filter(|value| !value.is_null());
    let Some(Value::String(recipient)) = given("recipient") else {
        return Err(bad("\"recipient\" must be text: say for whom it is"));
    };
    let channel = match given("channel") {
        None => None,
        Some(Value::String(channel)) => Some(channel.as_str()),
        Some(_) => return Err(bad("\"channel\" must be text")),
    };
    let payload = match (given("text"), args.get("payload")) {
        (Some(text), None | Some(Value::Null)) => text,
        (None, Some(payload)) => payload,
        (Some(_), Some(_)) => return Err(bad("give either \"text\" or \"payload\", not both")),
        (None, None) => return Err(bad("say what to send, as \"text\" or as \"payload\"")),
    };
    Ok(Outgoing {
        recipient,
        channel,
        payload,
    })
}
