//! The plan of the roster: who joins, who changes, who stays and who leaves.

use super::problem::{RosterError, namer, problems};
use super::step::{Operation, PlanStep, Survives};
use crate::definition::MemberSpec;
use crate::event::MemberOrigin;
use crate::id::{MemberId, ProfileId, SessionId};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A member that should exist, and who says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// What it should be.
    pub spec: MemberSpec,
    /// Who wants it: the mob file or discovery.
    pub origin: MemberOrigin,
}

/// Whether a member is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there.
    Present,
    /// It takes no further message and leaves once its work is done.
    Retiring,
    /// It has left.
    Retired,
}

/// A member as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Actual {
    /// Its lasting identity.
    pub id: MemberId,
    /// Its role.
    pub profile: ProfileId,
    /// Whether the profile says something else now than when the member last got process state.
    pub profile_changed: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Data given to the agent.
    pub context: Value,
    /// Instructions beside those of the profile.
    pub additional_instructions: Vec<String>,
    /// Its session.
    pub session: SessionId,
    /// Who wanted it.
    pub origin: MemberOrigin,
    /// Whether it is there.
    pub presence: Presence,
}

/// What specs may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The profiles of the definition.
    pub profiles: &'a BTreeSet<ProfileId>,
    /// Every session that a member can go on with.
    pub sessions: &'a BTreeSet<SessionId>,
}

/// A member that joins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spawn {
    /// What it will be.
    pub spec: MemberSpec,
    /// Who wants it.
    pub origin: MemberOrigin,
    /// Why.
    pub reason: String,
}

impl Spawn {
    /// What it goes on with: the session that its spec names, or nothing.
    pub fn survives(&self) -> Survives {
        if self.spec.session.is_some() {
            Survives::Session
        } else {
            Survives::Nothing
        }
    }
}

/// A member that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retain {
    /// The member.
    pub member: MemberId,
    /// Why.
    pub reason: String,
}

/// A member that changes in place; its session stays.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Update {
    /// The member.
    pub member: MemberId,
    /// Its labels from here on, if they change.
    pub labels: Option<BTreeMap<String, String>>,
    /// Its context from here on, if it changes.
    pub context: Option<Value>,
    /// Its additional instructions from here on, if they change.
    pub additional_instructions: Option<Vec<String>>,
    /// Who wants it from here on, if that changes.
    pub origin: Option<MemberOrigin>,
    /// Why.
    pub reason: String,
}

/// A member that gets fresh process state; its session stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Respawn {
    /// The member.
    pub member: MemberId,
    /// Its role from here on.
    pub profile: ProfileId,
    /// Why.
    pub reason: String,
}

/// A member that leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retire {
    /// The member.
    pub member: MemberId,
    /// Why.
    pub reason: String,
}

/// What has to be done to the roster. A member is in one list, but for one that changes in place
/// and is respawned too: it is in both, and the update comes first. Every list is in the order of
/// ids.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RosterPlan {
    /// Members that join.
    pub spawn: Vec<Spawn>,
    /// Members that stay as they are.
    pub retain: Vec<Retain>,
    /// Members that change in place.
    pub update: Vec<Update>,
    /// Members that get fresh process state.
    pub respawn: Vec<Respawn>,
    /// Members that leave.
    pub retire: Vec<Retire>,
    /// How many members are present before the plan, helpers aside.
    pub present: usize,
    /// How many of those that leave are helpers, which no guard counts.
    #[serde(skip_serializing_if = "is_zero")]
    pub helpers_retired: usize,
    /// Who is present after the plan, with their roles.
    pub after: BTreeMap<MemberId, ProfileId>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The difference between the desired and the actual roster.
///
/// * Desired and not there: spawn. The session of a spec matters only here; a member that is
///   there goes on with its own.
/// * Its profile is another one, or says something else: respawn.
/// * Labels, context, additional instructions or origin differ: update in place.
/// * There and no longer desired: retire, unless an operator spawned it. One that is leaving
///   already is left to it; one that is wanted again while it leaves is spawned, which fails
///   until it is gone.
/// * A helper is nobody's to plan: it stays as long as the definition has its profile.
///
/// Two specs of one id, an unknown profile, and a session that is unknown or somebody else's make
/// the whole roster impossible; the error names every such problem.
pub fn roster_plan(
    desired: &[Desired],
    actual: &[Actual],
    known: Known<'_>,
) -> Result<RosterPlan, RosterError> {
    let problems = problems(desired, actual, known);
    if !problems.is_empty() {
        return Err(RosterError { problems });
    }
    let wanted: BTreeMap<_, _> = desired.iter().map(|d| (&d.spec.id, d)).collect();
    let is_left_alone =
        |a: &&Actual| a.origin == MemberOrigin::Helper && known.profiles.contains(&a.profile);
    let there: BTreeMap<_, _> = actual
        .iter()
        .filter(|a| !is_left_alone(a))
        .map(|a| (&a.id, a))
        .collect();
    let present = actual
        .iter()
        .filter(|a| a.presence == Presence::Present && a.origin != MemberOrigin::Helper)
        .count();
    let mut plan = RosterPlan {
        present,
        ..RosterPlan::default()
    };
    let ids: BTreeSet<_> = wanted.keys().chain(there.keys()).copied().collect();
    for id in ids {
        match (wanted.get(id), there.get(id)) {
            (Some(desired), Some(actual)) if actual.presence == Presence::Present => {
                plan.keep(desired, actual);
            }
            (Some(desired), actual) => plan.join(desired, actual.map(|a| a.presence)),
            (None, Some(actual)) if actual.presence == Presence::Present => plan.leave(actual),
            (None, _) => {}
        }
    }
    Ok(plan)
}

impl RosterPlan {
    fn join(&mut self, desired: &Desired, presence: Option<Presence>) {
        let by = namer(desired.origin);
        let reason = match presence {
            None => format!("{by} names it, and it is not there"),
            Some(Presence::Retired) => format!("{by} names it, and it was retired"),
            Some(Presence::Present | Presence::Retiring) => {
                format!("{by} names it; it is leaving and can come back once it is gone")
            }
        };
        self.after
            .insert(desired.spec.id.clone(), desired.spec.profile.clone());
        self.spawn.push(Spawn {
            spec: desired.spec.clone(),
            origin: desired.origin,
            reason,
        });
    }

    fn keep(&mut self, desired: &Desired, actual: &Actual) {
        let (member, profile) = (actual.id.clone(), desired.spec.profile.clone());
        self.after.insert(member.clone(), profile.clone());
        let update = update(desired, actual);
        let reason = if profile != actual.profile {
            Some(format!(
                "its profile changes from {} to {profile}",
                actual.profile
            ))
        } else if actual.profile_changed {
            Some(format!("its profile {profile} has changed"))
        } else {
            None
        };
        if update.is_none() && reason.is_none() {
            let reason = "nothing about it changes".to_owned();
            self.retain.push(Retain {
                member: member.clone(),
                reason,
            });
        }
        self.update.extend(update);
        self.respawn.extend(reason.map(|reason| Respawn {
            member,
            profile,
            reason,
        }));
    }

    fn leave(&mut self, actual: &Actual) {
        let member = actual.id.clone();
        match actual.origin {
            MemberOrigin::Operator => {
                self.after.insert(member.clone(), actual.profile.clone());
                let reason = "an operator spawned it, so no plan retires it".to_owned();
                self.retain.push(Retain { member, reason });
            }
            MemberOrigin::Helper => {
                let reason = format!(
                    "the definition no longer has its profile {}",
                    actual.profile
                );
                self.helpers_retired += 1;
                self.retire.push(Retire { member, reason });
            }
            MemberOrigin::Definition | MemberOrigin::Discovery => {
                let reason = format!("{} no longer names it", namer(actual.origin));
                self.retire.push(Retire { member, reason });
            }
        }
    }

    /// How many members leave, helpers aside.
    pub(super) fn leaving(&self) -> usize {
        self.retire.len() - self.helpers_retired
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.spawn.is_empty()
            && self.update.is_empty()
            && self.respawn.is_empty()
            && self.retire.is_empty()
    }

    /// The members that are present after the plan.
    pub fn present_after(&self) -> BTreeSet<MemberId> {
        self.after.keys().cloned().collect()
    }

    /// The steps for people, verb by verb.
    pub(super) fn outline(&self) -> impl Iterator<Item = PlanStep> {
        let session = Survives::Session;
        let spawn = self.spawn.iter().map(|step| {
            outline(
                &step.spec.id,
                Operation::Spawn,
                &step.reason,
                step.survives(),
            )
        });
        let retain = self.retain.iter();
        let retain = retain.map(move |s| outline(&s.member, Operation::Retain, &s.reason, session));
        let update = self.update.iter();
        let update = update.map(move |s| outline(&s.member, Operation::Update, &s.reason, session));
        let respawn = self.respawn.iter();
        let respawn =
            respawn.map(move |s| outline(&s.member, Operation::Respawn, &s.reason, session));
        let retire = self.retire.iter();
        let retire =
            retire.map(|s| outline(&s.member, Operation::Retire, &s.reason, Survives::Nothing));
        spawn
            .chain(retain)
            .chain(update)
            .chain(respawn)
            .chain(retire)
    }
}

fn outline(member: &MemberId, operation: Operation, reason: &str, survives: Survives) -> PlanStep {
    PlanStep {
        object: format!("member/{member}"),
        operation,
        reason: reason.to_owned(),
        survives: Some(survives),
    }
}

fn update(desired: &Desired, actual: &Actual) -> Option<Update> {
    let spec = &desired.spec;
    let mut changes = Vec::new();
    let mut differs = |what: &'static str, differs: bool| {
        if differs {
            changes.push(what);
        }
        differs
    };
    let labels = differs("its labels", spec.labels != actual.labels);
    let context = differs("its context", spec.context != actual.context);
    let instructions = differs(
        "its additional instructions",
        spec.additional_instructions != actual.additional_instructions,
    );
    let origin = differs("who names it", desired.origin != actual.origin);
    if changes.is_empty() {
        return None;
    }
    Some(Update {
        member: actual.id.clone(),
        labels: labels.then(|| spec.labels.clone()),
        context: context.then(|| spec.context.clone()),
        additional_instructions: instructions.then(|| spec.additional_instructions.clone()),
        origin: origin.then_some(desired.origin),
        reason: format!("changed: {}", changes.join(", ")),
    })
}

#[cfg(test)]
mod tests;
