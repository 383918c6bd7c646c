//! Calls of modules in turns: what starts them, what keeps them up, and what the agent is told.

use super::harness::{Mob, resolve};
use super::module_kit::WORKSHOP;
use mobkit_domain::command::{Command, Ended, RuntimeCommand, ToolOutcome, TurnCommand};
use mobkit_domain::event::ResolveHow;
use mobkit_domain::state::ModuleStatus;
use serde_json::json;

/// Ann's model calls these tools.
fn called(mob: &mut Mob, tools: &[&str]) {
    mob.send("ann", "work");
    let calls: Vec<_> = tools.iter().map(|tool| (*tool, json!({"n": 1}))).collect();
    mob.calls("ann", "", &calls);
}

fn in_flight(mob: &Mob, id: &str) -> usize {
    mob.module(id).calls.len()
}

#[test]
fn a_call_of_a_healthy_module_is_made() {
    let mut mob = Mob::workshop_open();
    called(&mut mob, &["module:search/fetch"]);
    assert_eq!(mob.tools_asked(), ["module:search/fetch"]);
    assert_eq!(in_flight(&mob, "search"), 1);
    mob.tool_ends("ann", 0, Ok("found"));
    assert_eq!(in_flight(&mob, "search"), 0);
}

#[test]
fn a_lazy_module_is_started_once_for_all_calls_of_a_reply() {
    let mut mob = Mob::workshop_open();
    called(&mut mob, &["module:mail/fetch", "module:mail/fetch"]);
    assert_eq!(mob.modules_asked(), ["start mail"]);
    assert_eq!(mob.tools_asked().len(), 2);
    assert_eq!(in_flight(&mob, "mail"), 2);
    assert_eq!(mob.count("tool.refused"), 0);
}

#[test]
fn a_lazy_module_stops_when_nobody_has_used_it_for_a_while() {
    let mut mob = Mob::workshop_open();
    called(&mut mob, &["module:mail/fetch"]);
    mob.is_healthy("mail", None);
    mob.pass_ms(3_600_000);
    mob.module_tick();
    mob.then("");
    mob.tool_ends("ann", 0, Ok("found"));
    mob.pass_ms(9_999);
    mob.module_tick();
    mob.then("");
    mob.pass_ms(1);
    mob.module_tick();
    mob.then("module.stopping");
    assert_eq!(mob.data("module.stopping")["reason"], "idle");
    mob.has_stopped("mail");
    assert_eq!(mob.status("mail"), ModuleStatus::Stopped);
    assert!(!mob.module("mail").held);
}

#[test]
fn the_end_of_a_turn_ends_its_calls() {
    let mut mob = Mob::workshop_open();
    called(&mut mob, &["module:mail/publish"]);
    mob.is_healthy("mail", None);
    assert_eq!(in_flight(&mob, "mail"), 1);
    let (turn, reason) = (mob.turn_of("ann"), None);
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason }));
    assert_eq!(in_flight(&mob, "mail"), 0);
    mob.pass_ms(10_000);
    mob.module_tick();
    mob.then("module.stopping");
}

#[test]
fn a_call_whose_outcome_is_unknown_keeps_no_module_up_until_it_is_made_again() {
    let mut mob = Mob::workshop_open();
    mob.redefine(&WORKSHOP.replace(
        "idle_stop = \"10s\"",
        "idle_stop = \"10s\"\neffects = { publish = \"effect\" }",
    ));
    called(&mut mob, &["module:mail/publish"]);
    mob.is_healthy("mail", None);
    let (turn, call) = (Some(mob.turn_of("ann")), mob.open_calls("ann")[0]);
    let outcome = ToolOutcome::Lost("it fell silent".to_owned());
    mob.internal(Command::Turn(TurnCommand::ToolEnded {
        turn,
        call,
        outcome,
    }));
    assert_eq!((mob.count("tool.unknown"), in_flight(&mob, "mail")), (1, 0));
    mob.order(resolve(call, ResolveHow::Run, None));
    assert_eq!(in_flight(&mob, "mail"), 1);
}

/// What the agent is told of a call of the module.
fn refusal(mob: &mut Mob, id: &str) -> String {
    called(mob, &[&format!("module:{id}/fetch")]);
    let told = mob.told().join("\n");
    assert!(
        told.starts_with("module.unavailable: ") && !told.contains('\n'),
        "{told}"
    );
    assert!(mob.tools_asked().is_empty() && mob.modules_asked().is_empty());
    told
}

#[test]
fn the_agent_is_told_which_module_can_not_take_a_call_why_and_what_helps() {
    let mut mob = Mob::workshop_open();
    mob.is_unhealthy("search", "no answer to a ping");
    let told = refusal(&mut mob, "search");
    assert!(
        told.contains("search is unhealthy (no answer to a ping)"),
        "{told}"
    );
    assert!(told.contains("`module/restart`"), "{told}");

    let mut mob = Mob::workshop_open();
    mob.has_ended("search", Ended::Failure);
    let told = refusal(&mut mob, "search");
    assert!(told.contains("search is restarting (signal 9)"), "{told}");

    let mut mob = Mob::workshop_open();
    mob.has_ended("search", Ended::Hopeless);
    let told = refusal(&mut mob, "search");
    assert!(
        told.contains("search is quarantined (no sandbox)"),
        "{told}"
    );
    assert!(told.contains("`module/restart`"), "{told}");

    let mut mob = Mob::workshop_open();
    mob.has_ended("once", Ended::Failure);
    let told = refusal(&mut mob, "once");
    assert!(told.contains("once is stopped (signal 9)"), "{told}");
    assert!(told.contains("`module/start`"), "{told}");

    // An operator wants the lazy one down.
    let mut mob = Mob::workshop_open();
    mob.stop_module("mail");
    let told = refusal(&mut mob, "mail");
    assert!(told.contains("an operator stopped it"), "{told}");

    let mut mob = Mob::workshop_open();
    mob.stop_module("search");
    let told = refusal(&mut mob, "search");
    assert!(told.contains("search is stopping"), "{told}");
}

#[test]
fn a_lazy_module_that_ended_by_itself_is_started_by_the_next_call() {
    let text = WORKSHOP.replace("policy = \"always\", intensity = 1", "policy = \"never\"");
    let mut mob = Mob::ready_of(&text);
    mob.is_healthy("mail", Some(super::module_kit::tools(&["fetch"])));
    mob.has_ended("mail", Ended::Success);
    mob.then("module.stopped");
    called(&mut mob, &["module:mail/fetch"]);
    assert_eq!(mob.modules_asked(), ["start mail"]);
}

#[test]
fn while_the_mob_stops_no_call_starts_a_module() {
    let mut mob = Mob::workshop_open();
    mob.send("ann", "work");
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1_000 });
    mob.calls("ann", "", &[("module:mail/fetch", json!({}))]);
    assert!(
        mob.told()[0].contains("mail is stopped, and mobkit is shutting down"),
        "{:?}",
        mob.told()
    );
    assert!(mob.modules_asked().is_empty());
}

#[test]
fn a_call_that_is_repeated_after_a_crash_finds_its_module_started() {
    let mut mob = Mob::workshop_open();
    called(&mut mob, &["module:mail/fetch"]);
    mob.is_healthy("mail", None);
    mob.crash();
    assert_eq!(in_flight(&mob, "mail"), 1);
    mob.runtime(RuntimeCommand::Ready);
    let reason = mob.last().find_map(|envelope| {
        let wire = envelope.to_wire();
        (wire["data"]["module"] == "mail").then(|| wire["data"]["reason"].clone())
    });
    assert_eq!(reason, Some(json!("called")));
    mob.is_healthy("mail", None);
    mob.tool_ends("ann", 0, Ok("found"));
    assert_eq!(in_flight(&mob, "mail"), 0);
}

#[test]
fn a_call_that_nobody_had_looked_at_before_the_mob_stopped_is_made_when_it_is_ready() {
    let mut mob = Mob::workshop_open();
    called(&mut mob, &["module:search/publish", "module:mail/fetch"]);
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1_000 });
    mob.runtime(RuntimeCommand::Checkpoint);
    mob.tool_ends("ann", 0, Ok("published"));
    assert_eq!(in_flight(&mob, "search"), 0);
    mob.crash();
    // The second call is owed and wanted before the modules are there.
    assert_eq!((mob.count("tool.refused"), in_flight(&mob, "mail")), (0, 1));
    mob.runtime(RuntimeCommand::Ready);
    assert!(mob.modules_asked().contains(&"start mail".to_owned()));
}
