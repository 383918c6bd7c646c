//! Reports: what came of a plan, as it was seen.

use super::step::Operation;
use crate::edge::Edge;
use crate::event::{EdgeOperation, ErrorEvent};
use crate::id::{MemberId, ModuleId, RouteId, ScheduleId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A change of an edge that failed; the edge is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EdgeFailure {
    /// The edge.
    pub edge: Edge,
    /// What was tried.
    pub operation: EdgeOperation,
    /// Why it failed.
    pub error: String,
}

/// What came of the edges. Each edge is in one list at most, apart from `desired_edges`; every
/// list is in the order of the edges.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EdgeReport {
    /// All edges that the mob file or edge discovery asks for.
    pub desired_edges: Vec<Edge>,
    /// Edges that were wired.
    pub wired_edges: Vec<Edge>,
    /// Desired edges that were wired before by the one who asks for them.
    pub retained_edges: Vec<Edge>,
    /// Edges that nobody asks for any longer; they were unwired.
    pub unwired_edges: Vec<Edge>,
    /// Desired edges that somebody else has wired: never claimed, and not unwired by who asks.
    pub preexisting_edges: Vec<Edge>,
    /// Desired edges without both ends in the mob.
    pub skipped_missing_members: Vec<Edge>,
    /// Edges of edge discovery that it forgot: gone, or an end of theirs was gone.
    pub pruned_stale_managed_edges: Vec<Edge>,
    /// Changes that failed.
    pub failures: Vec<EdgeFailure>,
}

impl EdgeReport {
    /// Whether every desired edge is there now and every other one of ours is gone: nothing
    /// failed, and nothing was skipped since a member is missing.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.skipped_missing_members.is_empty()
    }

    /// The error that hosts are told where the report is not complete.
    pub fn error(&self) -> Option<ErrorEvent> {
        incomplete(&[], self)
    }
}

/// A step that failed; its object is as it was, and the other steps went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// What it is about: `member/<id>`, `module/<id>`, `route/<id>` or
    /// `schedule/<id>`.
    pub object: String,
    /// What was tried.
    pub operation: Operation,
    /// Why it failed.
    pub error: String,
}

/// What came of a plan. Each list is in the order of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApplyReport {
    /// Digest of the plan, `sha256:…`.
    pub digest: String,
    /// Members that joined.
    pub spawned: Vec<MemberId>,
    /// Members that stayed without a respawn; those that changed in place are among them.
    pub retained: Vec<MemberId>,
    /// Members that changed in place; those that were respawned too are among them.
    pub updated: Vec<MemberId>,
    /// Members that got fresh process state.
    pub respawned: Vec<MemberId>,
    /// Members that left.
    pub retired: Vec<MemberId>,
    /// Modules that are started; whether they answer is in the events of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules_started: Vec<ModuleId>,
    /// Modules that are stopped and forgotten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules_stopped: Vec<ModuleId>,
    /// Modules whose processes are replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules_restarted: Vec<ModuleId>,
    /// Routes that were defined, or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes_defined: Vec<RouteId>,
    /// Routes that were forgotten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes_removed: Vec<RouteId>,
    /// Schedules that were defined, or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules_defined: Vec<ScheduleId>,
    /// Schedules that were forgotten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules_removed: Vec<ScheduleId>,
    /// Steps on members, modules, routes and schedules that failed.
    pub failures: Vec<Failure>,
    /// What came of the edges.
    pub edges: EdgeReport,
}

impl ApplyReport {
    /// Whether the mob is now what was wanted.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.edges.is_complete()
    }

    /// How many steps failed, those of edges included.
    pub fn failure_count(&self) -> u64 {
        (self.failures.len() + self.edges.failures.len()) as u64
    }

    /// How many steps were done, by verb; a verb without a step is left out.
    pub fn steps(&self) -> BTreeMap<String, u64> {
        let updated: BTreeSet<_> = self.updated.iter().collect();
        let is_kept = |member: &&MemberId| !updated.contains(member);
        count([
            (Operation::Spawn, self.spawned.len()),
            (
                Operation::Retain,
                self.retained.iter().filter(is_kept).count(),
            ),
            (Operation::Update, self.updated.len()),
            (Operation::Respawn, self.respawned.len()),
            (Operation::Retire, self.retired.len()),
            (Operation::Wire, self.edges.wired_edges.len()),
            (Operation::Unwire, self.edges.unwired_edges.len()),
            (
                Operation::Prune,
                self.edges.pruned_stale_managed_edges.len(),
            ),
            (Operation::ModuleStart, self.modules_started.len()),
            (Operation::ModuleStop, self.modules_stopped.len()),
            (Operation::ModuleRestart, self.modules_restarted.len()),
            (Operation::RouteDefine, self.routes_defined.len()),
            (Operation::RouteRemove, self.routes_removed.len()),
            (Operation::ScheduleDefine, self.schedules_defined.len()),
            (Operation::ScheduleRemove, self.schedules_removed.len()),
        ])
    }

    /// The error that hosts are told where the report is not complete.
    pub fn error(&self) -> Option<ErrorEvent> {
        incomplete(&self.failures, &self.edges)
    }
}

/// Counts by verb; a verb without a step is left out.
pub(super) fn count<const N: usize>(counts: [(Operation, usize); N]) -> BTreeMap<String, u64> {
    let some = counts.into_iter().filter(|(_, n)| *n > 0);
    some.map(|(operation, n)| (operation.as_str().to_owned(), n as u64))
        .collect()
}

fn incomplete(failures: &[Failure], edges: &EdgeReport) -> Option<ErrorEvent> {
    if failures.is_empty() && edges.is_complete() {
        return None;
    }
    let of_edge = |failure: &EdgeFailure| {
        let verb = match failure.operation {
            EdgeOperation::Wire => "wire",
            EdgeOperation::Unwire => "unwire",
        };
        format!("{verb} edge/{}: {}", failure.edge, failure.error)
    };
    let of_step = |failure: &Failure| {
        format!(
            "{} {}: {}",
            failure.operation, failure.object, failure.error
        )
    };
    let of_skip = |edge: &Edge| format!("edge/{edge}: an end is missing");
    Some(ErrorEvent::ReconcileIncomplete {
        failures: failures
            .iter()
            .map(of_step)
            .chain(edges.failures.iter().map(of_edge))
            .collect(),
        skipped: edges.skipped_missing_members.iter().map(of_skip).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str) -> MemberId {
        MemberId::parse(id).expect("an id")
    }

    fn edge(a: &str, b: &str) -> Edge {
        Edge::between(&member(a), &member(b))
    }

    #[test]
    fn a_report_with_a_failure_or_a_skipped_edge_is_not_complete() {
        assert!(EdgeReport::default().is_complete());
        assert_eq!(EdgeReport::default().error(), None);
        let skipped = EdgeReport {
            skipped_missing_members: vec![edge("a", "b")],
            ..EdgeReport::default()
        };
        assert!(!skipped.is_complete());
        let failure = EdgeFailure {
            edge: edge("c", "d"),
            operation: EdgeOperation::Wire,
            error: "no".into(),
        };
        let report = ApplyReport {
            failures: vec![Failure {
                object: "member/x".into(),
                operation: Operation::Spawn,
                error: "no engine".into(),
            }],
            edges: EdgeReport {
                failures: vec![failure],
                ..skipped
            },
            ..ApplyReport::default()
        };
        assert!(!report.is_complete());
        assert_eq!(report.failure_count(), 2);
        let expected = ErrorEvent::ReconcileIncomplete {
            failures: vec![
                "spawn member/x: no engine".into(),
                "wire edge/c+d: no".into(),
            ],
            skipped: vec!["edge/a+b: an end is missing".into()],
        };
        assert_eq!(report.error(), Some(expected));
    }

    #[test]
    fn steps_are_counted_once_each() {
        let report = ApplyReport {
            retained: vec![member("a"), member("b"), member("c")],
            updated: vec![member("b"), member("d")],
            respawned: vec![member("d")],
            ..ApplyReport::default()
        };
        let expected = [("respawn", 1), ("retain", 2), ("update", 2)];
        assert_eq!(
            report.steps(),
            expected.map(|(verb, n)| (verb.to_owned(), n)).into()
        );
    }

    #[test]
    fn steps_on_modules_are_counted_too() {
        let module = |id: &str| ModuleId::parse(id).expect("an id");
        let report = ApplyReport {
            modules_started: vec![module("a"), module("b")],
            modules_stopped: vec![module("c")],
            modules_restarted: vec![module("d")],
            ..ApplyReport::default()
        };
        let expected = [
            ("module_restart", 1),
            ("module_start", 2),
            ("module_stop", 1),
        ];
        assert_eq!(
            report.steps(),
            expected.map(|(verb, n)| (verb.to_owned(), n)).into()
        );
    }

    #[test]
    fn a_report_has_the_names_that_hosts_read() {
        let report = EdgeReport {
            failures: vec![EdgeFailure {
                edge: edge("b", "a"),
                operation: EdgeOperation::Unwire,
                error: "no".into(),
            }],
            ..EdgeReport::default()
        };
        let json = serde_json::json!({
            "desired_edges": [], "wired_edges": [], "retained_edges": [], "unwired_edges": [],
            "preexisting_edges": [], "skipped_missing_members": [],
            "pruned_stale_managed_edges": [],
            "failures": [{"edge": {"a": "a", "b": "b"}, "operation": "unwire", "error": "no"}],
        });
        assert_eq!(serde_json::to_value(report).expect("json"), json);
    }
}
