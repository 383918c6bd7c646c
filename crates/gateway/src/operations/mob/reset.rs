//! `mob/reset`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::{Define, Keys};
use crate::report::Applied;
use mobkit_domain::command::{Command, MobCommand, Submission};
use mobkit_domain::id::MemberId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::plan::ApplyReport;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::{ApplyOptions, Engine, RediscoverMode};
use serde::Deserialize;

pub(in crate::operations) struct Reset;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Whether a mass removal is wanted.
    #[serde(default)]
    force: bool,
}

impl Define for Reset {
    const NAME: &'static str = "mob/reset";
    const DOC: &'static str = "Retires every member and spawns all that are wanted as new \
                               generations, with empty sessions.";
    const PERMISSION: Permission = Permission::Administer;
    const VERB: Verb = Verb::Mutate;
    const KEYS: Keys = Keys::Process;
    type Params = Params;
    type Output = Applied;

    async fn run(cx: Context, params: Params) -> Result<Applied, Refusal> {
        let (engine, principal) = (cx.engine.clone(), cx.principal.clone());
        let trace = cx.trace.clone();
        cx.finish(async move {
            let mode = RediscoverMode::Reset;
            let report = match engine.rediscover(&principal, mode, params.force).await? {
                Some(report) => report,
                None => reset(&engine, &principal, trace).await?,
            };
            Ok(Applied::from(report))
        })
        .await
    }
}

/// The same without discovery: the mob file says who comes back.
async fn reset(
    engine: &Engine,
    principal: &Principal,
    trace: Option<String>,
) -> Result<ApplyReport, Refusal> {
    // A mob file that can't be read must not empty the mob.
    engine.plan().await?;
    let retired: Vec<MemberId> =
        engine.view(|world| world.state.present().map(|(id, _)| id.clone()).collect());
    let command = Command::Mob(MobCommand::Reset);
    engine
        .submit(Submission {
            command,
            actor: principal.clone(),
            key: None,
            trace,
        })
        .await?;
    let options = ApplyOptions {
        digest: None,
        force: true,
    };
    let report = engine.apply(principal, &options).await?;
    Ok(ApplyReport { retired, ..report })
}
