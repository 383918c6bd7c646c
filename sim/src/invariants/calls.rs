//! A call with an effect is made at most once; what has ended has happened.

use super::Seen;
use crate::outside::Fact;
use crate::run::Run;
use mobkit::event::{Event, ResolveHow, ToolEffect};
use mobkit::id::CallId;
use std::collections::BTreeMap;

/// A call in the journal.
#[derive(Default)]
struct Call {
    effect: Option<ToolEffect>,
    starts: usize,
    /// How often a person had it made again.
    runs: usize,
    ends: usize,
    finished: bool,
    resolved: bool,
}

/// What does not hold of calls.
pub(super) fn broken(seen: &Seen, run: &Run) -> Vec<String> {
    let mut calls: BTreeMap<CallId, Call> = BTreeMap::new();
    for envelope in &seen.events {
        match &envelope.event {
            Event::ToolStarted(e) => {
                let call = calls.entry(e.call).or_default();
                call.starts += 1;
                call.effect = Some(e.effect);
            }
            Event::ToolFinished(e) => {
                let call = calls.entry(e.call).or_default();
                call.ends += 1;
                call.finished = true;
            }
            Event::ToolFailed(e) => calls.entry(e.call).or_default().ends += 1,
            Event::ToolRefused(e) => calls.entry(e.call).or_default().ends += 1,
            Event::ToolResolved(e) => {
                let call = calls.entry(e.call).or_default();
                call.resolved = true;
                call.runs += usize::from(e.how == ResolveHow::Run);
            }
            _ => {}
        }
    }
    let mut happened: BTreeMap<CallId, (usize, String)> = BTreeMap::new();
    for fact in run.outside.facts() {
        if let Fact::Call { call, tool } = fact {
            happened.entry(call).or_insert((0, tool)).0 += 1;
        }
    }
    let mut broken = Vec::new();
    for (id, call) in &calls {
        if call.ends > 1 {
            broken.push(format!("{id} ended {} times", call.ends));
        }
        if call.effect == Some(ToolEffect::Effect) && call.starts > 1 + call.runs {
            broken.push(format!("{id} was begun {} times", call.starts));
        }
    }
    for (id, (times, tool)) in &happened {
        let Some(call) = calls.get(id) else {
            broken.push(format!("{id} happened and was never begun"));
            continue;
        };
        if call.starts == 0 {
            broken.push(format!("{id} happened before its intent was recorded"));
        }
        if tool.ends_with("/pay") && *times > 1 {
            broken.push(format!("{id} happened {times} times"));
        }
    }
    for (id, call) in calls.iter().filter(|(_, call)| call.finished) {
        let of_module = call.effect.is_some() && !call.resolved;
        let is_known = seen.events.iter().any(|envelope| match &envelope.event {
            Event::ToolStarted(e) => e.call == *id && e.tool.starts_with("module:"),
            _ => false,
        });
        if of_module && is_known && !happened.contains_key(id) {
            broken.push(format!("{id} finished and never happened"));
        }
    }
    broken
}
