//! `module/start`.

use super::settled::{ModuleChanged, OfModule, settled};
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::ModuleCommand;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;

pub(in crate::operations) struct Start;

impl Define for Start {
    const NAME: &'static str = "module/start";
    const DOC: &'static str =
        "Starts a module that does not run, and answers once it is healthy or has failed.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = OfModule;
    type Output = ModuleChanged;

    async fn run(cx: Context, OfModule { module }: OfModule) -> Result<ModuleChanged, Refusal> {
        let command = ModuleCommand::Start {
            module: module.clone(),
        };
        settled(&cx, module, command).await
    }
}
