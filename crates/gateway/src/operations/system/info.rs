//! `system/info`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Info;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// Version of mobkit.
    version: String,
    /// Id of the process.
    pid: u32,
    /// How long the process has had the mob, in milliseconds.
    uptime_ms: u64,
    /// What an accepted event survives: `power`, `process` or `memory`.
    durability: &'static str,
    /// Where the mob is kept: `sqlite`, `postgres` or `memory`.
    store: &'static str,
    /// Whether every model is replaced by rehearsal.
    rehearsal: bool,
}

impl Define for Info {
    const NAME: &'static str = "system/info";
    const DOC: &'static str = "Says what runs here, since when, and how safe it keeps things.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, Params {}: Params) -> Result<Output, Refusal> {
        let engine = &cx.engine;
        Ok(Output {
            version: engine.version().to_owned(),
            pid: std::process::id(),
            uptime_ms: engine.uptime_ms(),
            durability: engine.store().durability().as_str(),
            store: engine.store().kind(),
            rehearsal: engine.is_rehearsal(),
        })
    }
}
