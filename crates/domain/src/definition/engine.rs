//! `[engines.<name>]`: how an external engine is run.

use super::report::Report;
use super::scalar::choice;
use super::source::{Node, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The program of the Meerkat runtime, looked up in PATH where the mob file names none.
const MEERKAT_COMMAND: &[&str] = &["rkat-rpc"];
/// The tool sets of the Meerkat runtime.
const MEERKAT_TOOL_SETS: &[&str] = &[
    "builtins",
    "shell",
    "memory",
    "workgraph",
    "schedule",
    "image_generation",
];

choice! {
    /// What executes the turns of a member.
    Engine {
        /// The built-in engine.
        Native = "native",
        /// The Meerkat runtime.
        Meerkat = "meerkat",
        /// A remote agent that speaks A2A.
        A2a = "a2a",
        /// A coding agent that speaks ACP.
        Acp = "acp",
    }
}

/// The engines that are programs of their own.
pub(super) const EXTERNAL: [Engine; 3] = [Engine::Meerkat, Engine::A2a, Engine::Acp];

impl Engine {
    /// The tool sets that it has of its own, as `engine:<name>` names them; it makes these calls
    /// itself, so that no gate sees them.
    pub fn tool_sets(self) -> &'static [&'static str] {
        match self {
            Self::Meerkat => MEERKAT_TOOL_SETS,
            Self::Native | Self::A2a | Self::Acp => &[],
        }
    }

    /// Program and arguments where the mob file says nothing; `None`: there is no program.
    fn command_by_default(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Meerkat => Some(MEERKAT_COMMAND),
            Self::Native | Self::A2a | Self::Acp => None,
        }
    }
}

/// How an external engine is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineSpec {
    /// Program and arguments. A program with a `/` is relative to the mob file, else it is looked
    /// up in PATH.
    pub command: Vec<String>,
}

impl EngineSpec {
    /// What holds for an engine where the mob file says nothing; `None`: there is no program.
    pub(super) fn by_default(engine: Engine) -> Option<Self> {
        let command = engine.command_by_default()?;
        Some(Self {
            command: command.iter().map(|word| (*word).to_owned()).collect(),
        })
    }
}

/// Reads `[engines]`.
pub(super) fn read(cx: &mut Report<'_>, root: &mut Table<'_>) -> BTreeMap<Engine, EngineSpec> {
    let engines = root.read(cx, "engines", |node, cx| {
        let mut table = node.table_of(cx, "[engines]".to_owned())?;
        let read = EXTERNAL.map(|engine| {
            let spec = table.read(cx, engine.as_str(), |node, cx| {
                let table = node.table_of(cx, format!("engine \"{engine}\""))?;
                read_one(cx, table)
            });
            Some((engine, spec?))
        });
        table.finish(cx);
        Some(read.into_iter().flatten().collect())
    });
    engines.unwrap_or_default()
}

fn read_one(cx: &mut Report<'_>, mut table: Table<'_>) -> Option<EngineSpec> {
    let example = "command = [\"program\", \"argument\"]";
    let command = table.need(cx, "command", example);
    let command = command.and_then(|node| Node::some_texts(&node, cx));
    table.finish(cx);
    Some(EngineSpec { command: command? })
}
