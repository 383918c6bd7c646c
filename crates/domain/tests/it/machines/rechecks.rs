//! A decision does not freeze the world: what is let pass is checked again when it is made.

use super::harness::{Mob, NEWSROOM, ada, member};
use super::module_kit::{module, tool};
use super::review_kit::{REVIEW, approve, deny, edit, gated, operator};
use mobkit_domain::command::RuntimeCommand;
use mobkit_domain::event::{DrainReport, Matter, ToolDefinition, ToolEffect};
use mobkit_domain::state::CallState;
use serde_json::{Value, json};

fn publish() -> (&'static str, Value) {
    ("publish", json!({"n": 1}))
}

/// A mob in which a call waits behind one that runs; both need a decision under these gates.
fn asked() -> Mob {
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(ada(), &[("save", json!({})), publish()]);
    assert_eq!(mob.tools_asked(), ["save"]);
    mob
}

#[test]
fn a_gate_that_refuses_by_now_refuses_what_was_approved() {
    let mut mob = asked();
    mob.rule(mob.the_pending(), approve());
    mob.then("approval.decided");
    mob.redefine(&gated("[[gates]]\ntool = \"publish\"\naction = \"deny\"\n"));
    mob.tool_ends("ann", 0, Ok("saved"));
    mob.then("tool.finished tool.refused");
    assert!(
        mob.told()[1].starts_with("gate.denied: "),
        "{:?}",
        mob.told()
    );
    assert_eq!(mob.count("approval.requested"), 1);
}

#[test]
fn a_gate_that_is_gone_lets_pass_what_was_approved_and_what_waits_once_decided() {
    for before in [true, false] {
        let mut mob = asked();
        let id = mob.the_pending();
        if before {
            mob.rule(id, approve());
        }
        mob.redefine(NEWSROOM);
        mob.tool_ends("ann", 0, Ok("saved"));
        if !before {
            assert_eq!(
                mob.the_pending(),
                id,
                "it waits for its decision all the same"
            );
            mob.rule(id, approve());
        }
        let started = mob.data("tool.started");
        assert_eq!(
            (&started["tool"], &started["approval"]),
            (&json!("publish"), &json!(id))
        );
    }
}

#[test]
fn a_gate_that_says_something_else_by_now_asks_again() {
    let mut mob = asked();
    let first = mob.the_pending();
    mob.rule(first, edit(json!({"n": 2})));
    let stricter = format!("{REVIEW}approvers = [\"operator:cleo\"]\n");
    mob.redefine(&gated(&stricter));
    mob.tool_ends("ann", 0, Ok("saved"));
    mob.then("tool.finished approval.requested turn.waiting");
    let second = mob.the_pending();
    assert_eq!(
        mob.approval(second).request.args,
        json!({"n": 2}),
        "as it would be made"
    );
    assert_eq!(mob.overruled(second, approve()), "approval.not_yours");
    mob.rule(second, approve().by(operator("cleo"), &[]));
    mob.then("approval.decided tool.started");
    assert_eq!(mob.data("tool.started")["approval"], second.to_string());
}

#[test]
fn a_gate_that_says_the_same_in_another_place_asks_nobody_again() {
    let mut mob = asked();
    mob.rule(mob.the_pending(), approve());
    mob.redefine(&gated(&format!(
        "[[gates]]\ntool = \"save\"\naction = \"audit\"\n{REVIEW}"
    )));
    mob.tool_ends("ann", 0, Ok("saved"));
    mob.then("tool.finished tool.started");
}

#[test]
fn a_tool_that_is_no_longer_offered_is_not_made() {
    let mut mob = asked();
    mob.rule(mob.the_pending(), approve());
    mob.redefine(&gated(REVIEW).replace("\"look\", \"save\", \"publish\"]", "\"look\", \"save\"]"));
    mob.tool_ends("ann", 0, Ok("saved"));
    mob.then("tool.finished tool.refused");
    assert!(
        mob.told()[1].starts_with("tool.not_offered: "),
        "{:?}",
        mob.told()
    );
}

#[test]
fn a_gate_that_came_while_a_call_had_to_wait_its_turn_counts() {
    let mut mob = Mob::ready();
    mob.ann_calls(ada(), &[("save", json!({})), publish()]);
    mob.redefine(&gated(REVIEW));
    mob.tool_ends("ann", 0, Ok("saved"));
    mob.then("tool.finished approval.requested turn.waiting");
}

// Definitions of tools that change.

fn fetch(schema: Value) -> ToolDefinition {
    ToolDefinition {
        schema,
        ..tool("fetch", "fetches", ToolEffect::Effect)
    }
}

/// A mob whose pinned module has told of another definition than the one that was pinned.
fn repinned(gates: &str) -> Mob {
    let mut mob = Mob::ready_of(&format!("{}\n{gates}", super::module_kit::WORKSHOP));
    mob.is_healthy("vault", Some(vec![fetch(json!({"required": ["n"]}))]));
    mob.is_healthy(
        "vault",
        Some(vec![fetch(
            json!({"properties": {"n": {"type": "integer"}}}),
        )]),
    );
    assert_eq!(mob.module("vault").changed.len(), 1);
    mob
}

fn call(mob: &mut Mob, args: Value) {
    mob.ann_calls(ada(), &[("module:vault/fetch", args)]);
}

#[test]
fn a_tool_that_has_changed_since_it_was_pinned_needs_a_decision_that_pins_it_anew() {
    let mut mob = repinned("");
    let before = mob.module("vault").tools.as_ref().expect("listed")["fetch"]
        .hash
        .clone();
    let after = mob.module("vault").changed["fetch"].hash.clone();
    call(&mut mob, json!({"n": 1}));
    mob.then("model.replied approval.requested turn.waiting");
    let id = mob.the_pending();
    let matter = Matter::Definition {
        before,
        after: after.clone(),
    };
    assert_eq!(mob.approval(id).request.matter, matter);
    mob.rule(id, approve());
    mob.then("approval.decided tool.started");
    assert_eq!(mob.data("tool.started")["approval"], id.to_string());
    let vault = mob.module("vault");
    assert!(vault.changed.is_empty());
    assert_eq!(vault.tools.as_ref().expect("listed")["fetch"].hash, after);
    mob.tool_ends("ann", 0, Ok("fetched"));
    mob.calls("ann", "", &[("module:vault/fetch", json!({"n": 2}))]);
    mob.then("model.replied tool.started");
}

#[test]
fn a_denied_definition_stays_out() {
    let mut mob = repinned("");
    call(&mut mob, json!({"n": 1}));
    mob.rule(mob.the_pending(), deny("what is that?"));
    mob.then("approval.decided tool.refused");
    assert_eq!(mob.module("vault").changed.len(), 1);
    mob.calls("ann", "", &[("module:vault/fetch", json!({"n": 2}))]);
    mob.then("model.replied approval.requested turn.waiting");
}

#[test]
fn a_call_must_fit_the_definition_that_was_approved() {
    let mut mob = repinned("");
    call(&mut mob, json!({"n": "one"}));
    let id = mob.the_pending();
    assert_eq!(
        mob.overruled(id, edit(json!({"n": "two"}))),
        "approval.bad_args"
    );
    mob.rule(id, approve());
    mob.then("approval.decided tool.refused");
    assert!(
        mob.told()[0].starts_with("tool.bad_arguments: "),
        "{:?}",
        mob.told()
    );
    assert!(
        mob.module("vault").changed.is_empty(),
        "it is pinned all the same"
    );
    let mut mob = repinned("");
    call(&mut mob, json!({"n": "one"}));
    mob.rule(mob.the_pending(), edit(json!({"n": 2})));
    mob.then("approval.decided tool.started");
}

#[test]
fn a_definition_that_nobody_has_seen_is_not_pinned() {
    let mut mob = repinned("");
    call(&mut mob, json!({"n": 1}));
    let first = mob.the_pending();
    mob.is_healthy("vault", Some(vec![fetch(json!({"maxProperties": 9}))]));
    let third = mob.module("vault").changed["fetch"].hash.clone();
    mob.rule(first, approve());
    mob.then("approval.decided approval.requested turn.waiting");
    assert_eq!(mob.module("vault").changed.len(), 1);
    let Matter::Definition { after, .. } = &mob.approval(mob.the_pending()).request.matter else {
        panic!("it is about the definition")
    };
    assert_eq!(*after, third);
}

#[test]
fn a_definition_that_is_what_was_pinned_again_needs_no_second_decision() {
    let mut mob = repinned("");
    call(&mut mob, json!({"n": 1}));
    mob.is_healthy("vault", Some(vec![fetch(json!({"required": ["n"]}))]));
    mob.rule(mob.the_pending(), approve());
    mob.then("approval.decided tool.started");
}

#[test]
fn a_changed_tool_behind_a_gate_needs_both_decisions_of_who_may_give_them() {
    let gate = "[[gates]]\ntool = \"module:vault/*\"\naction = \"review\"\n\
                approvers = [\"operator:cleo\"]\nexpires = \"10s\"\n";
    let mut mob = repinned(gate);
    call(&mut mob, json!({"n": 1}));
    let cleo = || approve().by(operator("cleo"), &[]);
    let first = mob.the_pending();
    assert_eq!(
        mob.approval(first).request.expires,
        Some(mob.now.plus_ms(10_000))
    );
    assert_eq!(mob.overruled(first, approve()), "approval.not_yours");
    mob.rule(first, cleo());
    mob.then("approval.decided approval.requested turn.waiting");
    let second = mob.the_pending();
    assert!(matches!(
        mob.approval(second).request.matter,
        Matter::Gate { .. }
    ));
    mob.rule(second, cleo());
    mob.then("approval.decided tool.started");
    // A gate that refuses asks nobody about a definition.
    let mut mob = repinned("[[gates]]\ntool = \"*\"\naction = \"deny\"\n");
    call(&mut mob, json!({"n": 1}));
    mob.then("model.replied tool.refused");
}

#[test]
fn an_approved_call_of_a_module_that_is_away_is_told_so() {
    let gate = "[[gates]]\ntool = \"module:search/*\"\naction = \"review\"\n";
    let text = format!("{}\n{gate}", super::module_kit::WORKSHOP);
    let mut mob = Mob::ready_of(&text);
    mob.is_healthy("search", Some(super::module_kit::tools(&["fetch"])));
    mob.ann_calls(ada(), &[("module:search/fetch", json!({}))]);
    mob.stop_module("search");
    mob.has_stopped("search");
    mob.rule(mob.the_pending(), approve());
    mob.then("approval.decided tool.refused");
    assert!(
        mob.told()[0].starts_with("module.unavailable: "),
        "{:?}",
        mob.told()
    );
    assert!(mob.world.state.modules[&module("search")].held);
}

#[test]
fn what_was_approved_and_put_aside_is_checked_when_it_goes_on() {
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(ada(), &[publish()]);
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
    mob.runtime(RuntimeCommand::Checkpoint);
    mob.rule(mob.the_pending(), approve());
    let drain = DrainReport::default();
    mob.runtime(RuntimeCommand::Stop { drain });
    mob.redefine(&gated("[[gates]]\ntool = \"*\"\naction = \"deny\"\n"));
    mob.start();
    mob.then("runtime.started runtime.recovered turn.resumed tool.refused");
    let turn = mob.world.state.members[&member("ann")]
        .turn
        .expect("it goes on");
    assert!(
        mob.world.state.turns[&turn]
            .calls
            .iter()
            .all(|c| c.state == CallState::Done)
    );
}
