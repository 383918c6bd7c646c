//! Whether a schedule can be taken: each refusal names the field and the rule.

use super::calendar::{Calendar, CalendarError};
use super::message;
use crate::definition::{EntryError, Schedule, ScheduleTarget, Trigger};
use crate::draft::Draft;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::MemberMode;
use crate::time::Time;
use crate::world::World;
use jiff::tz::TimeZoneDatabase;

/// The shortest interval, in milliseconds.
const INTERVAL_MS_MIN: u64 = 1_000;

fn invalid(code: &str, message: String) -> Refusal {
    Refusal::new(RefusalKind::Invalid, code, message)
}

/// The calendar of a schedule, or why it has none.
pub(super) fn calendar(spec: &Schedule, anchor: Time) -> Result<Calendar, Refusal> {
    let zone = TimeZoneDatabase::bundled().get(&spec.timezone);
    let zone = zone.map_err(|_| CalendarError::Zone(spec.timezone.clone()));
    let calendar = zone.and_then(|_| Calendar::of(&spec.trigger, &spec.timezone, anchor));
    let calendar = calendar.map_err(|error| match &error {
        CalendarError::Cron { .. } => {
            invalid("schedule.cron_invalid", format!("\"cron\": {error}"))
                .hint("the fields are [second] minute hour day month weekday, e.g. \"0 8 * * 1-5\"")
        }
        CalendarError::Zone(_) => invalid(
            "schedule.timezone_unknown",
            format!("\"timezone\": {error}"),
        )
        .hint("write an IANA name such as \"Europe/London\" or \"UTC\""),
    })?;
    match &spec.trigger {
        Trigger::EveryMs(ms) if *ms < INTERVAL_MS_MIN => Err(invalid(
            "schedule.interval_too_short",
            format!("\"every\" is {ms} ms; it is at least {INTERVAL_MS_MIN} ms"),
        )),
        Trigger::Cron(expression) if calendar.next(Time::default()).is_none() => Err(invalid(
            "schedule.cron_never",
            format!("\"cron\": {expression:?} can never fire"),
        )
        .hint("check the day and the month")),
        Trigger::Cron(_) | Trigger::EveryMs(_) | Trigger::At(_) => Ok(calendar),
    }
}

/// Checks everything about a schedule but who may have it. All that is wrong with target and
/// message is told together.
pub(super) fn check(draft: &Draft<'_>, spec: &Schedule) -> Result<(), Refusal> {
    calendar(spec, draft.now)?;
    let target = target_problem(draft.world, &spec.to);
    let problems: Vec<EntryError> = target.into_iter().chain(message_problem(spec)).collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(EntryError::refusal(&problems))
}

/// As [`check`], but for its target: what is not there now may be there when it is due.
pub(super) fn check_but_target(spec: &Schedule, anchor: Time) -> Result<(), Refusal> {
    calendar(spec, anchor)?;
    match message_problem(spec) {
        None => Ok(()),
        Some(problem) => Err(EntryError::refusal(&[problem])),
    }
}

fn problem(code: &str, field: &str, message: String) -> EntryError {
    EntryError {
        code: code.to_owned(),
        field: Some(field.to_owned()),
        message,
        hint: None,
    }
}

fn message_problem(spec: &Schedule) -> Option<EntryError> {
    let needs_message = match &spec.to {
        ScheduleTarget::Member(_) | ScheduleTarget::Route(_) => true,
        ScheduleTarget::Flow(_) | ScheduleTarget::Module { .. } => false,
    };
    let found = |code, message| Some(problem(code, "message", message));
    match &spec.message {
        None if needs_message => found(
            "schedule.message_missing",
            "\"message\" is missing: say what is sent".to_owned(),
        ),
        None => None,
        Some(template) => match message::check(spec, template) {
            Ok(()) => None,
            Err(problem) => found(
                "schedule.message_invalid",
                format!("\"message\" is not a valid template: {problem}"),
            ),
        },
    }
}

/// Why a schedule can't start this, as things stand: it is not there, or nothing starts it.
pub fn target_problem(world: &World, to: &ScheduleTarget) -> Option<EntryError> {
    let (definition, state) = (&world.definition, &world.state);
    let (known, code, what, list) = match to {
        ScheduleTarget::Member(id) => {
            let found = state.members.get(id);
            let present = found.is_some_and(|member| member.mode != MemberMode::Retired);
            let what = format!("member {id}");
            (present, "schedule.member_unknown", what, "mobkit ps")
        }
        ScheduleTarget::Module { module, .. } => {
            let known = definition.modules.iter().any(|found| found.id == *module);
            let what = format!("module {module}");
            (known, "schedule.module_unknown", what, "mobkit modules")
        }
        ScheduleTarget::Route(route) => {
            let defined = definition.routes.iter().any(|found| found.id == *route);
            let known = defined || state.routes.contains_key(route);
            let what = format!("route {route}");
            (known, "schedule.route_unknown", what, "mobkit routes")
        }
        ScheduleTarget::Flow(flow) => {
            let message = format!("\"to\" names the flow {flow}; this version starts no flows");
            return Some(problem("schedule.target_unsupported", "to", message));
        }
    };
    if known {
        return None;
    }
    let message = format!("\"to\" names the {what}, which is not there");
    Some(EntryError {
        hint: Some(format!("`{list}` shows what there is")),
        ..problem(code, "to", message)
    })
}
