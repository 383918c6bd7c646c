//! `task/list`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::page;
use mobkit_domain::event::TaskState;
use mobkit_domain::id::{MemberId, TaskId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::Task;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Bound;

const PAGES: page::List = page::List("task");

pub(in crate::operations) struct List;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Only tasks that stand here.
    state: Option<TaskState>,
    /// Only tasks of this member.
    #[serde(rename = "for")]
    assignee: Option<MemberId>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// A task with its id.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct TaskView {
    /// The task.
    id: TaskId,
    /// What is known of it.
    #[serde(flatten)]
    task: Task,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The tasks, in the order in which they were added.
    tasks: Vec<TaskView>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Define for List {
    const NAME: &'static str = "task/list";
    const DOC: &'static str = "Lists the tasks that the members share.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let from = PAGES.from::<TaskId>(params.cursor.as_deref())?;
        let mut tasks: Vec<TaskView> = cx.engine.view(|world| {
            let rest = world.state.tasks.all.range((from, Bound::Unbounded));
            let wanted = rest.filter(|(_, task)| {
                params.state.is_none_or(|state| task.state == state)
                    && (params.assignee.is_none() || task.assignee == params.assignee)
            });
            let views = wanted.map(|(id, task)| TaskView {
                id: *id,
                task: task.clone(),
            });
            views.take(limit + 1).collect()
        });
        let next_cursor = PAGES.cut(&mut tasks, limit, |last| &last.id);
        Ok(Output { tasks, next_cursor })
    }
}
