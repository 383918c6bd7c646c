//! `system/shutdown`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::{Define, Keys};
use futures::FutureExt;
use mobkit_domain::lifecycle::{Phase, Verb};
use mobkit_domain::refusal::Refusal;
use mobkit_engine::ShutdownReport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Shutdown;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Whether to answer at the end, with the report.
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::operations) enum Output {
    /// It has begun.
    Begun {
        /// `draining`.
        state: Phase,
    },
    /// What was seen; at once where the runtime has stopped already.
    Ended(Box<ShutdownReport>),
}

impl Define for Shutdown {
    const NAME: &'static str = "system/shutdown";
    const DOC: &'static str = "Begins to stop the runtime and answers at once, or with `wait` at \
                               the end with the report; a repetition joins the shutdown in progress.";
    const PERMISSION: Permission = Permission::Administer;
    const VERB: Verb = Verb::Shutdown;
    const KEYS: Keys = Keys::Process;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, Params { wait }: Params) -> Result<Output, Refusal> {
        let ended = if wait {
            Some(cx.engine.shutdown().await)
        } else {
            // It goes on by itself once it has begun: one look at the future begins it.
            cx.engine.shutdown().now_or_never()
        };
        let begun = Output::Begun {
            state: Phase::Draining,
        };
        Ok(ended.map_or(begun, |report| Output::Ended(Box::new(report))))
    }
}
