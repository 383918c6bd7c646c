//! What can only be seen when several parts are looked at together.

use super::flow::StepTarget;
use super::gate::Gate;
use super::graph::cycles;
use super::mob::Definition;
use super::model::Model;
use super::profile::{Budget, Profile};
use super::report::{Finding, Report};
use super::route::Sink;
use super::schedule::{Schedule, ScheduleTarget};
use crate::id::{ModelId, ProfileId};
use std::collections::{BTreeMap, BTreeSet};

/// Reports models that fall back to each other in a circle.
pub(super) fn fallback_cycles(cx: &mut Report<'_>, models: &BTreeMap<ModelId, Model>) {
    let mut arrows = Vec::new();
    let mut paths = Vec::new();
    for (id, model) in models {
        for (i, next) in model.fallback.iter().enumerate() {
            arrows.push((id.as_str(), next.as_str()));
            paths.push(format!("models.{id}.fallback[{i}]"));
        }
    }
    for (i, names) in cycles(&arrows) {
        let way = names.join(" to ");
        let message = format!("models fall back in a circle: {way}");
        let finding = Finding::new("fallback_cycle", &cx.span_of(&paths[i]), message);
        cx.error(
            finding
                .label("closes the circle")
                .hint_str("remove one of these fallbacks"),
        );
    }
}

/// Reports what a file without errors probably does not mean.
pub(super) fn warnings(cx: &mut Report<'_>, definition: &Definition) {
    for (i, gate) in definition.gates.iter().enumerate() {
        if !matches_anything(gate, definition) {
            let message = format!("gate {} matches no tool that anybody is offered", i + 1);
            let finding = Finding::new(
                "gate_matches_nothing",
                &cx.span_of(&format!("gates[{i}].tool")),
                message,
            );
            let hint = "check the pattern against the \"tools\" of the profiles";
            cx.warning(finding.label("guards nothing").hint_str(hint));
        }
    }
    for (i, schedule) in definition.schedules.iter().enumerate() {
        let Some(profile) = unbudgeted(schedule, definition) else {
            continue;
        };
        let message = format!(
            "schedule {:?} starts turns of profile {:?}, which has no budget",
            schedule.id.as_str(),
            profile.as_str()
        );
        let span = cx.span_of(&format!("schedules[{i}].to"));
        let finding = Finding::new("schedule_unbudgeted", &span, message);
        let hint = format!("add budget = {{ usd_per_day = 5.0 }} to [profiles.{profile}]");
        cx.warning(
            finding
                .label("runs unattended and without a bound")
                .hint(hint),
        );
    }
    for (id, profile) in &definition.profiles {
        if profile.budget.usd_per_day.is_none() {
            continue;
        }
        let mut answering = definition.models_for(&profile.model).into_iter();
        let unpriced = answering.find(|id| definition.models[*id].price.is_none());
        if let Some(unpriced) = unpriced {
            let which = if *unpriced == profile.model {
                "model"
            } else {
                "the fallback model"
            };
            let message = format!(
                "profile {:?} has a budget in USD, but {which} {:?} has no price",
                id.as_str(),
                unpriced.as_str()
            );
            let span = cx.span_of(&format!("profiles.{id}.budget.usd_per_day"));
            let finding = Finding::new("budget_unpriced", &span, message);
            let hint = format!("add price = {{ input = …, output = … }} to [models.{unpriced}]");
            cx.warning(finding.label("cannot be counted").hint(hint));
        }
    }
}

fn matches_anything(gate: &Gate, definition: &Definition) -> bool {
    let everybody = gate.profiles.is_empty() && gate.members.is_empty();
    let named = |id: &ProfileId| {
        let mut members = definition
            .members
            .iter()
            .filter(|member| member.profile == *id);
        gate.profiles.contains(id) || members.any(|member| gate.members.contains(&member.id))
    };
    // A delivery reaches the tool that its route calls.
    let mut routes = definition.routes.iter();
    let behind_route = routes.any(|route| match &route.sink {
        Sink::Module { module, tool } => gate.tool.matches(&format!("module:{module}/{tool}")),
        Sink::Member { .. } | Sink::Webhook { .. } | Sink::Email { .. } | Sink::File { .. } => {
            false
        }
    });
    let mut profiles = definition.profiles.iter();
    profiles.any(|(id, profile)| {
        let offered = profile.tools.iter().any(|tool| gate.tool.meets(tool));
        (everybody || named(id)) && (offered || (behind_route && profile.offers("deliver")))
    })
}

/// A profile without any budget whose members this schedule sets to work.
fn unbudgeted<'a>(schedule: &Schedule, definition: &'a Definition) -> Option<&'a ProfileId> {
    let mut members = BTreeSet::new();
    let mut roles = BTreeSet::new();
    match &schedule.to {
        ScheduleTarget::Member(member) => {
            members.insert(member);
        }
        ScheduleTarget::Flow(flow) => {
            for step in definition
                .flows
                .get(flow)
                .into_iter()
                .flat_map(|flow| &flow.steps)
            {
                match &step.to {
                    StepTarget::Member(member) => members.insert(member),
                    StepTarget::Role { role, .. } => roles.insert(role),
                };
            }
        }
        ScheduleTarget::Module { .. } | ScheduleTarget::Route(_) => {}
    }
    let working = definition
        .members
        .iter()
        .filter(|member| members.contains(&member.id));
    roles.extend(working.map(|member| &member.profile));
    let unbounded = |profile: &Profile| profile.budget == Budget::default();
    let mut profiles = definition.profiles.iter();
    profiles
        .find(|(id, profile)| roles.contains(id) && unbounded(profile))
        .map(|(id, _)| id)
}
