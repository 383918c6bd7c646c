//! Events of the shared task list.

use super::Event;
use crate::id::{MemberId, TaskId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a task stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Nobody works on it.
    Open,
    /// Somebody works on it.
    Doing,
    /// It is done.
    Done,
    /// Nobody is going to do it.
    Dropped,
}

impl TaskState {
    /// Whether it still has to be done.
    pub fn is_open(self) -> bool {
        match self {
            Self::Open | Self::Doing => true,
            Self::Done | Self::Dropped => false,
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Doing => "doing",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }
}

/// A task was put on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskAdded {
    /// The task.
    pub task: TaskId,
    /// Who put it there.
    pub by: MemberId,
    /// What is to be done, on one line.
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Who is to do it.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub assignee: Option<MemberId>,
}

/// A task stands elsewhere, or is somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskUpdated {
    /// The task.
    pub task: TaskId,
    /// Who says so.
    pub by: MemberId,
    /// Where it stands from here on.
    pub state: TaskState,
    /// What is to be said about that; absent: what was said before stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who is to do it from here on; absent: whose it was.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub assignee: Option<MemberId>,
}

impl Event {
    /// The task that the event is about, if it is about one.
    pub fn task(&self) -> Option<TaskId> {
        match self {
            Self::TaskAdded(e) => Some(e.task),
            Self::TaskUpdated(e) => Some(e.task),
            _ => None,
        }
    }

    pub(super) fn summary_of_task(&self) -> Option<String> {
        Some(match self {
            Self::TaskAdded(e) => match &e.assignee {
                Some(whose) => format!("{} added {} for {whose}: {}", e.by, e.task, e.title),
                None => format!("{} added {}: {}", e.by, e.task, e.title),
            },
            Self::TaskUpdated(e) => {
                let note = e.note.as_deref();
                let note = note.map_or_else(String::new, |note| format!(": {note}"));
                format!("{}: {} is {}{note}", e.by, e.task, e.state.as_str())
            }
            _ => return None,
        })
    }
}
