//! Turns: text, tools, gates, and members who ask each other.

use super::lane::{Lane, told};
use crate::kit::{ask, member, send, submit};
use crate::strangers::hands::{all, answer, decide, event};
use mobkit::command::{Command, MemberCommand};
use mobkit::event::Verdict;
use mobkit::row::TurnStatus;
use mobkit::{Delta, DeltaKind, Mob};
use serde_json::json;

/// Cancels the turn of a member.
pub(super) async fn cancel(mob: &Mob, of: &str) {
    let cancel = MemberCommand::Cancel {
        member: member(of),
        reason: None,
    };
    submit(mob, Command::Member(cancel)).await;
}

#[tokio::test]
async fn a_turn_is_streamed_counted_and_kept_with_the_runtimes_own_words() {
    let lane = Lane::new();
    let mob = lane.open().await;
    let mut deltas = mob.engine().deltas();
    assert_eq!(told(&mob, "ada", "hello").await, "1: hello");
    assert_eq!(told(&mob, "ada", "again").await, "2: again");
    let mut streamed = String::new();
    while let Ok(Delta { kind, text, .. }) = deltas.try_recv() {
        if kind == DeltaKind::Text {
            streamed.push_str(&text);
        }
    }
    assert_eq!(streamed, "1: hello2: again");
    let replied = all(&mob, "model.replied").await;
    assert_eq!(replied.len(), 2, "{replied:?}");
    for reply in &replied {
        assert!(
            reply["data"]["usage"]["output_tokens"].as_u64() > Some(0),
            "{reply}"
        );
        assert!(reply["data"]["engine"]["run_id"].is_string(), "{reply}");
    }
    mob.shutdown().await;
}

#[tokio::test]
async fn what_the_models_server_refuses_fails_the_turn_and_not_the_member() {
    let lane = Lane::new();
    let mob = lane.open().await;
    let turn = ask(&mob, "ada", "refuse this").await;
    assert_eq!(turn.status, TurnStatus::Failed, "{turn:?}");
    assert!(
        turn.reason
            .as_deref()
            .is_some_and(|reason| reason.contains("400")),
        "{turn:?}"
    );
    assert!(told(&mob, "ada", "hello").await.ends_with(": hello"));
    mob.shutdown().await;
}

#[tokio::test]
async fn calls_of_one_round_are_one_step_and_each_is_made_once() {
    let lane = Lane::new();
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "pay eve and dan").await, "told: paid dan");
    assert_eq!(
        lane.till.paid(),
        [json!({"to": "eve"}), json!({"to": "dan"})]
    );
    let replied = all(&mob, "model.replied").await;
    let calls = replied
        .iter()
        .filter_map(|reply| reply["data"]["calls"].as_array());
    let calls: Vec<usize> = calls.map(Vec::len).filter(|calls| *calls > 0).collect();
    assert_eq!(calls, [2], "{replied:?}");
    mob.shutdown().await;
}

#[tokio::test]
async fn the_gate_stands_before_a_call_of_a_meerkat_member() {
    let lane =
        Lane::more("\n[[gates]]\ntool = \"pay\"\nmembers = [\"bob\"]\naction = \"review\"\n");
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "pay eve").await, "told: paid eve");
    for (to, verdict, says) in [
        ("dan", Verdict::Approve, "told: paid dan"),
        ("fay", Verdict::Deny, "told: "),
    ] {
        let after = mob.engine().head();
        let message = send(&mob, "bob", &format!("pay {to}")).await;
        let requested = event(&mob, "approval.requested", after).await;
        assert_eq!(requested["data"]["tool"], "pay", "{requested}");
        let paid = lane.till.paid();
        assert!(!paid.contains(&json!({"to": to})), "{paid:?}");
        decide(&mob, &requested, verdict, None).await;
        let said = answer(&mob, message).await;
        assert!(said.starts_with(says), "{said}");
    }
    assert_eq!(
        lane.till.paid(),
        [json!({"to": "eve"}), json!({"to": "dan"})]
    );
    mob.shutdown().await;
}

#[tokio::test]
async fn members_of_both_engines_ask_each_other_along_edges_only() {
    let lane = Lane::new();
    let mob = lane.open().await;
    assert_eq!(
        told(&mob, "host", "ask ada of owls").await,
        "heard 1: of owls"
    );
    assert_eq!(
        told(&mob, "ada", "ask host of kites").await,
        "heard 2: of kites"
    );
    assert_eq!(
        told(&mob, "ada", "ask bob of wrens").await,
        "heard 1: of wrens"
    );
    assert_eq!(
        told(&mob, "ada", "ask bob who is this").await,
        "heard you are ada",
        "a message of a peer names its sender"
    );
    let refused = told(&mob, "bob", "ask host of terns").await;
    assert!(!refused.contains(": of terns"), "{refused}");
    mob.shutdown().await;
}

#[tokio::test]
async fn a_cancelled_turn_ends_and_the_next_one_is_answered() {
    let lane = Lane::new();
    let mob = lane.open().await;
    told(&mob, "ada", "hello").await;
    let message = send(&mob, "ada", "slow work").await;
    event(&mob, "turn.started", mob.engine().head() - 1).await;
    cancel(&mob, "ada").await;
    let turn = crate::kit::ended(&mob, message).await;
    assert_eq!(turn.status, TurnStatus::Cancelled, "{turn:?}");
    // What was cancelled does not come back, and is not in the way of what follows.
    assert!(told(&mob, "ada", "next").await.ends_with(": next"));
    mob.shutdown().await;
}

#[tokio::test]
async fn deliveries_and_schedules_reach_and_leave_a_meerkat_member() {
    let lane = Lane::more(
        "\n[[routes]]\nid = \"out\"\nmatch = { recipient = \"desk\" }\n\
         sink = { kind = \"file\", path = \"out.jsonl\" }\n\
         [[schedules]]\nid = \"tick\"\ncron = \"* * * * * *\"\nto = { member = \"bob\" }\nmessage = \"tick\"\n",
    );
    let mob = lane.open().await;
    let said = told(&mob, "ada", "deliver parcel").await;
    assert!(said.starts_with("told: queued as dlv-"), "{said}");
    event(&mob, "delivery.delivered", 0).await;
    let out = std::fs::read_to_string(lane.path().join("out.jsonl")).expect("a file");
    assert!(out.contains("parcel"), "{out}");
    let dispatched = event(&mob, "occurrence.dispatched", 0).await;
    let mut after = 0;
    loop {
        let completed = event(&mob, "turn.completed", after).await;
        after = completed["seq"].as_u64().expect("a position");
        if completed["data"]["member"] == "bob" {
            assert!(
                completed["data"]["text"]
                    .as_str()
                    .is_some_and(|t| t.ends_with(": tick"))
            );
            break;
        }
    }
    assert!(dispatched["data"].is_object());
    mob.shutdown().await;
}
