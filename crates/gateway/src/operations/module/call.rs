//! `module/call`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use crate::text::fetched;
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::event::{Event, EventFilter};
use mobkit_domain::id::{CallId, ModuleId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::text::Text;
use mobkit_engine::stash_value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(in crate::operations) struct Call;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The module.
    module: ModuleId,
    /// Name of the tool within the module.
    tool: String,
    /// Arguments, an object; none where it is left out.
    args: Option<Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// What the tool answered: JSON where it is an object or a list, else text; a reference where
    /// it is longer than 1 MiB.
    result: Value,
    /// The call.
    call: CallId,
}

impl Define for Call {
    const NAME: &'static str = "module/call";
    const DOC: &'static str = "Calls a tool of a module and waits for its result. The call goes \
                               on and is recorded if the caller goes away.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let Params { module, tool, args } = params;
        let args = args.unwrap_or_else(|| Value::Object(Map::new()));
        let kept = stash_value(cx.engine.store().as_ref(), args).await;
        let command = Command::Module(ModuleCommand::Call {
            module: module.clone(),
            tool: tool.clone(),
            args: kept.map_err(|error| store_refusal(&error))?,
        });
        let (call, outcome) = cx.engine.call_module(cx.submission(command)).await?;
        match outcome {
            Ok(text) => Ok(Output {
                result: result(fetched(&cx.engine, text).await?),
                call,
            }),
            Err(reason) => Err(failed(&cx, &module, &tool, (call, &reason)).await?),
        }
    }
}

fn result(text: Text) -> Value {
    match text {
        Text::Inline(text) => match serde_json::from_str(&text) {
            Ok(parsed @ (Value::Object(_) | Value::Array(_))) => parsed,
            _ => Value::String(text.to_string()),
        },
        Text::Blob(blob) => json!(blob),
    }
}

/// The refusal for a call that gave no result.
async fn failed(
    cx: &Context,
    module: &ModuleId,
    tool: &str,
    (call, reason): (CallId, &str),
) -> Result<Refusal, Refusal> {
    let facts = json!({ "call": call });
    Ok(if is_unknown(cx, module, call).await? {
        let message = format!("nobody can say whether {module}/{tool} happened: {reason}");
        Refusal::new(RefusalKind::Unavailable, "tool.unknown", message)
            .hint("look at what it acts on before you call it again")
            .data(facts)
    } else {
        let message = format!("{module}/{tool} failed: {reason}");
        Refusal::new(RefusalKind::Unavailable, "tool.failed", message)
            .hint("`module/log` shows what the module wrote")
            .data(facts)
    })
}

async fn is_unknown(cx: &Context, module: &ModuleId, call: CallId) -> Result<bool, Refusal> {
    let filter = EventFilter {
        kinds: vec!["tool.unknown".to_owned()],
        subject: Some(format!("module/{module}")),
        source: None,
    };
    let (from, head) = (call.reply, cx.engine.head());
    let found = cx.engine.events_between(from, head, &filter).await;
    let found = found.map_err(|error| store_refusal(&error))?;
    Ok(found.iter().any(|found| match &found.envelope.event {
        Event::ToolUnknown(e) => e.call == call,
        _ => false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_json_where_it_is_an_object_or_a_list() {
        let of = |text: &str| result(Text::from(text));
        assert_eq!(of(r#"{"a": 1}"#), json!({"a": 1}));
        assert_eq!(of("[1]"), json!([1]));
        for text in ["7", "null", "\"a\"", "true", "{", "", "plain"] {
            assert_eq!(of(text), json!(text));
        }
    }
}
