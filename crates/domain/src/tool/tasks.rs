//! `task_add`, `task_list`, `task_update`: the list of tasks that all members share.

use super::content::ToolRefusal;
use super::toolbox::ToolSpec;
use crate::draft::Draft;
use crate::event::{Event, NewEvent, TaskAdded, TaskState, TaskUpdated, ToolEffect};
use crate::id::{MemberId, Seq, TaskId};
use crate::principal::Principal;
use crate::state::{TASKS_OPEN_MAX, Task};
use crate::text::Text;
use serde::Deserialize;
use serde_json::{Value, json};

/// How many tasks a list shows at most.
const LISTED_MAX: usize = 200;
/// The most characters of a title.
const TITLE_CHARS_MAX: usize = 200;
/// The most characters of a detail or a note.
const DETAIL_CHARS_MAX: usize = 2_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    title: String,
    #[serde(default)]
    detail: Option<Text>,
    #[serde(default, rename = "for")]
    assignee: Option<MemberId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    state: Option<TaskState>,
    #[serde(default, rename = "for")]
    assignee: Option<MemberId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    id: TaskId,
    state: TaskState,
    #[serde(default)]
    note: Option<Text>,
    #[serde(default, rename = "for")]
    assignee: Option<MemberId>,
}

fn bad(reason: impl Into<String>) -> ToolRefusal {
    ToolRefusal::new("tool.bad_arguments", reason)
}

fn read<'v, T: Deserialize<'v>>(args: &'v Value) -> Result<T, ToolRefusal> {
    T::deserialize(args).map_err(|error| bad(error.to_string()))
}

/// Text that is kept with the task; a long one was put elsewhere already.
fn kept(what: &str, text: Option<Text>) -> Result<Option<String>, ToolRefusal> {
    let Some(text) = text else { return Ok(None) };
    match text.inline() {
        Some(text) if text.chars().count() <= DETAIL_CHARS_MAX => Ok(Some(text.to_owned())),
        Some(_) | None => Err(bad(format!(
            "{what:?} has more than {DETAIL_CHARS_MAX} characters: say it in fewer"
        ))),
    }
}

fn check_assignee(draft: &Draft<'_>, assignee: Option<&MemberId>) -> Result<(), ToolRefusal> {
    match assignee {
        Some(id) if draft.present(id).is_err() => Err(ToolRefusal::new(
            "member.not_found",
            format!("the mob has no member {id}; leave \"for\" out to let anybody do it"),
        )),
        Some(_) | None => Ok(()),
    }
}

fn check_room(draft: &Draft<'_>) -> Result<(), ToolRefusal> {
    if draft.state().tasks.open() < TASKS_OPEN_MAX {
        return Ok(());
    }
    let reason = format!(
        "{TASKS_OPEN_MAX} tasks wait to be done, the most there may be: update those that are \
         done or dropped first"
    );
    Err(ToolRefusal::new("task.too_many", reason))
}

fn record(draft: &mut Draft<'_>, by: &MemberId, cause: Seq, event: impl Into<Event>) {
    let agent = Principal::Agent(by.clone());
    draft.push(NewEvent::of(event).by(&agent).caused_by(cause));
}

pub(super) fn add(
    draft: &mut Draft<'_>,
    member: &MemberId,
    cause: Seq,
    args: &Value,
) -> Result<Text, ToolRefusal> {
    let args: Add = read(args)?;
    let title = args.title.trim();
    if title.is_empty() || title.chars().count() > TITLE_CHARS_MAX || title.contains('\n') {
        return Err(bad(format!(
            "\"title\" must be 1 to {TITLE_CHARS_MAX} characters on one line; the rest is \"detail\""
        )));
    }
    check_assignee(draft, args.assignee.as_ref())?;
    check_room(draft)?;
    let task = TaskId(draft.next_seq());
    let added = TaskAdded {
        task,
        by: member.clone(),
        title: title.to_owned(),
        detail: kept("detail", args.detail)?,
        assignee: args.assignee,
    };
    record(draft, member, cause, added);
    Ok(Text::from(format!("added as {task}")))
}

/// Lists tasks, those that were added first before the others; without a state, those that wait to
/// be done.
pub(super) fn list(draft: &Draft<'_>, args: &Value) -> Result<Text, ToolRefusal> {
    let args: List = read(args)?;
    let wanted = |task: &Task| {
        let state = args
            .state
            .map_or(task.state.is_open(), |state| task.state == state);
        state && (args.assignee.is_none() || task.assignee == args.assignee)
    };
    let all = draft.state().tasks.all.iter();
    let found: Vec<_> = all.filter(|(_, task)| wanted(task)).collect();
    let listed = found.iter().take(LISTED_MAX);
    let entries: Vec<Value> = listed.map(|(id, task)| entry(**id, task)).collect();
    let more = found.len() - entries.len();
    let mut told = json!({ "tasks": entries });
    if more > 0 {
        told["more"] = more.into();
    }
    Ok(Text::from(told.to_string()))
}

fn entry(id: TaskId, task: &Task) -> Value {
    let mut entry = json!({"id": id, "title": task.title, "state": task.state, "by": task.by});
    let for_ = task.assignee.as_ref().map(MemberId::as_str);
    for (name, value) in [
        ("for", for_),
        ("detail", task.detail.as_deref()),
        ("note", task.note.as_deref()),
    ] {
        if let Some(value) = value {
            entry[name] = value.into();
        }
    }
    entry
}

pub(super) fn update(
    draft: &mut Draft<'_>,
    member: &MemberId,
    cause: Seq,
    args: &Value,
) -> Result<Text, ToolRefusal> {
    let args: Update = read(args)?;
    let Some(task) = draft.state().tasks.all.get(&args.id) else {
        let reason = format!(
            "there is no {}; `task_list` shows those that wait to be done",
            args.id
        );
        return Err(ToolRefusal::new("task.not_found", reason));
    };
    check_assignee(draft, args.assignee.as_ref())?;
    if args.state.is_open() && !task.state.is_open() {
        check_room(draft)?;
    }
    let updated = TaskUpdated {
        task: args.id,
        by: member.clone(),
        state: args.state,
        note: kept("note", args.note)?,
        assignee: args.assignee,
    };
    record(draft, member, cause, updated);
    Ok(Text::from(format!(
        "{} is {}",
        args.id,
        args.state.as_str()
    )))
}

/// The tools, as models are told of them.
pub(super) fn specs() -> Vec<ToolSpec> {
    let spec = |name: &str, effect, description: &str, properties, required: &[&str]| ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        schema: json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        }),
        effect,
    };
    let text = |description: &str| json!({"type": "string", "description": description});
    let states = json!({"enum": ["open", "doing", "done", "dropped"]});
    vec![
        spec(
            "task_add",
            ToolEffect::Effect,
            "Puts a task on the list that all members share.",
            json!({
                "title": text("what is to be done, on one line"),
                "detail": text("more about it"),
                "for": text("id of the member that is to do it; anybody where absent"),
            }),
            &["title"],
        ),
        spec(
            "task_list",
            ToolEffect::Read,
            "Lists the shared tasks; those that wait to be done, where no state is given.",
            json!({"state": states, "for": text("only those for this member")}),
            &[],
        ),
        spec(
            "task_update",
            ToolEffect::Effect,
            "Says where a shared task stands.",
            json!({
                "id": text("the task, e.g. task-42"),
                "state": states,
                "note": text("what is to be said about it"),
                "for": text("id of the member that is to do it from here on"),
            }),
            &["id", "state"],
        ),
    ]
}
