//! The steps of a plan that are about edges.

use super::plan::{hook_refusal, present};
use crate::engine::Engine;
use crate::hooks::guarded;
use mobkit_domain::command::{Command, EdgeCommand};
use mobkit_domain::definition::Definition;
use mobkit_domain::edge::Edge;
use mobkit_domain::event::{EdgeOperation, UnwireReason};
use mobkit_domain::id::{MemberId, ProfileId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::plan::{
    EdgeFailure, EdgePlan, EdgeReport, EdgeWorld, discovered_edges, edge_plan, static_edges,
};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Engine {
    /// Brings the edges to what the mob file and edge discovery want; the members stay as they are.
    pub async fn reconcile_edges(&self, actor: &Principal) -> Result<EdgeReport, Refusal> {
        self.phase().check(Verb::Mutate)?;
        let _single = self.shared.reconcile.lock().await;
        let definition = self.view(|world| Arc::clone(&world.definition));
        let members = self.view(present);
        let ids: Vec<MemberId> = members.keys().cloned().collect();
        let discovered = self.discover_edges(&ids).await?;
        let report = self
            .carry_out_edges(actor, &definition, discovered.as_ref())
            .await;
        if let Some(error) = report.error() {
            self.raise(error).await;
        }
        Ok(report)
    }

    pub(super) async fn discover_edges(
        &self,
        members: &[MemberId],
    ) -> Result<Option<BTreeSet<Edge>>, Refusal> {
        let Some(discovery) = &self.shared.hooks.edge_discovery else {
            return Ok(None);
        };
        let found = guarded("edge discovery", || discovery.edges(members)).await;
        let found = found.flatten().map_err(|e| hook_refusal(&e))?;
        Ok(Some(discovered_edges(&found)?))
    }

    pub(super) async fn carry_out_edges(
        &self,
        actor: &Principal,
        definition: &Definition,
        discovered: Option<&BTreeSet<Edge>>,
    ) -> EdgeReport {
        // Planned again, for the members that are really there by now.
        let plan = self.view(|world| edges_for(world, definition, discovered, &present(world)));
        let mut steps = Vec::new();
        for step in &plan.wire {
            let command = EdgeCommand::Wire {
                edge: step.edge.clone(),
                origin: step.origin,
            };
            steps.push((&step.edge, EdgeOperation::Wire, command));
        }
        for step in &plan.unwire {
            let reason = UnwireReason::NotDesired;
            let command = EdgeCommand::Unwire {
                edge: step.edge.clone(),
                reason,
            };
            steps.push((&step.edge, EdgeOperation::Unwire, command));
        }
        for edge in &plan.prune {
            let reason = UnwireReason::Pruned;
            let command = EdgeCommand::Unwire {
                edge: edge.clone(),
                reason,
            };
            steps.push((edge, EdgeOperation::Unwire, command));
        }
        let asked = steps
            .iter()
            .map(|(_, _, command)| self.order(actor, Command::Edge(command.clone())));
        let answers = futures::future::join_all(asked).await;
        let failures = steps
            .iter()
            .zip(answers)
            .filter_map(|((edge, operation, _), answer)| {
                let error = answer.err()?.to_string();
                Some(EdgeFailure {
                    edge: (*edge).clone(),
                    operation: *operation,
                    error,
                })
            });
        plan.report(failures.collect())
    }
}

pub(super) fn edges_for(
    world: &World,
    definition: &Definition,
    discovered: Option<&BTreeSet<Edge>>,
    roster: &BTreeMap<MemberId, ProfileId>,
) -> EdgePlan {
    let wiring = &definition.wiring;
    let declared = static_edges(&wiring.roles, &wiring.edges, roster);
    let present: BTreeSet<MemberId> = roster.keys().cloned().collect();
    edge_plan(&EdgeWorld {
        discovered,
        declared: &declared,
        wired: &world.state.wired,
        managed: &world.state.managed,
        present: &present,
    })
}
