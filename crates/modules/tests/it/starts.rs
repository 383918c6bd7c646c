//! Modules that do not come to answer.

use crate::kit::{Mob, module, module_id, until};
use mobkit_domain::event::{Event, StopOutcome};
use mobkit_domain::state::ModuleStatus;

const QUICK: &str = "restart = { intensity = 2, backoff = [\"5ms\", \"20ms\"] }";

async fn quarantined(mob: &Mob) -> String {
    mob.event("quarantined", |event| match event {
        Event::ModuleQuarantined(e) => Some(e.reason.clone()),
        _ => None,
    })
    .await
}

async fn check(how: &str, more: &str, reason: &str) -> Mob {
    let mob = Mob::up(&[module("m", &format!("starts.py {how} note"), more)]).await;
    let told = quarantined(&mob).await;
    assert!(told.ends_with(reason), "{told}");
    mob
}

#[tokio::test]
async fn one_that_ends_at_once_is_started_as_often_as_its_policy_says() {
    let mob = check(
        "exit-3",
        QUICK,
        "it ended 3 times within 60 s, at last: exit status 3",
    )
    .await;
    assert_eq!(mob.starts("note"), 3);
    let mut reasons = Vec::new();
    for envelope in mob.journal().await {
        if let Event::ModuleRestarting(e) = envelope.event {
            reasons.push((e.restarts, e.reason));
        }
    }
    let exit = "exit status 3".to_owned();
    assert_eq!(reasons, [(1, exit.clone()), (2, exit)]);
    let logged = mob
        .journal()
        .await
        .into_iter()
        .filter_map(|envelope| match envelope.event {
            Event::ModuleLog(e) => Some(e.lines),
            _ => None,
        });
    let logged: Vec<String> = logged.flatten().collect();
    assert_eq!(logged, ["starting in the way exit-3"; 3]);
    let report = mob.engine.shutdown().await;
    assert_eq!((report.modules.len(), report.orphan_processes), (0, 0));
}

#[tokio::test]
async fn the_reason_says_how_it_ended() {
    let never = "restart = { policy = \"never\" }";
    let stopped = async |how: &str| {
        let mob = Mob::up(&[module("m", &format!("starts.py {how} note"), never)]).await;
        let reason = mob
            .event("stopped", |event| match event {
                Event::ModuleStopped(e) => Some(e.reason.clone()),
                _ => None,
            })
            .await;
        mob.engine.shutdown().await;
        reason
    };
    assert_eq!(stopped("exit-0").await, "exit status 0 before it answered");
    assert_eq!(
        stopped("garbage").await,
        "broken protocol: wrote more than 100 lines that are no part of the protocol"
    );
    let list = stopped("list").await;
    assert!(
        list.starts_with("broken protocol: a tool has the name \"not a name\""),
        "{list}"
    );
    // Whoever holds its streams open does not hide its end.
    assert_eq!(stopped("leave").await, "exit status 4");
}

#[tokio::test]
async fn what_it_wrote_instead_of_an_answer_is_recorded() {
    let never = "restart = { policy = \"never\" }";
    let mob = Mob::up(&[module("m", "starts.py garbage note", never)]).await;
    mob.event("a line", |event| match event {
        Event::ModuleLog(e) => e
            .lines
            .iter()
            .find(|line| line.ends_with("of any protocol"))
            .cloned(),
        _ => None,
    })
    .await;
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let text = "[[modules]]\nid = \"m\"\ntransport = \"json-lines\"\n\
                command = [\"no-such-program\"]\nrestart = { intensity = 0 }\n";
    let mob = Mob::up(&[text.to_owned()]).await;
    let reason = quarantined(&mob).await;
    assert!(
        reason.contains("no-such-program could not be started: "),
        "{reason}"
    );
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_variable_that_is_not_set_makes_a_start_hopeless() {
    let more = "env = { TOKEN = { env = \"SEARCH_TOKEN\" } }";
    let mob = Mob::up(&[module("m", "starts.py exit-0 note", more)]).await;
    let reason = quarantined(&mob).await;
    assert_eq!(
        reason,
        "TOKEN: environment variable SEARCH_TOKEN is not set"
    );
    assert_eq!(mob.starts("note"), 0);
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn one_that_does_not_answer_is_killed_after_its_time() {
    let more = "restart = { policy = \"never\" }";
    let mob = Mob::up(&[module("m", "starts.py hang note", more)]).await;
    until("it runs", || mob.starts("note") == 1).await;
    // From here on nothing happens by itself, so the whole wait passes at once.
    tokio::time::pause();
    mob.event("stopped", |event| match event {
        Event::ModuleStopped(e) if e.reason == "did not answer within 30 s" => Some(()),
        _ => None,
    })
    .await;
    tokio::time::resume();
    assert_eq!(mob.modules.processes_left(), 1, "its watchdog alone");
    mob.engine.shutdown().await;
    assert_eq!(mob.modules.processes_left(), 0);
}

#[tokio::test]
async fn a_stop_while_it_starts_kills_it() {
    let mob = Mob::up(&[module("m", "starts.py hang note", "")]).await;
    until("it runs", || mob.starts("note") == 1).await;
    assert_eq!(mob.status("m"), ModuleStatus::Starting);
    let stop = mobkit_domain::command::ModuleCommand::Stop {
        module: module_id("m"),
    };
    mob.order(mobkit_domain::command::Command::Module(stop))
        .await;
    let outcome = mob
        .event("stopped", |event| match event {
            Event::ModuleStopped(e) => Some(e.outcome.map(StopOutcome::as_str)),
            _ => None,
        })
        .await;
    assert_eq!(outcome, Some("killed"));
    assert_eq!(mob.modules.processes_left(), 1, "its watchdog alone");
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_while_it_starts_leaves_nothing() {
    let mob = Mob::up(&[module("m", "starts.py hang note", "")]).await;
    until("it runs", || mob.starts("note") == 1).await;
    let report = mob.engine.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    assert_eq!(mob.modules.processes_left(), 0);
}
