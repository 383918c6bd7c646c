//! Modules through the engine: started, stopped, lost, converged, and ended with the process.

use crate::kit::{
    Death, Mob, ada, beside, journal, kinds, member, quiet, send, settle, sound, text_of, until,
};
use async_trait::async_trait;
use mobkit_domain::command::{Command, ModuleCommand, Submission, TurnCommand};
use mobkit_domain::definition::{Definition, NoFiles, parse};
use mobkit_domain::event::{Envelope, Event, ResolveHow, StopOutcome};
use mobkit_domain::id::ModuleId;
use mobkit_domain::lifecycle::Phase;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::TurnStatus;
use mobkit_domain::state::{CallState, ModuleStatus};
use mobkit_engine::{ApplyOptions, DefinitionError, DefinitionSource, Engine, RediscoverMode};
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const HEAD: &str = r#"
[mob]
id = "desk"
[models.main]
provider = "rehearsal"
[[members]]
id = "a"
profile = "worker"
"#;

/// A mob file with one member and these modules, each with lines of its own.
fn text(modules: &[(&str, &str)]) -> String {
    let mut text = HEAD.to_owned();
    let mut tools = vec!["\"pay\"".to_owned()];
    for (id, lines) in modules {
        let command = "transport = \"mcp-stdio\"\ncommand = [\"x\"]";
        write!(text, "[[modules]]\nid = \"{id}\"\n{command}\n{lines}\n").expect("written");
        tools.push(format!("\"module:{id}/*\""));
    }
    let tools = tools.join(", ");
    write!(
        text,
        "[profiles.worker]\nmodel = \"main\"\ninstructions = \"Work.\"\ntools = [{tools}]\n"
    )
    .expect("written");
    text
}

fn mob(modules: &[&str]) -> Mob {
    let modules: Vec<_> = modules.iter().map(|id| (*id, "")).collect();
    Mob::of(&text(&modules))
}

fn id(module: &str) -> ModuleId {
    ModuleId::parse(module).expect("a module id")
}

async fn try_order(engine: &Engine, command: ModuleCommand) -> Result<(), Refusal> {
    let submission = Submission {
        command: Command::Module(command),
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await.map(drop)
}

async fn order(engine: &Engine, command: ModuleCommand) {
    try_order(engine, command).await.expect("done");
}

fn status(engine: &Engine, module: &str) -> Option<ModuleStatus> {
    engine.view(|world| Some(world.state.modules.get(&id(module))?.status))
}

async fn healthy(engine: &Engine, module: &str) {
    until("the module is healthy", || {
        status(engine, module) == Some(ModuleStatus::Healthy)
    })
    .await;
}

/// The kinds of the events of a module, in order.
fn of_module(events: &[Envelope], module: &str) -> Vec<&'static str> {
    let of = |event: &&Envelope| event.event.module() == Some(&id(module));
    let found = events.iter().filter(of);
    found.map(|event| event.event.kind()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_module_starts_once_the_runtime_is_ready_and_its_tools_are_called() {
    let mob = mob(&["files"]);
    let engine = mob.open().await.expect("opened");
    assert_eq!(mob.runner.on_modules(), Vec::<String>::new());
    engine.bring_up().await.expect("brought up");
    healthy(&engine, "files").await;
    let work = "module:files/look+module:files/look; module:files/pay; say paid";
    let message = send(&engine, "a", work).await;
    assert_eq!(text_of(&settle(&engine, message).await), "paid");
    assert_eq!(mob.runner.calls("module:files/look").len(), 2);
    assert_eq!(mob.runner.calls("module:files/pay").len(), 1);
    let events = sound(&mob.memory).await;
    let seen = of_module(&events, "files");
    assert_eq!(seen, ["module.starting", "module.healthy"]);
    let ready = events
        .iter()
        .position(|e| e.event.kind() == "runtime.ready");
    let starting = events
        .iter()
        .position(|e| e.event.kind() == "module.starting");
    assert!(ready < starting);
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_a_start_drops_the_start_and_reaches_the_runner() {
    for module in ["stuck", "slow"] {
        let mob = mob(&[module]);
        let engine = mob.up().await;
        until("it starts", || mob.runner.on_modules().len() == 1).await;
        order(&engine, ModuleCommand::Stop { module: id(module) }).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let done = [
            format!("start {module}"),
            format!("dropped {module}"),
            format!("stop {module}"),
        ];
        assert_eq!(mob.runner.on_modules(), done);
        assert_eq!(status(&engine, module), Some(ModuleStatus::Stopped));
        let seen = of_module(&sound(&mob.memory).await, module);
        let expected = ["module.starting", "module.stopping", "module.stopped"];
        assert_eq!(seen, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_stop_does_not_disturb_the_first() {
    let mob = mob(&["files"]);
    let engine = mob.up().await;
    healthy(&engine, "files").await;
    let restart = ModuleCommand::Restart {
        module: id("files"),
    };
    order(&engine, restart).await;
    until("it stops", || mob.runner.on_modules().len() == 2).await;
    order(
        &engine,
        ModuleCommand::Stop {
            module: id("files"),
        },
    )
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(mob.runner.on_modules(), ["start files", "stop files"]);
    assert_eq!(status(&engine, "files"), Some(ModuleStatus::Stopped));
    let starts = of_module(&sound(&mob.memory).await, "files");
    let starts = starts.iter().filter(|kind| **kind == "module.starting");
    assert_eq!(starts.count(), 1, "whoever spoke last is obeyed");
}

#[tokio::test(start_paused = true)]
async fn a_restart_stops_the_process_before_the_next_one_starts() {
    let mob = mob(&["files"]);
    let engine = mob.up().await;
    healthy(&engine, "files").await;
    order(
        &engine,
        ModuleCommand::Restart {
            module: id("files"),
        },
    )
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    healthy(&engine, "files").await;
    let done = ["start files", "stop files", "start files"];
    assert_eq!(mob.runner.on_modules(), done);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_or_panics_is_tried_again_until_it_is_too_often() {
    for module in ["broken", "clumsy"] {
        let mob = mob(&[module]);
        let engine = mob.up().await;
        tokio::time::sleep(Duration::from_mins(5)).await;
        assert_eq!(status(&engine, module), Some(ModuleStatus::Quarantined));
        let starts = mob.runner.on_modules();
        let starts = starts.iter().filter(|did| did.starts_with("start "));
        assert_eq!(starts.count(), 6, "the first one and five restarts");
        let message = send(&engine, "a", "say still here").await;
        assert_eq!(text_of(&settle(&engine, message).await), "still here");
        sound(&mob.memory).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_call_with_an_effect_waits_for_an_operator_and_others_have_failed() {
    let mob = mob(&["files"]);
    let engine = mob.up().await;
    healthy(&engine, "files").await;
    let text = r#"module:files/look {"lost": true}; module:files/put {"lost": true}; say on"#;
    let message = send(&engine, "a", text).await;
    assert_eq!(text_of(&settle(&engine, message).await), "on");
    let failed = |event: &&Envelope| matches!(&event.event, Event::ToolFailed(_));
    let events = sound(&mob.memory).await;
    assert_eq!(events.iter().filter(failed).count(), 2);

    for work in [
        r#"module:files/pay {"lost": true}; say paid"#,
        r#"pay {"panic": true}; say paid"#,
    ] {
        let message = send(&engine, "a", work).await;
        let unknown = || {
            engine.view(|world| {
                let turns = world.state.turns.iter();
                let calls = turns.flat_map(|(_, turn)| &turn.calls);
                calls
                    .clone()
                    .find(|c| c.state == CallState::Unknown)
                    .map(|c| c.id)
            })
        };
        until("the call is unknown", || unknown().is_some()).await;
        let call = unknown().expect("an unknown call");
        let (how, result) = (ResolveHow::Happened, Some("it did".into()));
        let command = Command::Turn(TurnCommand::ToolResolve { call, how, result });
        let submission = Submission {
            command,
            actor: ada(),
            key: None,
            trace: None,
        };
        engine.submit(submission).await.expect("resolved");
        assert_eq!(text_of(&settle(&engine, message).await), "paid");
    }
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_turn_is_cancelled_is_dropped_and_not_recorded() {
    let mob = mob(&["files"]);
    let engine = mob.up().await;
    healthy(&engine, "files").await;
    let message = send(&engine, "a", r#"module:files/pay {"after_ms": 100}"#).await;
    until("the call runs", || {
        mob.runner.calls("module:files/pay").len() == 1
    })
    .await;
    let turn = engine.view(|w| *w.state.turns.keys().next().expect("a turn"));
    let command = Command::Turn(TurnCommand::Cancel { turn, reason: None });
    let submission = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await.expect("cancelled");
    assert_eq!(settle(&engine, message).await.status, TurnStatus::Cancelled);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let kinds = kinds(&sound(&mob.memory).await);
    for kind in ["tool.finished", "tool.failed", "tool.unknown"] {
        assert!(!kinds.contains(&kind), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_every_module_and_records_how_before_its_last_event() {
    let mob = mob(&["files", "tough", "slow"]);
    let engine = mob.up().await;
    healthy(&engine, "tough").await;
    let message = send(&engine, "a", r#"module:files/pay {"after_ms": 200}; say x"#).await;
    until("the call runs", || {
        mob.runner.calls("module:files/pay").len() == 1
    })
    .await;
    let report = engine.shutdown().await;
    let ended: Vec<_> = report
        .modules
        .iter()
        .map(|module| (module.id.as_str(), module.outcome))
        .collect();
    // The start of the slow one was given up, so that there was none to stop.
    let expected = [
        ("files", StopOutcome::Exited),
        ("tough", StopOutcome::Killed),
    ];
    assert_eq!(ended, expected);
    assert!(!report.is_orderly(), "one had to be killed");
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(report.orphan_processes, 0);
    let events = sound(&mob.memory).await;
    let kinds = kinds(&events);
    assert_eq!(kinds.last(), Some(&"runtime.stopped"));
    let place = |kind| kinds.iter().rposition(|found| *found == kind).expect(kind);
    assert!(place("turn.completed") < place("module.stopped"));
    let stops = events.iter().filter_map(|event| match &event.event {
        Event::ModuleStopped(e) => Some((e.module.as_str(), e.reason.as_str(), e.took_ms)),
        _ => None,
    });
    let expected = [("files", 5), ("tough", 5), ("slow", 0)];
    let expected = expected.map(|(module, took_ms)| (module, "shutdown", took_ms));
    assert_eq!(stops.collect::<Vec<_>>(), expected);
    assert_eq!(crate::kit::ends_of(&events)[&message], 1);
    assert!(engine.tasks().live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_module_that_does_not_stop_holds_nobody_for_long_and_is_said_to_be_left() {
    let mut mob = mob(&["deaf"]);
    let engine = mob.up().await;
    healthy(&engine, "deaf").await;
    let began = engine.now();
    let report = engine.shutdown().await;
    let took_ms = engine.now().since_ms(began);
    assert!((8_000..9_000).contains(&took_ms), "{took_ms} ms");
    assert_eq!(report.state, Phase::Stopped);
    assert_eq!(report.orphan_processes, 1);
    assert!(
        !report.is_orderly() && report.problems.len() == 1,
        "{report:?}"
    );
    mob.again();
    let engine = mob.up().await;
    let events = sound(&mob.memory).await;
    let crash =
        |event: &Envelope| matches!(&event.event, Event::ModuleStopped(e) if e.reason == "crash");
    assert!(events.iter().any(crash));
    healthy(&engine, "deaf").await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_under_way_at_the_shutdown_is_recorded_once() {
    let mob = mob(&["files"]);
    let engine = mob.up().await;
    healthy(&engine, "files").await;
    order(
        &engine,
        ModuleCommand::Stop {
            module: id("files"),
        },
    )
    .await;
    until("it stops", || mob.runner.on_modules().len() == 2).await;
    let report = engine.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    let events = sound(&mob.memory).await;
    let stopped = of_module(&events, "files");
    let stopped = stopped.iter().filter(|kind| **kind == "module.stopped");
    assert_eq!(stopped.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn whatever_ends_the_process_ends_its_modules() {
    // A start that fails.
    let mut failing = mob(&["files"]);
    failing.hooks.pre_spawn = Some(Arc::new(|| {
        Box::pin(async { Err(mobkit_engine::HookError("no database".to_owned())) })
    }));
    failing.start().await.err().expect("refused");
    assert_eq!(failing.runner.on_modules(), ["stop all"]);
    // A journal that hangs.
    let hanging = mob(&["files"]);
    let engine = hanging.up().await;
    healthy(&engine, "files").await;
    hanging.tap.hold(true);
    let report = engine.shutdown().await;
    assert_eq!((report.state, report.orphan_processes), (Phase::Failed, 0));
    assert_eq!(report.modules.len(), 1);
    // A journal that fails.
    let failed = mob(&["files"]);
    let engine = failed.up().await;
    healthy(&engine, "files").await;
    failed
        .tap
        .dies(Death::Before(failed.tap.appends().len() + 1));
    let report = engine.shutdown().await;
    assert_eq!((report.state, report.orphan_processes), (Phase::Failed, 0));
    assert_eq!(report.modules.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_again_while_the_process_ends() {
    let mob = mob(&["broken", "files"]);
    let engine = mob.up().await;
    healthy(&engine, "files").await;
    send(&engine, "a", "never").await;
    let stop = beside({
        let engine = engine.clone();
        async move { engine.shutdown().await }
    });
    until("it drains", || engine.phase().now() == Phase::Draining).await;
    let before = mob.runner.on_modules();
    let report = stop.await.expect("ended");
    assert_eq!(report.problems, Vec::<String>::new());
    let after = mob.runner.on_modules();
    assert_eq!(after[before.len()..], ["stop all".to_owned()]);
}

/// A definition that a test changes.
struct Changing(Mutex<Definition>);

fn parsed(modules: &[(&str, &str)]) -> Definition {
    let parsed = parse("mob.toml", &text(modules), &NoFiles);
    parsed.expect("the mob file is right").definition
}

#[async_trait]
impl DefinitionSource for Changing {
    async fn load(&self) -> Result<Definition, DefinitionError> {
        Ok(self.0.lock().expect("not poisoned").clone())
    }
}

fn changing(modules: &[(&str, &str)]) -> (Mob, Arc<Changing>) {
    let source = Arc::new(Changing(Mutex::new(parsed(modules))));
    let mut mob = Mob::of(&text(modules));
    mob.source = Some(Arc::clone(&source) as _);
    (mob, source)
}

fn names(modules: &[ModuleId]) -> Vec<&str> {
    modules.iter().map(ModuleId::as_str).collect()
}

#[tokio::test(start_paused = true)]
async fn an_apply_brings_modules_to_what_the_definition_says() {
    let (mob, source) = changing(&[("kept", ""), ("changed", ""), ("old", "")]);
    let engine = mob.up().await;
    healthy(&engine, "old").await;
    let before = mob.runner.on_modules().len();
    let other = "env = { A = \"b\" }";
    *source.0.lock().expect("not poisoned") =
        parsed(&[("kept", ""), ("changed", other), ("new", "")]);
    let plan = engine.plan().await.expect("planned");
    assert_eq!(
        plan.steps
            .iter()
            .filter(|s| s.object.starts_with("module/"))
            .count(),
        3
    );
    let report = engine.apply(&ada(), &ApplyOptions::default()).await;
    let report = report.expect("applied");
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(names(&report.modules_started), ["new"]);
    assert_eq!(names(&report.modules_restarted), ["changed"]);
    assert_eq!(names(&report.modules_stopped), ["old"]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let done = &mob.runner.on_modules()[before..];
    let place = |what: &str| done.iter().position(|did| did == what).expect("done");
    assert_eq!(done.len(), 4, "{done:?}");
    assert!(place("stop changed") < place("start changed"));
    assert!(place("start new") < place("stop old"));
    for module in ["kept", "changed", "new"] {
        assert_eq!(
            status(&engine, module),
            Some(ModuleStatus::Healthy),
            "{module}"
        );
    }
    assert_eq!(status(&engine, "old"), None, "it is forgotten");
    let again = engine.plan().await.expect("planned");
    assert!(again.empty, "{again:?}");
    let message = send(&engine, "a", "module:new/look; say seen").await;
    assert_eq!(text_of(&settle(&engine, message).await), "seen");
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_reset_begins_modules_anew_but_for_those_that_an_operator_stopped() {
    let modules = [
        ("files", ""),
        ("held", ""),
        ("idle", "start = \"lazy\"\nidle_stop = \"1s\""),
        ("broken", "restart = { intensity = 0 }"),
    ];
    let (mob, _source) = changing(&modules);
    let engine = mob.up().await;
    healthy(&engine, "held").await;
    order(&engine, ModuleCommand::Stop { module: id("held") }).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let expected = [
        ("idle", ModuleStatus::Stopped),
        ("broken", ModuleStatus::Quarantined),
    ];
    for (module, expected) in expected {
        assert_eq!(status(&engine, module), Some(expected), "{module}");
    }
    let before = mob.runner.on_modules().len();
    let report = engine.reset(&ada(), true).await.expect("reset");
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(names(&report.modules_restarted), ["broken", "files"]);
    assert_eq!(report.spawned, [member("a")]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let done = &mob.runner.on_modules()[before..];
    assert_eq!(done, ["start broken", "stop files", "start files"]);
    let none = engine.rediscover(&ada(), RediscoverMode::Reset, true).await;
    assert_eq!(none, Ok(None), "there is no discovery");
    let events = journal(&mob.memory).await;
    let reset = events.iter().position(|e| e.event.kind() == "mob.reset");
    let spawned = events
        .iter()
        .rposition(|e| e.event.kind() == "member.spawned");
    let restarting = events
        .iter()
        .rposition(|e| e.event.kind() == "module.restarting");
    assert!(reset < restarting && restarting < spawned);
    quiet().await;
}
