//! What the writer answers.

use crate::event::{Envelope, Event};
use crate::id::{MessageId, Seq};
use serde::{Deserialize, Serialize};

/// What a caller is told once the decision is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// A message was accepted.
    Message {
        /// The message.
        message: MessageId,
        /// Position of its event.
        seq: Seq,
    },
    /// It is done.
    Done {
        /// Position of the first event that it led to; without one, the head of the journal.
        seq: Seq,
    },
}

impl Answer {
    /// The answer that a command got whose first event is `envelope`.
    pub fn from_event(envelope: &Envelope) -> Self {
        match &envelope.event {
            Event::MessageAccepted(e) => Self::Message {
                message: e.message,
                seq: envelope.seq,
            },
            _ => Self::Done { seq: envelope.seq },
        }
    }

    /// Position of the first event that the command led to.
    pub fn seq(self) -> Seq {
        match self {
            Self::Message { seq, .. } | Self::Done { seq } => seq,
        }
    }
}
