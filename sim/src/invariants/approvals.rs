//! What somebody let pass is made at most once, and what nobody let pass is not made.

use super::Seen;
use mobkit::event::{Event, Expiry, Verdict};
use mobkit::id::{ApprovalId, CallId};
use std::collections::{BTreeMap, BTreeSet};

/// What does not hold of approvals.
pub(super) fn broken(seen: &Seen) -> Vec<String> {
    let mut broken = Vec::new();
    let mut waiting: BTreeMap<CallId, BTreeSet<ApprovalId>> = BTreeMap::new();
    let mut decided: BTreeMap<ApprovalId, Verdict> = BTreeMap::new();
    let mut asked = BTreeSet::new();
    let mut closed = BTreeSet::new();
    for envelope in &seen.events {
        match &envelope.event {
            Event::ApprovalRequested(e) => {
                if !asked.insert(e.approval) {
                    broken.push(format!("{} was asked twice", e.approval));
                }
                waiting.entry(e.call).or_default().insert(e.approval);
            }
            Event::ApprovalDecided(e) => {
                if decided.insert(e.approval, e.decision).is_some() {
                    broken.push(format!("{} was decided twice", e.approval));
                }
                closed.insert(e.approval);
                waiting.entry(e.call).or_default().remove(&e.approval);
            }
            Event::ApprovalExpired(e) if e.outcome != Expiry::Held => {
                closed.insert(e.approval);
                waiting.entry(e.call).or_default().remove(&e.approval);
            }
            Event::ToolStarted(e) => {
                let open = waiting.get(&e.call).is_some_and(|open| !open.is_empty());
                if open {
                    broken.push(format!("{} was made while it waited for a person", e.call));
                }
                let verdict = e.approval.map(|approval| decided.get(&approval));
                if matches!(verdict, Some(None | Some(Verdict::Deny))) {
                    broken.push(format!("{} was made although nobody let it pass", e.call));
                }
            }
            _ => {}
        }
    }
    for approval in asked.difference(&closed) {
        broken.push(format!("{approval} has no end"));
    }
    broken
}
