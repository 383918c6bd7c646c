//! `tool/resolve`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use mobkit_domain::command::{Command, TurnCommand};
use mobkit_domain::event::ResolveHow;
use mobkit_domain::id::{CallId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::stash_text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(in crate::operations) struct Resolve;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The call whose outcome nobody knows.
    call: CallId,
    /// What is said of it.
    how: ResolveHow,
    /// What the model is told, where it happened: a text, or any JSON.
    result: Option<Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The call.
    call: CallId,
    /// What was said of it.
    how: ResolveHow,
    /// Position of the event.
    seq: Seq,
}

impl Define for Resolve {
    const NAME: &'static str = "tool/resolve";
    const DOC: &'static str = "Says what came of a tool call whose outcome is unknown.";
    const PERMISSION: Permission = Permission::Decide;
    const VERB: Verb = Verb::Decide;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let Params { call, how, result } = params;
        let text = result.map(|result| match result {
            Value::String(text) => text,
            other => other.to_string(),
        });
        let result = match text {
            Some(text) => {
                let kept = stash_text(cx.engine.store().as_ref(), &text).await;
                Some(kept.map_err(|error| store_refusal(&error))?)
            }
            None => None,
        };
        let command = Command::Turn(TurnCommand::ToolResolve { call, how, result });
        Ok(Output {
            call,
            how,
            seq: cx.submit(command).await?.seq(),
        })
    }
}
