//! `schedule/get`.

use super::change::OfSchedule;
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::schedule_view::{ScheduleView, schedule_missing};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Get;

impl Define for Get {
    const NAME: &'static str = "schedule/get";
    const DOC: &'static str = "Shows a schedule: what it says, and when it fires next.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = OfSchedule;
    type Output = ScheduleView;

    async fn run(cx: Context, params: OfSchedule) -> Result<ScheduleView, Refusal> {
        let now = cx.engine.now();
        let found = cx.engine.view(|world| {
            let found = world.state.schedules.get(&params.schedule)?;
            Some(ScheduleView::of(found, now))
        });
        found.ok_or_else(|| schedule_missing(&cx.engine, &params.schedule))
    }
}
