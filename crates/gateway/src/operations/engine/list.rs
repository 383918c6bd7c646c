//! `engine/list`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::definition::Engine;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::{EngineProcess, EngineState};
use mobkit_domain::world::World;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(in crate::operations) struct List;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {}

/// An engine and how it stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct EngineView {
    /// Its name.
    id: Engine,
    /// Whether it can run a turn now: `ready`, or `stopped` while its process does not answer.
    state: &'static str,
    /// Members whose turns it runs.
    members: usize,
    /// Its process, of an external engine that answers.
    #[serde(flatten)]
    process: Option<EngineProcess>,
    /// Why its process last ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The engines that members have, and those that were ever started, by name.
    engines: Vec<EngineView>,
}

impl Define for List {
    const NAME: &'static str = "engine/list";
    const DOC: &'static str =
        "Lists the engines that run the turns of members, and how each stands.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, Params {}: Params) -> Result<Output, Refusal> {
        let engines = cx.engine.view(views);
        Ok(Output { engines })
    }
}

fn views(world: &World) -> Vec<EngineView> {
    let started = world.state.engines.keys().map(|engine| (*engine, 0));
    let mut members: BTreeMap<Engine, usize> = started.collect();
    for (_, member) in world.state.present() {
        if let Some(profile) = world.definition.profiles.get(&member.profile) {
            *members.entry(profile.engine).or_default() += 1;
        }
    }
    let views = members.into_iter().map(|(id, members)| {
        let EngineState {
            process, reason, ..
        } = world.state.engines.get(&id).cloned().unwrap_or_default();
        let is_ready = id == Engine::Native || process.is_some();
        EngineView {
            id,
            state: if is_ready { "ready" } else { "stopped" },
            members,
            process,
            reason,
        }
    });
    views.collect()
}
