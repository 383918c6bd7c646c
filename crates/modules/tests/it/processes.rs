//! Nothing of a module is left, whatever it did and however mobkit ended.

use crate::kit::{
    Mob, children, is_alive, module, module_id, token_of, until, watchdog_of, with_mark,
};
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::effect::Effect;
use mobkit_engine::EffectPort;
use serde_json::json;
use std::io::BufRead;
use std::process::Stdio;
use tokio_util::sync::CancellationToken;

async fn family(mob: &Mob, id: &str) -> (String, u32) {
    mob.healthy(id).await;
    let number = |value: serde_json::Value| {
        let pid = value.as_u64().and_then(|pid| u32::try_from(pid).ok());
        pid.expect("a number")
    };
    let leader = number(mob.value(id, "pid", json!({})).await);
    let bare = number(mob.value(id, "bare_pid", json!({})).await);
    let token = token_of(leader);
    until("its family is there", || {
        with_mark(&token).len() >= 3 && is_alive(bare)
    })
    .await;
    (token, bare)
}

#[tokio::test]
async fn processes_that_went_into_sessions_of_their_own_end_with_their_module() {
    let mob = Mob::up(&[
        module("m", "family.py", ""),
        module("other", "tools.py", ""),
    ])
    .await;
    let (token, bare) = family(&mob, "m").await;
    mob.healthy("other").await;
    mob.call("m", "leave", json!({}))
        .await
        .expect_err("it left");
    mob.event("stopped", |event| {
        matches!(event, mobkit_domain::event::Event::ModuleStopped(_)).then_some(())
    })
    .await;
    assert_eq!(with_mark(&format!("{token}/m")), Vec::<u32>::new());
    assert!(!is_alive(bare), "one whose environment says nothing");
    assert_eq!(with_mark(&token).len(), 1, "the other module");
    assert_eq!(mob.value("other", "echo", json!({})).await, json!({}));
    mob.engine.shutdown().await;
    assert_eq!(with_mark(&token), Vec::<u32>::new());
}

#[tokio::test]
async fn nothing_is_left_after_a_shutdown() {
    let mob = Mob::up(&[module("m", "family.py stubborn", "")]).await;
    let (token, bare) = family(&mob, "m").await;
    let report = mob.engine.shutdown().await;
    assert_eq!(report.orphan_processes, 0);
    assert_eq!(with_mark(&token), Vec::<u32>::new());
    assert!(!is_alive(bare));
    assert_eq!(children(), Vec::<String>::new());
}

#[test]
fn nothing_is_left_when_everything_is_dropped() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let (mob, token, bare) = runtime.block_on(async {
        let mob = Mob::up(&[module("m", "family.py stubborn", "")]).await;
        let (token, bare) = family(&mob, "m").await;
        (mob, token, bare)
    });
    drop(runtime);
    // They are killed by now; a machine under load takes a moment to end them. Neither the mob nor
    // its watchdog has gone.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("a runtime")
        .block_on(until("all are gone", || {
            with_mark(&token).is_empty() && !is_alive(bare)
        }));
    drop(mob);
}

#[tokio::test]
async fn a_start_that_is_dropped_leaves_no_process() {
    let mob = Mob::up(&[module("m", "starts.py hang note", "start = \"lazy\"")]).await;
    until("it runs", || mob.starts("note") == 1).await;
    // The engine's own start is at work on it; a second one waits for its place, and is dropped.
    let start = Effect::ModuleStart {
        module: module_id("m"),
        start: 1,
    };
    let port = EffectPort {
        engine: mob.engine.clone(),
        cancelled: CancellationToken::new(),
    };
    let second = mob.modules.run(start, port);
    let patience = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(patience, second).await.is_err());
    assert_eq!(mob.starts("note"), 1);
    mob.engine.shutdown().await;
    assert_eq!(mob.modules.processes_left(), 0);
}

#[tokio::test]
async fn a_later_start_takes_the_place_of_an_earlier_one() {
    let mob = Mob::up(&[module("m", "tools.py", "")]).await;
    mob.healthy("m").await;
    let before = mob.value("m", "state", json!({})).await;
    let (module, start) = (module_id("m"), 1_000_000);
    let port = EffectPort {
        engine: mob.engine.clone(),
        cancelled: CancellationToken::new(),
    };
    let later = Effect::ModuleStart {
        module: module.clone(),
        start,
    };
    let outcome = mob.modules.run(later, port.clone()).await;
    assert!(matches!(
        outcome,
        Some(Command::Module(ModuleCommand::Healthy { .. }))
    ));
    let after = mob.value("m", "state", json!({})).await;
    assert_ne!(before["pid"], after["pid"]);
    assert_eq!(
        mob.modules.processes_left(),
        2,
        "one module and its watchdog"
    );
    // A stop of the earlier one is about nothing that is there.
    let stale = Effect::ModuleStop { module, start: 1 };
    mob.modules.run(stale, port).await.expect("an outcome");
    assert_eq!(
        mob.value("m", "state", json!({})).await["pid"],
        after["pid"]
    );
    mob.engine.shutdown().await;
    assert_eq!(mob.modules.processes_left(), 0);
}

const HOST: &str = "MOBKIT_TEST_HOST";

/// The test is its own host: it starts itself again, and kills what it started.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "a process is told by its environment what it is"
)]
async fn a_host_that_is_killed_leaves_no_process() {
    if std::env::var_os(HOST).is_some() {
        return be_killed().await;
    }
    let this = std::env::current_exe().expect("the path of this test");
    let name = "processes::a_host_that_is_killed_leaves_no_process";
    let mut host = std::process::Command::new(this)
        .args(["--exact", name, "--nocapture"])
        .env(HOST, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let output = std::io::BufReader::new(host.stdout.take().expect("piped"));
    let told = output.lines().find_map(|line| {
        let line = line.expect("readable");
        let told = line.split_once("family ")?.1.to_owned();
        let (token, bare) = told.split_once(' ')?;
        Some((token.to_owned(), bare.parse::<u32>().ok()?))
    });
    let (token, bare) = told.expect("the host has a family");
    assert!(with_mark(&token).len() >= 6 && is_alive(bare));
    let watchdog = watchdog_of(host.id());
    assert!(is_alive(watchdog));
    host.kill().expect("killed");
    host.wait().expect("gone");
    until("nothing is left", || {
        with_mark(&token).is_empty() && !is_alive(bare)
    })
    .await;
    until("the watchdog has ended", || !is_alive(watchdog)).await;
}

async fn be_killed() {
    let mob = Mob::up(&[
        module("m", "family.py stubborn", ""),
        module("other", "family.py deaf", ""),
    ])
    .await;
    let (token, bare) = family(&mob, "m").await;
    family(&mob, "other").await;
    println!("family {token} {bare}");
    std::future::pending::<()>().await;
}
