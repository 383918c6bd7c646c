//! Questions that a module has in the middle of a call.

use super::excerpt::excerpt;
use super::link::Link;
use mobkit_domain::id::CallId;
use rmcp::model::{ElicitRequestParams, ElicitResult, ElicitationAction};
use serde_json::{Value, json};

/// A question, or why nobody is asked it.
pub(super) enum Question {
    /// A form.
    Form {
        /// What is asked, for a person.
        message: String,
        /// JSON Schema of the answer.
        schema: Value,
    },
    /// Something that is declined without asking.
    Declined {
        /// What was asked.
        message: String,
        /// Why it is declined.
        reason: &'static str,
    },
}

impl Question {
    /// Reads what rmcp could read.
    pub(super) fn of(params: ElicitRequestParams) -> Self {
        match params {
            ElicitRequestParams::FormElicitationParams {
                message,
                requested_schema,
                ..
            } => match serde_json::to_value(requested_schema) {
                Ok(schema) => Self::Form { message, schema },
                Err(_) => Self::strange(message),
            },
            ElicitRequestParams::UrlElicitationParams { message, .. } => Self::Declined {
                message,
                reason: "an answer at an address is not offered",
            },
            // The type is open; a mode that nobody knows can't be shown to anybody.
            _ => Self::strange(String::new()),
        }
    }

    /// Reads what rmcp could not: its schemas are flatter than those that some servers send.
    pub(super) fn of_raw(params: Option<&Value>) -> Self {
        let text = |key| params.and_then(|p| p.get(key)).and_then(Value::as_str);
        let message = text("message").unwrap_or_default().to_owned();
        let schema = params.and_then(|p| p.get("requestedSchema"));
        match schema {
            Some(schema) if schema.is_object() && text("mode").is_none_or(|m| m == "form") => {
                Self::Form {
                    message,
                    schema: schema.clone(),
                }
            }
            _ => Self::strange(message),
        }
    }

    fn strange(message: String) -> Self {
        Self::Declined {
            message,
            reason: "the question has no form that can be shown",
        }
    }
}

/// Has a question of a call answered; waits as long as that takes.
pub(super) async fn answer(link: &Link, call: CallId, question: Question) -> ElicitResult {
    match question {
        Question::Form { message, schema } => match link.host.elicit(call, message, schema).await {
            Some(content) => ElicitResult::new(ElicitationAction::Accept).with_content(content),
            None => ElicitResult::new(ElicitationAction::Decline),
        },
        Question::Declined { message, reason } => decline(link, Some(call), &message, reason),
    }
}

/// Declines without asking, and leaves word of it.
pub(super) fn decline(
    link: &Link,
    call: Option<CallId>,
    message: &str,
    reason: &str,
) -> ElicitResult {
    link.host.said(json!({
        "kind": "elicitation_declined",
        "call": call,
        "message": excerpt(message),
        "reason": reason,
    }));
    ElicitResult::new(ElicitationAction::Decline)
}
