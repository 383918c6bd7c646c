//! The seam between the supervisor and the protocols that modules speak.

use async_trait::async_trait;
use mobkit_domain::canonical::{canonical_json, sha256_hex};
use mobkit_domain::event::ToolDefinition;
use mobkit_domain::id::CallId;
use serde_json::Value;

/// Longest name of a tool within its module, in bytes.
pub(crate) const TOOL_NAME_MAX: usize = 128;

/// How much is shown of a line that is no part of the protocol, in bytes.
pub(crate) const STRAY_BYTES_MAX: usize = 8 * 1024;

/// One call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// Stable id: the same one when the call is repeated, so that the module can recognise it.
    pub(crate) id: CallId,
    /// Name of the tool within the module.
    pub(crate) tool: String,
    /// Arguments, an object.
    pub(crate) args: Value,
}

/// What a module wants while it works on a call, or without being asked.
#[async_trait]
pub(crate) trait Host: Send + Sync + 'static {
    /// A person is to answer a question in the middle of the call `call`; waits as long as that
    /// takes. `None`: the person declined, or nobody can be asked for this call.
    async fn elicit(&self, call: CallId, message: String, schema: Value) -> Option<Value>;

    /// The call gets on; shown to readers of the lossy lane, and it restarts the time limit.
    fn progress(&self, call: CallId, message: String);

    /// The module says something without being asked.
    fn said(&self, event: Value);

    /// The tools of the module have changed: they are listed again.
    fn tools_changed(&self);

    /// The module wrote a line that is no part of the protocol. It is recorded with its log, so
    /// that whoever writes the module sees it; a line of [`STRAY_BYTES_MAX`] may be cut there.
    fn stray(&self, _line: String) {}
}

/// What can go wrong in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientError {
    /// The module answered that it can't; the text is for the agent. Nothing else is wrong.
    #[error("{0}")]
    Refused(String),
    /// The tool ran and reports a failure of its own; the text is for the agent.
    #[error("{0}")]
    Failed(String),
    /// The answer of one request is lost, which may have been carried out. The conversation goes
    /// on.
    #[error("{0}")]
    Lost(String),
    /// The module ended the conversation: nothing more comes from it. A call that was in flight may
    /// have happened. Why it ended is known better to whoever watches its process.
    #[error("it closed its output")]
    Closed,
    /// The conversation is broken: what came is not the protocol, or is more than a limit allows. A
    /// call that was in flight may have happened.
    #[error("{0}")]
    Broken(String),
}

/// What a module may send before the conversation counts as broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_field_names,
    reason = "a bound is named by what it bounds"
)]
pub(crate) struct Limits {
    /// Longest line, in bytes without its end.
    pub(crate) line_bytes_max: usize,
    /// Lines that are no part of the protocol.
    pub(crate) unexpected_lines_max: u32,
    /// Tools that it lists.
    pub(crate) tools_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes_max: 16 * 1024 * 1024,
            unexpected_lines_max: 100,
            tools_max: 1_000,
        }
    }
}

/// The hash of a tool's definition: SHA-256 of the canonical JSON of all that was said of it.
pub(crate) fn hash_of(said: &Value) -> String {
    sha256_hex(canonical_json(said))
}

/// Whether a tool may have this name: it is to be found by the name `module:<id>/<name>`.
pub(crate) fn is_tool_name(name: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"_-./".contains(&b);
    !name.is_empty() && name.len() <= TOOL_NAME_MAX && name.bytes().all(known)
}

/// A conversation with a running module. Calls run side by side. Dropping the future of a call
/// cancels it: the module is told so where its protocol can.
#[async_trait]
pub(crate) trait Client: Send + Sync + 'static {
    /// The protocol that was agreed on, e.g. `mcp 2026-07-28` or `json-lines`.
    fn protocol(&self) -> String;

    /// All tools, in the order of their names; every page of them.
    async fn tools(&self) -> Result<Vec<ToolDefinition>, ClientError>;

    /// Makes a call and returns what the model is told.
    async fn call(&self, call: Call) -> Result<String, ClientError>;

    /// Asks for a sign of life.
    async fn probe(&self) -> Result<(), ClientError>;

    /// Ends the conversation in order: for a child process that closes its standard input.
    async fn close(&self);

    /// Completes when the conversation is over, and says why.
    async fn closed(&self) -> ClientError;
}
