//! `module/get`.

use super::settled::OfModule;
use crate::access::Permission;
use crate::context::Context;
use crate::module_view::{ModuleView, ToolView, began, defined, module_missing, tools_of};
use crate::operation::Define;
use mobkit_domain::definition::Module as Defined;
use mobkit_domain::id::CallId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::Module;
use mobkit_domain::time::Time;
use mobkit_domain::world::World;
use schemars::JsonSchema;
use serde::Serialize;

pub(in crate::operations) struct Get;

/// All that is known of a module. Its environment and its headers are not shown: they may be
/// secrets.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// As in a list.
    #[serde(flatten)]
    module: ModuleView,
    /// Program and arguments, or the address.
    command: Vec<String>,
    /// Its tools, as members are told of them.
    definitions: Vec<ToolView>,
    /// Whether changed definitions wait for an approval.
    pin: bool,
    /// Definitions that changed and wait for an approval.
    changed: Vec<Changed>,
    /// When its policy restarted it of late.
    recent_restarts: Vec<Time>,
    /// Why it last failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// Calls in flight.
    calls: Vec<CallId>,
    /// Whether an operator stopped it, so that it stays stopped until somebody starts it.
    held: bool,
    /// When it was last called or became healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<Time>,
    /// Time without a call after which it is stopped, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_stop_ms: Option<u64>,
}

/// A definition that waits for an approval.
#[derive(Debug, Serialize, JsonSchema)]
struct Changed {
    /// What the module says of the tool now.
    #[serde(flatten)]
    after: ToolView,
    /// Hash of the pinned definition; absent: the tool is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

impl Define for Get {
    const NAME: &'static str = "module/get";
    const DOC: &'static str = "Shows a module: its process, its command, its tools and its \
                               restarts of late.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = OfModule;
    type Output = Output;

    async fn run(cx: Context, OfModule { module }: OfModule) -> Result<Output, Refusal> {
        let began = began(&cx.engine);
        let found = cx.engine.view(|world| {
            let defined = defined(world, &module)?;
            Some(shown(world, defined, began))
        });
        found.ok_or_else(|| module_missing(&cx.engine, &module))
    }
}

fn shown(world: &World, defined: &Defined, began: Time) -> Output {
    let found = world.state.modules.get(&defined.id);
    let definitions = tools_of(found).map(|tool| ToolView::of(defined, tool));
    Output {
        module: ModuleView::of(world, defined, began),
        command: defined.command(),
        definitions: definitions.collect(),
        pin: defined.pin,
        changed: found.map_or_else(Vec::new, |module| changed(defined, module)),
        recent_restarts: found.map_or_else(Vec::new, |module| module.recent.clone()),
        calls: found.map_or_else(Vec::new, |module| module.calls.iter().copied().collect()),
        held: found.is_some_and(|module| module.held),
        last_used: found.map(|module| module.last_used),
        idle_stop_ms: defined.idle_stop_ms(),
        last_error: found.and_then(|module| module.last_error.clone()),
    }
}

fn changed(defined: &Defined, module: &Module) -> Vec<Changed> {
    let pinned = module.tools.as_ref();
    let changed = module.changed.values().map(|tool| Changed {
        after: ToolView::of(defined, tool),
        before: pinned.and_then(|tools| Some(tools.get(&tool.name)?.hash.clone())),
    });
    changed.collect()
}
