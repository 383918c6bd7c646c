//! `task_*`: the list of tasks that all members share.

use super::harness::Mob;
use mobkit_domain::command::RuntimeCommand;
use mobkit_domain::event::{NewEvent, TaskAdded, TaskState, TaskUpdated};
use mobkit_domain::id::TaskId;
use mobkit_domain::state::{State, TASKS_ENDED_MAX, TASKS_OPEN_MAX};
use serde_json::{Value, json};

/// Ann and r1 share the list, bob is not offered it.
fn mob() -> Mob {
    let text = super::harness::NEWSROOM
        .replace("steps_per_turn = 4", "steps_per_turn = 40")
        .replace(r#""look", "save", "publish"]"#, r#""task", "publish"]"#)
        .replace("tokens_per_turn = 1000 ", "tokens_per_turn = 100000 ")
        .replace(
            r#"tools = ["peers", "now", "look"]"#,
            r#"tools = ["task_list", "task_update"]"#,
        );
    let mut mob = Mob::ready_of(&text);
    mob.send("ann", "go");
    mob.send("r1", "go");
    mob
}

fn call(mob: &mut Mob, who: &str, tool: &str, args: Value) -> String {
    mob.calls(who, "", &[(tool, args)]);
    mob.told().remove(0)
}

fn listed(mob: &mut Mob, who: &str, args: Value) -> Vec<(String, String)> {
    let told = call(mob, who, "task_list", args);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let tasks = told["tasks"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    tasks
        .iter()
        .map(|task| (text(&task["title"]), text(&task["state"])))
        .collect()
}

#[test]
fn what_one_member_adds_another_sees_and_does() {
    let mut mob = mob();
    let added = call(
        &mut mob,
        "ann",
        "task_add",
        json!({"title": "Check the map", "for": "r1"}),
    );
    mob.then("model.replied tool.started task.added tool.finished");
    let id = added.strip_prefix("added as ").expect("an id").to_owned();
    call(
        &mut mob,
        "ann",
        "task_add",
        json!({"title": "Call ada", "detail": "before noon"}),
    );
    let both = [("Check the map", "open"), ("Call ada", "open")];
    let both = both.map(|(title, state)| (title.to_owned(), state.to_owned()));
    assert_eq!(listed(&mut mob, "r1", json!({})), both);
    assert_eq!(listed(&mut mob, "r1", json!({"for": "r1"})), both[..1]);
    let done = json!({"id": id, "state": "done", "note": "it was fine"});
    assert_eq!(
        call(&mut mob, "r1", "task_update", done),
        format!("{id} is done")
    );
    mob.then("model.replied tool.started task.updated tool.finished");
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(listed(&mut mob, "ann", json!({})), both[1..]);
    assert_eq!(listed(&mut mob, "ann", json!({"state": "done"})).len(), 1);
    let again = json!({"id": id, "state": "doing", "for": "ann"});
    call(&mut mob, "ann", "task_update", again);
    let task = &mob.world.state.tasks.all[&id.parse().expect("an id")];
    assert_eq!(
        (task.state, task.note.as_deref()),
        (TaskState::Doing, Some("it was fine"))
    );
}

#[test]
fn what_cannot_be_taken_is_refused_with_the_reason() {
    let mut mob = mob();
    for (tool, args, code) in [
        ("task_add", json!({}), "tool.bad_arguments"),
        ("task_add", json!({"title": " "}), "tool.bad_arguments"),
        ("task_add", json!({"title": "a\nb"}), "tool.bad_arguments"),
        (
            "task_add",
            json!({"title": "a", "detail": "x".repeat(2_001)}),
            "tool.bad_arguments",
        ),
        (
            "task_add",
            json!({"title": "a", "for": "nobody"}),
            "member.not_found",
        ),
        (
            "task_update",
            json!({"id": "task-1", "state": "done"}),
            "task.not_found",
        ),
        (
            "task_update",
            json!({"id": "task-1", "state": "gone"}),
            "tool.bad_arguments",
        ),
        ("task_list", json!({"state": "gone"}), "tool.bad_arguments"),
    ] {
        let told = call(&mut mob, "ann", tool, args.clone());
        assert!(told.starts_with(code), "{tool} {args}: {told}");
    }
    let told = call(&mut mob, "r1", "task_add", json!({"title": "a"}));
    assert!(told.starts_with("tool.not_offered"), "{told}");
}

/// A mob with so many tasks that were added, and so many of them done.
fn with_tasks(added: usize, done: usize) -> Mob {
    let mut mob = mob();
    let (by, title) = (super::harness::member("ann"), "x".to_owned());
    for n in 0..added + done {
        let seq = mob.world.state.head + 1;
        let event = if n < added {
            NewEvent::of(TaskAdded {
                task: TaskId(seq),
                by: by.clone(),
                title: title.clone(),
                detail: None,
                assignee: None,
            })
        } else {
            NewEvent::of(TaskUpdated {
                task: *mob
                    .world
                    .state
                    .tasks
                    .all
                    .iter()
                    .find(|(_, t)| t.state.is_open())
                    .expect("open")
                    .0,
                by: by.clone(),
                state: TaskState::Done,
                note: None,
                assignee: None,
            })
        };
        let envelope = event.at(seq, mob.now, &mob.world.state.mob);
        mob.world.state.apply(&envelope);
        mob.journal.push(envelope);
    }
    mob
}

#[test]
fn the_list_is_bounded_and_the_first_that_ended_are_forgotten() {
    let mut mob = with_tasks(TASKS_OPEN_MAX, 0);
    let told = call(&mut mob, "ann", "task_add", json!({"title": "one more"}));
    assert!(told.starts_with("task.too_many"), "{told}");
    let told = call(&mut mob, "ann", "task_list", json!({}));
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["more"], json!(TASKS_OPEN_MAX - 200));
    let mob = with_tasks(TASKS_ENDED_MAX + 2, TASKS_ENDED_MAX + 1);
    let tasks = &mob.world.state.tasks;
    assert_eq!((tasks.open(), tasks.all.len()), (1, TASKS_ENDED_MAX + 1));
    let json = serde_json::to_string(&mob.world.state).expect("JSON");
    let read: State = serde_json::from_str(&json).expect("a state");
    assert_eq!(read, mob.world.state);
}
