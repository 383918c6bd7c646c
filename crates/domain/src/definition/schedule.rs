//! `[[schedules]]`: when work is triggered.

use super::report::{Finding, Noun, Report};
use super::scalar::choice;
use super::source::{Node, Table};
use super::trigger::{self, Trigger};
use crate::id::{FlowId, MemberId, ModuleId, RouteId, ScheduleId};
use serde::{Deserialize, Serialize};

const UTC: &str = "UTC";
/// How a target is written.
const TARGETS: &str = "write { member = \"…\" }, { flow = \"…\" }, { route = \"…\" } or \
                       { module = \"…\", tool = \"…\" }";
const MISSED: Missed = Missed {
    policy: MissedPolicy::Latest,
    within_ms: 43_200_000,
};

choice! {
    /// Which occurrences that fell into a downtime are made up for.
    MissedPolicy {
        /// None.
        Skip = "skip",
        /// The last one.
        Latest = "latest",
        /// Each of them.
        All = "all",
    }
}

choice! {
    /// What happens when an occurrence is due while the one before it still runs.
    Overlap {
        /// It is skipped.
        Skip = "skip",
        /// It waits.
        Queue = "queue",
        /// The one before it is cancelled.
        Cancel = "cancel",
        /// Both run.
        Allow = "allow",
    }
}

/// What happens to occurrences that fell into a downtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// Which are made up for.
    pub policy: MissedPolicy,
    /// How late an occurrence may be made up for, in milliseconds.
    pub within_ms: u64,
}

/// What a schedule starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleTarget {
    /// A turn of a member.
    Member(MemberId),
    /// A run of a flow.
    Flow(FlowId),
    /// A call of a module's tool.
    Module {
        /// The module.
        module: ModuleId,
        /// The name of its tool.
        tool: String,
    },
    /// A delivery.
    Route(RouteId),
}

/// One schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// When it is due.
    pub trigger: Trigger,
    /// IANA name of the zone in which cron and one-shot times are read.
    pub timezone: String,
    /// Most milliseconds by which an occurrence is put off, to spread load.
    pub jitter_ms: u64,
    /// What it starts.
    pub to: ScheduleTarget,
    /// Template of the message; always there for members and routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What happens after a downtime.
    pub missed: Missed,
    /// What happens when the one before still runs.
    pub overlap: Overlap,
    /// Whether it fires.
    pub enabled: bool,
}

/// What an entry starts, as far as that can be told whatever else is wrong in it.
pub(super) fn target(cx: &mut Report<'_>, table: &mut Table<'_>) -> Option<ScheduleTarget> {
    let user = table.owner.clone();
    table
        .take(cx, "to")
        .and_then(|node| read_target(&node, cx, &user))
}

/// Reads one `[[schedules]]`.
pub(super) fn read(
    cx: &mut Report<'_>,
    id: Option<ScheduleId>,
    mut table: Table<'_>,
) -> Option<Schedule> {
    let trigger = trigger::read(cx, &mut table);
    let timezone = table.read(cx, "timezone", Node::timezone);
    let jitter_ms = table.read(cx, "jitter", Node::span_ms);
    let user = table.owner.clone();
    let to = table.need(
        cx,
        "to",
        "to = { member = \"…\" } (or flow, route, module and tool)",
    );
    let to = to.and_then(|node| read_target(&node, cx, &user));
    let (wants_message, tool) = match to {
        Some(ScheduleTarget::Member(_) | ScheduleTarget::Route(_)) => (true, false),
        Some(ScheduleTarget::Module { .. }) => (false, true),
        Some(ScheduleTarget::Flow(_)) | None => (false, false),
    };
    let message = if wants_message {
        table.need(cx, "message", "message = \"…\"")
    } else {
        table.take(cx, "message")
    };
    let zone = timezone.as_deref().unwrap_or(UTC);
    let message = message.and_then(|node| node.schedule_message(cx, zone, tool));
    let missed = table.read(cx, "missed", read_missed);
    let overlap = table.read(cx, "overlap", Node::choice);
    let enabled = table.read(cx, "enabled", Node::boolean);
    table.finish(cx);
    Some(Schedule {
        id: id?,
        trigger: trigger?,
        timezone: timezone.unwrap_or_else(|| UTC.to_owned()),
        jitter_ms: jitter_ms.unwrap_or(0),
        to: to?,
        message,
        missed: missed.unwrap_or(MISSED),
        overlap: overlap.unwrap_or(Overlap::Skip),
        enabled: enabled.unwrap_or(true),
    })
}

fn read_target(node: &Node<'_>, cx: &mut Report<'_>, owner: &str) -> Option<ScheduleTarget> {
    let mut table = node.table_as(cx, TARGETS)?;
    let given = table.given(&["member", "flow", "module", "route"]);
    let user = format!("{owner} starts");
    let member = table.read(cx, "member", |n, cx| {
        n.reference(cx, Noun::Member, user.clone())
    });
    let flow = table.read(cx, "flow", |n, cx| {
        n.reference(cx, Noun::Flow, user.clone())
    });
    let route = table.read(cx, "route", |n, cx| {
        n.reference(cx, Noun::Route, user.clone())
    });
    let module = table.take(cx, "module");
    let tool = if module.is_some() {
        table.need(cx, "tool", "tool = \"…\", the name of a tool of the module")
    } else {
        table.forbid(cx, "tool", "it goes with \"module\"");
        None
    };
    let module = module.and_then(|node| node.reference(cx, Noun::Module, user));
    let tool = tool.and_then(|node| node.text(cx));
    table.finish(cx);
    if given != 1 {
        let message = format!("{} must name one target", node.name());
        let finding = Finding::new("target_invalid", &node.span, message);
        let label = if given == 0 {
            "names no target"
        } else {
            "names more than one target"
        };
        cx.error(finding.label(label).hint_str(TARGETS));
        return None;
    }
    let module = module
        .zip(tool)
        .map(|(module, tool)| ScheduleTarget::Module { module, tool });
    let found = member
        .map(ScheduleTarget::Member)
        .or(flow.map(ScheduleTarget::Flow));
    found.or(route.map(ScheduleTarget::Route)).or(module)
}

fn read_missed(node: &Node<'_>, cx: &mut Report<'_>) -> Option<Missed> {
    let example = "write { policy = \"latest\", within = \"12h\" }";
    let mut table = node.table_as(cx, example)?;
    let policy = table.read(cx, "policy", Node::choice);
    let within_ms = table.read(cx, "within", Node::span_ms);
    table.finish(cx);
    Some(Missed {
        policy: policy.unwrap_or(MISSED.policy),
        within_ms: within_ms.unwrap_or(MISSED.within_ms),
    })
}
