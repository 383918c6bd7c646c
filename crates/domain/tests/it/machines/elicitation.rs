//! A module asks a person in the middle of a call.

use super::harness::{Mob, ada, resolve};
use super::module_kit::{WORKSHOP, tool};
use super::review_kit::{Ruling, approve, approve_with, deny, edit, operator, ruling};
use mobkit_domain::command::{
    ApprovalCommand, Command, GrantScopeRequest, RuntimeCommand, Submission, TurnCommand,
};
use mobkit_domain::effect::open_effects;
use mobkit_domain::event::{DrainReport, Matter, ResolveHow, ToolEffect, Verdict};
use mobkit_domain::row::{ApprovalState, TurnStatus};
use mobkit_domain::state::{CallState, MemberState};
use serde_json::{Value, json};

/// A mob in which a module works on a call of ann's with this effect.
fn called_under(gates: &str, effect: ToolEffect) -> Mob {
    let mut mob = Mob::ready_of(&format!("{WORKSHOP}\n{gates}"));
    mob.is_healthy("once", Some(vec![tool("ask", "asks", effect)]));
    mob.ann_calls(ada(), &[("module:once/ask", json!({"n": 1}))]);
    mob
}

fn question(mob: &Mob) -> Command {
    Command::Approval(ApprovalCommand::Elicit {
        turn: mob.turn_of("ann"),
        call: mob.open_calls("ann")[0],
        message: "Which city?\nPlease say.".to_owned(),
        schema: json!({"properties": {"city": {"type": "string"}}, "required": ["city"]}),
    })
}

/// The same, and the module has asked which city is meant.
fn asked_of(effect: ToolEffect) -> Mob {
    let mut mob = called_under("", effect);
    mob.internal(question(&mob));
    mob
}

fn answer(city: &Value) -> Ruling {
    Ruling {
        args: Some(json!({"city": city})),
        ..approve()
    }
}

#[test]
fn the_question_is_an_approval_and_its_answer_goes_to_the_module() {
    for decision in [Verdict::Approve, Verdict::Edit] {
        let mut mob = asked_of(ToolEffect::Effect);
        mob.then("approval.requested turn.waiting");
        let id = mob.the_pending();
        let request = &mob.approval(id).request;
        assert_eq!(request.why, "its module asks: Which city? Please say.");
        assert!(
            matches!(&request.matter, Matter::Elicitation { message, .. }
            if message == "Which city?\nPlease say.")
        );
        assert_eq!((request.expires, request.approvers.len()), (None, 0));
        assert_eq!(mob.state_of("ann"), MemberState::Waiting);
        assert_eq!(mob.turn_row(mob.turn_of("ann")).status, TurnStatus::Waiting);
        mob.rule(
            id,
            Ruling {
                decision,
                ..answer(&json!("Oslo"))
            },
        );
        mob.then("approval.decided");
        assert_eq!(
            mob.data("approval.decided")["args"],
            json!({"city": "Oslo"})
        );
        assert_eq!(
            mob.state_of("ann"),
            MemberState::Working,
            "the call goes on"
        );
        assert_eq!(
            mob.asked,
            [],
            "nothing is asked of a runner that it has not begun"
        );
        mob.tool_ends("ann", 0, Ok("it rains"));
        mob.then("tool.finished");
        assert_eq!(mob.open_turn("ann").calls.len(), 0);
        assert_eq!(mob.count("tool.started"), 1);
    }
}

#[test]
fn no_is_an_answer_too() {
    let mut mob = asked_of(ToolEffect::Effect);
    let id = mob.the_pending();
    mob.rule(id, deny("I don't know"));
    mob.then("approval.decided");
    assert_eq!(mob.approval_row(id).state, ApprovalState::Denied);
    assert_eq!(mob.state_of("ann"), MemberState::Working);
    mob.tool_ends("ann", 0, Err("nobody said which city"));
    assert_eq!(mob.told(), ["nobody said which city"]);
}

#[test]
fn an_answer_must_fit_the_question() {
    let mut mob = asked_of(ToolEffect::Effect);
    let id = mob.the_pending();
    let cases = [
        (approve(), "approval.bad_args"),
        (ruling(Verdict::Edit), "approval.bad_args"),
        (answer(&json!(7)), "approval.bad_args"),
        (edit(json!("Oslo")), "approval.bad_args"),
        (
            Ruling {
                args: Some(json!({})),
                ..deny("no")
            },
            "approval.args_mismatch",
        ),
        (
            Ruling {
                args: Some(json!({"city": "Oslo"})),
                ..approve_with(GrantScopeRequest::Turn, None)
            },
            "grant.elicitation",
        ),
    ];
    for (ruling, code) in cases {
        assert_eq!(mob.overruled(id, ruling), code);
    }
    let refusal = mob.say(id, approve()).expect_err("an answer is missing");
    let told = "the answer can't be taken: \"city\" is a required property (rule required)";
    assert_eq!(refusal.message, told);
}

#[test]
fn a_question_to_which_nothing_has_to_be_said_is_answered_by_a_yes() {
    let mut mob = called_under("", ToolEffect::Effect);
    let command = Command::Approval(ApprovalCommand::Elicit {
        turn: mob.turn_of("ann"),
        call: mob.open_calls("ann")[0],
        message: "Really?".to_owned(),
        schema: json!({"type": "object"}),
    });
    mob.internal(command);
    mob.rule(mob.the_pending(), approve());
    assert_eq!(mob.data("approval.decided")["args"], json!({}));
}

#[test]
fn a_module_asks_one_thing_at_a_time_and_only_in_its_call() {
    let mut mob = asked_of(ToolEffect::Effect);
    let second = question(&mob);
    let refused = mob
        .run(&Submission::internal(second.clone()))
        .expect_err("it asks already");
    assert_eq!(refused.code, "approval.one_at_a_time");
    mob.rule(mob.the_pending(), answer(&json!("Oslo")));
    mob.internal(second.clone());
    mob.then("approval.requested turn.waiting");
    mob.rule(mob.the_pending(), answer(&json!("Bergen")));
    mob.tool_ends("ann", 0, Ok("done"));
    let refused = mob
        .run(&Submission::internal(second))
        .expect_err("the call has ended");
    assert_eq!(refused.code, "turn.stale");
}

#[test]
fn the_end_of_the_call_withdraws_its_question() {
    for outcome in [Ok("it did without"), Err("it took too long")] {
        let mut mob = asked_of(ToolEffect::Effect);
        let id = mob.the_pending();
        mob.tool_ends("ann", 0, outcome);
        let kinds: Vec<&str> = mob.last().map(|e| e.event.kind()).collect();
        assert_eq!(kinds[0], "approval.expired");
        assert_eq!(mob.approval_row(id).state, ApprovalState::Withdrawn);
        assert_eq!(mob.pending(), []);
        assert_eq!(mob.models_asked(), [mob.at("ann")]);
    }
    let mut mob = asked_of(ToolEffect::Effect);
    let turn = mob.turn_of("ann");
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason: None }));
    mob.then("turn.cancelled approval.expired");
    assert_eq!(mob.pending(), []);
}

/// The kinds of the events of turns that the last command led to.
fn of_turns(mob: &Mob) -> String {
    let of_turns = mob.last().filter(|envelope| envelope.turn.is_some());
    let kinds: Vec<&str> = of_turns.map(|envelope| envelope.event.kind()).collect();
    kinds.join(" ")
}

#[test]
fn after_a_crash_the_question_is_withdrawn_with_its_call() {
    let mut mob = asked_of(ToolEffect::Effect);
    let id = mob.the_pending();
    mob.crash();
    assert_eq!(
        of_turns(&mob),
        "turn.resumed approval.expired tool.unknown turn.waiting"
    );
    assert_eq!(
        mob.data("turn.resumed")["recoveries"],
        0,
        "who waits is not to blame"
    );
    assert_eq!(mob.approval_row(id).state, ApprovalState::Withdrawn);
    let call = mob.open_calls("ann")[0];
    mob.order(resolve(call, ResolveHow::Happened, Some("it rained")));
    assert_eq!(mob.open_turn("ann").step, 2);
    // A call that only reads is made again, with the same id.
    let mut mob = asked_of(ToolEffect::Read);
    let before = mob.open_calls("ann");
    mob.crash();
    assert_eq!(of_turns(&mob), "turn.resumed approval.expired");
    assert_eq!(open_effects(&mob.world.state).len(), 1);
    assert_eq!((mob.open_calls("ann"), mob.pending()), (before, vec![]));
}

#[test]
fn a_turn_that_is_put_aside_waits_for_no_answer() {
    let mut mob = asked_of(ToolEffect::Read);
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
    mob.runtime(RuntimeCommand::Checkpoint);
    mob.then("turn.checkpointed approval.expired");
    assert_eq!(mob.pending(), []);
    let late = question(&mob);
    assert_eq!(
        mob.run(&Submission::internal(late))
            .expect_err("too late")
            .code,
        "turn.stale"
    );
    let drain = DrainReport::default();
    mob.runtime(RuntimeCommand::Stop { drain });
    mob.start();
    assert_eq!(mob.tools_asked(), ["module:once/ask"]);
    mob.internal(question(&mob));
    mob.then("approval.requested turn.waiting");
}

#[test]
fn a_respawn_leaves_the_question_and_its_call_as_they_are() {
    use super::harness::member;
    use mobkit_domain::command::MemberCommand;
    let mut mob = asked_of(ToolEffect::Read);
    let id = mob.the_pending();
    let (member, reason) = (member("ann"), "again".to_owned());
    mob.member(MemberCommand::Respawn {
        member,
        profile: None,
        reason,
    });
    assert_eq!((mob.pending(), mob.tools_asked().len()), (vec![id], 0));
    mob.rule(id, answer(&json!("Oslo")));
    mob.tool_ends("ann", 0, Ok("done"));
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn who_decides_about_the_tool_answers_for_it() {
    let gate = "[[gates]]\ntool = \"module:once/*\"\naction = \"review\"\n\
                approvers = [\"operator:cleo\"]\nfour_eyes = true\nexpires = \"10s\"\n";
    let mut mob = called_under(gate, ToolEffect::Effect);
    mob.rule(mob.the_pending(), approve().by(operator("cleo"), &[]));
    mob.internal(question(&mob));
    let id = mob.the_pending();
    assert_eq!(
        mob.overruled(id, answer(&json!("Oslo"))),
        "approval.not_yours"
    );
    mob.pass_ms(60_000);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("");
    mob.rule(id, answer(&json!("Oslo")).by(operator("cleo"), &[]));
    let calls = &mob.open_turn("ann").calls;
    assert!(matches!(calls[0].state, CallState::Running { .. }));
}
