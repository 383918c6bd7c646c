//! The contract of an external engine.

use super::port::TurnPort;
use crate::model::{Item, ToolSpec};
use async_trait::async_trait;
use mobkit_domain::definition::Profile;
use mobkit_domain::event::{Fence, Offers};
use mobkit_domain::id::{CallId, MemberId, MessageId, SessionId, TurnId};
use mobkit_engine::Engine;

/// Why an engine could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The engine failed; the reason is for a person.
    #[error("{0}")]
    Failed(String),
    /// The engine ended under the turn and can be asked again: the turn goes on as after a crash.
    /// How it ended, for a person. Of a member that is being started this is a failure.
    #[error("{0}")]
    Lost(String),
    /// The turn has moved on without this engine: it must stop working on it. Also the answer of
    /// an engine that is given up and has said so with `EngineCommand::Failed`.
    #[error("the turn has moved on")]
    Stale,
}

/// What an engine is told of a member.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberStart {
    /// The member.
    pub member: MemberId,
    /// Its fencing token.
    pub fence: Fence,
    /// Its session; the same one after a respawn or a restart.
    pub session: SessionId,
    /// Its profile.
    pub profile: Profile,
    /// The system text: instructions, peers and context.
    pub instructions: String,
    /// Tools that mobkit makes for it, as far as they are known; each turn says them anew.
    pub tools: Vec<ToolSpec>,
}

/// What an engine is told of a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnInput {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// Its fencing token.
    pub fence: Fence,
    /// Its session.
    pub session: SessionId,
    /// Whether the turn had begun before this process, or before a respawn.
    pub resumed: bool,
    /// What the journal holds of this turn: its messages first, then steps and results.
    pub items: Vec<Item>,
    /// Tools that mobkit makes for it, as of now: modules start, change and go while it works.
    pub tools: Vec<ToolSpec>,
}

/// A message that is to join a turn while the engine runs it.
#[derive(Debug, Clone, PartialEq)]
pub struct SteerInput {
    /// The turn.
    pub turn: TurnId,
    /// Whose turn.
    pub member: MemberId,
    /// The message; the same one is given again where nobody knows whether it was taken in.
    pub message: MessageId,
    /// What it says.
    pub text: String,
    /// The principal who sent it.
    pub from: String,
}

/// What came of a call that mobkit made for an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallResult {
    /// The call.
    pub call: CallId,
    /// The result, or why there is none; the model is told either.
    pub outcome: Result<String, String>,
}

/// An agent runtime that runs whole turns. See the documentation of this module.
#[async_trait]
pub trait TurnEngine: Send + Sync + 'static {
    /// Its name, as profiles say it.
    fn name(&self) -> &'static str;

    /// What it can do beyond running turns.
    fn offers(&self) -> Offers;

    /// Prepares a member of a mob. Idempotent per member and token.
    async fn start_member(&self, start: MemberStart, mob: &Engine) -> Result<(), EngineError>;

    /// Runs a turn to its end and returns the answer.
    async fn run_turn(&self, input: TurnInput, port: TurnPort) -> Result<String, EngineError>;

    /// Takes a message into a turn that runs, so that the model sees it from its next step on.
    /// Asked only of an engine that offers it, one message after the other, and idempotent per
    /// message. Returns soon: within half a minute the engine has it, or it gets a turn of its own,
    /// as it does after an error.
    async fn steer(&self, steer: SteerInput) -> Result<(), EngineError> {
        let (engine, turn) = (self.name(), steer.turn);
        let reason = format!("the engine {engine} takes no message into {turn} while it runs");
        Err(EngineError::Failed(reason))
    }

    /// Releases what is kept of a member. Idempotent.
    async fn stop_member(&self, member: &MemberId);

    /// Ends everything, and says in one line what was seen.
    async fn stop(&self) -> String;
}
