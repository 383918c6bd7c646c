//! The scenario as a whole.

use super::super::mob::Definition;
use super::super::parse::{NoFiles, report_syntax};
use super::super::report::{Finding, Noun, Report};
use super::super::source::{Node, Table, tables};
use super::super::{Diagnostic, Severity};
use super::act::{Above, on};
use super::{Entry, Expectation, ModuleAnswer, act, answer, expectation};
use crate::time::Time;
use jiff::tz::TimeZone;
use toml::de::DeTable;

/// How long a scenario lasts that does not say so: a day.
const LENGTH_MS: u64 = 86_400_000;

/// A scripted day of a mob, and what is expected of it.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it is about.
    pub description: Option<String>,
    /// When it begins.
    pub start: Time,
    /// How long it lasts, in milliseconds.
    pub length_ms: u64,
    /// The zone in which its times are read.
    pub timezone: String,
    /// Rules of the rehearsal model that go before those of the mob, as a script.
    pub rules: Option<String>,
    /// What tools of modules answer.
    pub answers: Vec<ModuleAnswer>,
    /// What happens, in the order of time.
    pub timeline: Vec<Entry>,
    /// What must hold at the end.
    pub expect: Vec<Expectation>,
}

/// Parses and validates a scenario for a mob. `file_name` is what diagnostics call it.
///
/// All errors of the file are returned together, as those of a mob file are.
pub fn parse_scenario(
    file_name: &str,
    text: &str,
    mob: &Definition,
) -> Result<Scenario, Vec<Diagnostic>> {
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    let mut cx = Report::new(text, &NoFiles);
    report_syntax(&mut cx, &syntax_errors);
    if cx.has_errors() {
        return Err(cx.into_errors(file_name));
    }
    declare(&mut cx, mob);
    let mut table = Table::root(root.get_ref());
    "the scenario".clone_into(&mut table.owner);
    let scenario = read(&mut cx, table);
    cx.check_references();
    match scenario.filter(|_| !cx.has_errors()) {
        Some(scenario) => Ok(scenario),
        None => Err(of_scenario(cx.into_errors(file_name))),
    }
}

/// What the mob has, for those who name it.
fn declare(cx: &mut Report<'_>, mob: &Definition) {
    let nowhere = 0..0;
    for model in mob.models.keys() {
        cx.declare(Noun::Model, model.as_str(), &nowhere);
    }
    for member in &mob.members {
        cx.declare(Noun::Member, member.id.as_str(), &nowhere);
    }
    for module in &mob.modules {
        cx.declare(Noun::Module, module.id.as_str(), &nowhere);
    }
    for schedule in &mob.schedules {
        cx.declare(Noun::Schedule, schedule.id.as_str(), &nowhere);
    }
    for route in &mob.routes {
        cx.declare(Noun::Route, route.id.as_str(), &nowhere);
    }
}

/// An error about a name that the mob lacks says so.
fn of_scenario(mut errors: Vec<Diagnostic>) -> Vec<Diagnostic> {
    for error in &mut errors {
        if error.severity == Severity::Error && error.message.ends_with("which is not defined") {
            "the mob file does not have it".clone_into(&mut error.label);
        }
    }
    errors
}

fn read(cx: &mut Report<'_>, mut root: Table<'_>) -> Option<Scenario> {
    let head = root.need(cx, "scenario", "[scenario] with its start");
    let head = head.and_then(|node| head_of(cx, &node));
    let rules = root.read(cx, "rules", |node, cx| {
        let rules = node.json(cx)?;
        let table = serde_json::json!({ "rules": rules });
        toml::to_string(&table).ok()
    });
    let answers = tables(cx, &mut root, "modules");
    let answers = (1..).zip(&answers);
    let answers: Vec<Option<ModuleAnswer>> = answers
        .map(|(number, node)| answer::read(cx, node, number))
        .collect();
    let zone = head.as_ref().map(|head| head.zone.clone());
    let mut above = Above {
        zone: zone.unwrap_or(TimeZone::UTC),
        at: head.as_ref().map_or(Time(0), |head| head.start),
        sent: Vec::new(),
    };
    let mut timeline = Vec::new();
    let entries = tables(cx, &mut root, "timeline");
    for (number, node) in (1..).zip(&entries) {
        let entry = act::read(cx, node, number, &mut above);
        if let (Some(entry), Some(head)) = (&entry, &head) {
            in_time(cx, node, entry, head);
        }
        timeline.push(entry);
    }
    let expect = tables(cx, &mut root, "expect");
    let expect: Vec<Option<Expectation>> = (1..)
        .zip(&expect)
        .map(|(number, node)| {
            let owner = format!("[[expect]] number {number}");
            expectation::read(cx, node, owner, &above.sent)
        })
        .collect();
    root.finish(cx);
    let head = head?;
    Some(Scenario {
        description: head.description,
        start: head.start,
        length_ms: head.length_ms,
        timezone: head.timezone,
        rules,
        answers: answers.into_iter().collect::<Option<_>>()?,
        timeline: timeline.into_iter().collect::<Option<_>>()?,
        expect: expect.into_iter().collect::<Option<_>>()?,
    })
}

struct Head {
    description: Option<String>,
    start: Time,
    length_ms: u64,
    timezone: String,
    zone: TimeZone,
}

fn head_of(cx: &mut Report<'_>, node: &Node<'_>) -> Option<Head> {
    let mut table = node.table_of(cx, "[scenario]".to_owned())?;
    let description = table.read(cx, "description", Node::text);
    let timezone = table.read(cx, "timezone", Node::timezone);
    let timezone = timezone.unwrap_or_else(|| "UTC".to_owned());
    let start = table.need(cx, "start", "start = \"2026-11-23T08:00:00\"");
    let start = start.and_then(|node| node.civil_time(cx));
    let length_ms = table.read(cx, "length", Node::span_ms);
    table.finish(cx);
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(&timezone).ok()?;
    Some(Head {
        description,
        start: on(start?, &zone)?,
        length_ms: length_ms.unwrap_or(LENGTH_MS),
        timezone,
        zone,
    })
}

/// An entry that nobody would live to see is an error.
fn in_time(cx: &mut Report<'_>, node: &Node<'_>, entry: &Entry, head: &Head) {
    if entry.at > head.start.plus_ms(head.length_ms) {
        let message = format!("{} is after the end of the scenario", node.name());
        let finding = Finding::new("scenario_order", &node.span, message);
        let hint = "make it longer: length = \"…\" in [scenario]";
        cx.error(finding.label("too late").hint_str(hint));
    }
}
