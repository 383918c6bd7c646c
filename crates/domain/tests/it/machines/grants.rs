//! Grants: what passes without being asked for again, and for how long.

use super::harness::{Mob, ada, member};
use super::review_kit::{REVIEW, approve, approve_with, deny, edit, operator};
use mobkit_domain::command::{Command, GrantScopeRequest, MemberCommand, RuntimeCommand};
use mobkit_domain::definition::Role;
use mobkit_domain::event::{RetireMode, Verdict};
use mobkit_domain::id::GrantId;
use mobkit_domain::principal::Principal;
use serde_json::{Value, json};

const HOUR_MS: u64 = 3_600_000;

fn until(mob: &Mob, ms: u64) -> GrantScopeRequest {
    GrantScopeRequest::Until {
        until: mob.now.plus_ms(ms),
    }
}

/// A mob in which a call of ann's with `args` was approved with a grant for an hour.
fn granted(args: Value, listed: Option<Value>) -> Mob {
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(ada(), &[("publish", args)]);
    let ruling = approve_with(until(&mob, HOUR_MS), listed);
    mob.rule(mob.the_pending(), ruling);
    mob.then("approval.decided grant.created tool.started");
    mob.tool_ends("ann", 0, Ok("published"));
    mob.answers("ann", "done");
    mob
}

fn the_grant(mob: &Mob) -> GrantId {
    let grants: Vec<GrantId> = mob.world.state.grants.keys().copied().collect();
    assert_eq!(grants.len(), 1, "{grants:?}");
    grants[0]
}

/// Whether a call of `publish` passes without a decision; the turn is ended.
fn passes(mob: &mut Mob, who: &str, args: Value) -> bool {
    mob.send(who, "go");
    mob.calls(who, "", &[("publish", args)]);
    let passes = mob.pending().is_empty();
    mob.member(MemberCommand::Cancel {
        member: member(who),
        reason: None,
    });
    passes
}

#[test]
fn a_grant_lets_the_same_call_pass_and_says_so() {
    let mut mob = granted(json!({"n": 1, "to": "a"}), None);
    let grant = the_grant(&mob);
    mob.ann_calls(ada(), &[("publish", json!({"to": "a", "n": 1}))]);
    mob.then("model.replied tool.started");
    let started = mob.data("tool.started");
    assert_eq!(started["grant"], grant.to_string());
    assert_eq!(started.get("approval"), None);
}

#[test]
fn a_grant_is_as_narrow_as_it_was_given() {
    let call = || json!({"n": 1, "to": "a"});
    let cases = [
        // Exactly the approved call.
        (None, json!({"n": 1, "to": "a"}), true),
        (None, json!({"n": 2, "to": "a"}), false),
        (None, json!({"n": 1}), false),
        (None, json!({"n": 1, "to": "a", "cc": "b"}), false),
        (None, json!({"n": "1", "to": "a"}), false),
        // One argument counts, the others may be anything.
        (
            Some(json!({"to": "a"})),
            json!({"n": 9, "to": "a", "cc": "b"}),
            true,
        ),
        (Some(json!({"to": "a"})), json!({"to": "b"}), false),
        (Some(json!({"to": "a"})), json!({}), false),
        (Some(json!({"to": null})), json!({}), false),
        // Any call of the tool.
        (Some(json!({})), json!({"whatever": [1]}), true),
    ];
    for (listed, args, expected) in cases {
        let mut mob = granted(call(), listed.clone());
        assert_eq!(
            passes(&mut mob, "ann", args.clone()),
            expected,
            "{listed:?} {args}"
        );
        assert!(!passes(&mut mob, "bob", args), "it is ann's alone");
    }
}

#[test]
fn a_grant_is_for_one_tool() {
    let gates = "[[gates]]\ntool = \"*\"\naction = \"review\"\n";
    let mut mob = Mob::gated(gates);
    mob.ann_calls(ada(), &[("publish", json!({}))]);
    let ruling = approve_with(until(&mob, HOUR_MS), Some(json!({})));
    mob.rule(mob.the_pending(), ruling);
    mob.tool_ends("ann", 0, Ok("published"));
    mob.calls("ann", "", &[("save", json!({})), ("publish", json!({}))]);
    mob.then("model.replied approval.requested turn.waiting tool.started");
}

#[test]
fn the_grant_of_an_edit_is_for_what_was_made_of_the_call() {
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(ada(), &[("publish", json!({"n": 1}))]);
    let grant = approve_with(until(&mob, HOUR_MS), None).grant;
    let ruling = super::review_kit::Ruling {
        grant,
        ..edit(json!({"n": 2}))
    };
    mob.rule(mob.the_pending(), ruling);
    assert_eq!(mob.data("grant.created")["args"], json!({"n": 2}));
    mob.tool_ends("ann", 0, Ok("published"));
    mob.answers("ann", "done");
    assert!(passes(&mut mob, "ann", json!({"n": 2})));
    assert!(!passes(&mut mob, "ann", json!({"n": 1})));
}

#[test]
fn a_grant_for_the_turn_ends_with_it() {
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(
        ada(),
        &[("publish", json!({"n": 1})), ("publish", json!({"n": 2}))],
    );
    let pending = mob.pending();
    mob.rule(
        pending[0],
        approve_with(GrantScopeRequest::Turn, Some(json!({}))),
    );
    let turn = mob.turn_of("ann");
    assert_eq!(mob.data("grant.created")["turn"], turn.to_string());
    assert_eq!(
        mob.pending(),
        [pending[1]],
        "what was asked already waits for its decision"
    );
    mob.rule(pending[1], deny("no"));
    mob.tool_ends("ann", 0, Ok("published"));
    mob.calls("ann", "", &[("publish", json!({"n": 3}))]);
    mob.then("model.replied tool.started");
    mob.tool_ends("ann", 0, Ok("published"));
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed");
    assert!(mob.world.state.grants.is_empty());
    assert!(!passes(&mut mob, "ann", json!({"n": 3})));
}

#[test]
fn a_grant_for_a_time_ends_with_it_and_is_forgotten_at_the_next_one() {
    let mut mob = granted(json!({"n": 1}), None);
    let first = the_grant(&mob);
    mob.pass_ms(HOUR_MS - 1);
    assert!(passes(&mut mob, "ann", json!({"n": 1})));
    mob.pass_ms(1);
    assert!(!passes(&mut mob, "ann", json!({"n": 1})));
    assert_eq!(
        the_grant(&mob),
        first,
        "it lets nothing pass and costs nothing"
    );
    mob.ann_calls(ada(), &[("publish", json!({"n": 1}))]);
    let ruling = approve_with(until(&mob, 5), None);
    mob.rule(mob.the_pending(), ruling);
    assert_ne!(the_grant(&mob), first);
}

#[test]
fn a_grant_that_was_taken_back_lets_nothing_pass() {
    let mut mob = granted(json!({"n": 1}), None);
    let grant = the_grant(&mob);
    for nobody in [Principal::Agent(member("ann")), Principal::Runtime] {
        assert_eq!(
            mob.revoke(nobody, grant).expect_err("not they").code,
            "grant.not_yours"
        );
    }
    mob.revoke(operator("cleo"), grant)
        .expect("anybody may be careful");
    mob.then("grant.revoked");
    assert_eq!(mob.data("grant.revoked")["by"], "operator:cleo");
    assert!(!passes(&mut mob, "ann", json!({"n": 1})));
    assert_eq!(
        mob.revoke(ada(), grant).expect_err("it is gone").code,
        "grant.not_found"
    );
}

#[test]
fn a_grant_that_can_not_be_given_leaves_the_approval_as_it_is() {
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(ada(), &[("publish", json!({"n": 1}))]);
    let id = mob.the_pending();
    let deny_with = super::review_kit::Ruling {
        decision: Verdict::Deny,
        ..approve_with(GrantScopeRequest::Turn, None)
    };
    let past = approve_with(GrantScopeRequest::Until { until: mob.now }, None);
    let cases = [
        (deny_with, "grant.with_deny"),
        (past, "grant.past"),
        (approve_with(GrantScopeRequest::Run, None), "grant.no_run"),
    ];
    for (ruling, code) in cases {
        assert_eq!(mob.overruled(id, ruling), code);
    }
    mob.rule(id, approve());
}

#[test]
fn a_grant_opens_no_gate_that_refuses() {
    let mut mob = granted(json!({"n": 1}), None);
    mob.redefine(&super::review_kit::gated(
        "[[gates]]\ntool = \"*\"\naction = \"deny\"\n",
    ));
    mob.ann_calls(ada(), &[("publish", json!({"n": 1}))]);
    mob.then("model.replied tool.refused");
    // Nor one that refuses since nobody attends.
    let mut mob = granted(json!({"n": 1}), None);
    mob.redefine(&super::review_kit::gated(&format!(
        "{REVIEW}unattended = \"deny\"\n"
    )));
    mob.ann_calls(Principal::Runtime, &[("publish", json!({"n": 1}))]);
    mob.then("model.replied tool.refused");
    mob.calls("ann", "", &[]);
    mob.ann_calls(ada(), &[("publish", json!({"n": 1}))]);
    mob.then("model.replied tool.started");
}

#[test]
fn with_four_eyes_nobody_grants_himself_what_he_will_ask_for() {
    let mut mob = Mob::gated(&format!("{REVIEW}four_eyes = true\n"));
    mob.ann_calls(ada(), &[("publish", json!({"n": 1}))]);
    let ruling = approve_with(until(&mob, HOUR_MS), None);
    mob.rule(
        mob.the_pending(),
        ruling.by(operator("bob"), &[Role::Operator]),
    );
    mob.tool_ends("ann", 0, Ok("published"));
    mob.answers("ann", "done");
    assert!(
        passes(&mut mob, "ann", json!({"n": 1})),
        "ada asks, bob has let it pass"
    );
    mob.ann_calls(operator("bob"), &[("publish", json!({"n": 1}))]);
    mob.then("model.replied approval.requested turn.waiting");
}

#[test]
fn a_grant_outlives_a_crash_and_a_reset_but_not_the_member() {
    let mut mob = granted(json!({"n": 1}), None);
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert!(passes(&mut mob, "ann", json!({"n": 1})));
    mob.member(MemberCommand::Reset {
        member: member("ann"),
    });
    assert!(passes(&mut mob, "ann", json!({"n": 1})));
    let mode = RetireMode::Now;
    mob.order(Command::Member(MemberCommand::Retire {
        member: member("ann"),
        mode,
        reason: None,
    }));
    assert!(mob.world.state.grants.is_empty());
    mob.spawn(super::harness::spec("ann", "desk"));
    assert!(
        !passes(&mut mob, "ann", json!({"n": 1})),
        "it is another ann"
    );
}
