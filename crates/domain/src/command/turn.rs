//! Commands about a turn, an answer or a tool call, and what came of a call.

use crate::event::{Fence, ResolveHow};
use crate::id::{CallId, MessageId, Seq, TurnId};
use crate::model::{Failure, Reply, Usage};
use crate::text::Text;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names the piece of a turn that an outcome belongs to; an outcome of another piece is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRef {
    /// The turn.
    pub turn: TurnId,
    /// Fencing token of the member.
    pub fence: Fence,
    /// Which model call, from 1.
    pub step: u32,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// What came of a tool call that was handed to a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolOutcome {
    /// A result; the model is told.
    Finished(Text),
    /// It failed, or was not made; the model is told why.
    Failed(String),
    /// Nobody can say whether it happened: its module ended or fell silent in the middle. A call
    /// with an effect becomes unknown; any other one has failed.
    Lost(String),
}

impl From<Result<Text, String>> for ToolOutcome {
    fn from(outcome: Result<Text, String>) -> Self {
        match outcome {
            Ok(result) => Self::Finished(result),
            Err(reason) => Self::Failed(reason),
        }
    }
}

/// What was summarised of a session, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Summarised {
    /// Position after which the part begins that was summarised.
    pub from: Seq,
    /// Position at which it ends.
    pub until: Seq,
    /// How many turns were summarised.
    pub turns: u32,
    /// The summary.
    pub summary: Text,
    /// Size of the session after, in tokens, reckoned from the length of the texts.
    pub tokens_after: u64,
    /// Tokens of the summary.
    pub usage: Usage,
}

/// Commands about a turn, an answer or a tool call.
#[derive(Debug, Clone)]
pub enum TurnCommand {
    /// A model answered.
    ModelReplied {
        /// Which call.
        at: StepRef,
        /// The answer.
        reply: Reply,
        /// From the request to the last byte, in milliseconds.
        latency_ms: u64,
    },
    /// An attempt to call a model failed.
    ModelFailed {
        /// Which call.
        at: StepRef,
        /// Why.
        failure: Failure,
        /// From the request to the failure, in milliseconds.
        latency_ms: u64,
    },
    /// The old turns of the session are summarised, before the first step of a turn.
    SessionCompacted {
        /// The model call that waits for it.
        at: StepRef,
        /// What was summarised, and how.
        summarised: Summarised,
        /// From the request to the last byte, in milliseconds.
        latency_ms: u64,
    },
    /// A tool gave a result, or failed.
    ToolEnded {
        /// The turn; `None`: a direct call.
        turn: Option<TurnId>,
        /// The call.
        call: CallId,
        /// What came of it.
        outcome: ToolOutcome,
    },
    /// An operator says what came of an unknown call.
    ToolResolve {
        /// The call.
        call: CallId,
        /// What is said.
        how: ResolveHow,
        /// The result, where it happened.
        result: Option<Text>,
    },
    /// An external engine reports a step that it made.
    EngineReplied {
        /// The turn.
        turn: TurnId,
        /// Fencing token of the member.
        fence: Fence,
        /// What the model said and which of our tools it wants.
        reply: Reply,
        /// The engine's own event.
        original: Value,
    },
    /// An external engine took a message into the turn that it runs.
    EngineSteered {
        /// The turn.
        turn: TurnId,
        /// Fencing token of the member.
        fence: Fence,
        /// The message.
        message: MessageId,
    },
    /// An external engine ended a turn.
    EngineEnded {
        /// The turn.
        turn: TurnId,
        /// Fencing token of the member.
        fence: Fence,
        /// The answer, or why there is none.
        outcome: Result<Text, String>,
    },
    /// An external engine ended under a turn, and can be asked to go on with it.
    EngineLost {
        /// The turn.
        turn: TurnId,
        /// Fencing token of the member.
        fence: Fence,
        /// How it ended, one line.
        reason: String,
    },
    /// Stop a turn.
    Cancel {
        /// The turn.
        turn: TurnId,
        /// Why.
        reason: Option<String>,
    },
}
