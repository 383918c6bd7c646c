//! `module/tools`.

use crate::access::Permission;
use crate::context::Context;
use crate::module_view::{defined, effect_of, module_missing, tools_of};
use crate::operation::Define;
use crate::page;
use mobkit_domain::definition::{Gate, GateAction, Module as Defined};
use mobkit_domain::event::{ToolDefinition, ToolEffect};
use mobkit_domain::id::{MemberId, ModuleId, ProfileId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::world::World;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const PAGES: page::List = page::List("tool");

pub(in crate::operations) struct Tools;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Only tools of this module.
    #[serde(alias = "id")]
    module: Option<ModuleId>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// A tool of a module.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct OfferedTool {
    /// Qualified name.
    tool: String,
    /// The module.
    module: ModuleId,
    /// Name within the module.
    name: String,
    /// What it does, for the model.
    description: String,
    /// What a repeated call does.
    effect: ToolEffect,
    /// SHA-256 of all that the module says of it.
    hash: String,
    /// Hash of a changed definition that waits for an approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<String>,
    /// Members that may call it.
    members: Vec<MemberId>,
    /// Gates that its calls may meet, in the order of the mob file: the first that fits decides.
    gates: Vec<Guard>,
}

/// A gate, as far as it matters which calls meet it.
#[derive(Debug, Serialize, JsonSchema)]
struct Guard {
    /// Pattern over tool names.
    tool: String,
    /// What it does.
    action: GateAction,
    /// Profiles to which it is narrowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    profiles: Vec<ProfileId>,
    /// Members to which it is narrowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<MemberId>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The tools that are known, in the order of their qualified names.
    tools: Vec<OfferedTool>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Define for Tools {
    const NAME: &'static str = "module/tools";
    const DOC: &'static str = "Lists the tools of modules: what a call does, which members may \
                               make it, and which gates it meets.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let after = PAGES.position::<String>(params.cursor.as_deref())?;
        let module = params.module.as_ref();
        if let Some(module) = module
            && cx.engine.view(|world| defined(world, module).is_none())
        {
            return Err(module_missing(&cx.engine, module));
        }
        let page = |world: &World| page_of(world, module, after.as_deref(), limit + 1);
        let mut tools = cx.engine.view(page);
        let next_cursor = PAGES.cut(&mut tools, limit, |last| &last.tool);
        Ok(Output { tools, next_cursor })
    }
}

fn page_of(
    world: &World,
    module: Option<&ModuleId>,
    after: Option<&str>,
    limit: usize,
) -> Vec<OfferedTool> {
    let modules = world.definition.modules.iter();
    let wanted = modules.filter(|defined| module.is_none_or(|module| *module == defined.id));
    let mut tools: Vec<(String, &Defined, &ToolDefinition)> = wanted
        .flat_map(|defined| {
            let found = world.state.modules.get(&defined.id);
            let qualified = |tool: &ToolDefinition| format!("module:{}/{}", defined.id, tool.name);
            tools_of(found).map(move |tool| (qualified(tool), defined, tool))
        })
        .filter(|(name, ..)| after.is_none_or(|after| name.as_str() > after))
        .collect();
    tools.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    tools.truncate(limit);
    let shown = tools.into_iter();
    shown
        .map(|(qualified, defined, tool)| offered(world, qualified, defined, tool))
        .collect()
}

fn offered(
    world: &World,
    qualified: String,
    defined: &Defined,
    tool: &ToolDefinition,
) -> OfferedTool {
    let found = world.state.modules.get(&defined.id);
    let changed = found.and_then(|module| module.changed.get(&tool.name));
    let members = world.state.present().filter(|(_, member)| {
        let profile = world.definition.profiles.get(&member.profile);
        profile.is_some_and(|profile| profile.offers(&qualified))
    });
    let gates = world.definition.gates.iter();
    OfferedTool {
        module: defined.id.clone(),
        name: tool.name.clone(),
        description: tool.description.clone(),
        effect: effect_of(defined, tool),
        hash: tool.hash.clone(),
        changed: changed.map(|tool| tool.hash.clone()),
        members: members.map(|(id, _)| id.clone()).collect(),
        gates: gates
            .filter(|gate| gate.tool.matches(&qualified))
            .map(guard)
            .collect(),
        tool: qualified,
    }
}

fn guard(gate: &Gate) -> Guard {
    Guard {
        tool: gate.tool.as_str().to_owned(),
        action: gate.action,
        profiles: gate.profiles.clone(),
        members: gate.members.clone(),
    }
}
