//! Parameters of what only a session can be asked.

use crate::words::Words;
use mobkit_domain::event::ToolEffect;
use mobkit_domain::id::{ModelId, Seq};
use mobkit_domain::tool::ToolSpec;
use serde::Deserialize;
use serde_json::Value;

/// Asks for events as they come.
pub(super) const SUBSCRIBE: &str = "event/subscribe";
/// Ends that.
pub(super) const UNSUBSCRIBE: &str = "event/unsubscribe";
/// Gives a request up.
pub(super) const CANCEL: &str = "$/cancelRequest";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subscribe {
    /// Only events after this position; without it what is still to come.
    pub after: Option<Seq>,
    /// Kinds, each whole or by noun (`turn.*`).
    pub kinds: Option<Words>,
    /// Subject, whole or by noun (`member/*`).
    pub subject: Option<String>,
    /// Source.
    pub source: Option<String>,
    /// Whether to carry text as it is written.
    #[serde(default)]
    pub deltas: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unsubscribe {
    pub subscription: u64,
}

/// Offers what the other side serves.
pub(super) const REGISTER: &str = "host/register";
/// A part of an answer of the other side, before the whole.
pub(super) const PIECE: &str = "host/piece";

/// A tool that the other side serves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostedTool {
    name: String,
    description: String,
    /// JSON Schema of its arguments.
    schema: Value,
    /// What a repeated call does; without it the worst.
    #[serde(default = "worst")]
    effect: ToolEffect,
}

fn worst() -> ToolEffect {
    ToolEffect::Effect
}

impl From<HostedTool> for ToolSpec {
    fn from(tool: HostedTool) -> Self {
        Self {
            name: tool.name,
            description: tool.description,
            schema: tool.schema,
            effect: tool.effect,
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    /// Tools that members may call.
    #[serde(default)]
    pub tools: Vec<HostedTool>,
    /// Whether it says which members should exist.
    #[serde(default)]
    pub discovery: bool,
    /// Whether it says which edges should exist.
    #[serde(default)]
    pub edges: bool,
    /// The models of the mob file that it answers for.
    #[serde(default)]
    pub models: Vec<ModelId>,
}

impl Register {
    /// Whether it names what a start is made of.
    pub fn shapes_start(&self) -> bool {
        self.discovery || self.edges || !self.models.is_empty()
    }
}

/// What a program serves of which a mob is made, so that it has to be known before the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartParts {
    /// Whether it says which members should exist.
    pub discovery: bool,
    /// Whether it says which edges should exist.
    pub edges: bool,
    /// The models of the mob file that it answers for.
    pub models: Vec<ModelId>,
}

impl StartParts {
    /// What the first line of a session offers; nothing where it is another request, or none. The
    /// session answers what is wrong with it.
    pub fn of_first_line(line: &[u8]) -> Self {
        let message: Value = serde_json::from_slice(line).unwrap_or_default();
        if message["method"] != REGISTER {
            return Self::default();
        }
        let asked: Register = serde_json::from_value(message["params"].clone()).unwrap_or_default();
        Self {
            discovery: asked.discovery,
            edges: asked.edges,
            models: asked.models,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    pub id: u64,
    pub piece: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {
    pub id: Value,
}
