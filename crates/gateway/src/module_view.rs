//! A module as clients see it.

use crate::suggestion::hint;
use mobkit_domain::definition::{Module as Defined, Start, Transport};
use mobkit_domain::event::{ToolDefinition, ToolEffect};
use mobkit_domain::id::ModuleId;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::state::{Module, ModuleStatus};
use mobkit_domain::time::Time;
use mobkit_domain::world::World;
use mobkit_engine::Engine;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A module of the definition in force, as it is at one moment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ModuleView {
    /// Its id.
    pub id: ModuleId,
    /// Where it stands; one that has never run is `stopped`.
    pub state: &'static str,
    /// Its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Restarts that its policy made, over all time.
    pub restarts: u64,
    /// Since when it stands there.
    pub since: Time,
    /// Why, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Names of its tools, as far as they are known; they stay known while it does not run.
    pub tools: Vec<String>,
    /// How it is reached: `mcp-stdio`, `mcp-http` or `json-lines`.
    pub transport: &'static str,
    /// The protocol that was agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// What its sandbox enforces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// When it is started: `eager` or `lazy`.
    pub start: &'static str,
}

impl ModuleView {
    /// The module that `defined` wants. `began` is when the process took the mob: since then, at
    /// least, a module that never ran is stopped.
    pub fn of(world: &World, defined: &Defined, began: Time) -> Self {
        let found = world.state.modules.get(&defined.id);
        let status = found.map_or(ModuleStatus::Stopped, |module| module.status);
        let tools = found.and_then(|module| module.tools.as_ref());
        Self {
            id: defined.id.clone(),
            state: status.as_str(),
            pid: found.and_then(|module| module.pid),
            restarts: found.map_or(0, |module| module.restarts),
            since: found.map_or(began, |module| module.since),
            reason: found.and_then(|module| module.reason.clone()),
            tools: tools.map_or_else(Vec::new, |tools| tools.keys().cloned().collect()),
            transport: transport(&defined.transport),
            protocol: found.and_then(|module| module.protocol.clone()),
            sandbox: found.and_then(|module| module.sandbox.clone()),
            start: match defined.start {
                Start::Eager => "eager",
                Start::Lazy { .. } => "lazy",
            },
        }
    }
}

fn transport(transport: &Transport) -> &'static str {
    match transport {
        Transport::McpStdio { .. } => "mcp-stdio",
        Transport::McpHttp { .. } => "mcp-http",
        Transport::JsonLines { .. } => "json-lines",
    }
}

/// A tool as its module describes it, with the effect that the mob file gives it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ToolView {
    /// Name within the module.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub schema: Value,
    /// JSON Schema of its structured result, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// What a repeated call does.
    pub effect: ToolEffect,
    /// SHA-256 of all that the module says of it.
    pub hash: String,
}

impl ToolView {
    /// The tool of a module.
    pub fn of(defined: &Defined, tool: &ToolDefinition) -> Self {
        Self {
            name: tool.name.clone(),
            description: tool.description.clone(),
            schema: tool.schema.clone(),
            output_schema: tool.output_schema.clone(),
            effect: effect_of(defined, tool),
            hash: tool.hash.clone(),
        }
    }
}

/// What a repeated call of the tool does: the mob file wins over what the module says.
pub(crate) fn effect_of(defined: &Defined, tool: &ToolDefinition) -> ToolEffect {
    let declared = defined.effects.get(&tool.name);
    declared.copied().unwrap_or(tool.hint)
}

/// The tools that a module is known to have, in the order of their names.
pub(crate) fn tools_of(module: Option<&Module>) -> impl Iterator<Item = &ToolDefinition> {
    module
        .and_then(|module| module.tools.as_ref())
        .into_iter()
        .flat_map(|tools| tools.values())
}

/// When this process took the mob.
pub(crate) fn began(engine: &Engine) -> Time {
    let uptime_ms = i64::try_from(engine.uptime_ms()).unwrap_or(i64::MAX);
    Time(engine.now().0.saturating_sub(uptime_ms))
}

/// The module of this id in the definition in force.
pub(crate) fn defined<'w>(world: &'w World, id: &ModuleId) -> Option<&'w Defined> {
    world
        .definition
        .modules
        .iter()
        .find(|module| module.id == *id)
}

/// The refusal for a module that the definition in force does not have.
pub(crate) fn module_missing(engine: &Engine, id: &ModuleId) -> Refusal {
    let hint = engine.view(|world| {
        let modules = world.definition.modules.iter();
        let names: Vec<&str> = modules.map(|module| module.id.as_str()).collect();
        hint(id.as_str(), "modules", &names)
    });
    let message = format!("there is no module {id}");
    Refusal::new(RefusalKind::Missing, "module.not_found", message).hint(hint)
}
