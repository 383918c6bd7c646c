//! Calls of modules that no turn waits for.

use crate::kit::{Death, Mob, ada, beside, kinds, quiet, sound, until};
use mobkit_domain::command::{Command, ModuleCommand, Submission};
use mobkit_domain::event::{Event, KeyUse};
use mobkit_domain::id::{CallId, ModuleId};
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::ModuleStatus;
use mobkit_engine::{CallOutcome, Engine};
use serde_json::{Value, json};

const MOB: &str = r#"
[mob]
id = "desk"
[models.main]
provider = "rehearsal"
[profiles.worker]
model = "main"
instructions = "Work."
[[members]]
id = "a"
profile = "worker"
[[modules]]
id = "files"
transport = "mcp-stdio"
command = ["x"]
"#;

async fn up(mob: &Mob) -> Engine {
    let engine = mob.up().await;
    let files = ModuleId::parse("files").expect("a module id");
    let healthy = || {
        engine.view(|w| w.state.modules.get(&files).map(|m| m.status))
            == Some(ModuleStatus::Healthy)
    };
    until("the module is healthy", healthy).await;
    engine
}

fn submission(tool: &str, args: Value, key: Option<&str>) -> Submission {
    let command = ModuleCommand::Call {
        module: ModuleId::parse("files").expect("a module id"),
        tool: tool.to_owned(),
        args,
    };
    Submission {
        command: Command::Module(command),
        actor: ada(),
        key: key.map(|key| KeyUse {
            key: key.to_owned(),
            digest: tool.to_owned(),
        }),
        trace: None,
    }
}

async fn call(engine: &Engine, tool: &str, args: Value) -> Result<(CallId, CallOutcome), Refusal> {
    engine.call_module(submission(tool, args, None)).await
}

#[tokio::test(start_paused = true)]
async fn a_direct_call_gives_its_own_outcome_and_is_recorded() {
    let mob = Mob::of(MOB);
    let engine = up(&mob).await;
    let slow = json!({"after_ms": 100});
    let (read, paid, failed, lost, lost_effect, other) = tokio::join!(
        call(&engine, "look", slow),
        call(&engine, "pay", json!({})),
        call(&engine, "pay", json!({"fail": true})),
        call(&engine, "put", json!({"lost": true})),
        call(&engine, "pay", json!({"lost": true})),
        call(&engine, "steal", json!({})),
    );
    assert_eq!(read.expect("called").1, Ok("ok".into()));
    assert_eq!(paid.expect("called").1, Ok("ok".into()));
    assert_eq!(failed.expect("called").1, Err("on purpose".to_owned()));
    assert_eq!(lost.expect("called").1, Err("exit status 3".to_owned()));
    assert_eq!(
        lost_effect.expect("called").1,
        Err("exit status 3".to_owned())
    );
    assert_eq!(other.expect_err("refused").code, "tool.not_found");
    let events = sound(&mob.memory).await;
    let started = events.iter().filter_map(|event| match &event.event {
        Event::ToolStarted(e) => Some((e.call, event.seq, event.actor.clone())),
        _ => None,
    });
    for (call, seq, actor) in started {
        let (reply, index) = (seq, 0);
        assert_eq!(call, CallId { reply, index });
        assert_eq!(actor, Some(ada()));
    }
    assert!(engine.view(|world| world.state.direct_calls.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_key_gives_the_outcome_of_the_first_call() {
    let mob = Mob::of(MOB);
    let engine = up(&mob).await;
    let ask = || engine.call_module(submission("pay", json!({"after_ms": 50}), Some("k")));
    let (first, second) = tokio::join!(ask(), ask());
    let first = first.expect("called");
    assert_eq!(second.expect("called"), first);
    let later = ask().await.expect("called");
    assert_eq!(later, first);
    assert_eq!(mob.runner.calls("module:files/pay"), [first.0]);
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_does_not_stop_the_call() {
    let mob = Mob::of(MOB);
    let engine = up(&mob).await;
    let slow = call(&engine, "pay", json!({"after_ms": 100}));
    let hasty = tokio::time::timeout(std::time::Duration::from_millis(10), slow).await;
    hasty.expect_err("it takes longer");
    // A stop in order waits for it, as it does for turns.
    let report = engine.shutdown().await;
    assert!(report.is_orderly() && !report.drain.timed_out, "{report:?}");
    let seen = kinds(&sound(&mob.memory).await);
    let place = |kind| seen.iter().rposition(|found| *found == kind).expect(kind);
    assert!(place("runtime.draining") < place("tool.finished"));
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_comes_first_is_said_and_the_next_start_says_what_came_of_it() {
    for (tool, kind) in [("pay", "tool.unknown"), ("put", "tool.failed")] {
        let mut mob = Mob::of(MOB);
        let engine = up(&mob).await;
        let waiting = beside({
            let engine = engine.clone();
            async move { call(&engine, tool, json!({"never": true})).await }
        });
        until("the call runs", || mob.runner.did().len() == 2).await;
        let report = engine.shutdown().await;
        assert!(report.drain.timed_out);
        let refused = waiting.await.expect("ended").expect_err("no outcome");
        assert_eq!(refused.code, "runtime.stopping");
        mob.again();
        up(&mob).await;
        let seen = kinds(&sound(&mob.memory).await);
        assert!(seen.contains(&kind), "{seen:?}");
        assert_eq!(mob.runner.did().len(), 4, "nobody makes it again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_a_direct_call_repeats_nothing() {
    for (tool, kind) in [("pay", "tool.unknown"), ("put", "tool.failed")] {
        let mut mob = Mob::of(MOB);
        let engine = up(&mob).await;
        let waiting = beside({
            let engine = engine.clone();
            async move { call(&engine, tool, json!({"after_ms": 100})).await }
        });
        let name = format!("module:files/{tool}");
        until("the call runs", || mob.runner.calls(&name).len() == 1).await;
        mob.tap.dies(Death::Before(mob.tap.appends().len() + 1));
        engine.shutdown().await;
        waiting.await.expect("ended").expect_err("no outcome");
        mob.again();
        let engine = up(&mob).await;
        quiet().await;
        let seen = kinds(&sound(&mob.memory).await);
        assert!(seen.contains(&kind), "{seen:?}");
        assert_eq!(mob.runner.calls(&name).len(), 1);
        assert!(engine.view(|world| world.state.direct_calls.is_empty()));
    }
}
