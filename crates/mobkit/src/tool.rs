//! Tools that the host program offers to its agents.

use async_trait::async_trait;
use mobkit_domain::id::{CallId, MemberId, TurnId};
use mobkit_domain::tool::ToolSpec;
use serde_json::Value;

/// One call of a host tool.
#[derive(Debug, Clone, PartialEq)]
pub struct HostCall {
    /// Stable id: the same one when the call is repeated after a crash.
    pub call: CallId,
    /// Who calls.
    pub member: MemberId,
    /// In which turn.
    pub turn: TurnId,
    /// Arguments, as the model gave them; a string over 32 KiB is a blob reference.
    pub args: Value,
}

/// A tool of the host.
///
/// What its spec says of the effect decides what happens after a crash in the middle of a call:
/// `read` and `idempotent` calls are made again with the same id, an `effect` waits for an
/// operator.
#[async_trait]
pub trait HostTool: Send + Sync + 'static {
    /// What the model is told, and what a repeated call does.
    fn spec(&self) -> ToolSpec;

    /// Makes the call. An error is told to the model, and the turn goes on.
    ///
    /// The future is dropped when the turn is cancelled.
    async fn call(&self, call: HostCall) -> Result<String, String>;
}
