//! What retention has forgotten, and what it must leave.

use super::{MemberMode, State};
use crate::event::{Cut, MobTrimmed};
use crate::id::Seq;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What retention has forgotten so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trimmed {
    /// Events, the latest cut.
    pub events: Cut,
    /// Log lines, the latest cut.
    pub logs: Cut,
    /// When the latest cut was decided.
    pub at: Time,
}

/// Events of one subject that a session is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Only events about this, `noun/id`.
    pub subject: String,
    /// Only events after this position.
    pub after: Seq,
    /// Only events up to this position.
    pub until: Seq,
}

impl Stretch {
    /// Whether an event is part of it.
    pub fn holds(&self, subject: &str, seq: Seq) -> bool {
        self.after < seq && seq <= self.until && self.subject == subject
    }
}

impl State {
    /// The first position that open work still needs; `head + 1` where none is open. What is below
    /// it may be forgotten, except for [`sessions_need`](Self::sessions_need).
    pub fn work_needs(&self) -> Seq {
        let messages = self.messages.keys().map(|message| message.0);
        let turns = self.turns.keys().map(|turn| turn.0);
        let approvals = self.approvals.keys().map(|approval| approval.0);
        let deliveries = self.deliveries.keys().map(|delivery| delivery.0);
        let calls = self.direct_calls.keys().map(|call| call.reply);
        let schedules = self.schedules.values().map(|schedule| &schedule.open);
        let removed = self.removed_schedules.values().map(|gone| &gone.open);
        let occurrences = schedules.chain(removed).flat_map(|open| open.values());
        messages
            .chain(turns)
            .chain(approvals)
            .chain(deliveries)
            .chain(calls)
            .chain(occurrences.map(|open| open.claim))
            .min()
            .unwrap_or(self.head + 1)
    }

    /// What the sessions that can be gone on with are made of below a position: what was said after
    /// their last summary.
    pub fn sessions_need(&self, below: Seq) -> Vec<Stretch> {
        let sessions = self.sessions.iter().flat_map(|(session, spans)| {
            let summarised = self.compacted.get(session).copied().unwrap_or_default();
            spans.iter().map(move |span| Stretch {
                subject: format!("member/{}", span.member),
                after: span.from.max(summarised),
                until: span.until.unwrap_or(Seq::MAX),
            })
        });
        let begins_below = |stretch: &Stretch| stretch.after + 1 < below;
        sessions
            .filter(|stretch| begins_below(stretch) && stretch.after < stretch.until)
            .collect()
    }

    /// Notes a cut. The sessions that it reaches and that nobody writes any longer are forgotten as
    /// a whole, so that nobody goes on with a part of one.
    pub(super) fn mob_trimmed(&mut self, e: &MobTrimmed, now: Time) {
        self.trimmed.at = now;
        if let Some(logs) = e.logs {
            self.trimmed.logs = logs;
        }
        let Some(events) = e.events else { return };
        self.trimmed.events = events;
        let members = self.members.values();
        let written: BTreeSet<_> = members
            .filter(|member| member.mode != MemberMode::Retired)
            .map(|member| member.session)
            .collect();
        self.sessions.retain(|session, spans| {
            let whole = spans
                .first()
                .is_none_or(|span| span.from + 1 >= events.below);
            whole || written.contains(session)
        });
        let sessions = &self.sessions;
        self.compacted
            .retain(|session, _| sessions.contains_key(session));
    }
}
