//! Deliveries that a module's tool sends.

use super::delivery_kit::POST;
use super::harness::Mob;
use super::module_kit::tools;
use mobkit_domain::command::{Command, Ended, ToolOutcome, TurnCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::id::{CallId, DeliveryId};
use mobkit_domain::row::DeliveryState;
use serde_json::json;

fn chat() -> Mob {
    let mut mob = Mob::ready_of(POST);
    mob.converge_routes();
    mob.is_healthy("chat", Some(tools(&["post", "upsert"])));
    mob
}

/// The call that sends a delivery.
#[track_caller]
fn call_of(mob: &Mob, id: DeliveryId) -> CallId {
    let calls = mob.world.state.delivery_calls.iter();
    let mut calls = calls.filter(|(_, delivery)| **delivery == id);
    *calls.next().expect("a call is in flight").0
}

fn ended(mob: &mut Mob, call: CallId, outcome: ToolOutcome) {
    mob.internal(Command::Turn(TurnCommand::ToolEnded {
        turn: None,
        call,
        outcome,
    }));
}

#[test]
fn a_tool_sends_by_a_direct_call_whose_end_is_that_of_the_attempt() {
    let mut mob = chat();
    let id = mob.deliver("chat", Some("post"), json!({"n": 1}));
    mob.then("delivery.queued delivery.attempted tool.started");
    let call = call_of(&mob, id);
    assert_eq!(mob.attempts_asked(), []);
    assert!(mob.asked.iter().any(|effect| {
        matches!(effect, Effect::ToolCall { call: asked, turn: None, .. } if *asked == call)
    }));
    assert_eq!(mob.data("delivery.attempted")["call"], json!(call));
    assert_eq!(mob.data("tool.started")["args"], json!({"n": 1}));
    ended(&mut mob, call, ToolOutcome::Finished("posted".into()));
    mob.then("tool.finished delivery.delivered");
    assert_eq!(mob.data("delivery.delivered")["excerpt"], json!("posted"));
    assert!(mob.world.state.delivery_calls.is_empty());
}

#[test]
fn a_call_that_was_lost_is_repeated_only_where_that_is_harmless() {
    for (channel, crash, state) in [
        ("post", false, DeliveryState::Unknown),
        ("post", true, DeliveryState::Unknown),
        ("upsert", false, DeliveryState::Failed),
        ("upsert", true, DeliveryState::Failed),
    ] {
        let mut mob = chat();
        let id = mob.deliver("chat", Some(channel), json!({"n": 1}));
        let call = call_of(&mob, id);
        if crash {
            mob.crash();
        } else {
            ended(
                &mut mob,
                call,
                ToolOutcome::Lost("it fell silent".to_owned()),
            );
        }
        let row = mob.delivery_row(id);
        assert_eq!(
            (row.state, row.repeated),
            (state, true),
            "{channel} {crash}"
        );
        assert!(mob.world.state.delivery_calls.is_empty());
    }
}

#[test]
fn what_does_not_fit_is_hopeless_and_a_module_that_is_down_is_not() {
    let mut mob = chat();
    let id = mob.deliver("chat", Some("post"), json!({"n": "one"}));
    mob.then("delivery.queued delivery.attempted delivery.dead error.raised");
    let reason = mob.delivery_row(id).reason.expect("a reason");
    assert!(reason.contains("do not fit"), "{reason}");
    mob.has_ended("chat", Ended::Failure);
    let id = mob.deliver("chat", Some("post"), json!({"n": 1}));
    mob.then("delivery.queued delivery.attempted delivery.failed");
    assert_eq!(mob.delivery_row(id).state, DeliveryState::Failed);
    let call = mob.data("delivery.attempted").get("call").cloned();
    assert_eq!(call, None, "nothing was called");
}

#[test]
fn a_failed_call_is_made_again_as_another_call() {
    let mut mob = chat();
    let id = mob.deliver("chat", Some("post"), json!("hello"));
    assert_eq!(
        mob.data("tool.started")["args"],
        json!({"payload": "hello"})
    );
    let first = call_of(&mob, id);
    ended(&mut mob, first, ToolOutcome::Failed("not now".to_owned()));
    mob.then("tool.failed delivery.failed");
    mob.until_due();
    mob.then("delivery.attempted tool.started");
    assert_ne!(call_of(&mob, id), first);
}
