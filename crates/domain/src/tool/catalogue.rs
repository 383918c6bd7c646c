//! Which tools there are, whoever offers them: built in, of the host, of modules.

use super::toolbox::ToolSpec;
use super::{built_in_specs, is_built_in};
use crate::definition::Profile;
use crate::event::ToolEffect;
use crate::id::{MemberId, ModuleId, ProfileId};
use crate::world::World;
use serde_json::Value;

/// Module and name of a qualified tool name `module:<id>/<name>`.
pub fn module_of(tool: &str) -> Option<(&str, &str)> {
    tool.strip_prefix("module:")?.split_once('/')
}

/// Who offers a tool, and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found<'w> {
    /// The writer itself.
    BuiltIn(ToolEffect),
    /// The host of the library, or a host program on its session.
    Host(&'w ToolSpec),
    /// A host program that has gone.
    Away(&'w ToolSpec),
    /// A module that listed it.
    Module {
        module: &'w ModuleId,
        effect: ToolEffect,
        schema: &'w Value,
    },
    /// A module that nobody has listed yet: the tool may be there.
    Unlisted {
        module: &'w ModuleId,
        effect: ToolEffect,
    },
}

impl<'w> Found<'w> {
    /// What a repeated call does.
    pub(crate) fn effect(&self) -> ToolEffect {
        match self {
            Self::Host(spec) | Self::Away(spec) => spec.effect,
            Self::BuiltIn(effect) | Self::Module { effect, .. } | Self::Unlisted { effect, .. } => {
                *effect
            }
        }
    }

    /// JSON Schema of its arguments, where it is known and checked here.
    pub(crate) fn schema(&self) -> Option<&'w Value> {
        match self {
            Self::Module { schema, .. } => Some(schema),
            Self::Host(spec) | Self::Away(spec) => {
                Some(&spec.schema).filter(|schema| schema.is_object())
            }
            Self::BuiltIn(_) | Self::Unlisted { .. } => None,
        }
    }
}

/// The tool of a qualified name, if somebody offers it.
pub(crate) fn find<'w>(world: &'w World, tool: &str) -> Option<Found<'w>> {
    if is_built_in(tool) {
        return super::built_in::built_in_effect(tool).map(Found::BuiltIn);
    }
    let Some((id, name)) = module_of(tool) else {
        return host_tool(world, tool);
    };
    let defined = world
        .definition
        .modules
        .iter()
        .find(|m| m.id.as_str() == id)?;
    let module = &defined.id;
    let declared = defined.effects.get(name).copied();
    let listed = world
        .state
        .modules
        .get(module)
        .and_then(|m| m.tools.as_ref());
    match listed {
        Some(tools) => tools.get(name).map(|tool| Found::Module {
            module,
            effect: declared.unwrap_or(tool.hint),
            schema: &tool.schema,
        }),
        None => crate::module::is_tool_name(name).then(|| Found::Unlisted {
            module,
            effect: declared.unwrap_or(ToolEffect::Effect),
        }),
    }
}

/// A tool of the host, or of a host program: the host's own comes first.
fn host_tool<'w>(world: &'w World, tool: &str) -> Option<Found<'w>> {
    if let Some(spec) = world.toolbox.0.get(tool) {
        return Some(Found::Host(spec));
    }
    let hosted = world.state.hosted.get(tool)?;
    Some(match hosted.host {
        Some(_) => Found::Host(&hosted.spec),
        None => Found::Away(&hosted.spec),
    })
}

/// The tools that a profile offers, in the order of their names.
pub fn offered(world: &World, profile: &Profile) -> Vec<ToolSpec> {
    let built_in = built_in_specs();
    let own = world.toolbox.0.values();
    let hosted = world.state.hosted.values().map(|tool| &tool.spec);
    let hosted = hosted.filter(|spec| !world.toolbox.0.contains_key(&spec.name));
    let known = built_in.iter().chain(own).chain(hosted).cloned();
    let mut tools: Vec<ToolSpec> = known.chain(of_modules(world)).collect();
    tools.retain(|spec| profile.offers(&spec.name));
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    tools
}

/// The tools that a member is offered in a role, in the order of their names: a helper has none
/// that a member for whom it works does not have.
pub fn offered_to(world: &World, member: &MemberId, profile: &Profile) -> Vec<ToolSpec> {
    let mut tools = offered(world, profile);
    tools.retain(|spec| is_offered_above(world, member, &spec.name));
    tools
}

/// Whether a member in a role is offered the tool of this qualified name.
pub(crate) fn is_offered(
    world: &World,
    (role, member): (&ProfileId, &MemberId),
    tool: &str,
) -> bool {
    let profile = world.definition.profiles.get(role);
    profile.is_some_and(|profile| profile.offers(tool)) && is_offered_above(world, member, tool)
}

/// Whether everybody for whom a member works is offered the tool; nobody is above who is no helper.
fn is_offered_above(world: &World, member: &MemberId, tool: &str) -> bool {
    world.state.lineage(member).all(|(_, above)| {
        let profile = world.definition.profiles.get(&above.profile);
        profile.is_some_and(|profile| profile.offers(tool))
    })
}

fn of_modules(world: &World) -> impl Iterator<Item = ToolSpec> {
    world.definition.modules.iter().flat_map(|defined| {
        let module = world.state.modules.get(&defined.id);
        let tools = module.and_then(|m| m.tools.as_ref()).into_iter().flatten();
        tools.map(|(name, tool)| ToolSpec {
            name: format!("module:{}/{name}", defined.id),
            description: tool.description.clone(),
            schema: tool.schema.clone(),
            effect: defined.effects.get(name).copied().unwrap_or(tool.hint),
        })
    })
}
