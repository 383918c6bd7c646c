//! Members that delegate, from end to end: helpers join, work, are asked again, and leave.

use crate::kit::{ask, builder, definition, kinds, member, operator, text_of};
use mobkit::event::{Event, EventFilter};
use mobkit::{MemoryStore, Mob};
use std::sync::Arc;

const MOB: &str = r#"
    [mob]
    id = "test"
    [models.main]
    provider = "rehearsal"
    [profiles.desk]
    model = "main"
    instructions = "Edit."
    tools = ["delegate", "task", "peers"]
    [profiles.writer]
    model = "main"
    instructions = "Write."
    tools = ["task_list", "task_update", "now"]
    idle_retire = "2m"
    [[members]]
    id = "desk"
    profile = "desk"
    [wiring]
    roles = [["desk", "writer"]]
"#;

const SCRIPT: &str = r#"
[[rules]]
when = { profile = "desk", text = "^write (?<what>.*)$", step = 1 }
call = [{ tool = "delegate", args = { task = "compose {{ what }}", profile = "writer", name = "pen" } }]
[[rules]]
when = { profile = "desk", text = "^note (?<what>.*)$", step = 1 }
call = [{ tool = "task_add", args = { title = "{{ what }}" } }]
[[rules]]
when = { profile = "desk", tool = "delegate" }
say = "published: {{ result }}"
[[rules]]
when = { profile = "desk", tool = "task_add" }
say = "noted"
[[rules]]
when = { profile = "writer", tool = "now" }
say = "no time for it"
[[rules]]
when = { profile = "writer", text = "^compose (?<what>.*)$", step = 1 }
say = "an essay on {{ what }}"
"#;

async fn start(store: &Arc<MemoryStore>) -> Mob {
    let started = builder(definition(MOB, SCRIPT), store).start().await;
    started.expect("started")
}

/// Why the helper left, once it has.
async fn left(mob: &Mob) -> String {
    let filter = EventFilter::parse(Some("member.retired"), None, None).expect("a filter");
    let mut reader = mob.events(0, filter).await.expect("readable");
    let found = reader.next(1).await.expect("readable").expect("it runs");
    match &found[0].envelope.event {
        Event::MemberRetired(e) => e.reason.clone().unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_helper_works_is_asked_again_outlives_a_restart_and_leaves_when_it_is_idle() {
    let mut store = Arc::new(MemoryStore::new());
    let mob = start(&store).await;
    let turn = ask(&mob, "desk", "write tides").await;
    assert_eq!(text_of(&turn), "published: an essay on tides");
    let turn = ask(&mob, "desk", "write storms").await;
    assert_eq!(text_of(&turn), "published: an essay on storms");
    let spawned = kinds(&mob).await;
    let spawned = spawned.iter().filter(|kind| **kind == "member.spawned");
    assert_eq!(spawned.count(), 2, "the desk, and one helper for both");
    let helpers = |mob: &Mob| {
        mob.engine().view(|world| {
            world
                .state
                .helpers_of(&member("desk"))
                .cloned()
                .collect::<Vec<_>>()
        })
    };
    let helper = helpers(&mob);
    assert!(mob.shutdown().await.is_orderly());

    store = Arc::new(store.reopen());
    let mob = start(&store).await;
    assert_eq!(helpers(&mob), helper, "it outlives the restart");
    let plan = mob.engine().plan().await.expect("a plan");
    assert!(plan.empty, "{:?}", plan.steps);
    let report = mob
        .reconcile(&operator(), &mobkit::ApplyOptions::default())
        .await;
    assert!(report.expect("applied").is_complete());
    assert_eq!(helpers(&mob), helper, "no plan touches it");
    let turn = ask(&mob, "desk", "write winds").await;
    assert_eq!(text_of(&turn), "published: an essay on winds");
    assert_eq!(helpers(&mob), helper);
    // Nothing else happens, so the clock stands at the end of its time at once.
    assert_eq!(left(&mob).await, "it had nothing to do for 2m");
    assert!(helpers(&mob).is_empty());
    let turn = ask(&mob, "desk", "write rain").await;
    assert_eq!(
        text_of(&turn),
        "published: an essay on rain",
        "a new one is found"
    );
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test(start_paused = true)]
async fn a_helper_has_no_tool_that_its_parent_lacks() {
    let store = Arc::new(MemoryStore::new());
    let script = format!(
        "[[rules]]\nwhen = {{ profile = \"writer\", step = 1 }}\ncall = [{{ tool = \"now\" }}]\n\
         {SCRIPT}"
    );
    let started = builder(definition(MOB, &script), &store).start().await;
    let mob = started.expect("started");
    let turn = ask(&mob, "desk", "write tides").await;
    assert_eq!(text_of(&turn), "published: no time for it");
    assert!(kinds(&mob).await.contains(&"tool.refused"));
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn tasks_are_on_the_list_that_operators_see() {
    let store = Arc::new(MemoryStore::new());
    let mob = start(&store).await;
    let turn = ask(&mob, "desk", "note check the map").await;
    assert_eq!(text_of(&turn), "noted");
    let titles = mob.engine().view(|world| {
        let tasks = world.state.tasks.all.values();
        tasks.map(|task| task.title.clone()).collect::<Vec<_>>()
    });
    assert_eq!(titles, ["check the map"]);
    mob.shutdown().await;
}
