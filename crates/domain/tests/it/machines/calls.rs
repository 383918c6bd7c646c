//! Built-in tools, and calls that can't be made.

use super::harness::{Mob, member};
use mobkit_domain::command::{Command, MemberCommand};
use mobkit_domain::event::RetireMode;
use serde_json::{Value, json};

/// Lets ann's model call one tool; gives what it is told.
fn called(mob: &mut Mob, tool: &str, args: Value) -> Vec<String> {
    mob.send("ann", "go");
    mob.calls("ann", "", &[(tool, args)]);
    mob.told()
}

#[test]
fn now_tells_the_time() {
    let mut mob = Mob::ready();
    let told = called(&mut mob, "now", json!({}));
    assert_eq!(told, ["2025-11-22T06:00:00.000Z"]);
    mob.then("model.replied tool.started tool.finished");
    assert_eq!(mob.models_asked(), [mob.at("ann")], "the turn goes on");
    assert_eq!(mob.at("ann").step, 2);
}

#[test]
fn peers_lists_whom_the_member_may_message() {
    let mut mob = Mob::ready();
    mob.send("r1", "work");
    mob.calls("r1", "", &[("peers", json!({}))]);
    let told: Value = serde_json::from_str(&mob.told()[0]).expect("JSON");
    let peer = |id, state| json!({"id": id, "role": "desk", "description": null, "state": state});
    assert_eq!(told, json!([peer("ann", "idle"), peer("bob", "idle")]));
}

#[test]
fn a_message_to_a_peer_is_accepted_along_the_edge() {
    let mut mob = Mob::ready();
    let told = called(
        &mut mob,
        "send_message",
        json!({"to": "r1", "content": "write"}),
    );
    mob.then(
        "model.replied tool.started message.accepted tool.finished message.delivered turn.started",
    );
    let message = mob.data("message.accepted");
    assert_eq!(
        (&message["from"], &message["text"]),
        (&json!("agent:ann"), &json!("write"))
    );
    assert_eq!(
        told,
        [format!(
            "accepted as {}",
            message["message"].as_str().expect("an id")
        )]
    );
    assert_eq!(mob.data("turn.started")["from"], "agent:ann");
    mob.answers("r1", "written");
    mob.then("model.replied turn.completed");
}

#[test]
fn without_an_edge_a_message_is_refused_and_says_who_the_peers_are() {
    let mut mob = Mob::ready();
    mob.send("r1", "work");
    mob.calls(
        "r1",
        "",
        &[("send_message", json!({"to": "r2", "content": "psst"}))],
    );
    mob.then("model.replied tool.started message.refused tool.refused");
    assert_eq!(
        mob.told(),
        ["edge.missing: you are not wired to r2; your peers are ann, bob"]
    );
    assert_eq!(mob.data("message.refused")["code"], "edge.missing");
    assert_eq!(mob.models_asked(), [mob.at("r1")], "the turn goes on");
}

#[test]
fn a_peer_that_is_leaving_or_full_takes_no_message() {
    let mut mob = Mob::ready();
    for _ in 0..4 {
        mob.send("r1", "work");
    }
    let told = called(
        &mut mob,
        "send_message",
        json!({"to": "r1", "content": "more"}),
    );
    assert_eq!(told, ["message.refused: 3 messages wait for r1 already"]);
    mob.then("model.replied tool.started message.refused tool.refused");
    assert_eq!(mob.data("message.refused")["code"], "member.busy");
    let (member, mode) = (member("r1"), RetireMode::Drain);
    mob.order(Command::Member(MemberCommand::Retire {
        member,
        mode,
        reason: None,
    }));
    mob.calls(
        "ann",
        "",
        &[("ask_peer", json!({"to": "r1", "content": "and?"}))],
    );
    assert_eq!(
        mob.told(),
        ["message.refused: r1 is leaving and takes no further message"]
    );
}

#[test]
fn wrong_arguments_are_told_to_the_model() {
    let cases = [
        (
            json!({"content": "x"}),
            "tool.bad_arguments: \"to\" is missing",
        ),
        (
            json!({"to": null, "content": "x"}),
            "tool.bad_arguments: \"to\" is missing",
        ),
        (
            json!({"to": 5, "content": "x"}),
            "tool.bad_arguments: \"to\" must be text, found 5: give the id of a member",
        ),
        (
            json!({"to": "No One", "content": "x"}),
            "tool.bad_arguments: \"No One\" is not a valid",
        ),
        (
            json!({"to": "r1"}),
            "tool.bad_arguments: \"content\" is missing",
        ),
        (
            json!({"to": "r1", "content": null}),
            "tool.bad_arguments: \"content\" is missing",
        ),
        (
            json!("{\"to\":"),
            "tool.bad_arguments: arguments must be a JSON object, found",
        ),
        (
            json!(null),
            "tool.bad_arguments: arguments must be a JSON object, found null",
        ),
        (
            json!([1]),
            "tool.bad_arguments: arguments must be a JSON object, found [1]",
        ),
    ];
    for tool in ["send_message", "ask_peer"] {
        for (args, expected) in &cases {
            let mut mob = Mob::ready();
            let told = called(&mut mob, tool, args.clone());
            assert!(told[0].starts_with(expected), "{told:?}");
            assert_eq!(mob.count("message.accepted"), 1, "only ours");
            assert_eq!(mob.models_asked(), [mob.at("ann")], "the turn goes on");
        }
    }
}

#[test]
fn data_instead_of_text_is_sent_as_json() {
    let mut mob = Mob::ready();
    called(
        &mut mob,
        "send_message",
        json!({"to": "r1", "content": {"a": 1}}),
    );
    assert_eq!(mob.data("message.accepted")["text"], r#"{"a":1}"#);
}

#[test]
fn a_tool_that_is_not_offered_is_refused_with_those_that_are() {
    let mut mob = Mob::ready();
    let told = called(&mut mob, "rm_rf", json!({"path": "/"}));
    mob.then("model.replied tool.refused");
    let expected = "tool.not_offered: there is no tool \"rm_rf\"; you have: ask_peer, look, now, \
                    peers, publish, save, send_message";
    assert_eq!(told, [expected]);
    assert_eq!(mob.data("tool.refused")["args"], json!({"path": "/"}));
    mob.send("r1", "work");
    mob.calls("r1", "", &[("publish", json!({}))]);
    mob.then("model.replied tool.refused");
}

#[test]
fn the_calls_of_a_reply_are_made_in_their_order() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    let ask = |to: &str| ("send_message", json!({"to": to, "content": "x"}));
    mob.calls(
        "ann",
        "",
        &[ask("r1"), ("rm_rf", json!({})), ask("nobody"), ask("r2")],
    );
    mob.then(
        "model.replied tool.started message.accepted tool.finished tool.refused tool.started \
         message.refused tool.refused tool.started message.accepted tool.finished \
         message.delivered turn.started message.delivered turn.started",
    );
    let calls: Vec<String> = mob
        .last()
        .filter(|e| ["tool.finished", "tool.refused"].contains(&e.event.kind()))
        .map(|e| serde_json::to_value(e).expect("JSON")["data"]["call"].to_string())
        .collect();
    let reply = mob.last().next().expect("an event").seq;
    let wanted: Vec<String> = (1..=4).map(|n| format!("\"call-{reply}-{n}\"")).collect();
    assert_eq!(calls, wanted);
    let at = mob.at("ann");
    assert_eq!(
        mob.models_asked()
            .iter()
            .filter(|asked| **asked == at)
            .count(),
        1
    );
}

#[test]
fn a_reference_counts_as_one_only_if_it_could_be_a_name_that_the_store_gave() {
    let named = |blob: String| json!({"blob": blob, "bytes": 40_000});
    let hex = "0a".repeat(32);
    let reference = named(format!("sha256:{hex}"));
    let lookalikes = [
        named("sha256:../secret".to_owned()),
        named(hex.clone()),
        named(format!("sha256:{}", &hex[1..])),
        named(format!("sha256:{}", hex.to_uppercase())),
        named(format!("sha512:{hex}")),
    ];
    for tool in ["send_message", "ask_peer"] {
        let mut mob = Mob::ready();
        called(&mut mob, tool, json!({"to": "r1", "content": reference}));
        assert_eq!(mob.data("message.accepted")["text"], reference);
        for data in &lookalikes {
            let mut mob = Mob::ready();
            called(&mut mob, tool, json!({"to": "r1", "content": data}));
            let sent = mob.data("message.accepted")["text"].clone();
            assert_eq!(sent, json!(data.to_string()), "sent as JSON");
        }
    }
}
