//! How the turn that took a message ended.

use crate::commands::approvals::Approval;
use crate::failure::{Exit, Failure};
use crate::terminal::visible_line;
use serde_json::{Map, Value, json};

/// What came of a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub message: String,
    pub turn: Option<String>,
    /// Place of the event that ended it, in the journal.
    pub seq: Option<u64>,
    pub end: End,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// The turn ended with an answer.
    Completed {
        text: String,
        data: Option<Value>,
        /// Why the answer ends where it does, unless all was said.
        finish: Option<String>,
    },
    /// The turn ended without an answer.
    Failed { reason: String },
    /// The turn was stopped, or the message was withdrawn before one took it.
    Cancelled { reason: String },
    /// The message outlived its time.
    Expired,
    /// The turn waits for a person who says what came of a call.
    Waiting { reason: String },
    /// The turn waits for a decision.
    Asked {
        approval: String,
        tool: String,
        /// Whether its module wants an answer, as opposed to whether the call may be made.
        is_question: bool,
        /// When the approval expires.
        expires: Option<String>,
        /// How long that is.
        left: Option<String>,
    },
    /// It was not over in time; it goes on.
    TimedOut,
}

impl End {
    /// The turn waits for the decision of this approval.
    pub fn asked(approval: &Approval, now: jiff::Timestamp) -> Self {
        Self::Asked {
            approval: approval.id().to_owned(),
            tool: approval.text("tool").to_owned(),
            is_question: approval.is_question(),
            expires: approval.whole["expires"].as_str().map(str::to_owned),
            left: approval.time_left(now),
        }
    }

    /// What is waited for and how to decide it, where somebody has to.
    pub fn way_out(&self) -> Option<String> {
        let Self::Asked {
            approval,
            tool,
            is_question,
            left,
            ..
        } = self
        else {
            return None;
        };
        let (id, tool) = (visible_line(approval), visible_line(tool));
        let expires = left
            .as_deref()
            .map_or_else(String::new, |left| format!(", expires in {left}"));
        let way = if *is_question {
            format!("answer: mobkit approve {id} --answer NAME=VALUE")
        } else {
            format!("approve: mobkit approve {id}")
        };
        Some(format!(
            "waiting for approval {id} ({tool}{expires}) - {way}"
        ))
    }
}

impl Outcome {
    /// The word for `status`.
    pub fn status(&self) -> &'static str {
        match &self.end {
            End::Completed { .. } => "completed",
            End::Failed { .. } => "failed",
            End::Cancelled { .. } => "cancelled",
            End::Expired => "expired",
            End::Waiting { .. } | End::Asked { .. } => "waiting",
            End::TimedOut => "timed_out",
        }
    }

    pub fn exit(&self) -> Exit {
        match &self.end {
            End::Completed { .. } => Exit::Done,
            End::Failed { .. } | End::Cancelled { .. } | End::Expired => Exit::Failed,
            End::Waiting { .. } | End::Asked { .. } => Exit::Waiting,
            End::TimedOut => Exit::TimedOut,
        }
    }

    /// The document of it.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut document = Map::new();
        document.insert("message".to_owned(), json!(self.message));
        document.insert("turn".to_owned(), json!(self.turn));
        document.insert("status".to_owned(), json!(self.status()));
        if let Some(seq) = self.seq {
            document.insert("seq".to_owned(), json!(seq));
        }
        match &self.end {
            End::Completed { text, data, finish } => {
                document.insert("text".to_owned(), json!(text));
                if let Some(data) = data {
                    document.insert("data".to_owned(), data.clone());
                }
                if let Some(finish) = finish {
                    document.insert("finish".to_owned(), json!(finish));
                }
            }
            End::Failed { reason } | End::Cancelled { reason } | End::Waiting { reason } => {
                document.insert("reason".to_owned(), json!(reason));
            }
            End::Asked {
                approval,
                tool,
                expires,
                ..
            } => {
                document.insert("approval".to_owned(), json!(approval));
                document.insert("tool".to_owned(), json!(tool));
                if let Some(expires) = expires {
                    document.insert("expires".to_owned(), json!(expires));
                }
            }
            End::Expired | End::TimedOut => {}
        }
        document
    }

    /// What to say of an answer that may not be whole.
    pub fn cut(&self) -> Option<String> {
        let End::Completed {
            finish: Some(finish),
            ..
        } = &self.end
        else {
            return None;
        };
        Some(match finish.as_str() {
            "length" => "the answer is cut: the model reached its limit of tokens".to_owned(),
            "filtered" => "the answer may not be whole: the provider withheld some".to_owned(),
            other => format!("the answer may not be whole: it ended with \"{other}\""),
        })
    }

    /// What to say where there is no answer.
    pub fn failure(&self) -> Failure {
        let turn = self.turn.as_deref().unwrap_or("its turn");
        let message = &self.message;
        let (code, text) = match &self.end {
            End::Completed { .. } => ("turn.completed", format!("{turn} gave an answer")),
            End::Failed { reason } => ("turn.failed", format!("{turn} failed: {reason}")),
            End::Cancelled { reason } if self.turn.is_some() => {
                ("turn.cancelled", format!("{turn} was cancelled: {reason}"))
            }
            End::Cancelled { reason } => (
                "message.cancelled",
                format!("{message} was withdrawn: {reason}"),
            ),
            End::Expired => (
                "message.expired",
                format!("{message} expired before its turn"),
            ),
            End::Waiting { reason } => ("turn.waiting", format!("{turn} waits: {reason}")),
            End::Asked { approval, tool, .. } => (
                "turn.waiting",
                format!("{turn} waits for the decision of {approval}, about {tool}"),
            ),
            End::TimedOut => (
                "message.timed_out",
                format!("{message} has no answer yet; its work goes on"),
            ),
        };
        let failure = Failure::new(self.exit(), code, text);
        let failure = match (&self.end, &self.turn) {
            (End::Waiting { .. }, _) => {
                failure.hint("see how to say what came of it with `mobkit approvals`")
            }
            (End::Asked { approval, .. }, _) => {
                failure.hint(format!("decide with `mobkit approve {approval}`"))
            }
            (_, Some(turn)) => failure.hint(format!(
                "see `mobkit rpc turn/get '{{\"turn\": \"{turn}\"}}'`"
            )),
            (_, None) => failure,
        };
        self.to_json()
            .into_iter()
            .fold(failure, |failure, (name, value)| {
                failure.beside(&name, value)
            })
    }
}
