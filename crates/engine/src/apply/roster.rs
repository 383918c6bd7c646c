//! The steps of a plan that are about members.

use crate::engine::Engine;
use mobkit_domain::command::{Command, MemberCommand};
use mobkit_domain::event::{ErrorEvent, RetireMode};
use mobkit_domain::id::MemberId;
use mobkit_domain::plan::{ApplyReport, Failure, Operation, Plan, RosterPlan};
use mobkit_domain::principal::Principal;
use std::collections::BTreeSet;

impl Engine {
    pub(super) async fn carry_out_roster(
        &self,
        actor: &Principal,
        plan: &Plan,
        report: &mut ApplyReport,
    ) {
        let roster = plan.roster();
        report.retained = roster.retain.iter().map(|r| r.member.clone()).collect();
        let steps = roster_steps(roster);
        let asked = steps
            .iter()
            .map(|(_, _, command)| self.order(actor, Command::Member(command.clone())));
        let answers = futures::future::join_all(asked).await;
        for ((operation, member, _), answer) in steps.into_iter().zip(answers) {
            if let Err(refusal) = answer {
                if let Some(spawn) = roster.spawn.iter().find(|s| s.spec.id == member) {
                    let profile = spawn.spec.profile.clone();
                    let (member, error) = (member.clone(), refusal.to_string());
                    self.raise(ErrorEvent::SpawnFailure {
                        member,
                        profile,
                        error,
                    })
                    .await;
                }
                let object = format!("member/{member}");
                report.failures.push(Failure {
                    object,
                    operation,
                    error: refusal.to_string(),
                });
                continue;
            }
            match operation {
                Operation::Spawn => report.spawned.push(member),
                Operation::Respawn => report.respawned.push(member),
                Operation::Retire => report.retired.push(member),
                _ => report.updated.push(member),
            }
        }
        let respawned: BTreeSet<&MemberId> = report.respawned.iter().collect();
        let kept = report
            .updated
            .iter()
            .filter(|m| !respawned.contains(m))
            .cloned();
        report.retained.extend(kept.collect::<Vec<_>>());
        report.retained.sort();
    }
}

fn roster_steps(roster: &RosterPlan) -> Vec<(Operation, MemberId, MemberCommand)> {
    let mut steps = Vec::new();
    for retire in &roster.retire {
        let (member, mode) = (retire.member.clone(), RetireMode::Drain);
        let reason = Some(retire.reason.clone());
        let command = MemberCommand::Retire {
            member,
            mode,
            reason,
        };
        steps.push((Operation::Retire, retire.member.clone(), command));
    }
    for update in &roster.update {
        let command = MemberCommand::Update {
            member: update.member.clone(),
            labels: update.labels.clone(),
            context: update.context.clone(),
            additional_instructions: update.additional_instructions.clone(),
            origin: update.origin,
        };
        steps.push((Operation::Update, update.member.clone(), command));
    }
    for respawn in &roster.respawn {
        let command = MemberCommand::Respawn {
            member: respawn.member.clone(),
            profile: Some(respawn.profile.clone()),
            reason: respawn.reason.clone(),
        };
        steps.push((Operation::Respawn, respawn.member.clone(), command));
    }
    for spawn in &roster.spawn {
        let command = MemberCommand::Spawn {
            spec: Box::new(spawn.spec.clone()),
            origin: spawn.origin,
            ensure: false,
            wire: false,
        };
        steps.push((Operation::Spawn, spawn.spec.id.clone(), command));
    }
    steps
}
