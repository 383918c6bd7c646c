//! `expect` of a scenario: what must hold.

use super::super::report::{Finding, Noun, Report};
use super::super::snippet;
use super::super::source::{Node, Table};
use crate::event::KINDS;
use crate::id::{MemberId, RouteId, ScheduleId};
use regex::Regex;
use std::fmt;

/// How many there must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// At least so many.
    pub at_least: u64,
    /// At most so many; `None`: any number.
    pub at_most: Option<u64>,
}

impl Counts {
    /// Whether so many fit.
    pub fn fits(self, found: u64) -> bool {
        found >= self.at_least && self.at_most.is_none_or(|most| found <= most)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.at_least, self.at_most) {
            (least, Some(most)) if least == most => write!(f, "{least}"),
            (0, Some(most)) => write!(f, "at most {most}"),
            (least, Some(most)) => write!(f, "{least} to {most}"),
            (least, None) => write!(f, "at least {least}"),
        }
    }
}

/// What is looked at.
#[derive(Debug, Clone)]
pub enum Subject {
    /// What came of a message of the timeline.
    Answer {
        /// The id that the timeline gave it.
        to: String,
        /// The whole text.
        text: Option<String>,
        /// What the text matches.
        matches: Option<Regex>,
        /// Where the turn stands: `completed`, `failed`, `cancelled`, `waiting`, …
        status: String,
    },
    /// How many events of a kind there are.
    Events {
        /// The kind.
        kind: String,
        /// Only those about this member.
        member: Option<MemberId>,
        /// Only those whose data, as JSON, match.
        matches: Option<Regex>,
        /// How many.
        counts: Counts,
    },
    /// How many deliveries have arrived over a route.
    Deliveries {
        /// The route.
        route: RouteId,
        /// Only those whose payload, as JSON, matches.
        matches: Option<Regex>,
        /// How many.
        counts: Counts,
    },
    /// How many occurrences of a schedule stand so.
    Occurrences {
        /// The schedule.
        schedule: ScheduleId,
        /// Where they stand: `completed`, `failed`, `skipped`, `missed`, …
        state: String,
        /// How many.
        counts: Counts,
    },
    /// What all model calls cost together, at most, in USD.
    CostAtMost(f64),
    /// How many turns have failed.
    TurnsFailed(u64),
    /// How many approvals wait.
    Pending(u64),
}

/// Something that must hold.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Its line in the scenario.
    pub line: u32,
    /// What must hold.
    pub subject: Subject,
}

const SUBJECTS: [&str; 7] = [
    "answer",
    "event",
    "delivery",
    "occurrence",
    "cost_at_most",
    "turns_failed",
    "pending",
];
const HINT: &str = "write one of answer = \"…\", event = \"…\", delivery = \"…\", \
                    occurrence = \"…\", cost_at_most = 1.0, turns_failed = 0, pending = 0";
const STATUSES: [&str; 6] = [
    "running",
    "waiting",
    "checkpointed",
    "completed",
    "failed",
    "cancelled",
];
const STATES: [&str; 6] = [
    "claimed",
    "dispatched",
    "completed",
    "failed",
    "skipped",
    "missed",
];

/// Reads an expectation; `sent` are the ids of messages that it may name.
pub(super) fn read(
    cx: &mut Report<'_>,
    node: &Node<'_>,
    owner: String,
    sent: &[String],
) -> Option<Expectation> {
    let mut table = node.table_of(cx, owner)?;
    let line = snippet::line_number(cx.text, node.span.start);
    let given = table.given(&SUBJECTS);
    if given != 1 {
        let message = format!("{} must expect one thing", table.owner);
        let finding = Finding::new("scenario_choice", &node.span, message);
        let label = if given == 0 {
            "expects nothing"
        } else {
            "expects more than one thing"
        };
        cx.error(finding.label(label).hint_str(HINT));
        return None;
    }
    let subject = subject(cx, &mut table, sent);
    table.finish(cx);
    Some(Expectation {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        subject: subject?,
    })
}

fn subject(cx: &mut Report<'_>, table: &mut Table<'_>, sent: &[String]) -> Option<Subject> {
    let user = || "the expectation names".to_owned();
    let answer = table.take(cx, "answer");
    let event = table.take(cx, "event");
    let delivery = table.take(cx, "delivery");
    let occurrence = table.take(cx, "occurrence");
    let cost = table.take(cx, "cost_at_most");
    let failed = table.take(cx, "turns_failed");
    let pending = table.take(cx, "pending");
    if let Some(node) = answer {
        return answered(cx, table, &node, sent);
    }
    if let Some(node) = event {
        let kind = word(&node, cx, KINDS)?;
        let member = table.read(cx, "member", |n, cx| n.reference(cx, Noun::Member, user()));
        let matches = table.read(cx, "matches", Node::pattern);
        let counts = counts(cx, table);
        return Some(Subject::Events {
            kind,
            member,
            matches,
            counts,
        });
    }
    if let Some(node) = delivery {
        let route = node.reference(cx, Noun::Route, user());
        let matches = table.read(cx, "matches", Node::pattern);
        let counts = counts(cx, table);
        return Some(Subject::Deliveries {
            route: route?,
            matches,
            counts,
        });
    }
    if let Some(node) = occurrence {
        let schedule = node.reference(cx, Noun::Schedule, user());
        let state = table.read(cx, "state", |n, cx| word(n, cx, &STATES));
        let counts = counts(cx, table);
        return Some(Subject::Occurrences {
            schedule: schedule?,
            state: state.unwrap_or_else(|| "completed".to_owned()),
            counts,
        });
    }
    if let Some(node) = cost {
        return node.amount(cx).map(Subject::CostAtMost);
    }
    let (failed, pending) = (failed.as_ref(), pending.as_ref());
    let failed = failed.and_then(|node| node.integer(cx, 0, u64::MAX));
    let pending = pending.and_then(|node| node.integer(cx, 0, u64::MAX));
    failed
        .map(Subject::TurnsFailed)
        .or(pending.map(Subject::Pending))
}

fn answered(
    cx: &mut Report<'_>,
    table: &mut Table<'_>,
    node: &Node<'_>,
    sent: &[String],
) -> Option<Subject> {
    let to = node.text(cx);
    let text = table.read(cx, "text", Node::any_text);
    let matches = table.read(cx, "matches", Node::pattern);
    let status = table.read(cx, "status", |n, cx| word(n, cx, &STATUSES));
    let to = to?;
    if !sent.contains(&to) {
        let message = format!("the expectation names the message {to:?}, which nobody sends");
        let hint = super::super::suggest::hint(
            &to,
            "messages with an id",
            sent.iter().map(String::as_str),
        );
        let hint = hint.or_else(|| Some("give it one: send = { id = \"…\", … }".to_owned()));
        let finding = Finding::new("message_unknown", &node.span, message);
        cx.error(finding.label("no send has this id").hint(hint));
        return None;
    }
    Some(Subject::Answer {
        to,
        text,
        matches,
        status: status.unwrap_or_else(|| "completed".to_owned()),
    })
}

/// One of a closed set of words.
fn word(node: &Node<'_>, cx: &mut Report<'_>, words: &[&str]) -> Option<String> {
    let text = node.text(cx)?;
    if words.contains(&text.as_str()) {
        return Some(text);
    }
    let message = format!("{} cannot be {text:?}", node.name());
    let finding = Finding::new("choice_unknown", &node.span, message).label("not known");
    let hint = super::super::suggest::hint(&text, "known", words.iter().copied());
    cx.error(finding.hint(hint));
    None
}

fn counts(cx: &mut Report<'_>, table: &mut Table<'_>) -> Counts {
    let mut number = |key| table.read(cx, key, |node, cx| node.integer(cx, 0, u64::MAX));
    let (count, least, most) = (number("count"), number("at_least"), number("at_most"));
    match count {
        Some(count) => Counts {
            at_least: count,
            at_most: Some(count),
        },
        None => Counts {
            at_least: least.unwrap_or(u64::from(most.is_none())),
            at_most: most,
        },
    }
}
