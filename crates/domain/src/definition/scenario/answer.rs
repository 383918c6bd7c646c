//! `[[modules]]` of a scenario: what the tools of modules answer.

use super::super::report::{Finding, Noun, Report};
use super::super::source::{Node, Table};
use crate::id::ModuleId;
use regex::Regex;
use serde_json::Value;

/// What a tool says.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A text, or any JSON.
    Answer(Value),
    /// That it failed, and why.
    Failure(String),
}

/// What a tool of a module answers. The first whose conditions hold counts.
#[derive(Debug, Clone)]
pub struct ModuleAnswer {
    /// The module.
    pub module: ModuleId,
    /// The name of the tool within it.
    pub tool: String,
    /// Only for calls whose arguments, as JSON, match this; `None`: for all.
    pub when: Option<Regex>,
    /// What it says.
    pub said: Said,
    /// How long that takes, in milliseconds; `None`: as the seed says.
    pub delay_ms: Option<u64>,
}

/// Reads one `[[modules]]`.
pub(super) fn read(cx: &mut Report<'_>, node: &Node<'_>, number: usize) -> Option<ModuleAnswer> {
    let mut table = node.table_of(cx, format!("[[modules]] number {number}"))?;
    let user = format!("[[modules]] number {number} answers for");
    let module = table.need(cx, "module", "module = \"…\"");
    let module = module.and_then(|node| node.reference(cx, Noun::Module, user));
    let tool = table.need(cx, "tool", "tool = \"…\", the name of a tool of the module");
    let tool = tool.and_then(|node| node.text(cx));
    let when = table.read(cx, "when", Node::pattern);
    let delay_ms = table.read(cx, "delay", Node::span_ms);
    let said = said(cx, &mut table);
    table.finish(cx);
    Some(ModuleAnswer {
        module: module?,
        tool: tool?,
        when,
        said: said?,
        delay_ms,
    })
}

fn said(cx: &mut Report<'_>, table: &mut Table<'_>) -> Option<Said> {
    let given = table.given(&["answer", "fails"]);
    let answer = table.read(cx, "answer", Node::json).map(Said::Answer);
    let fails = table.read(cx, "fails", Node::text).map(Said::Failure);
    if given != 1 {
        let message = format!("{} must say one thing", table.owner);
        let finding = Finding::new("scenario_choice", &table.span, message);
        let hint = "write answer = \"…\" (or any value), or fails = \"why\"";
        cx.error(finding.label("wants one of answer, fails").hint_str(hint));
        return None;
    }
    answer.or(fails)
}

impl Node<'_> {
    /// A regular expression.
    pub(super) fn pattern(&self, cx: &mut Report<'_>) -> Option<Regex> {
        let text = self.text(cx)?;
        match Regex::new(&text) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().to_owned();
                let message = format!("{} is not a regular expression: {why}", self.name());
                let finding = Finding::new("regex_invalid", &self.span, message);
                cx.error(finding.label("can't be matched"));
                None
            }
        }
    }
}
