//! `module/restart`.

use super::settled::{ModuleChanged, OfModule, settled};
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::ModuleCommand;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Restart;

impl Define for Restart {
    const NAME: &'static str = "module/restart";
    const DOC: &'static str =
        "Stops a module and starts it again; answers once it is healthy or has failed.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = OfModule;
    type Output = ModuleChanged;

    async fn run(cx: Context, OfModule { module }: OfModule) -> Result<ModuleChanged, Refusal> {
        let command = ModuleCommand::Restart {
            module: module.clone(),
        };
        settled(&cx, module, command).await
    }
}
