//! Approvals: what is asked for, what a decision does, and what ends one without a decision.

use super::harness::{Mob, ada, member, resolve};
use super::review_kit::{REVIEW, approve, deny, edit, operator, ruling};
use mobkit_domain::command::{Command, MemberCommand, RuntimeCommand, TurnCommand};
use mobkit_domain::effect::open_effects;
use mobkit_domain::event::{DrainReport, KeyUse, ResolveHow, RetireMode, Verdict};
use mobkit_domain::model::FailureClass;
use mobkit_domain::row::{ApprovalState, TurnStatus};
use mobkit_domain::state::{CallState, MemberState};
use serde_json::{Value, json};

fn publish(n: u64) -> (&'static str, Value) {
    ("publish", json!({"n": n}))
}

/// A mob in which ann waits for decisions about calls with these numbers.
fn asked(numbers: &[u64]) -> Mob {
    let mut mob = Mob::gated(REVIEW);
    let calls: Vec<_> = numbers.iter().map(|n| publish(*n)).collect();
    mob.ann_calls(ada(), &calls);
    mob
}

fn put_aside(mob: &mut Mob) {
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
    mob.runtime(RuntimeCommand::Checkpoint);
}

fn stop(mob: &mut Mob) {
    let drain = DrainReport::default();
    mob.runtime(RuntimeCommand::Stop { drain });
}

#[test]
fn an_approved_call_is_made_as_it_was_shown() {
    let mut mob = asked(&[1]);
    let id = mob.the_pending();
    let row = mob.approval_row(id);
    assert_eq!(
        (row.state, row.seq, row.requested),
        (ApprovalState::Pending, id.0, mob.now)
    );
    mob.pass_ms(7);
    let seq = mob.rule(id, approve());
    mob.then("approval.decided tool.started");
    assert_eq!(seq, mob.last().next().expect("an event").seq);
    let decided = mob.data("approval.decided");
    assert_eq!(
        (&decided["decision"], &decided["by"]),
        (&json!("approve"), &json!("operator:bob"))
    );
    let started = mob.data("tool.started");
    assert_eq!(started["approval"], id.to_string());
    assert_eq!(started["args"], json!({"n": 1}));
    assert_eq!(mob.tools_asked(), ["publish"]);
    let row = mob.approval_row(id);
    assert_eq!(
        (row.state, row.ended, row.seq),
        (ApprovalState::Approved, Some(mob.now), seq)
    );
    assert_eq!(row.by, Some(operator("bob")));
    assert_eq!(mob.state_of("ann"), MemberState::Working);
    mob.tool_ends("ann", 0, Ok("published"));
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn a_denied_call_is_told_why_and_the_turn_goes_on() {
    let mut mob = asked(&[1]);
    let id = mob.the_pending();
    mob.rule(id, deny("not on a Sunday"));
    mob.then("approval.decided tool.refused");
    assert_eq!(
        mob.told(),
        ["approval.denied: the call was denied: not on a Sunday"]
    );
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
    let row = mob.approval_row(id);
    assert_eq!(
        (row.state, row.reason.as_deref()),
        (ApprovalState::Denied, Some("not on a Sunday"))
    );
    let mut mob = asked(&[1]);
    mob.rule(mob.the_pending(), ruling(Verdict::Deny));
    assert_eq!(
        mob.told(),
        ["approval.denied: the call was denied: no reason was given"]
    );
}

#[test]
fn an_edited_call_is_made_with_the_arguments_of_who_decided() {
    let mut mob = asked(&[1]);
    let id = mob.the_pending();
    mob.rule(id, edit(json!({"n": 2})));
    mob.then("approval.decided tool.started");
    let decided = mob.data("approval.decided");
    assert_eq!(
        (&decided["decision"], &decided["args"]),
        (&json!("edit"), &json!({"n": 2}))
    );
    assert_eq!(mob.data("tool.started")["args"], json!({"n": 2}));
    let row = mob.approval_row(id);
    assert_eq!(row.state, ApprovalState::Edited);
    assert_eq!(row.request.args, json!({"n": 1}), "what was shown stays");
    assert_eq!(row.decided_args, Some(json!({"n": 2})));
    // After a crash it is still the edited call that nobody can say anything about.
    mob.crash();
    assert_eq!(mob.data("tool.unknown")["args"], json!({"n": 2}));
}

#[test]
fn an_edit_must_fit_the_tool() {
    let mut mob = Mob::gated(REVIEW);
    let mut toolbox = (*mob.world.toolbox).clone();
    let spec = toolbox.0.get_mut("publish").expect("a tool of the test");
    spec.schema = json!({"properties": {"n": {"type": "integer"}}});
    mob.world.toolbox = std::sync::Arc::new(toolbox);
    mob.ann_calls(ada(), &[publish(1)]);
    let id = mob.the_pending();
    for (args, told) in [
        (
            json!({"n": "x"}),
            "the arguments can't be taken: /n is not of type \"integer\" (rule type)",
        ),
        (
            json!("text"),
            "the arguments can't be taken: must be a JSON object",
        ),
        (
            json!(null),
            "the arguments can't be taken: must be a JSON object",
        ),
    ] {
        let refusal = mob.say(id, edit(args)).expect_err("it does not fit");
        assert_eq!(
            (refusal.code.as_str(), refusal.message.as_str()),
            ("approval.bad_args", told)
        );
    }
    mob.rule(id, edit(json!({"n": 5})));
    mob.then("approval.decided tool.started");
}

#[test]
fn arguments_belong_to_an_edit_and_only_to_that() {
    let mut mob = asked(&[1]);
    let id = mob.the_pending();
    let with = |decision, args: Option<Value>| super::review_kit::Ruling {
        args,
        ..ruling(decision)
    };
    for (decision, args) in [
        (Verdict::Approve, Some(json!({"n": 1}))),
        (Verdict::Deny, Some(json!({}))),
        (Verdict::Edit, None),
    ] {
        assert_eq!(
            mob.overruled(id, with(decision, args)),
            "approval.args_mismatch"
        );
    }
}

#[test]
fn a_decision_about_something_else_than_what_waits_is_refused() {
    let mut mob = asked(&[1, 2]);
    let pending = mob.pending();
    let other = mob.approval(pending[1]).request.digest.clone();
    for digest in ["", "sha256:00", &other] {
        let stale = super::review_kit::Ruling {
            digest: Some(digest.to_owned()),
            ..approve()
        };
        assert_eq!(mob.overruled(pending[0], stale), "approval.stale");
    }
    assert_eq!(mob.pending(), pending);
}

#[test]
fn all_calls_of_a_reply_are_asked_for_at_once_and_each_gets_its_own_answer() {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        let mut mob = asked(&[1, 2, 3]);
        mob.then(
            "model.replied approval.requested turn.waiting approval.requested turn.waiting \
             approval.requested turn.waiting",
        );
        let pending = mob.pending();
        let rulings = [approve(), deny("no"), edit(json!({"n": 30}))];
        let mut made = Vec::new();
        for place in order {
            mob.rule(pending[place], rulings[place].clone());
            // What was let pass is made one by one, whatever still waits.
            while let Some(running) = running(&mob) {
                made.push(mob.open_turn("ann").calls[running].args.clone());
                mob.tool_ends("ann", running, Ok("done"));
            }
        }
        let first = if order.iter().position(|n| *n == 0) < order.iter().position(|n| *n == 2) {
            [json!({"n": 1}), json!({"n": 30})]
        } else {
            [json!({"n": 30}), json!({"n": 1})]
        };
        assert_eq!(made, first, "{order:?}");
        assert_eq!(mob.models_asked(), [mob.at("ann")], "{order:?}");
        let states = pending.iter().map(|id| mob.approval_row(*id).state);
        let (approved, denied, edited) = (
            ApprovalState::Approved,
            ApprovalState::Denied,
            ApprovalState::Edited,
        );
        assert_eq!(states.collect::<Vec<_>>(), [approved, denied, edited]);
        assert_eq!(mob.count("approval.requested"), 3);
    }
}

/// The place of the call that runs.
fn running(mob: &Mob) -> Option<usize> {
    let turn = mob.world.state.members[&member("ann")].turn?;
    let calls = &mob.world.state.turns[&turn].calls;
    calls
        .iter()
        .position(|call| matches!(call.state, CallState::Running { .. }))
}

#[test]
fn a_call_that_waits_for_a_decision_holds_nobody_back() {
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(
        ada(),
        &[
            publish(1),
            ("save", json!({})),
            publish(2),
            ("now", json!({})),
        ],
    );
    mob.then(
        "model.replied approval.requested turn.waiting tool.started approval.requested \
         turn.waiting",
    );
    assert_eq!(mob.tools_asked(), ["save"]);
    assert_eq!(
        mob.state_of("ann"),
        MemberState::Working,
        "one of its calls runs"
    );
    let pending = mob.pending();
    mob.rule(pending[1], approve());
    mob.then("approval.decided");
    assert_eq!(mob.tools_asked(), [""; 0], "one call after the other");
    mob.tool_ends("ann", 1, Ok("saved"));
    mob.then("tool.finished tool.started");
    assert_eq!(mob.data("tool.started")["args"], json!({"n": 2}));
    mob.tool_ends("ann", 2, Ok("published"));
    mob.then("tool.finished tool.started tool.finished");
    assert_eq!(mob.state_of("ann"), MemberState::Waiting);
    assert_eq!(mob.turn_row(mob.turn_of("ann")).status, TurnStatus::Waiting);
    mob.rule(pending[0], approve());
    mob.tool_ends("ann", 0, Ok("published"));
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn calls_that_read_go_side_by_side_however_long_one_of_them_waits() {
    let gates = "[[gates]]\ntool = \"look\"\nmembers = [\"ann\"]\naction = \"review\"\n";
    let mut mob = Mob::gated(gates);
    let look = ("look", json!({}));
    mob.ann_calls(
        ada(),
        &[look.clone(), ("peers", json!({})), look, ("now", json!({}))],
    );
    mob.then(
        "model.replied approval.requested turn.waiting tool.started tool.finished \
         approval.requested turn.waiting tool.started tool.finished",
    );
    let pending = mob.pending();
    mob.rule(pending[1], approve());
    assert_eq!(mob.tools_asked(), ["look"]);
}

#[test]
fn a_waiting_turn_takes_no_room_of_its_model() {
    let gates = "[[gates]]\ntool = \"look\"\naction = \"review\"\n";
    let mut mob = Mob::gated(gates);
    for who in ["r1", "r2"] {
        mob.send(who, "go");
        mob.calls(who, "", &[("look", json!({}))]);
        assert_eq!(mob.state_of(who), MemberState::Waiting);
    }
    mob.send("r3", "go");
    assert_eq!(
        mob.state_of("r3"),
        MemberState::Working,
        "two of two places were free"
    );
}

type Ends = Box<dyn Fn(&Mob) -> Command>;

#[test]
fn a_turn_that_ends_leaves_no_approval_behind() {
    let ann = || member("ann");
    let cancel = |mob: &Mob| {
        let turn = mob.turn_of("ann");
        Command::Turn(TurnCommand::Cancel { turn, reason: None })
    };
    let ends: [(&str, Ends); 4] = [
        ("turn.cancelled", Box::new(cancel)),
        (
            "member.retiring turn.cancelled",
            Box::new(move |_| {
                let mode = RetireMode::Now;
                Command::Member(MemberCommand::Retire {
                    member: ann(),
                    mode,
                    reason: None,
                })
            }),
        ),
        (
            "turn.cancelled",
            Box::new(move |_| Command::Member(MemberCommand::Reset { member: ann() })),
        ),
        (
            "turn.cancelled",
            Box::new(move |_| {
                Command::Member(MemberCommand::Cancel {
                    member: ann(),
                    reason: None,
                })
            }),
        ),
    ];
    for (first, end) in ends {
        let mut mob = asked(&[1, 2]);
        let pending = mob.pending();
        mob.order(end(&mob));
        let kinds: Vec<&str> = mob.last().map(|e| e.event.kind()).collect();
        assert!(kinds.join(" ").starts_with(first), "{kinds:?}");
        let withdrawn = kinds
            .iter()
            .filter(|kind| **kind == "approval.expired")
            .count();
        assert_eq!((withdrawn, mob.pending()), (2, vec![]), "{kinds:?}");
        for id in pending {
            let row = mob.approval_row(id);
            assert_eq!(row.state, ApprovalState::Withdrawn);
            assert_eq!(row.reason.as_deref(), Some("the turn has ended"));
            assert_eq!(mob.overruled(id, approve()), "approval.not_open");
        }
    }
}

#[test]
fn a_turn_that_fails_beside_an_approval_withdraws_it() {
    // An operator gives up on a call of which nobody can say whether it happened.
    let mut mob = Mob::gated("[[gates]]\ntool = \"save\"\naction = \"review\"\n");
    mob.ann_calls(ada(), &[("save", json!({})), publish(1)]);
    mob.crash();
    mob.then("runtime.started runtime.recovered turn.resumed tool.unknown turn.waiting");
    let call = mob.open_calls("ann")[1];
    mob.order(resolve(call, ResolveHow::GiveUp, None));
    mob.then("tool.resolved turn.failed error.raised approval.expired");
    assert_eq!(mob.pending(), []);
    // A definition without the role.
    let mut mob = asked(&[1]);
    let id = mob.the_pending();
    let text = super::review_kit::gated(REVIEW).replace("profiles.desk", "profiles.chief");
    let text = text.replace("profile = \"desk\"", "profile = \"chief\"");
    mob.redefine(&text.replace("[\"desk\",", "[\"chief\","));
    mob.crash();
    mob.then("runtime.started runtime.recovered turn.failed error.raised approval.expired");
    assert_eq!(mob.approval_row(id).state, ApprovalState::Withdrawn);
}

#[test]
fn the_end_of_a_quarantined_turn_withdraws_too() {
    // A call runs beside the one that waits, and kills the process again and again.
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(ada(), &[("save", json!({})), publish(1)]);
    for _ in 0..3 {
        mob.crash();
    }
    mob.then(
        "runtime.started runtime.recovered turn.failed error.raised approval.expired \
         member.quarantined error.raised",
    );
    assert_eq!(mob.pending(), []);
}

#[test]
fn waiting_for_a_decision_outlives_any_crash_and_is_nobodys_fault() {
    let mut mob = asked(&[1]);
    let id = mob.the_pending();
    for _ in 0..5 {
        mob.crash();
        mob.then("runtime.started runtime.recovered turn.resumed");
        assert_eq!(mob.asked, []);
        assert_eq!(mob.data("turn.resumed")["recoveries"], 0);
        mob.runtime(RuntimeCommand::Ready);
    }
    assert_eq!(mob.pending(), [id], "nothing is asked twice");
    assert_eq!(mob.count("approval.requested"), 1);
    mob.rule(id, approve());
    mob.then("approval.decided tool.started");
}

#[test]
fn an_approved_call_in_flight_at_a_crash_is_unknown_and_not_asked_for_again() {
    let mut mob = asked(&[1]);
    let id = mob.the_pending();
    mob.rule(id, approve());
    mob.crash();
    mob.then("runtime.started runtime.recovered turn.resumed tool.unknown turn.waiting");
    assert_eq!(open_effects(&mob.world.state), []);
    mob.runtime(RuntimeCommand::Ready);
    let call = mob.open_calls("ann")[0];
    mob.order(resolve(call, ResolveHow::Run, None));
    mob.then("tool.resolved");
    assert_eq!(mob.tools_asked(), ["publish"]);
    assert_eq!(mob.count("approval.requested"), 1);
}

#[test]
fn an_approved_call_that_is_run_while_its_turn_is_aside_is_not_asked_for_again() {
    let mut mob = asked(&[1]);
    let id = mob.the_pending();
    mob.rule(id, approve());
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    put_aside(&mut mob);
    let call = mob.open_calls("ann")[0];
    mob.order(resolve(call, ResolveHow::Run, None));
    mob.then("tool.resolved");
    assert_eq!(mob.asked, []);
    stop(&mut mob);
    mob.start();
    mob.then("runtime.started runtime.recovered turn.resumed tool.started");
    assert_eq!(mob.data("tool.started")["approval"], id.to_string());
    assert_eq!(mob.count("approval.requested"), 1);
}

#[test]
fn a_decision_about_a_turn_that_is_aside_takes_effect_when_it_goes_on() {
    let mut mob = asked(&[1, 2]);
    let pending = mob.pending();
    put_aside(&mut mob);
    mob.then("turn.checkpointed");
    assert_eq!(mob.pending(), pending, "they wait on");
    mob.rule(pending[0], approve());
    mob.then("approval.decided");
    mob.rule(pending[1], deny("no"));
    mob.then("approval.decided tool.refused");
    assert_eq!(mob.asked, []);
    assert_eq!(
        mob.turn_row(mob.turn_of("ann")).status,
        TurnStatus::Checkpointed
    );
    stop(&mut mob);
    mob.start();
    mob.then("runtime.started runtime.recovered turn.resumed tool.started");
    assert_eq!(mob.data("tool.started")["args"], json!({"n": 1}));
    mob.runtime(RuntimeCommand::Ready);
    mob.tool_ends("ann", 0, Ok("published"));
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn a_decision_before_the_runtime_is_ready_counts() {
    let mut mob = asked(&[1]);
    mob.crash();
    mob.rule(mob.the_pending(), approve());
    mob.then("approval.decided tool.started");
    assert_eq!(
        open_effects(&mob.world.state).len(),
        1,
        "it is made once the runtime is ready"
    );
}

#[test]
fn the_same_decision_with_the_same_key_gets_the_same_answer() {
    let mut mob = asked(&[1]);
    let id = mob.the_pending();
    let key = Some(KeyUse {
        key: "k".to_owned(),
        digest: "d".to_owned(),
    });
    let keyed = super::review_kit::Ruling { key, ..approve() };
    let seq = mob.rule(id, keyed.clone());
    assert_eq!(mob.rule(id, keyed.clone()), seq);
    mob.then("");
    assert_eq!(mob.overruled(id, approve()), "approval.not_open");
    let other = KeyUse {
        key: "k".to_owned(),
        digest: "e".to_owned(),
    };
    let other = super::review_kit::Ruling {
        key: Some(other),
        ..keyed
    };
    assert_eq!(mob.overruled(id, other), "key.reused");
}

#[test]
fn a_respawn_leaves_the_question_as_it_is() {
    let mut mob = asked(&[1]);
    let id = mob.the_pending();
    mob.member(MemberCommand::Respawn {
        member: member("ann"),
        profile: None,
        reason: "again".to_owned(),
    });
    mob.then("member.respawned turn.resumed");
    assert_eq!(mob.pending(), [id]);
    mob.rule(id, approve());
    mob.then("approval.decided tool.started");
}

#[test]
fn a_model_that_can_not_be_called_later_leaves_nothing_open() {
    let mut mob = asked(&[1]);
    mob.rule(mob.the_pending(), approve());
    mob.tool_ends("ann", 0, Ok("published"));
    mob.fails("ann", FailureClass::Unauthorized, None);
    mob.then("model.failed turn.failed error.raised");
    assert_eq!(
        mob.world.state.approvals.len() + mob.world.state.approval_expiries.len(),
        0
    );
}
