//! `schedule/list`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::page::{self, Params};
use crate::schedule_view::ScheduleView;
use mobkit_domain::id::ScheduleId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Serialize;
use std::ops::Bound;

const PAGES: page::List = page::List("schedule");

pub(in crate::operations) struct List;

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The schedules, in the order of their ids.
    schedules: Vec<ScheduleView>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Define for List {
    const NAME: &'static str = "schedule/list";
    const DOC: &'static str = "Lists the schedules, those that are paused or disabled included.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let from = PAGES.from::<ScheduleId>(params.cursor.as_deref())?;
        let now = cx.engine.now();
        let mut schedules: Vec<ScheduleView> = cx.engine.view(|world| {
            let rest = world.state.schedules.range((from, Bound::Unbounded));
            let page = rest.take(limit + 1);
            page.map(|(_, found)| ScheduleView::of(found, now))
                .collect()
        });
        let next_cursor = PAGES.cut(&mut schedules, limit, |last| &last.id);
        Ok(Output {
            schedules,
            next_cursor,
        })
    }
}
