//! Tools of the host: side by side or one by one, and calls whose outcome nobody knows.

use super::harness::{Mob, resolve};
use mobkit_domain::command::{Command, RuntimeCommand, ToolOutcome, TurnCommand};
use mobkit_domain::effect::{Effect, open_effects};
use mobkit_domain::event::ResolveHow;
use mobkit_domain::id::CallId;
use mobkit_domain::row::TurnStatus;
use mobkit_domain::state::{CallState, MemberState};
use serde_json::json;

/// A mob in which ann's model has called tools of the host.
fn calling(tools: &[&str]) -> Mob {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    let calls: Vec<_> = tools.iter().map(|tool| (*tool, json!({"n": 1}))).collect();
    mob.calls("ann", "", &calls);
    mob
}

/// A mob in which the process died while `publish` ran.
fn unknown() -> (Mob, CallId) {
    let mut mob = calling(&["publish"]);
    let call = mob.open_calls("ann")[0];
    mob.crash();
    (mob, call)
}

#[test]
fn calls_that_only_read_run_side_by_side() {
    let mut mob = calling(&["look", "look", "now", "look"]);
    assert_eq!(mob.tools_asked(), ["look", "look", "look"]);
    mob.tool_ends("ann", 3, Ok("c"));
    mob.tool_ends("ann", 0, Ok("a"));
    assert_eq!(mob.models_asked(), [], "one is still out");
    mob.tool_ends("ann", 1, Err("it broke"));
    mob.then("tool.failed");
    assert_eq!(mob.data("tool.failed")["reason"], "it broke");
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn calls_that_do_something_run_one_by_one_in_their_order() {
    let mut mob = calling(&["look", "publish", "save", "publish"]);
    for (n, tool) in ["look", "publish", "save", "publish"]
        .into_iter()
        .enumerate()
    {
        assert_eq!(mob.tools_asked(), [tool]);
        mob.tool_ends("ann", n, Ok("done"));
    }
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn the_effect_carries_the_exact_call() {
    let mob = calling(&["publish"]);
    let [
        Effect::ToolCall {
            turn, call, args, ..
        },
    ] = &mob.asked[..]
    else {
        panic!("{:?}", mob.asked)
    };
    assert_eq!(
        (*turn, *call),
        (Some(mob.turn_of("ann")), mob.open_calls("ann")[0])
    );
    assert_eq!(args, &json!({"n": 1}));
    assert_eq!(mob.data("tool.started")["args"], json!({"n": 1}));
}

#[test]
fn a_second_or_strange_outcome_is_refused() {
    let mut mob = calling(&["look", "look"]);
    let again = mob.tool_ended("ann", 0, Ok("twice"));
    mob.tool_ends("ann", 0, Ok("once"));
    assert_eq!(mob.refused(again), "turn.stale");
    let (turn, call) = (
        mob.turn_of("ann"),
        CallId {
            reply: 9_999,
            index: 1,
        },
    );
    let strange = TurnCommand::ToolEnded {
        turn: Some(turn),
        call,
        outcome: ToolOutcome::Finished("".into()),
    };
    assert_eq!(mob.refused(Command::Turn(strange)), "turn.stale");
    let late = mob.tool_ended("ann", 1, Ok("late"));
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason: None }));
    assert_eq!(mob.refused(late), "turn.not_open");
}

#[test]
fn a_crash_repeats_what_may_be_repeated_with_the_same_call() {
    for tool in ["look", "save"] {
        let mut mob = calling(&[tool]);
        let before = mob.asked.clone();
        mob.crash();
        mob.then("runtime.started runtime.recovered turn.resumed");
        assert_eq!(mob.asked, before);
        assert_eq!(open_effects(&mob.world.state), before);
        mob.tool_ends("ann", 0, Ok("done"));
        assert_eq!(mob.models_asked(), [mob.at("ann")]);
    }
}

#[test]
fn a_crash_leaves_a_call_with_an_effect_to_a_person() {
    let (mut mob, call) = unknown();
    mob.then("runtime.started runtime.recovered turn.resumed tool.unknown turn.waiting");
    assert_eq!(mob.data("turn.waiting")["on"], "operator");
    assert_eq!(mob.data("tool.unknown")["call"], call.to_string());
    assert_eq!(mob.state_of("ann"), MemberState::Waiting);
    assert_eq!(mob.turn_row(mob.turn_of("ann")).status, TurnStatus::Waiting);
    assert_eq!(
        (mob.tools_asked(), open_effects(&mob.world.state)),
        (vec![], vec![])
    );
    let late = mob.tool_ended("ann", 0, Ok("late"));
    assert_eq!(
        mob.refused(late),
        "turn.stale",
        "nobody is left who could know"
    );
    for _ in 0..5 {
        mob.crash();
        mob.then("runtime.started runtime.recovered turn.resumed");
        assert_eq!(mob.asked, [], "it is asked for once");
    }
}

#[test]
fn what_happened_is_told_and_the_turn_goes_on() {
    let (mut mob, call) = unknown();
    mob.order(resolve(call, ResolveHow::Happened, Some("published")));
    mob.then("tool.resolved");
    assert_eq!(mob.data("tool.resolved")["result"], "published");
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
    let again = resolve(call, ResolveHow::Happened, Some("published"));
    assert_eq!(mob.refused(again), "tool.not_open");
}

#[test]
fn what_did_not_happen_is_run_once_more() {
    let (mut mob, call) = unknown();
    mob.order(resolve(call, ResolveHow::Run, None));
    mob.then("tool.resolved");
    assert_eq!(mob.tools_asked(), ["publish"]);
    assert_eq!(
        mob.refused(resolve(call, ResolveHow::Run, None)),
        "tool.not_unknown"
    );
    mob.crash();
    assert_eq!(mob.tools_asked(), [""; 0]);
    assert_eq!(
        mob.state_of("ann"),
        MemberState::Waiting,
        "it is unknown again"
    );
    mob.order(resolve(call, ResolveHow::Run, None));
    mob.tool_ends("ann", 0, Ok("published"));
    mob.then("tool.finished");
}

#[test]
fn giving_up_ends_the_turn() {
    let (mut mob, call) = unknown();
    mob.order(resolve(call, ResolveHow::GiveUp, None));
    mob.then("tool.resolved turn.failed error.raised");
    assert_eq!(mob.data("turn.failed")["class"], "tool");
    assert_eq!(mob.state_of("ann"), MemberState::Idle);
}

#[test]
fn a_resolution_must_fit_the_call() {
    let (mut mob, call) = unknown();
    for (how, result) in [
        (ResolveHow::Happened, None),
        (ResolveHow::Run, Some("x")),
        (ResolveHow::GiveUp, Some("x")),
    ] {
        assert_eq!(
            mob.refused(resolve(call, how, result)),
            "tool.result_mismatch"
        );
    }
    let nobody = CallId {
        reply: 9_999,
        index: 1,
    };
    assert_eq!(
        mob.refused(resolve(nobody, ResolveHow::Run, None)),
        "tool.not_open"
    );
    let mob = &mut calling(&["publish"]);
    let running = mob.open_calls("ann")[0];
    assert_eq!(
        mob.refused(resolve(running, ResolveHow::Run, None)),
        "tool.not_unknown"
    );
}

#[test]
fn what_is_resolved_while_the_turn_is_put_aside_takes_effect_at_the_next_start() {
    let (mut mob, call) = unknown();
    mob.runtime(RuntimeCommand::Ready);
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
    mob.runtime(RuntimeCommand::Checkpoint);
    mob.order(resolve(call, ResolveHow::Run, None));
    mob.then("tool.resolved");
    assert_eq!(mob.asked, [], "not before the turn goes on");
    assert_eq!(mob.open_turn("ann").calls[0].state, CallState::Owed);
    mob.start();
    mob.then("runtime.started runtime.recovered turn.resumed tool.started");
    assert_eq!(mob.tools_asked(), ["publish"], "nobody is asked twice");
    mob.tool_ends("ann", 0, Ok("published"));
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn a_result_for_a_turn_that_is_put_aside_is_kept_for_the_next_start() {
    let mut mob = calling(&["publish"]);
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
    mob.runtime(RuntimeCommand::Checkpoint);
    mob.tool_ends("ann", 0, Ok("just in time"));
    mob.then("tool.finished");
    assert_eq!(mob.asked, []);
    mob.start();
    mob.then("runtime.started runtime.recovered turn.resumed");
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn calls_after_an_unknown_one_wait_for_its_resolution() {
    let mut mob = calling(&["publish", "look"]);
    let call = mob.open_calls("ann")[0];
    mob.crash();
    assert_eq!(mob.tools_asked(), [""; 0]);
    mob.order(resolve(call, ResolveHow::Happened, Some("done")));
    mob.then("tool.resolved tool.started");
    assert_eq!(mob.tools_asked(), ["look"]);
}
