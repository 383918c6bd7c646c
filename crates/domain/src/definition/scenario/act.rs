//! `[[timeline]]` of a scenario: what happens, and when.

use super::super::report::{Finding, Noun, Report};
use super::super::snippet;
use super::super::source::{Node, Table};
use super::super::tool::ToolPattern;
use super::{Expectation, Fault, expectation, fault};
use crate::id::{MemberId, ScheduleId};
use crate::time::{Time, parse_span_ms};
use jiff::civil::{DateTime, Time as TimeOfDay};
use jiff::tz::TimeZone;

/// What a person says to a call that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruling {
    /// Whether it may be made.
    pub approve: bool,
    /// Which call: that of a tool that matches, the oldest first; `None`: the oldest of all.
    pub tool: Option<ToolPattern>,
    /// Why.
    pub reason: Option<String>,
}

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Act {
    /// Somebody sends a message.
    Send {
        /// The name under which expectations find it.
        id: Option<String>,
        /// For whom.
        to: MemberId,
        /// What it says.
        text: String,
    },
    /// Somebody decides about a call that waits.
    Decide(Ruling),
    /// Somebody runs a schedule now.
    Trigger(ScheduleId),
    /// Something breaks.
    Fault(Fault),
    /// The process is killed, and another one started after so many milliseconds.
    Kill(u64),
    /// The process is stopped in order, and another one started after so many milliseconds.
    Restart(u64),
    /// The clock of the machine is set on by so many milliseconds, or back.
    Clock(i64),
    /// Something must hold by now.
    Expect(Expectation),
}

/// An entry of the timeline.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When, in the time of the scenario, which no clock in it changes.
    pub at: Time,
    /// Its line in the scenario.
    pub line: u32,
    /// What happens.
    pub act: Act,
}

/// What a reading of the timeline needs to know of what stands above an entry.
pub(super) struct Above {
    pub(super) zone: TimeZone,
    /// When the entry above happens; at first the start.
    pub(super) at: Time,
    /// Ids of messages that were sent.
    pub(super) sent: Vec<String>,
}

const ACTS: [&str; 9] = [
    "send", "approve", "deny", "trigger", "fault", "kill", "restart", "clock", "expect",
];
const HINT: &str = "write one of send = { to = \"…\", text = \"…\" }, approve = { }, deny = { }, \
                    trigger = \"…\", fault = { … }, kill = \"30s\", restart = \"30s\", \
                    clock = \"-1h\", expect = { … }";

/// Reads one `[[timeline]]`.
pub(super) fn read(
    cx: &mut Report<'_>,
    node: &Node<'_>,
    number: usize,
    above: &mut Above,
) -> Option<Entry> {
    let mut table = node.table_of(cx, format!("[[timeline]] number {number}"))?;
    let at = time(cx, &mut table, above);
    let given = table.given(&ACTS);
    if given != 1 {
        let message = format!("{} must do one thing", table.owner);
        let finding = Finding::new("scenario_choice", &node.span, message);
        let label = if given == 0 {
            "does nothing"
        } else {
            "does more than one thing"
        };
        cx.error(finding.label(label).hint_str(HINT));
    }
    let act = act(cx, &mut table, above);
    table.finish(cx);
    above.at = at.unwrap_or(above.at);
    let line = snippet::line_number(cx.text, node.span.start);
    Some(Entry {
        at: at?,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        act: act.filter(|_| given == 1)?,
    })
}

fn act(cx: &mut Report<'_>, table: &mut Table<'_>, above: &mut Above) -> Option<Act> {
    let owner = table.owner.clone();
    let user = || format!("{owner} names");
    let send = table.read(cx, "send", |node, cx| send(node, cx, above));
    let approve = table.read(cx, "approve", |node, cx| ruling(node, cx, true));
    let deny = table.read(cx, "deny", |node, cx| ruling(node, cx, false));
    let trigger = table.read(cx, "trigger", |node, cx| {
        node.reference(cx, Noun::Schedule, user())
    });
    let fault = table.read(cx, "fault", fault::read);
    let kill = table.read(cx, "kill", Node::span_ms);
    let restart = table.read(cx, "restart", Node::span_ms);
    let clock = table.read(cx, "clock", Node::signed_span_ms);
    let expect = table.read(cx, "expect", |node, cx| {
        expectation::read(cx, node, format!("expect of {owner}"), &above.sent)
    });
    send.or(approve.map(Act::Decide))
        .or(deny.map(Act::Decide))
        .or(trigger.map(Act::Trigger))
        .or(fault.map(Act::Fault))
        .or(kill.map(Act::Kill))
        .or(restart.map(Act::Restart))
        .or(clock.map(Act::Clock))
        .or(expect.map(Act::Expect))
}

fn send(node: &Node<'_>, cx: &mut Report<'_>, above: &mut Above) -> Option<Act> {
    let mut table = node.table_as(cx, "write { to = \"…\", text = \"…\" }")?;
    let id = table.take(cx, "id").and_then(|node| {
        let id = node.text(cx)?;
        if above.sent.contains(&id) {
            let message = format!("two messages have the id {id:?}");
            let finding = Finding::new("message_duplicate", &node.span, message);
            cx.error(finding.label("it was given above"));
        }
        above.sent.push(id.clone());
        Some(id)
    });
    let to = table.need(cx, "to", "to = \"…\", a member");
    let to = to.and_then(|node| node.reference(cx, Noun::Member, "the message is for".to_owned()));
    let text = table.need(cx, "text", "text = \"…\"");
    let text = text.and_then(|node| node.text(cx));
    table.finish(cx);
    Some(Act::Send {
        id,
        to: to?,
        text: text?,
    })
}

fn ruling(node: &Node<'_>, cx: &mut Report<'_>, approve: bool) -> Option<Ruling> {
    let mut table = node.table_as(cx, "write { tool = \"module:…/*\" } or { }")?;
    let tool = table.read(cx, "tool", Node::tool_pattern);
    let reason = table.read(cx, "reason", Node::text);
    table.finish(cx);
    Some(Ruling {
        approve,
        tool,
        reason,
    })
}

/// When an entry happens: `at` a time, or `after` the entry above; without both, with it.
fn time(cx: &mut Report<'_>, table: &mut Table<'_>, above: &Above) -> Option<Time> {
    if table.given(&["at", "after"]) > 1 {
        let message = format!("{} has two times", table.owner);
        let finding = Finding::new("scenario_choice", &table.span, message);
        cx.error(finding.label("wants one of at, after"));
    }
    let after = table.read(cx, "after", Node::span_ms);
    let at = table.take(cx, "at");
    let Some(node) = at else {
        return Some(above.at.plus_ms(after.unwrap_or(0)));
    };
    let at = moment(cx, &node, above)?;
    if at < above.at {
        let message = format!("{} is before the entry above it", node.name());
        let finding = Finding::new("scenario_order", &node.span, message);
        let hint = "write the entries in the order of their times";
        cx.error(finding.label("too early").hint_str(hint));
        return None;
    }
    Some(at)
}

/// A date and time, or the first such time of day that is not before the entry above.
fn moment(cx: &mut Report<'_>, node: &Node<'_>, above: &Above) -> Option<Time> {
    let text = node.text(cx)?;
    if text.contains('T') {
        let at = node.civil_time(cx)?;
        return on(at, &above.zone);
    }
    let Ok(time) = text.parse::<TimeOfDay>() else {
        let message = format!("{} is not a time: {text:?}", node.name());
        let finding = Finding::new("time_invalid", &node.span, message);
        let hint = "write \"08:30\", or a date and time such as \"2026-11-23T08:30:00\"";
        cx.error(finding.label("not a time").hint_str(hint));
        return None;
    };
    let now = jiff::Timestamp::from_millisecond(above.at.0).ok()?;
    let mut day = now.to_zoned(above.zone.clone()).date();
    // A time of day may be left out of one day, and of the next one at most.
    for _ in 0..3 {
        let found = on(day.to_datetime(time), &above.zone)?;
        if found >= above.at {
            return Some(found);
        }
        day = day.tomorrow().ok()?;
    }
    None
}

/// A local time as a time.
pub(super) fn on(at: DateTime, zone: &TimeZone) -> Option<Time> {
    let zoned = at.to_zoned(zone.clone()).ok()?;
    Some(Time(zoned.timestamp().as_millisecond()))
}

impl Node<'_> {
    /// A span of time that may go back.
    fn signed_span_ms(&self, cx: &mut Report<'_>) -> Option<i64> {
        let back = self.str().and_then(|text| text.strip_prefix('-'));
        match back.and_then(parse_span_ms) {
            Some(ms) => i64::try_from(ms).ok().map(|ms| -ms),
            None => i64::try_from(self.span_ms(cx)?).ok(),
        }
    }
}
