//! Commands about a message.

use crate::event::MessageMode;
use crate::id::{MemberId, MessageId};
use crate::text::Content;
use crate::time::Time;

/// Commands about a message.
#[derive(Debug, Clone)]
pub enum MessageCommand {
    /// Accept input for a member.
    Send {
        /// Whom it is for.
        to: MemberId,
        /// What it says.
        content: Content,
        /// What it does while a turn runs; `None`: as the profile says.
        mode: Option<MessageMode>,
        /// The sender's own correlation id.
        correlation: Option<String>,
        /// When it is dropped if it still waits.
        expires: Option<Time>,
    },
    /// Withdraw a waiting message.
    Cancel {
        /// The message.
        message: MessageId,
        /// Why.
        reason: Option<String>,
    },
}
