//! Whether a schedule can be taken: each refusal names the field and the rule.

use super::calendar::{Calendar, CalendarError};
use super::message;
use crate::definition::{Definition, Schedule, ScheduleTarget, Trigger};
use crate::draft::Draft;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::MemberMode;
use crate::time::Time;
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

/// Checks everything about a schedule but who may have it.
pub(super) fn check(draft: &Draft<'_>, spec: &Schedule) -> Result<(), Refusal> {
    calendar(spec, draft.now)?;
    target(draft, &spec.to)?;
    let needs_message = match &spec.to {
        ScheduleTarget::Member(_) | ScheduleTarget::Route(_) => true,
        ScheduleTarget::Flow(_) | ScheduleTarget::Module { .. } => false,
    };
    match &spec.message {
        None if needs_message => Err(invalid(
            "schedule.message_missing",
            "\"message\" is missing: say what is sent".to_owned(),
        )),
        None => Ok(()),
        Some(template) => message::check(spec, template).map_err(|problem| {
            invalid(
                "schedule.message_invalid",
                format!("\"message\" is not a valid template: {problem}"),
            )
        }),
    }
}

fn target(draft: &Draft<'_>, to: &ScheduleTarget) -> Result<(), Refusal> {
    let definition: &Definition = &draft.world.definition;
    let state = draft.state();
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
            (known, "schedule.module_unknown", what, "module/list")
        }
        ScheduleTarget::Route(route) => {
            let defined = definition.routes.iter().any(|found| found.id == *route);
            let known = defined || state.routes.contains_key(route);
            let what = format!("route {route}");
            (known, "schedule.route_unknown", what, "route/list")
        }
        ScheduleTarget::Flow(flow) => {
            let message = format!("\"to\" names the flow {flow}; this version starts no flows");
            return Err(invalid("schedule.target_unsupported", message));
        }
    };
    if known {
        return Ok(());
    }
    let message = format!("\"to\" names the {what}, which is not there");
    Err(invalid(code, message).hint(format!("`{list}` shows what there is")))
}
