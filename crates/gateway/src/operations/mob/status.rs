//! `mob/status`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::lifecycle::{Phase, Verb};
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(in crate::operations) struct Status;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The mob.
    mob: MobId,
    /// Where the runtime is in its life.
    state: Phase,
    /// Members that have not left.
    members: usize,
    /// The same by state; a state without a member is left out.
    members_by_state: BTreeMap<&'static str, u64>,
    /// Whether the line is stopped.
    paused: bool,
    /// Turns that have not ended.
    turns_open: usize,
    /// Schedules, those that are paused or disabled included.
    schedules: usize,
    /// Deliveries that are on their way.
    deliveries_open: usize,
    /// Position of the last event.
    head: Seq,
    /// The epoch of the writer.
    epoch: u64,
    /// Version of mobkit.
    version: String,
}

impl Define for Status {
    const NAME: &'static str = "mob/status";
    const DOC: &'static str = "Says how the mob is: its runtime, its members and its journal.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, Params {}: Params) -> Result<Output, Refusal> {
        let engine = &cx.engine;
        Ok(engine.view(|world| {
            let state = &world.state;
            let mut members_by_state = BTreeMap::new();
            for (id, _) in state.present() {
                if let Some(of_member) = state.member_state(id) {
                    *members_by_state.entry(of_member.as_str()).or_insert(0) += 1;
                }
            }
            Output {
                mob: state.mob.clone(),
                state: engine.phase().now(),
                members: state.present().count(),
                members_by_state,
                paused: state.paused,
                turns_open: state.turns.len(),
                schedules: state.schedules.len(),
                deliveries_open: state.deliveries.len(),
                head: state.head,
                epoch: engine.epoch(),
                version: engine.version().to_owned(),
            }
        }))
    }
}
