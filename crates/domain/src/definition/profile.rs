//! `[profiles.<id>]`: the template of a role.

use super::engine::Engine;
use super::report::{Finding, Noun, Report};
use super::scalar::choice;
use super::source::{Node, Table};
use super::tool::ToolSelector;
use crate::id::ModelId;
use serde::{Deserialize, Serialize};

/// Steps that a turn may take where the budget does not say.
const STEPS_PER_TURN: u32 = 50;

choice! {
    /// What a message does that arrives while a turn runs.
    Busy {
        /// It waits and gets its own turn.
        Queue = "queue",
        /// It joins the running turn at the next step boundary.
        Steer = "steer",
        /// It stops the running turn.
        Interrupt = "interrupt",
        /// It is refused.
        Reject = "reject",
    }
}

/// Bounds on what a member may use. What is absent has no bound, except for the steps of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Budget {
    /// Most steps of one turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_per_turn: Option<u32>,
    /// Most tokens of one turn, input and output together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_turn: Option<u64>,
    /// Most US dollars of one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_per_day: Option<f64>,
    /// Most turns of one hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns_per_hour: Option<u32>,
}

/// When old turns of a session are summarised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compaction {
    /// Size of the session, in tokens, past which it is compacted.
    pub at_tokens: u64,
    /// Last turns that stay as they are.
    pub keep_turns: u32,
}

/// When an idle helper is retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleRetire {
    /// Only by hand or by its parent.
    Never,
    /// After so many milliseconds without a turn.
    AfterMs(u64),
}

/// A role template. Its id is also the name of the role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// What executes turns.
    pub engine: Engine,
    /// The model that answers.
    pub model: ModelId,
    /// What peers are told about this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the agent is told to be and do; read from the file where the mob file names one.
    pub instructions: String,
    /// The tools it is offered.
    pub tools: Vec<ToolSelector>,
    /// JSON Schema of the final answer of a turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<serde_json::Value>,
    /// Bounds on what a member of this role may use.
    #[serde(default)]
    pub budget: Budget,
    /// When old turns are summarised; never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compaction: Option<Compaction>,
    /// What a message does while a turn runs, where the message does not say.
    pub busy: Busy,
    /// When an idle helper of this role is retired; after five minutes where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_retire: Option<IdleRetire>,
    /// Whether members of this role can be reached from outside (A2A, OpenAI-compatible).
    pub exposed: bool,
}

impl Profile {
    /// A profile of the native engine with the tools that are offered by default.
    pub fn new(model: ModelId, instructions: impl Into<String>) -> Self {
        Self {
            engine: Engine::Native,
            model,
            description: None,
            instructions: instructions.into(),
            tools: tools_by_default(),
            output_schema: None,
            budget: Budget::default(),
            compaction: None,
            busy: Busy::Queue,
            idle_retire: None,
            exposed: false,
        }
    }

    /// Most steps of one turn: the budget's figure, or 50.
    pub fn steps_per_turn(&self) -> u32 {
        self.budget.steps_per_turn.unwrap_or(STEPS_PER_TURN)
    }

    /// Whether the tool of this qualified name (`now`, `module:search/fetch`) is offered.
    pub fn offers(&self, tool: &str) -> bool {
        self.tools.iter().any(|selector| selector.offers(tool))
    }
}

fn tools_by_default() -> Vec<ToolSelector> {
    ["peers", "now"]
        .map(|name| ToolSelector::BuiltIn(name.to_owned()))
        .to_vec()
}

/// Reads one `[profiles.<id>]`.
pub(super) fn read(cx: &mut Report<'_>, name: &str, mut table: Table<'_>) -> Option<Profile> {
    let model = table.need(cx, "model", "model = \"…\", the id of a [models.…] entry");
    let model = model.and_then(|node| {
        node.reference::<ModelId>(cx, Noun::Model, format!("profile {name:?} uses"))
    });
    let instructions = read_instructions(cx, &mut table);
    // One that can't be read is an error of its own: its tool sets are not looked at.
    let engine = match table.take(cx, "engine") {
        Some(node) => node.choice(cx),
        None => Some(Engine::Native),
    };
    let description = table.read(cx, "description", Node::text);
    let tools = table.read(cx, "tools", |node, cx| {
        node.each(cx, |item, cx| item.tool(cx, name, engine))
    });
    let output_schema = table.read(cx, "output_schema", Node::json_schema);
    let budget = table.read(cx, "budget", read_budget);
    let compaction = table.read(cx, "compaction", read_compaction);
    let busy = table.read(cx, "busy", Node::choice);
    let idle_retire = table.read(cx, "idle_retire", read_idle_retire);
    let exposed = table.read(cx, "exposed", Node::boolean);
    table.finish(cx);
    Some(Profile {
        engine: engine.unwrap_or(Engine::Native),
        description,
        tools: tools.unwrap_or_else(tools_by_default),
        output_schema,
        budget: budget.unwrap_or_default(),
        compaction,
        busy: busy.unwrap_or(Busy::Queue),
        idle_retire,
        exposed: exposed.unwrap_or(false),
        ..Profile::new(model?, instructions?)
    })
}

fn read_instructions(cx: &mut Report<'_>, table: &mut Table<'_>) -> Option<String> {
    let text = table.take(cx, "instructions");
    let file = table.take(cx, "instructions_file");
    match (text, file) {
        (Some(text), None) => text.text(cx),
        (None, Some(file)) => {
            let (path, text) = file.file(cx)?;
            if text.trim().is_empty() {
                let message = format!("the instructions file {path:?} is empty");
                let finding = Finding::new("text_empty", &file.span, message);
                cx.error(finding.label("this file says nothing"));
                return None;
            }
            Some(text)
        }
        (Some(_), Some(file)) => {
            let message = format!("{} has instructions twice", table.owner);
            let finding = Finding::new("instructions_ambiguous", &file.span, message);
            let hint = "keep either \"instructions\" or \"instructions_file\"";
            cx.error(
                finding
                    .label("there is also \"instructions\"")
                    .hint_str(hint),
            );
            None
        }
        (None, None) => {
            let message = format!("{} has no instructions", table.owner);
            let finding = Finding::new("instructions_missing", &table.span, message);
            let hint = "add instructions = \"You are …\" or instructions_file = \"prompts/….md\"";
            let finding = finding.label("instructions are required").hint_str(hint);
            table.miss("instructions", finding);
            None
        }
    }
}

fn read_budget(node: &Node<'_>, cx: &mut Report<'_>) -> Option<Budget> {
    let mut table = node.table(cx)?;
    let budget = Budget {
        steps_per_turn: table.read(cx, "steps_per_turn", |n, cx| n.integer(cx, 1, 10_000)),
        tokens_per_turn: table.read(cx, "tokens_per_turn", |n, cx| {
            n.integer(cx, 1, 1_000_000_000_000)
        }),
        usd_per_day: table.read(cx, "usd_per_day", Node::amount),
        turns_per_hour: table.read(cx, "turns_per_hour", |n, cx| n.integer(cx, 1, 1_000_000)),
    };
    table.finish(cx);
    Some(budget)
}

fn read_compaction(node: &Node<'_>, cx: &mut Report<'_>) -> Option<Compaction> {
    let mut table = node.table(cx)?;
    let example = "at_tokens = 100000";
    let at_tokens = table.need(cx, "at_tokens", example);
    let at_tokens = at_tokens.and_then(|node| node.integer(cx, 1_000, 1_000_000_000));
    let keep_turns = table.read(cx, "keep_turns", |node, cx| node.integer(cx, 0, 10_000));
    table.finish(cx);
    Some(Compaction {
        at_tokens: at_tokens?,
        keep_turns: keep_turns.unwrap_or(4),
    })
}

fn read_idle_retire(node: &Node<'_>, cx: &mut Report<'_>) -> Option<IdleRetire> {
    if node.str() == Some("never") {
        return Some(IdleRetire::Never);
    }
    node.span_ms(cx).map(IdleRetire::AfterMs)
}
