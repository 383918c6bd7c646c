//! `module/stop`.

use super::settled::{ModuleChanged, OfModule, settled};
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::ModuleCommand;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Stop;

impl Define for Stop {
    const NAME: &'static str = "module/stop";
    const DOC: &'static str =
        "Stops a module, which stays so until somebody starts it; answers once it has ended.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = OfModule;
    type Output = ModuleChanged;

    async fn run(cx: Context, OfModule { module }: OfModule) -> Result<ModuleChanged, Refusal> {
        let command = ModuleCommand::Stop {
            module: module.clone(),
        };
        settled(&cx, module, command).await
    }
}
