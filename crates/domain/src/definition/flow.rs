//! `[flows.<id>]`: workflows over members.

use super::graph::cycles;
use super::report::{Finding, Noun, Report};
use super::retry::{Backoff, Retry};
use super::scalar::choice;
use super::source::{Node, Table, tables};
use super::suggest;
use crate::id::{MemberId, ProfileId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

pub(super) const RETRY: Retry = Retry {
    attempts: 1,
    backoff: Backoff {
        min_ms: 1_000,
        max_ms: 60_000,
    },
};

choice! {
    /// Which members of a role take a step.
    Dispatch {
        /// One of them.
        One = "one",
        /// Each of them.
        All = "all",
    }
}

/// Who takes a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepTarget {
    /// One member.
    Member(MemberId),
    /// Members of a role.
    Role {
        /// The role.
        role: ProfileId,
        /// How many of them.
        dispatch: Dispatch,
    },
}

/// How many answers a step that went to several members waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collect {
    /// Every answer.
    All,
    /// The first answer.
    Any,
    /// So many answers.
    Quorum(u32),
}

/// Repetition of a step until its result is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatUntil {
    /// The condition that ends it.
    pub when: String,
    /// Most repetitions.
    pub times_max: u32,
}

/// One step of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its id, unique in the flow.
    pub id: String,
    /// Who takes it.
    pub to: StepTarget,
    /// Template of the message, over `params` and earlier outputs.
    pub message: String,
    /// Steps that must be done before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Condition under which it is taken; always where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How many answers it waits for.
    pub collect: Collect,
    /// How long it may take, in milliseconds; without end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How often it is tried.
    pub retry: Retry,
    /// Whether a person must approve it first.
    pub approve: bool,
    /// JSON Schema of its output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<serde_json::Value>,
    /// Repetition until its result is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_until: Option<RepeatUntil>,
}

/// One flow: steps whose `needs` form no cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// What it does, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its steps; at least one.
    pub steps: Vec<Step>,
}

/// A `needs` entry with its place.
struct Need {
    step: String,
    needs: String,
    span: Range<usize>,
}

/// Reads one `[flows.<id>]`.
pub(super) fn read(cx: &mut Report<'_>, name: &str, mut table: Table<'_>) -> Option<Flow> {
    let description = table.read(cx, "description", Node::any_text);
    let nodes = tables(cx, &mut table, "steps");
    let span = table.span.clone();
    table.finish(cx);
    if nodes.is_empty() {
        let finding = Finding::new(
            "steps_missing",
            &span,
            format!("flow {name:?} has no steps"),
        );
        cx.error(
            finding
                .label("does nothing")
                .hint(format!("add [[flows.{name}.steps]]")),
        );
        return None;
    }
    let mut ids = BTreeMap::new();
    let mut needs = Vec::new();
    let mut steps = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        let owner = format!("step {} of flow {name:?}", i + 1);
        let Some(table) = node.table_of(cx, owner) else {
            continue;
        };
        steps.push(read_step(cx, name, table, &mut ids, &mut needs));
    }
    check_needs(cx, name, &ids, &needs);
    let steps: Option<Vec<Step>> = steps.into_iter().collect();
    Some(Flow {
        description,
        steps: steps?,
    })
}

fn read_step(
    cx: &mut Report<'_>,
    flow: &str,
    mut table: Table<'_>,
    ids: &mut BTreeMap<String, Range<usize>>,
    needs: &mut Vec<Need>,
) -> Option<Step> {
    let id = table.need(cx, "id", "id = \"…\"").and_then(|node| {
        let id = read_step_id(&node, cx, flow, ids)?;
        table.owner = format!("step {id:?} of flow {flow:?}");
        Some(id)
    });
    let user = format!("{} goes to", table.owner);
    let to = table.need(cx, "to", "to = { member = \"…\" } or to = { role = \"…\" }");
    let to = to.and_then(|node| read_target(&node, cx, &user));
    let message = table.need(cx, "message", "message = \"…\"");
    let message = message.and_then(|node| node.template(cx));
    let step_needs = table.read(cx, "needs", |node, cx| {
        node.each(cx, |item, cx| {
            let (name, step) = (item.text(cx)?, id.clone().unwrap_or_default());
            needs.push(Need {
                step,
                needs: name.clone(),
                span: item.span.clone(),
            });
            Some(name)
        })
    });
    let when = table.read(cx, "when", Node::condition);
    let collect = table.read(cx, "collect", Node::collect);
    let timeout_ms = table.read(cx, "timeout", Node::span_ms);
    let retry = table.read(cx, "retry", |node, cx| node.retry(cx, RETRY));
    let approve = table.read(cx, "approve", Node::boolean);
    let output_schema = table.read(cx, "output_schema", Node::json_schema);
    let repeat_until = table.read(cx, "repeat_until", read_repeat);
    table.finish(cx);
    Some(Step {
        id: id?,
        to: to?,
        message: message?,
        needs: step_needs.unwrap_or_default(),
        when,
        collect: collect.unwrap_or(Collect::All),
        timeout_ms,
        retry: retry.unwrap_or(RETRY),
        approve: approve.unwrap_or(false),
        output_schema,
        repeat_until,
    })
}

fn read_step_id(
    node: &Node<'_>,
    cx: &mut Report<'_>,
    flow: &str,
    ids: &mut BTreeMap<String, Range<usize>>,
) -> Option<String> {
    let id = node.text(cx)?;
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    let first_ok = id
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !first_ok || !id.bytes().all(rest) || id.len() > 63 {
        let message = format!("{id:?} cannot be the id of a step");
        let finding = Finding::new("id_invalid", &node.span, message).label("not a valid id");
        let hint = "an id is 1 to 63 of a-z, 0-9, '-' and '_', starting with a letter or digit";
        cx.error(finding.hint_str(hint));
    } else if ids.contains_key(&id) {
        let message = format!("step {id:?} of flow {flow:?} is defined twice");
        let finding = Finding::new("step_duplicate", &node.span, message).label("again");
        cx.error(finding.hint_str("give each step of a flow its own id"));
    }
    ids.entry(id.clone()).or_insert_with(|| node.span.clone());
    Some(id)
}

fn check_needs(
    cx: &mut Report<'_>,
    flow: &str,
    ids: &BTreeMap<String, Range<usize>>,
    needs: &[Need],
) {
    for need in needs.iter().filter(|need| !ids.contains_key(&need.needs)) {
        let message = format!(
            "step {:?} of flow {flow:?} needs step {:?}, which is not defined",
            need.step, need.needs
        );
        let hint = suggest::hint(
            &need.needs,
            "steps of this flow",
            ids.keys().map(String::as_str),
        );
        let finding = Finding::new("step_unknown", &need.span, message);
        cx.error(finding.label("no such step in this flow").hint(hint));
    }
    let arrows: Vec<_> = needs
        .iter()
        .map(|need| (need.step.as_str(), need.needs.as_str()))
        .collect();
    for (i, names) in cycles(&arrows) {
        let way = names.join(" needs ");
        let message = format!("the steps of flow {flow:?} wait for each other: {way}");
        let finding = Finding::new("flow_cycle", &needs[i].span, message);
        cx.error(
            finding
                .label("closes the circle")
                .hint_str("remove one of these needs"),
        );
    }
}

fn read_target(node: &Node<'_>, cx: &mut Report<'_>, user: &str) -> Option<StepTarget> {
    let mut table = node.table(cx)?;
    let given = table.given(&["member", "role"]);
    let member = table.read(cx, "member", |n, cx| {
        n.reference(cx, Noun::Member, user.to_owned())
    });
    let role = table.read(cx, "role", |n, cx| {
        n.reference(cx, Noun::Profile, user.to_owned())
    });
    let dispatch = table.read(cx, "dispatch", Node::choice);
    table.finish(cx);
    if given != 1 {
        let message = format!("{} must name a member or a role", node.name());
        let finding = Finding::new("target_invalid", &node.span, message);
        let label = if given == 0 {
            "names no target"
        } else {
            "names more than one target"
        };
        let hint = "write { member = \"…\" } or { role = \"…\", dispatch = \"all\" }";
        cx.error(finding.label(label).hint_str(hint));
        return None;
    }
    let dispatch = dispatch.unwrap_or(Dispatch::One);
    member
        .map(StepTarget::Member)
        .or(role.map(|role| StepTarget::Role { role, dispatch }))
}

fn read_repeat(node: &Node<'_>, cx: &mut Report<'_>) -> Option<RepeatUntil> {
    let mut table = node.table(cx)?;
    let when = table
        .need(cx, "when", "when = \"…\"")
        .and_then(|node| node.condition(cx));
    let times_max = table.need(cx, "times_max", "times_max = 5");
    let times_max = times_max.and_then(|node| node.integer(cx, 1, 1_000));
    table.finish(cx);
    Some(RepeatUntil {
        when: when?,
        times_max: times_max?,
    })
}

impl Node<'_> {
    fn collect(&self, cx: &mut Report<'_>) -> Option<Collect> {
        let text = self.text(cx)?;
        let quorum = text
            .strip_prefix("quorum:")
            .and_then(|n| n.parse().ok())
            .filter(|n| *n > 0);
        let collect = match text.as_str() {
            "all" => Some(Collect::All),
            "any" => Some(Collect::Any),
            _ => quorum.map(Collect::Quorum),
        };
        if collect.is_none() {
            let message = format!("{} cannot be {text:?}", self.name());
            let finding = Finding::new("choice_unknown", &self.span, message);
            cx.error(finding.label("wants all, any or quorum:<number>"));
        }
        collect
    }
}
