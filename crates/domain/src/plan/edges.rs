//! The plan of edges: which to wire, which to unwire, and which to leave to those who made them.

use super::report::{EdgeFailure, EdgeReport};
use super::step::{Operation, PlanStep};
use crate::edge::Edge;
use crate::event::EdgeOrigin;
use crate::id::MemberId;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the plan of edges is made of.
#[derive(Debug, Clone, Copy)]
pub struct EdgeWorld<'a> {
    /// What edge discovery asks for; `None` where there is no edge discovery, and then its edges
    /// stay as they are.
    pub discovered: Option<&'a BTreeSet<Edge>>,
    /// What the mob file asks for.
    pub declared: &'a BTreeSet<Edge>,
    /// The edges that are wired now, each with its owner.
    pub wired: &'a BTreeMap<Edge, EdgeOrigin>,
    /// The durable set of edges that edge discovery counts as its own; some may not be wired now.
    pub managed: &'a BTreeSet<Edge>,
    /// The members that are present.
    pub present: &'a BTreeSet<MemberId>,
}

/// An edge that is to be wired or unwired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdgeStep {
    /// The edge.
    pub edge: Edge,
    /// Wire: who owns it from here on. Unwire: who owns it now.
    pub origin: EdgeOrigin,
}

/// What has to be done to the edges. Each edge is in one list at most, apart from `desired`;
/// every list is in the order of the edges.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EdgePlan {
    /// Edges to wire.
    pub wire: Vec<EdgeStep>,
    /// Edges to unwire; edge discovery forgets its own among them.
    pub unwire: Vec<EdgeStep>,
    /// Edges that edge discovery forgets: gone, or an end of theirs is gone.
    pub prune: Vec<Edge>,
    /// All edges that the mob file or edge discovery asks for.
    pub desired: Vec<Edge>,
    /// Desired edges that are wired by the one who asks for them.
    pub retained: Vec<Edge>,
    /// Desired edges that somebody else has wired: never claimed, and not unwired by who asks.
    pub preexisting: Vec<Edge>,
    /// Desired edges without both ends in the mob.
    pub skipped: Vec<Edge>,
}

enum Outcome {
    Wire(EdgeOrigin),
    Unwire(EdgeOrigin),
    Prune,
    Retain,
    Preexisting,
    Skip,
}

impl EdgeWorld<'_> {
    fn is_discovered(&self, edge: &Edge) -> bool {
        self.discovered.is_some_and(|edges| edges.contains(edge))
    }

    fn has_both_ends(&self, edge: &Edge) -> bool {
        self.present.contains(&edge.a) && self.present.contains(&edge.b)
    }

    fn desired(&self) -> BTreeSet<&Edge> {
        self.declared
            .iter()
            .chain(self.discovered.into_iter().flatten())
            .collect()
    }

    /// The outcome of an edge that somebody asks for.
    fn wanted(&self, edge: &Edge) -> Outcome {
        if !self.has_both_ends(edge) {
            return Outcome::Skip;
        }
        let (is_declared, is_discovered) = (self.declared.contains(edge), self.is_discovered(edge));
        match self.wired.get(edge) {
            None if is_declared => Outcome::Wire(EdgeOrigin::Static),
            None => Outcome::Wire(EdgeOrigin::Managed),
            Some(EdgeOrigin::Static) if is_declared && !is_discovered => Outcome::Retain,
            Some(EdgeOrigin::Managed) if is_discovered => Outcome::Retain,
            Some(
                EdgeOrigin::Static
                | EdgeOrigin::Managed
                | EdgeOrigin::Operator
                | EdgeOrigin::Helper,
            ) => Outcome::Preexisting,
        }
    }

    /// The outcome of an edge that nobody asks for. The mark of edge discovery counts for nothing
    /// on an edge that somebody else has wired since.
    fn unwanted(&self, edge: &Edge) -> Option<Outcome> {
        match self.wired.get(edge) {
            Some(EdgeOrigin::Operator | EdgeOrigin::Helper) => None,
            Some(EdgeOrigin::Static) => Some(Outcome::Unwire(EdgeOrigin::Static)),
            Some(EdgeOrigin::Managed) | None if self.discovered.is_none() => None,
            Some(EdgeOrigin::Managed) if self.has_both_ends(edge) => {
                Some(Outcome::Unwire(EdgeOrigin::Managed))
            }
            Some(EdgeOrigin::Managed) => Some(Outcome::Prune),
            None => self.managed.contains(edge).then_some(Outcome::Prune),
        }
    }
}

/// The difference between the edges that are desired and those that are wired.
///
/// An edge belongs to who wired it first, and stays as long as anybody asks for it. An operator's
/// edge is never in a step. Where the mob file and edge discovery both ask for an edge that is
/// not wired, it becomes the mob file's.
pub fn edge_plan(world: &EdgeWorld<'_>) -> EdgePlan {
    let desired = world.desired();
    let all: BTreeSet<&Edge> = desired
        .iter()
        .copied()
        .chain(world.wired.keys())
        .chain(world.managed)
        .collect();
    let mut plan = EdgePlan {
        desired: desired.iter().copied().cloned().collect(),
        ..EdgePlan::default()
    };
    for edge in all {
        let is_desired = desired.contains(edge);
        let outcome = if is_desired {
            Some(world.wanted(edge))
        } else {
            world.unwanted(edge)
        };
        let edge = edge.clone();
        match outcome {
            Some(Outcome::Wire(origin)) => plan.wire.push(EdgeStep { edge, origin }),
            Some(Outcome::Unwire(origin)) => plan.unwire.push(EdgeStep { edge, origin }),
            Some(Outcome::Prune) => plan.prune.push(edge),
            Some(Outcome::Retain) => plan.retained.push(edge),
            Some(Outcome::Preexisting) => plan.preexisting.push(edge),
            Some(Outcome::Skip) => plan.skipped.push(edge),
            None => {}
        }
    }
    plan
}

impl EdgePlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.wire.is_empty() && self.unwire.is_empty() && self.prune.is_empty()
    }

    /// The report of this plan once it was applied: what failed is among the failures only.
    pub fn report(&self, failures: Vec<EdgeFailure>) -> EdgeReport {
        let failed: BTreeSet<&Edge> = failures.iter().map(|failure| &failure.edge).collect();
        let done = |edges: &mut dyn Iterator<Item = &Edge>| -> Vec<Edge> {
            edges
                .filter(|edge| !failed.contains(edge))
                .cloned()
                .collect()
        };
        EdgeReport {
            desired_edges: self.desired.clone(),
            wired_edges: done(&mut self.wire.iter().map(|step| &step.edge)),
            retained_edges: self.retained.clone(),
            unwired_edges: done(&mut self.unwire.iter().map(|step| &step.edge)),
            preexisting_edges: self.preexisting.clone(),
            skipped_missing_members: self.skipped.clone(),
            pruned_stale_managed_edges: done(&mut self.prune.iter()),
            failures,
        }
    }

    /// The steps for people: those that change something.
    pub(super) fn outline(&self) -> impl Iterator<Item = PlanStep> {
        let wire = self.wire.iter().map(|step| {
            let reason = match step.origin {
                EdgeOrigin::Static => "the mob file asks for it",
                EdgeOrigin::Managed => "edge discovery asks for it",
                EdgeOrigin::Operator => "an operator asks for it",
                EdgeOrigin::Helper => "a member delegates over it",
            };
            outline(&step.edge, Operation::Wire, reason)
        });
        let unwire = self.unwire.iter().map(|step| {
            let reason = match step.origin {
                EdgeOrigin::Static => "the mob file no longer asks for it",
                EdgeOrigin::Managed => "edge discovery no longer asks for it",
                EdgeOrigin::Operator => "an operator no longer asks for it",
                EdgeOrigin::Helper => "nobody delegates over it any longer",
            };
            outline(&step.edge, Operation::Unwire, reason)
        });
        let prune = self.prune.iter().map(|edge| {
            let reason = "edge discovery no longer asks for it, and it or one of its ends is gone";
            outline(edge, Operation::Prune, reason)
        });
        wire.chain(unwire).chain(prune)
    }
}

fn outline(edge: &Edge, operation: Operation, reason: &str) -> PlanStep {
    PlanStep {
        object: format!("edge/{edge}"),
        operation,
        reason: reason.to_owned(),
        survives: None,
    }
}

#[cfg(test)]
mod tests;
