//! Calls whose runner was lost in the middle.

use super::harness::{Mob, ada, resolve};
use super::review_kit::{REVIEW, approve};
use mobkit_domain::command::{Command, RuntimeCommand, ToolOutcome, TurnCommand};
use mobkit_domain::event::ResolveHow;
use mobkit_domain::state::MemberState;
use serde_json::{Value, json};

fn lose(mob: &mut Mob, n: usize) {
    let (turn, call) = (mob.turn_of("ann"), mob.open_calls("ann")[n]);
    let outcome = ToolOutcome::Lost("the module fell silent".to_owned());
    mob.internal(Command::Turn(TurnCommand::ToolEnded {
        turn: Some(turn),
        call,
        outcome,
    }));
}

fn called(tool: &str) -> Mob {
    let mut mob = Mob::ready();
    mob.ann_calls(ada(), &[(tool, json!({"n": 1}))]);
    mob
}

#[test]
fn a_lost_call_that_may_be_repeated_has_failed() {
    for tool in ["look", "save"] {
        let mut mob = called(tool);
        lose(&mut mob, 0);
        mob.then("tool.failed");
        assert_eq!(mob.told(), ["the module fell silent"]);
        assert_eq!(mob.models_asked(), [mob.at("ann")], "the model sees to it");
    }
}

#[test]
fn a_lost_call_with_an_effect_waits_for_a_person() {
    let cases: [(ResolveHow, Option<&str>, &str); 3] = [
        (ResolveHow::Happened, Some("it did"), "tool.resolved"),
        (ResolveHow::Run, None, "tool.resolved"),
        (
            ResolveHow::GiveUp,
            None,
            "tool.resolved turn.failed error.raised",
        ),
    ];
    for (how, result, then) in cases {
        let mut mob = called("publish");
        lose(&mut mob, 0);
        mob.then("tool.unknown turn.waiting");
        assert!(mob.data("tool.unknown")["reason"].is_string());
        assert_eq!(mob.data("turn.waiting")["on"], "operator");
        assert_eq!(mob.state_of("ann"), MemberState::Waiting);
        assert_eq!(mob.asked, []);
        mob.crash();
        mob.then("runtime.started runtime.recovered turn.resumed");
        mob.runtime(RuntimeCommand::Ready);
        let call = mob.open_calls("ann")[0];
        mob.order(resolve(call, how, result));
        mob.then(then);
        let made_again = how == ResolveHow::Run;
        assert_eq!(mob.tools_asked() == ["publish"], made_again);
    }
}

#[test]
fn a_lost_call_that_was_approved_is_made_again_without_another_question() {
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(ada(), &[("publish", json!({"n": 1}))]);
    mob.rule(mob.the_pending(), approve());
    lose(&mut mob, 0);
    let call = mob.open_calls("ann")[0];
    mob.order(resolve(call, ResolveHow::Run, None));
    mob.then("tool.resolved");
    assert_eq!(mob.tools_asked(), ["publish"]);
    mob.tool_ends("ann", 0, Ok("published"));
    assert_eq!(mob.count("approval.requested"), 1);
    assert_eq!(mob.open_turn("ann").calls.len(), 0);
}

#[test]
fn a_lost_call_holds_back_the_next_ones_until_it_is_resolved() {
    let mut mob = Mob::gated("[[gates]]\ntool = \"save\"\naction = \"review\"\n");
    let calls: [(&str, Value); 2] = [("publish", json!({})), ("save", json!({}))];
    mob.ann_calls(ada(), &calls);
    let id = mob.the_pending();
    lose(&mut mob, 0);
    mob.rule(id, approve());
    mob.then("approval.decided");
    let call = mob.open_calls("ann")[0];
    mob.order(resolve(call, ResolveHow::Happened, Some("it did")));
    mob.then("tool.resolved tool.started");
}
