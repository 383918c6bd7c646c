//! Deliveries that a module's tool sends.

use super::delivery_kit::POST;
use super::harness::{Mob, ada, send as send_message};
use super::module_kit::tools;
use super::review_kit::{approve, approve_with};
use mobkit_domain::command::{
    Command, Ended, GrantScopeRequest, Submission, ToolOutcome, TurnCommand,
};
use mobkit_domain::effect::Effect;
use mobkit_domain::id::{CallId, DeliveryId};
use mobkit_domain::principal::Principal;
use mobkit_domain::row::DeliveryState;
use serde_json::{Value, json};

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

/// The mob of [`POST`] with these gates, where ann works on a message of this origin.
fn guarded(gates: &str, origin: Principal) -> Mob {
    let mut mob = Mob::ready_of(&format!("{POST}\n{gates}"));
    mob.converge_routes();
    mob.is_healthy("chat", Some(tools(&["post", "upsert"])));
    let command = Command::Message(send_message("ann", "go"));
    let submission = Submission {
        actor: origin,
        ..Submission::internal(command)
    };
    mob.run(&submission).expect("the message is accepted");
    mob
}

fn over(channel: &str) -> (&'static str, Value) {
    let args = json!({"recipient": "chat", "channel": channel, "payload": {"n": 1}});
    ("deliver", args)
}

const GATE: &str = "[[gates]]\ntool = \"module:chat/post\"\n";

#[test]
fn a_gate_on_a_tool_of_a_module_guards_what_reaches_it_over_a_route() {
    let cases = [
        ("action = \"deny\"", ada(), "tool.refused"),
        ("action = \"review\"", ada(), "turn.waiting"),
        (
            "action = \"review\"\nunattended = \"deny\"",
            Principal::Runtime,
            "tool.refused",
        ),
        (
            "action = \"review\"\nunattended = \"queue\"",
            Principal::Runtime,
            "turn.waiting",
        ),
        (
            "action = \"review\"\nprofiles = [\"desk\"]",
            ada(),
            "turn.waiting",
        ),
    ];
    for (action, origin, last) in cases {
        let mut mob = guarded(&format!("{GATE}{action}\n"), origin);
        mob.calls("ann", "", &[over("post")]);
        let kinds: Vec<&str> = mob.last().map(|e| e.event.kind()).collect();
        assert!(kinds.contains(&last), "{action}: {kinds:?}");
        assert_eq!(mob.count("delivery.queued"), 0, "{action}");
        // Another tool of the module is another matter.
        let mut mob = guarded(&format!("{GATE}{action}\n"), ada());
        mob.calls("ann", "", &[over("upsert")]);
        assert_eq!(mob.count("delivery.queued"), 1, "{action}");
    }
}

#[test]
fn what_reaches_an_audited_tool_over_a_route_says_so() {
    let mut mob = guarded(&format!("{GATE}action = \"audit\"\n"), ada());
    mob.calls("ann", "", &[over("post")]);
    assert_eq!(mob.count("delivery.queued"), 1);
    let started = mob.last().find(|e| e.event.kind() == "tool.started");
    let started = serde_json::to_value(started.expect("the call is made")).expect("JSON");
    assert_eq!(started["data"]["audit"], json!("module:chat/post"));
}

#[test]
fn a_delivery_that_was_approved_is_made_once_and_says_what_it_reaches() {
    let mut mob = guarded(&format!("{GATE}action = \"review\"\n"), ada());
    mob.calls("ann", "", &[over("post")]);
    let id = mob.the_pending();
    let request = &mob.approval(id).request;
    assert_eq!(request.tool, "deliver");
    assert_eq!(request.sink.as_deref(), Some("module:chat/post"));
    assert!(
        request.why.contains("its route calls module:chat/post"),
        "{}",
        request.why
    );
    mob.rule(id, approve());
    assert_eq!(mob.count("delivery.queued"), 1);
}

#[test]
fn a_route_that_leads_elsewhere_since_the_approval_is_asked_for_again() {
    let text = format!("{POST}\n[[gates]]\ntool = \"module:chat/*\"\naction = \"review\"\n");
    let mut mob = guarded(
        "[[gates]]\ntool = \"module:chat/*\"\naction = \"review\"\n",
        ada(),
    );
    // While nothing is started, what was approved waits.
    mob.calls("ann", "", &[over("upsert")]);
    let first = mob.the_pending();
    let swapped = text.replace("tool = \"upsert\" }", "tool = \"other\" }");
    mob.redefine(&swapped.replace("tool = \"post\" }", "tool = \"upsert\" }"));
    mob.converge_routes();
    mob.rule(first, approve());
    assert_eq!(mob.count("delivery.queued"), 0);
    let second = mob.the_pending();
    assert_ne!(first, second);
    let request = &mob.approval(second).request;
    assert_eq!(request.sink.as_deref(), Some("module:chat/other"));
}

#[test]
fn a_grant_holds_for_the_tool_that_was_behind_the_route() {
    let mut mob = guarded(
        "[[gates]]\ntool = \"module:chat/*\"\naction = \"review\"\n",
        ada(),
    );
    mob.calls("ann", "", &[over("upsert")]);
    let turn = approve_with(GrantScopeRequest::Turn, Some(json!({"recipient": "chat"})));
    mob.rule(mob.the_pending(), turn);
    mob.calls("ann", "", &[over("upsert")]);
    assert_eq!(mob.count("delivery.queued"), 2, "the grant lets it pass");
    mob.calls("ann", "", &[over("post")]);
    assert_eq!(mob.count("delivery.queued"), 2);
    let request = &mob.approval(mob.the_pending()).request;
    assert_eq!(request.sink.as_deref(), Some("module:chat/post"));
}

#[test]
fn a_member_delivers_to_those_it_is_wired_to_and_over_the_routes_of_the_file() {
    let to_bob = |recipient: &str| ("deliver", json!({"recipient": recipient, "text": "hello"}));
    let mut mob = Mob::post();
    mob.send("ann", "go");
    mob.calls("ann", "", &[to_bob("member:bob")]);
    assert!(
        mob.told()[0].starts_with("edge.missing"),
        "{:?}",
        mob.told()
    );
    assert_eq!(mob.count("delivery.queued"), 0);
    mob.calls("ann", "", &[to_bob("bob")]);
    assert_eq!(mob.count("delivery.queued"), 1, "a person wrote that route");
    mob.calls("ann", "", &[to_bob("member:ann")]);
    assert_eq!(mob.count("delivery.queued"), 2, "to itself");
    let mut mob = Mob::ready_of(&format!("{POST}\n[wiring]\nedges = [[\"ann\", \"bob\"]]\n"));
    mob.converge_routes();
    mob.send("ann", "go");
    mob.calls("ann", "", &[to_bob("member:bob")]);
    assert_eq!(mob.count("delivery.queued"), 1);
}
