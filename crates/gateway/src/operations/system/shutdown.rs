//! `system/shutdown`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::{Define, Keys};
use futures::FutureExt;
use mobkit_domain::lifecycle::{Phase, Verb};
use mobkit_domain::refusal::Refusal;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Shutdown;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {}

#[derive(Debug, Serialize)]
pub(in crate::operations) struct Output {
    /// Where the runtime goes: `draining`, or `stopped` where it has stopped already.
    state: Phase,
}

impl Define for Shutdown {
    const NAME: &'static str = "system/shutdown";
    const DOC: &'static str = "Begins to stop the runtime and answers at once; a repetition joins \
                               the shutdown in progress.";
    const PERMISSION: Permission = Permission::Administer;
    const VERB: Verb = Verb::Shutdown;
    const KEYS: Keys = Keys::Process;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, Params {}: Params) -> Result<Output, Refusal> {
        // The shutdown goes on by itself once it has begun: one look at the future begins it.
        let ended = cx.engine.shutdown().now_or_never();
        Ok(Output {
            state: ended.map_or(Phase::Draining, |report| report.state),
        })
    }
}
