//! Arguments of the messaging tools.

use crate::id::MemberId;
use crate::text::{BlobRef, Content, Text};
use serde_json::Value;

/// Why a call can't be made as it is; the model is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ToolRefusal {
    pub(super) code: &'static str,
    pub(super) reason: String,
}

impl ToolRefusal {
    pub(super) fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }
}

/// Reads `{"to", "content"}`.
pub(super) fn addressed(args: &Value) -> Result<(MemberId, Content), ToolRefusal> {
    let bad = |reason: String| ToolRefusal::new("tool.bad_arguments", reason);
    let to = match args.get("to") {
        Some(Value::String(to)) => to,
        found => {
            let wrong = match found {
                None | Some(Value::Null) => "is missing".to_owned(),
                Some(other) => format!(
                    "must be text, found {}",
                    Text::from(other.to_string()).excerpt(80)
                ),
            };
            return Err(bad(format!(
                "\"to\" {wrong}: give the id of a member, as `peers` lists it"
            )));
        }
    };
    let to = MemberId::parse(to).map_err(|error| bad(error.to_string()))?;
    let text = match args.get("content") {
        None | Some(Value::Null) => {
            return Err(bad(
                "\"content\" is missing: say what the message is".to_owned()
            ));
        }
        Some(Value::String(text)) => Text::from(text.as_str()),
        // A long string arrives as a reference; anything else is data and is sent as JSON.
        Some(other) => match serde_json::from_value::<BlobRef>(other.clone()) {
            Ok(blob) if blob.is_well_formed() => Text::Blob(blob),
            Ok(_) | Err(_) => Text::from(other.to_string()),
        },
    };
    Ok((
        to,
        Content {
            text,
            parts: Vec::new(),
        },
    ))
}
