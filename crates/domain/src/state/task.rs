//! The task list that the members of a mob share.

use super::State;
use crate::event::{Event, TaskAdded, TaskState, TaskUpdated};
use crate::id::{MemberId, Seq, TaskId};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many tasks may wait to be done.
pub const TASKS_OPEN_MAX: usize = 10_000;
/// How many tasks are kept that are done or dropped; the ones that ended first are forgotten.
pub const TASKS_ENDED_MAX: usize = 1_000;

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// What is to be done, on one line.
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Where it stands.
    pub state: TaskState,
    /// Who is to do it.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub assignee: Option<MemberId>,
    /// What was last said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who put it on the list.
    pub by: MemberId,
    /// When that was.
    pub added: Time,
    /// When it last changed.
    pub updated: Time,
    /// Position of its last change.
    pub seq: Seq,
}

/// The task list of a mob.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tasks {
    /// Every task that is kept.
    pub all: BTreeMap<TaskId, Task>,
    /// Those that are done or dropped, by the position at which they ended.
    ended: BTreeSet<(Seq, TaskId)>,
}

impl Tasks {
    /// How many tasks wait to be done.
    pub fn open(&self) -> usize {
        self.all.len() - self.ended.len()
    }

    fn added(&mut self, e: &TaskAdded, seq: Seq, now: Time) {
        let task = Task {
            title: e.title.clone(),
            detail: e.detail.clone(),
            state: TaskState::Open,
            assignee: e.assignee.clone(),
            note: None,
            by: e.by.clone(),
            added: now,
            updated: now,
            seq,
        };
        self.all.insert(e.task, task);
    }

    fn updated(&mut self, e: &TaskUpdated, seq: Seq, now: Time) {
        let Some(task) = self.all.get_mut(&e.task) else {
            return;
        };
        let was = (!task.state.is_open()).then_some(task.seq);
        task.state = e.state;
        if e.note.is_some() {
            task.note.clone_from(&e.note);
        }
        if e.assignee.is_some() {
            task.assignee.clone_from(&e.assignee);
        }
        (task.updated, task.seq) = (now, seq);
        if let Some(was) = was {
            self.ended.remove(&(was, e.task));
        }
        if !e.state.is_open() {
            self.ended.insert((seq, e.task));
        }
        while self.ended.len() > TASKS_ENDED_MAX
            && let Some((_, first)) = self.ended.pop_first()
        {
            self.all.remove(&first);
        }
    }
}

impl State {
    pub(super) fn apply_task(&mut self, seq: Seq, now: Time, event: &Event) -> bool {
        match event {
            Event::TaskAdded(e) => self.tasks.added(e, seq, now),
            Event::TaskUpdated(e) => self.tasks.updated(e, seq, now),
            _ => return false,
        }
        true
    }
}
