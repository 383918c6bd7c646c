//! What a model is asked, and what it answers.

use futures::stream::BoxStream;
use mobkit_domain::id::{CallId, MemberId, ProfileId};
use mobkit_domain::model::{CallRequest, Failure, Finish, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// One model call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRequest {
    /// Whose turn it is.
    pub member: MemberId,
    /// The profile of that member.
    pub profile: ProfileId,
    /// Which model call of the turn, from 1.
    pub step: u32,
    /// Which attempt at that step with this model, from 1.
    pub attempt: u32,
    /// Model calls of the member that were answered before, in all its turns.
    pub replies: u64,
    /// The system text.
    pub instructions: String,
    /// The session so far, oldest first.
    pub items: Vec<Item>,
    /// What the model may call.
    pub tools: Vec<ToolSpec>,
    /// The JSON Schema that its final answer is to fit; the instructions say it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// Who sent the last message, e.g. `operator:ada` or `agent:desk`.
    pub from: String,
}

/// One entry of the session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// A message to the member.
    User {
        /// What it says; for files of bytes a line that names each.
        text: String,
        /// The principal who sent it.
        from: String,
        /// The same in pieces, in their order, where there are files of bytes among them; else
        /// empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pieces: Vec<Piece>,
    },
    /// What the model answered.
    Assistant {
        /// What it said; may be empty beside calls.
        text: String,
        /// What it called, in its order, with the stable ids of the calls.
        calls: Vec<(CallId, CallRequest)>,
        /// What the provider wants back unchanged.
        carry: Option<Value>,
    },
    /// What came of a call.
    ToolResult {
        /// The call.
        call: CallId,
        /// Qualified tool name.
        tool: String,
        /// The result, or why the call failed.
        result: String,
        /// Whether the call failed.
        failed: bool,
    },
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Piece {
    /// Text.
    Text {
        /// What it says.
        text: String,
    },
    /// An image, or a file of bytes.
    Binary {
        /// What it is, e.g. `image/png`.
        media_type: String,
        /// What its sender calls it.
        name: Option<String>,
        /// What stands for it where a model can't be shown it.
        line: String,
        /// Its bytes in base64.
        base64: Arc<str>,
    },
}

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Qualified tool name, e.g. `module:search/fetch`.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of the arguments.
    pub schema: Value,
}

/// A piece of an answer, in the order of its arrival.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ModelEvent {
    /// More of the text.
    Text {
        /// What is added.
        text: String,
    },
    /// More of the reasoning; shown while it streams, never part of the reply.
    Reasoning {
        /// What is added.
        text: String,
    },
    /// A whole tool call.
    Call(CallRequest),
    /// Tokens so far; a later one replaces an earlier one.
    Usage(Usage),
    /// The answer is whole. Nothing follows.
    End {
        /// Why the model stopped.
        finish: Finish,
        /// What the provider wants back unchanged in the next call of the same turn.
        carry: Option<Value>,
    },
}

/// What is shown while an answer streams: bounded by nothing but the answer, lost in a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// More of the text.
    Text(String),
    /// More of the reasoning.
    Reasoning(String),
}

/// The pieces of one answer. After a failure nothing follows. A stream that ends without
/// [`ModelEvent::End`] was cut, whatever came before. Dropping it abandons the call.
pub type ModelEvents = BoxStream<'static, Result<ModelEvent, Failure>>;

/// Something that answers model calls.
pub trait ModelProvider: Send + Sync {
    /// What answers, on one line for people, e.g. `openai gpt-5.6`. Holds no secret.
    fn describe(&self) -> String;

    /// Makes one attempt at one call; nothing happens before the stream is polled.
    fn stream(&self, request: ModelRequest) -> ModelEvents;
}
