//! Approvals that wait.

use crate::event::ApprovalRequested;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// An approval that nobody has decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// What is asked.
    pub request: ApprovalRequested,
    /// When it was asked.
    pub requested: Time,
    /// Whether its time is over and it waits on.
    pub held: bool,
}
