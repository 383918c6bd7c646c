//! Direct calls: somebody calls a tool of a module, and no turn waits for it.

use super::harness::Mob;
use super::module_kit::{WORKSHOP, module, tool, tools};
use mobkit_domain::command::{
    Answer, Command, ModuleCommand, RuntimeCommand, ToolOutcome, TurnCommand,
};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{DrainReport, ToolEffect};
use mobkit_domain::id::CallId;
use mobkit_domain::principal::Principal;
use serde_json::{Value, json};

fn call(id: &str, tool: &str, args: Value) -> ModuleCommand {
    ModuleCommand::Call {
        module: module(id),
        tool: tool.to_owned(),
        args,
    }
}

/// Calls and gives the id of the call.
fn calls(mob: &mut Mob, id: &str, tool: &str) -> CallId {
    let answer = mob.module_order(call(id, tool, json!({"n": 1})));
    let Answer::Done { seq } = answer else {
        panic!("{answer:?} is no answer to a call")
    };
    CallId {
        reply: seq,
        index: 0,
    }
}

fn came(call: CallId, outcome: ToolOutcome) -> Command {
    Command::Turn(TurnCommand::ToolEnded {
        turn: None,
        call,
        outcome,
    })
}

#[test]
fn a_direct_call_is_recorded_before_it_is_made_and_after() {
    let mut mob = Mob::workshop_open();
    let id = calls(&mut mob, "search", "fetch");
    mob.then("tool.started");
    let started = mob.last().next().expect("an event").to_wire();
    assert_eq!(
        (
            &started["actor"],
            &started["subject"],
            &started["source"],
            started.get("turn")
        ),
        (
            &json!("operator:ada"),
            &json!("module/search"),
            &json!("operator"),
            None
        )
    );
    assert_eq!(started["data"]["call"], json!(id.to_string()));
    assert_eq!(
        (&started["data"]["tool"], &started["data"]["effect"]),
        (&json!("module:search/fetch"), &json!("read"))
    );
    let asked = mob.asked.first();
    let Some(Effect::ToolCall {
        turn: None,
        member: None,
        call,
        args,
        ..
    }) = asked
    else {
        panic!("{asked:?}")
    };
    assert_eq!((call, args), (&id, &json!({"n": 1})));
    assert_eq!(mob.module("search").calls.len(), 1);
    mob.internal(came(id, ToolOutcome::Finished("done".into())));
    mob.then("tool.finished");
    let finished = mob.last().next().expect("an event");
    assert_eq!(
        (finished.cause, finished.subject.as_str()),
        (Some(id.reply), "module/search")
    );
    assert!(mob.world.state.direct_calls.is_empty() && mob.module("search").calls.is_empty());
    assert_eq!(
        mob.refused(came(id, ToolOutcome::Finished("again".into()))),
        "tool.stale"
    );
}

#[test]
fn a_lost_call_with_an_effect_is_unknown_and_any_other_has_failed() {
    let mut mob = Mob::workshop_open();
    for (tool, outcome, kind) in [
        ("publish", ToolOutcome::Lost("gone".into()), "tool.unknown"),
        ("publish", ToolOutcome::Failed("no".into()), "tool.failed"),
        ("fetch", ToolOutcome::Lost("gone".into()), "tool.failed"),
    ] {
        let id = calls(&mut mob, "search", tool);
        mob.internal(came(id, outcome));
        mob.then(kind);
        let reason = if tool == "publish" && kind == "tool.failed" {
            "no"
        } else {
            "gone"
        };
        assert_eq!(mob.data(kind)["reason"], reason);
        assert!(mob.world.state.direct_calls.is_empty() && mob.module("search").calls.is_empty());
    }
}

#[test]
fn a_lazy_module_is_started_for_a_direct_call() {
    let mut mob = Mob::workshop_open();
    let id = calls(&mut mob, "mail", "fetch");
    mob.then("tool.started module.starting");
    assert_eq!(mob.data("module.starting")["reason"], "called");
    assert_eq!(mob.modules_asked(), ["start mail"]);
    // It does not stop for idleness before the call has ended.
    mob.is_healthy("mail", None);
    mob.pass_ms(60_000);
    mob.module_tick();
    mob.then("");
    mob.internal(came(id, ToolOutcome::Finished("".into())));
    mob.pass_ms(9_999);
    mob.module_tick();
    mob.then("");
    mob.pass_ms(1);
    mob.module_tick();
    mob.then("module.stopping");
}

#[test]
fn what_can_not_be_called_is_refused_and_starts_nothing() {
    let mut mob = Mob::workshop_open();
    let refused = |mob: &mut Mob, command| mob.module_refused(command).0;
    assert_eq!(
        refused(&mut mob, call("nobody", "fetch", json!({}))),
        "module.not_found"
    );
    let (code, hint) = mob.module_refused(call("mail", "fetsh", json!({})));
    assert_eq!(
        (code.as_str(), hint.as_str()),
        ("tool.not_found", "did you mean \"fetch\"?")
    );
    assert_eq!(
        refused(&mut mob, call("mail", "fetch", json!([1]))),
        "tool.bad_arguments"
    );
    let (code, why) = mob.module_refused(call("mail", "fetch", json!({"n": "one"})));
    assert_eq!(code, "tool.bad_arguments");
    assert!(why.contains("/n"), "{why}");
    mob.is_unhealthy("search", "no answer");
    let (code, why) = mob.module_refused(call("search", "fetch", json!({})));
    assert_eq!(code, "module.unavailable");
    assert!(
        why.contains("module search is unhealthy (no answer)"),
        "{why}"
    );
    assert!(mob.world.state.direct_calls.is_empty());
}

#[test]
fn agents_call_modules_in_their_turns_only() {
    let mut mob = Mob::workshop_open();
    let agent = Principal::Agent(super::harness::member("ann"));
    let (code, _) = mob.refused_to(agent, call("search", "fetch", json!({})));
    assert_eq!(code, "module.not_yours");
}

#[test]
fn a_tool_of_a_module_that_nobody_has_listed_may_be_called() {
    let mut mob = Mob::workshop();
    let id = calls(&mut mob, "mail", "anything");
    mob.then("tool.started");
    assert_eq!(mob.data("tool.started")["effect"], "effect");
    mob.internal(came(id, ToolOutcome::Failed("no such tool".into())));
    assert_eq!(
        mob.module_refused(call("mail", "a b", json!({}))).0,
        "tool.not_found"
    );
}

#[test]
fn the_mob_file_says_what_a_repeated_call_does_and_else_the_module() {
    let mut mob = Mob::workshop();
    let listed = vec![
        tool("fetch", "declared", ToolEffect::Effect),
        tool("other", "hinted", ToolEffect::Idempotent),
    ];
    mob.is_healthy("search", Some(listed));
    for (tool, effect) in [("fetch", "read"), ("other", "idempotent")] {
        calls(&mut mob, "search", tool);
        assert_eq!(mob.data("tool.started")["effect"], effect);
    }
}

#[test]
fn after_a_crash_a_call_with_an_effect_is_unknown_and_nobody_makes_it_again() {
    let mut mob = Mob::workshop_open();
    calls(&mut mob, "once", "fetch");
    calls(&mut mob, "search", "publish");
    mob.crash();
    assert_eq!(mob.data("tool.unknown")["tool"], "module:search/publish");
    assert_eq!(mob.data("tool.failed")["tool"], "module:once/fetch");
    assert!(mob.world.state.direct_calls.is_empty());
    mob.runtime(RuntimeCommand::Ready);
    assert!(mob.tools_asked().is_empty());
}

#[test]
fn an_orderly_stop_ends_direct_calls_at_the_next_start_too() {
    let mut mob = Mob::workshop_open();
    calls(&mut mob, "search", "publish");
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
    mob.runtime(RuntimeCommand::Stop {
        drain: DrainReport::default(),
    });
    mob.start();
    assert_eq!(mob.count("tool.unknown"), 1);
    assert!(mob.module("search").calls.is_empty());
}

#[test]
fn a_call_of_a_module_that_has_just_come_in_starts_it() {
    let mut mob = Mob::workshop_open();
    let added = "[[modules]]\nid = \"fresh\"\ntransport = \"json-lines\"\ncommand = [\"fresh\"]\n\
                 start = \"lazy\"\nidle_stop = \"1s\"\n";
    mob.redefine(&format!("{WORKSHOP}\n{added}"));
    let id = calls(&mut mob, "fresh", "anything");
    mob.then("tool.started module.starting");
    assert_eq!(mob.module("fresh").calls.len(), 1);
    mob.is_healthy("fresh", Some(tools(&["anything"])));
    mob.pass_ms(5_000);
    mob.module_tick();
    mob.then("");
    mob.internal(came(id, ToolOutcome::Finished("".into())));
    mob.pass_ms(1_000);
    mob.module_tick();
    mob.then("module.stopping");
}
