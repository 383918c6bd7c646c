//! Approvals: what waits for a person, and what a person says of it.

use crate::kit::{Options, Server};
use futures::future::join_all;
use mobkit_domain::command::{ApprovalCommand, Command, Submission};
use mobkit_domain::definition::Role;
use mobkit_domain::event::{Event, Verdict};
use mobkit_domain::id::{ApprovalId, MemberId};
use mobkit_domain::principal::Principal;
use serde_json::{Value, json};
use std::time::Duration;

const REVIEW: &str = r#"
[[gates]]
tool = "pay"
action = "review"
expires = "30m"
"#;

async fn gated() -> Server {
    Server::with(Options::gated(REVIEW)).await
}

/// Sends ada a message and waits until so many approvals are asked for; the first one.
async fn asked(server: &Server, text: &str, count: usize) -> Value {
    server
        .call("member/send", json!({"to": "ada", "content": text}))
        .await;
    let mut seen = 0;
    server
        .until(|event| {
            seen += usize::from(matches!(event, Event::ApprovalRequested(_)));
            seen == count
        })
        .await;
    pending(server).await[0].clone()
}

async fn pending(server: &Server) -> Vec<Value> {
    let listed = server.call("approval/list", json!({})).await;
    listed["approvals"].as_array().expect("a list").clone()
}

fn decision(approval: &Value, decision: &str) -> Value {
    json!({"id": approval["id"], "digest": approval["digest"], "decision": decision})
}

fn with(mut params: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        params[name] = value.clone();
    }
    params
}

async fn turn_ended(server: &Server) {
    server
        .until(|event| matches!(event, Event::TurnCompleted(_)))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_is_shown_as_it_will_be_made() {
    let server = gated().await;
    let mut approval = asked(&server, "pay 5", 1).await;
    for (name, prefix) in [("digest", "sha256:"), ("policy", "sha256:"), ("why", "")] {
        let found = approval[name].take();
        let found = found.as_str().expect("a text");
        assert!(
            found.starts_with(prefix) && found.len() > prefix.len(),
            "{name}: {found}"
        );
    }
    let (id, turn, call) = (&approval["id"], &approval["turn"], &approval["call"]);
    let expected = json!({
        "id": id, "turn": turn, "call": call, "digest": null, "policy": null, "why": null,
        "tool": "pay", "args": {"amount": 5}, "member": "ada", "effect": "effect",
        "about": "gate", "gate": "pay", "origin": "operator:local", "messages": ["msg-12"],
        "approvers": [], "four_eyes": false, "state": "pending", "on_expiry": "deny",
        "requested": "2025-11-22T06:00:00.000Z", "expires": "2025-11-22T06:30:00.000Z",
    });
    let messages = approval["messages"].clone();
    assert_eq!(approval, with(expected, &json!({"messages": messages})));
}

#[tokio::test(start_paused = true)]
async fn what_led_to_it_is_shown_with_it() {
    let server = gated().await;
    let listed = asked(&server, "pay 5", 1).await;
    for name in ["approval", "id"] {
        let got = server
            .call("approval/get", json!({name: listed["id"]}))
            .await;
        let story = json!({
            "said": [{"id": listed["messages"][0], "from": "operator:local", "text": "pay 5"}],
            "reply": "I pay.",
            "description": "Pays.",
        });
        assert_eq!(got, with(listed.clone(), &story));
    }
    server
        .refused(
            "approval/get",
            json!({"id": "apr-1"}),
            (404, "approval.not_found"),
        )
        .await;
    server
        .refused(
            "approval/get",
            json!({"id": "msg-1"}),
            (400, "params.invalid"),
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_approved_call_is_made_as_it_was_shown() {
    let server = gated().await;
    let approval = asked(&server, "pay 5", 1).await;
    let answer = server
        .call("approval/decide", decision(&approval, "approve"))
        .await;
    assert_eq!(answer["approval"], approval["id"]);
    assert_eq!(answer["state"], "approved");
    let journal = server.journal().await;
    let seq = usize::try_from(answer["seq"].as_u64().expect("a position")).expect("fits");
    assert_eq!(journal[seq - 1].event.kind(), "approval.decided");
    turn_ended(&server).await;
    assert_eq!(server.runner.paid(), [json!({"amount": 5})]);
    assert!(pending(&server).await.is_empty());
    let all = server.call("approval/list", json!({"state": "all"})).await;
    let kept = &all["approvals"][0];
    assert_eq!(
        (&kept["id"], &kept["state"], &kept["by"]),
        (
            &approval["id"],
            &json!("approved"),
            &json!("operator:local")
        )
    );
    assert_eq!(kept["ended"], "2025-11-22T06:00:00.000Z");
}

#[tokio::test(start_paused = true)]
async fn a_denied_call_is_not_made_and_an_edited_one_is_made_otherwise() {
    let server = gated().await;
    asked(&server, "pay 5 6", 2).await;
    let both = pending(&server).await;
    let deny = with(decision(&both[0], "deny"), &json!({"reason": "too early"}));
    let answer = server.call("approval/decide", deny).await;
    assert_eq!(answer["state"], "denied");
    let without = decision(&both[1], "edit");
    server
        .refused(
            "approval/decide",
            without.clone(),
            (400, "approval.args_mismatch"),
        )
        .await;
    let edit = with(without, &json!({"args": {"amount": 1}, "reason": "less"}));
    let answer = server.call("approval/decide", edit).await;
    assert_eq!(answer["state"], "edited");
    turn_ended(&server).await;
    assert_eq!(server.runner.paid(), [json!({"amount": 1})]);
    for (state, about, found) in [
        ("denied", &both[0], json!(["too early", null])),
        ("edited", &both[1], json!(["less", {"amount": 1}])),
    ] {
        let listed = server.call("approval/list", json!({"state": state})).await;
        let kept = &listed["approvals"][0];
        assert_eq!(kept["id"], about["id"]);
        assert_eq!(json!([kept["reason"], kept["decided_args"]]), found);
        assert_eq!(kept["args"], about["args"]);
    }
}

#[tokio::test(start_paused = true)]
async fn of_fifty_who_decide_at_once_one_is_first() {
    let server = gated().await;
    let approval = asked(&server, "pay", 1).await;
    let word = |n: usize| {
        if n.is_multiple_of(2) {
            "approve"
        } else {
            "deny"
        }
    };
    let all = (0..50).map(|n| server.post("approval/decide", decision(&approval, word(n))));
    let answers = join_all(all).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 49));
    for answer in lost {
        let body = &answer.body;
        assert_eq!(
            (answer.status, &body["code"]),
            (409, &json!("approval.decided"))
        );
        assert_eq!(body["by"], "operator:local");
        assert_eq!(body["state"], won[0].body["state"]);
        let detail = body["detail"].as_str().expect("a text");
        assert!(detail.contains("decided by operator:local"), "{detail}");
        assert_eq!(body["at"], "2025-11-22T06:00:00.000Z");
    }
    let journal = server.journal().await;
    let decided = journal
        .iter()
        .filter(|e| e.event.kind() == "approval.decided");
    assert_eq!(decided.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_decision_under_its_key_is_no_second_one() {
    let server = gated().await;
    let approval = asked(&server, "pay", 1).await;
    let keyed = with(decision(&approval, "approve"), &json!({"key": "k"}));
    let first = server.call("approval/decide", keyed.clone()).await;
    assert_eq!(server.call("approval/decide", keyed).await, first);
    let other = with(decision(&approval, "deny"), &json!({"key": "k"}));
    server
        .refused("approval/decide", other, (409, "key.reused"))
        .await;
    let late = decision(&approval, "approve");
    let refused = server
        .refused("approval/decide", late, (409, "approval.decided"))
        .await;
    assert_eq!(
        (&refused["decision"], &refused["by"]),
        (&json!("approve"), &json!("operator:local"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_decision_is_about_what_was_shown() {
    let server = gated().await;
    let approval = asked(&server, "pay", 1).await;
    let stale = with(
        decision(&approval, "approve"),
        &json!({"digest": "sha256:0"}),
    );
    server
        .refused("approval/decide", stale, (409, "approval.stale"))
        .await;
    let unknown = with(decision(&approval, "approve"), &json!({"id": "apr-1"}));
    server
        .refused("approval/decide", unknown, (404, "approval.not_found"))
        .await;
    for bad in [
        json!({"id": "turn-1"}),
        json!({"id": approval["id"], "approval": approval["id"]}),
        json!({"decision": "maybe"}),
        json!({"digest": null}),
        json!({"grant": {}}),
        json!({"grant": {"scope": "ever"}}),
        json!({"grant": {"scope": "until"}}),
        json!({"grant": {"scope": "turn", "until": "2030-01-01T00:00:00Z"}}),
        json!({"grant": {"until": "tomorrow"}}),
        json!({"grant": {"scope": "turn", "tool": "*"}}),
    ] {
        let params = with(decision(&approval, "approve"), &bad);
        server
            .refused("approval/decide", params, (400, "params.invalid"))
            .await;
    }
    let long = json!({"reason": "x".repeat(40_000)});
    server
        .refused(
            "approval/decide",
            with(decision(&approval, "deny"), &long),
            (400, "params.too_long"),
        )
        .await;
    server
        .refused(
            "approval/decide",
            with(
                decision(&approval, "approve"),
                &json!({"by": "operator:eve"}),
            ),
            (400, "params.unknown_field"),
        )
        .await;
    assert_eq!(pending(&server).await, [approval]);
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_the_end_learns_what_it_was() {
    let server = gated().await;
    let expired = asked(&server, "pay", 1).await;
    server
        .until(|event| matches!(event, Event::ApprovalExpired(_)))
        .await;
    let late = decision(&expired, "approve");
    let refused = server
        .refused("approval/decide", late, (409, "approval.expired"))
        .await;
    assert_eq!(refused["state"], "expired");
    turn_ended(&server).await;
    let withdrawn = asked(&server, "pay", 2).await;
    server
        .call("turn/cancel", json!({"turn": withdrawn["turn"]}))
        .await;
    let late = decision(&withdrawn, "approve");
    server
        .refused("approval/decide", late, (409, "approval.withdrawn"))
        .await;
    assert!(server.runner.paid().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_list_comes_in_pages() {
    let server = gated().await;
    asked(&server, "pay 1 2 3 4 5", 5).await;
    for state in ["pending", "all"] {
        let (mut seen, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let params = json!({"state": state, "limit": 2, "cursor": cursor});
            let page = server.call("approval/list", params).await;
            let approvals = page["approvals"].as_array().expect("a list").clone();
            assert!((1..=2).contains(&approvals.len()));
            seen.extend(approvals.iter().map(|one| one["args"]["amount"].clone()));
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        let mut expected = vec![json!(1), json!(2), json!(3), json!(4), json!(5)];
        if state == "all" {
            expected.reverse();
        }
        assert_eq!(seen, expected, "{state}");
    }
    let page = server.call("approval/list", json!({"limit": 1})).await;
    let foreign = json!({"state": "all", "cursor": page["next_cursor"]});
    server
        .refused("approval/list", foreign, (400, "cursor.malformed"))
        .await;
    for bad in [
        json!({"state": "open"}),
        json!({"limit": 0}),
        json!({"cursor": 1}),
    ] {
        assert_eq!(server.post("approval/list", bad).await.status, 400);
    }
    let others = server.call("approval/list", json!({"member": "bob"})).await;
    assert_eq!(others, json!({"approvals": []}));
    let got = server
        .get("/api/v1/approval/list?state=pending&member=ada&limit=3")
        .await;
    assert_eq!(got.body["approvals"].as_array().map(Vec::len), Some(3));
}

#[tokio::test(start_paused = true)]
async fn what_expires_first_comes_first() {
    let gates = r#"
[[gates]]
tool = "pay"
members = ["ada"]
action = "review"
[[gates]]
tool = "pay"
action = "review"
expires = "1h"
"#;
    let server = Server::with(Options::gated(gates)).await;
    asked(&server, "pay 1", 1).await;
    server
        .call("member/send", json!({"to": "bob", "content": "pay 2"}))
        .await;
    server
        .until(|event| matches!(event, Event::ApprovalRequested(e) if e.member.as_str() == "bob"))
        .await;
    let found = pending(&server).await;
    let members: Vec<&Value> = found.iter().map(|approval| &approval["member"]).collect();
    assert_eq!(members, ["bob", "ada"]);
    assert!(found[1].get("expires").is_none());
}

#[tokio::test(start_paused = true)]
async fn no_agent_decides() {
    let server = gated().await;
    let approval = asked(&server, "pay", 1).await;
    let command = ApprovalCommand::Decide {
        approval: approval["id"]
            .as_str()
            .expect("an id")
            .parse::<ApprovalId>()
            .expect("an id"),
        digest: approval["digest"].as_str().expect("a digest").to_owned(),
        decision: Verdict::Approve,
        args: None,
        reason: None,
        grant: None,
        roles: vec![Role::Admin],
    };
    let submission = Submission {
        command: Command::Approval(command),
        actor: Principal::Agent(MemberId::parse("bob").expect("an id")),
        key: None,
        trace: None,
    };
    let refusal = server.engine.submit(submission).await.expect_err("refused");
    assert_eq!(refusal.code, "approval.not_yours");
    assert_eq!(pending(&server).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_roles_of_a_gate_are_asked_for() {
    let named = REVIEW.replace("expires", "approvers = [\"operator:ada\"]\nexpires");
    let server = Server::with(Options::gated(&named)).await;
    let approval = asked(&server, "pay", 1).await;
    assert_eq!(approval["approvers"], json!(["operator:ada"]));
    server
        .refused(
            "approval/decide",
            decision(&approval, "approve"),
            (403, "approval.not_yours"),
        )
        .await;
    let roles = REVIEW.replace("expires", "approvers = [\"role:approver\"]\nexpires");
    let server = Server::with(Options::gated(&roles)).await;
    let approval = asked(&server, "pay", 1).await;
    server
        .call("approval/decide", decision(&approval, "approve"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_decision_is_taken_while_the_runtime_stops() {
    let server = gated().await;
    let approval = asked(&server, "pay", 1).await;
    server
        .call("member/send", json!({"to": "bob", "content": "gate"}))
        .await;
    server
        .until(|event| matches!(event, Event::TurnStarted(e) if e.member.as_str() == "bob"))
        .await;
    server.call("system/shutdown", json!({})).await;
    server
        .until(|event| matches!(event, Event::RuntimeDraining(_)))
        .await;
    let answer = server
        .call("approval/decide", decision(&approval, "approve"))
        .await;
    assert_eq!(answer["state"], "approved");
    server.runner.gate.notify_one();
    server.engine.shutdown().await;
    let memory = server.memory.reopen();
    let options = Options {
        memory,
        ..Options::gated(REVIEW)
    };
    let next = Server::with(options).await;
    turn_ended(&next).await;
    assert_eq!(server.runner.paid().len() + next.runner.paid().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_waits_over_a_restart_and_is_asked_once() {
    let first = gated().await;
    let approval = asked(&first, "pay", 1).await;
    first.engine.shutdown().await;
    let memory = first.memory.reopen();
    let options = Options {
        memory,
        ..Options::gated(REVIEW)
    };
    let second = Server::with(options).await;
    assert_eq!(pending(&second).await, std::slice::from_ref(&approval));
    second
        .call("approval/decide", decision(&approval, "approve"))
        .await;
    turn_ended(&second).await;
    assert_eq!(second.runner.paid(), [json!({"amount": 3})]);
}

#[tokio::test(start_paused = true)]
async fn who_looks_at_a_member_or_a_turn_sees_what_it_waits_for() {
    let server = gated().await;
    let approval = asked(&server, "pay", 1).await;
    let waiting_on = json!({
        "what": "approval", "approval": approval["id"], "call": approval["call"],
    });
    let member = server.call("member/get", json!({"member": "ada"})).await;
    assert_eq!(
        (
            &member["state"],
            &member["waiting_for"],
            &member["waiting_on"]
        ),
        (&json!("waiting"), &json!("approval"), &waiting_on)
    );
    let turn = server
        .call("turn/get", json!({"turn": approval["turn"]}))
        .await;
    assert_eq!(
        (&turn["status"], &turn["waiting_on"]),
        (&json!("waiting"), &waiting_on)
    );
    let listed = server.call("turn/list", json!({"status": "waiting"})).await;
    assert_eq!(listed["turns"][0]["waiting_on"], waiting_on);
    server
        .call("approval/decide", decision(&approval, "approve"))
        .await;
    turn_ended(&server).await;
    let turn = server
        .call("turn/get", json!({"turn": approval["turn"]}))
        .await;
    assert!(turn.get("waiting_on").is_none());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_peer_is_seen_to_wait_for_that_peer() {
    let server = gated().await;
    let ask = json!({"to": "ada", "content": "consult", "timeout_ms": 100});
    // No person can end that wait, so it is no answer.
    server
        .refused("member/ask", ask, (504, "ask.timed_out"))
        .await;
    let member = server.call("member/get", json!({"member": "ada"})).await;
    let on = &member["waiting_on"];
    assert_eq!(
        (&on["what"], &on["peer"], &on["approval"]),
        (&json!("peer"), &json!("bob"), &Value::Null)
    );
    assert!(on["call"].is_string());
    assert_eq!(member["waiting_for"], "peer");
}

#[tokio::test(start_paused = true)]
async fn an_ask_whose_time_ends_says_which_approval_it_waits_for() {
    let server = gated().await;
    let ask = json!({"to": "ada", "content": "pay", "timeout_ms": 500, "key": "k"});
    let answer = server.call("member/ask", ask).await;
    let approval = pending(&server).await[0].clone();
    assert_eq!(
        (&answer["status"], &answer["approval"], &answer["turn"]),
        (&json!("waiting"), &approval["id"], &approval["turn"])
    );
    assert_eq!(answer["text"], Value::Null);
    server
        .call("approval/decide", decision(&approval, "approve"))
        .await;
    let again = json!({"to": "ada", "content": "pay", "timeout_ms": 5_000, "key": "k"});
    let answer = server.call("member/ask", again).await;
    assert_eq!(answer["status"], "completed");
    assert_eq!(answer["turn"], approval["turn"]);
    assert!(answer.get("approval").is_none());
}

#[tokio::test(start_paused = true)]
async fn grants_are_listed_while_they_hold_and_can_be_taken_back() {
    let server = gated().await;
    let approval = asked(&server, "pay 5", 1).await;
    let past = json!({"grant": {"until": "2020-01-01T00:00:00Z"}});
    server
        .refused(
            "approval/decide",
            with(decision(&approval, "approve"), &past),
            (400, "grant.past"),
        )
        .await;
    let run = json!({"grant": {"scope": "run"}});
    server
        .refused(
            "approval/decide",
            with(decision(&approval, "approve"), &run),
            (400, "grant.no_run"),
        )
        .await;
    let until = json!({"grant": {"until": "2025-11-22T07:00:00Z", "args": {}}});
    server
        .call(
            "approval/decide",
            with(decision(&approval, "approve"), &until),
        )
        .await;
    turn_ended(&server).await;
    let listed = server.call("grant/list", json!({})).await;
    let id = listed["grants"][0]["id"].clone();
    let expected = json!({"grants": [{
        "id": id, "tool": "pay", "member": "ada", "args": {}, "exact": false, "scope": "until",
        "until": "2025-11-22T07:00:00.000Z", "by": "operator:local", "approval": approval["id"],
        "created": "2025-11-22T06:00:00.000Z",
    }]});
    assert_eq!(listed, expected);

    let answer = server
        .call("member/ask", json!({"to": "ada", "content": "pay 9"}))
        .await;
    assert_eq!(answer["status"], "completed");
    assert_eq!(server.runner.paid().len(), 2);

    let revoked = server.call("grant/revoke", json!({"grant": id})).await;
    assert_eq!(revoked["grant"], id);
    assert!(revoked["seq"].is_u64());
    assert_eq!(
        server.call("grant/list", json!({})).await,
        json!({"grants": []})
    );
    server
        .refused("grant/revoke", json!({"id": id}), (404, "grant.not_found"))
        .await;
    server
        .refused(
            "grant/revoke",
            json!({"id": "apr-1"}),
            (400, "params.invalid"),
        )
        .await;
    asked(&server, "pay 9", 2).await;
    assert_eq!(server.runner.paid().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_has_ended_is_not_listed() {
    let server = gated().await;
    asked(&server, "pay 5 5", 2).await;
    let both = pending(&server).await;
    let turn = json!({"grant": {"scope": "turn"}});
    server
        .call(
            "approval/decide",
            with(decision(&both[0], "approve"), &turn),
        )
        .await;
    let listed = server.call("grant/list", json!({"member": "ada"})).await;
    let grant = &listed["grants"][0];
    assert_eq!(
        (
            &grant["scope"],
            &grant["turn"],
            &grant["exact"],
            &grant["args"]
        ),
        (
            &json!("turn"),
            &both[0]["turn"],
            &json!(true),
            &json!({"amount": 5})
        )
    );
    let until = json!({"grant": {"until": "2025-11-22T06:10:00Z"}});
    server
        .call(
            "approval/decide",
            with(decision(&both[1], "approve"), &until),
        )
        .await;
    turn_ended(&server).await;
    let listed = server.call("grant/list", json!({})).await;
    assert_eq!(listed["grants"].as_array().map(Vec::len), Some(1));
    let page = server.call("grant/list", json!({"member": "bob"})).await;
    assert_eq!(page, json!({"grants": []}));
    tokio::time::advance(Duration::from_mins(10)).await;
    assert_eq!(
        server.call("grant/list", json!({})).await,
        json!({"grants": []})
    );
}
