//! `schedule_put`, `schedule_list`, `schedule_remove`: a member sets itself or a peer to work
//! later.

use super::content::ToolRefusal;
use super::toolbox::ToolSpec;
use crate::definition::{ScheduleTarget, Trigger, schedule_of};
use crate::draft::Draft;
use crate::event::{ScheduleOrigin, ToolEffect};
use crate::id::{MemberId, ScheduleId};
use crate::principal::Principal;
use crate::refusal::Refusal;
use crate::state::Schedule;
use crate::text::Text;
use crate::time::span_text;
use serde_json::{Value, json};

/// How many schedules a list shows at most.
const LISTED_MAX: usize = 200;

fn bad(reason: String) -> ToolRefusal {
    ToolRefusal::new("tool.bad_arguments", reason)
}

/// A refusal of the schedule itself is an answer that the model can act on.
fn refused(refusal: Refusal) -> ToolRefusal {
    let Refusal { message, hint, .. } = refusal;
    let reason = hint.map_or_else(|| message.clone(), |hint| format!("{message}; {hint}"));
    ToolRefusal::new("schedule.refused", reason)
}

/// Runs a decision in the name of the member.
fn in_name_of<T>(
    draft: &mut Draft<'_>,
    member: &MemberId,
    decision: impl FnOnce(&mut Draft<'_>) -> T,
) -> T {
    let agent = Principal::Agent(member.clone());
    let actor = std::mem::replace(&mut draft.actor, agent);
    let decided = decision(draft);
    draft.actor = actor;
    decided
}

pub(super) fn put(
    draft: &mut Draft<'_>,
    member: &MemberId,
    args: &Value,
) -> Result<Text, ToolRefusal> {
    let nothing = serde_json::Map::new();
    let spec = schedule_of(args.as_object().unwrap_or(&nothing)).map_err(|errors| {
        let errors = errors.into_iter().take(5);
        let lines: Vec<String> = errors
            .map(|error| match error.hint {
                Some(hint) => format!("{}; {hint}", error.message),
                None => error.message,
            })
            .collect();
        bad(lines.join("\n"))
    })?;
    in_name_of(draft, member, |draft| crate::schedule::put(draft, &spec)).map_err(refused)?;
    Ok(Text::from(format!("schedule {} is defined", spec.id)))
}

pub(super) fn remove(
    draft: &mut Draft<'_>,
    member: &MemberId,
    args: &Value,
) -> Result<Text, ToolRefusal> {
    let id = args.get("id").and_then(Value::as_str);
    let id = id.ok_or_else(|| bad("\"id\" is missing: say which schedule".to_owned()))?;
    let id = ScheduleId::parse(id).map_err(|error| bad(error.to_string()))?;
    in_name_of(draft, member, |draft| {
        crate::schedule::remove_of(draft, &id)
    })
    .map_err(refused)?;
    Ok(Text::from(format!("schedule {id} is removed")))
}

/// Lists what the member made, and what sets it to work.
pub(super) fn list(draft: &Draft<'_>, member: &MemberId) -> Text {
    let own = ScheduleOrigin::Member(member.clone());
    let target = ScheduleTarget::Member(member.clone());
    let schedules = draft.state().schedules.values();
    let found = schedules.filter(|found| found.origin == own || found.spec.to == target);
    let list: Vec<Value> = found
        .take(LISTED_MAX)
        .map(|found| entry(found, found.origin == own))
        .collect();
    Text::from(Value::Array(list).to_string())
}

fn entry(found: &Schedule, yours: bool) -> Value {
    let spec = &found.spec;
    let mut entry = json!({
        "id": spec.id,
        "timezone": spec.timezone,
        "to": spec.to,
        "message": spec.message,
        "overlap": spec.overlap,
        "enabled": spec.enabled,
        "paused": found.paused,
        "next": found.next,
        "yours": yours,
    });
    let (key, value) = match &spec.trigger {
        Trigger::Cron(cron) => ("cron", cron.clone()),
        Trigger::EveryMs(ms) => ("every", span_text(*ms)),
        Trigger::At(time) => ("at", time.to_string()),
    };
    entry[key] = value.into();
    entry
}

/// The tools, as models are told of them.
pub(super) fn specs() -> Vec<ToolSpec> {
    let spec = |name: &str, effect, description: &str, schema| ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        schema,
        effect,
    };
    let text = |description: &str| json!({"type": "string", "description": description});
    let nothing = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let id = text("name of the schedule: a-z, 0-9, '-', '_' and '.'");
    let put = json!({
        "type": "object",
        "properties": {
            "id": id,
            "cron": text("[second] minute hour day month weekday, e.g. \"0 8 * * 1-5\""),
            "every": text("an interval of at least 1s, e.g. \"15m\""),
            "at": text("once, local time, e.g. \"2026-12-01T09:00:00\""),
            "timezone": text("IANA name, e.g. \"Europe/London\"; UTC where absent"),
            "jitter": text("put off by at most so long, e.g. \"30s\""),
            "to": {
                "type": "object",
                "properties": {"member": text("yourself or a peer, as `peers` lists it")},
                "required": ["member"],
            },
            "message": text("what is said then; {{ due | date }} and the like are filled in"),
            "missed": {
                "type": "object",
                "properties": {
                    "policy": {"enum": ["skip", "latest", "all"]},
                    "within": text("how late it may be made up for, e.g. \"12h\""),
                },
            },
            "overlap": {"enum": ["skip", "queue", "cancel", "allow"]},
            "enabled": {"type": "boolean"},
        },
        "required": ["id", "to", "message"],
    });
    let remove = json!({
        "type": "object", "properties": {"id": id}, "required": ["id"],
        "additionalProperties": false,
    });
    vec![
        spec(
            "schedule_put",
            ToolEffect::Effect,
            "Defines or changes a schedule of your own: it sends a message to you or a peer at \
             the times given by one of cron, every, at.",
            put,
        ),
        spec(
            "schedule_list",
            ToolEffect::Read,
            "Lists the schedules that you made and those that message you.",
            nothing,
        ),
        spec(
            "schedule_remove",
            ToolEffect::Effect,
            "Removes a schedule of your own.",
            remove,
        ),
    ]
}
