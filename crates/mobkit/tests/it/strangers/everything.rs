//! `@modelcontextprotocol/server-everything`: the reference server of the revisions of 2025.

use super::hands::{Hands, all, answer, cancel, decide, event, node, progress, say};
use crate::kit::send;
use mobkit::event::Verdict;
use serde_json::{Value, json};

fn hands(more: &str) -> Hands {
    let args = "{ duration = 600, steps = 6000 }";
    Hands::new()
        .when("echo", "echo", "{ message = \"grüß Gott\" }")
        .when(
            "weather",
            "get-structured-content",
            "{ location = \"Chicago\" }",
        )
        .when("env", "get-env", "{}")
        .when("long", "trigger-long-running-operation", args)
        .when("ask", "trigger-elicitation-request", "{}")
        .module(&node("server-everything", "\"stdio\""), more)
}

#[tokio::test]
async fn the_tools_of_the_reference_server_are_listed_and_called() {
    let hands = hands("env = { GREETING = \"hello\" }");
    let mob = hands.open().await;
    let healthy = &all(&mob, "module.healthy").await[0]["data"];
    let protocol = healthy["protocol"].as_str().expect("a protocol");
    assert!(protocol.starts_with("mcp 2025-11-25"), "{healthy}");
    let tools: Vec<&str> = healthy["tools"]
        .as_array()
        .expect("tools")
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name"))
        .collect();
    for tool in [
        "echo",
        "get-structured-content",
        "trigger-elicitation-request",
    ] {
        assert!(tools.contains(&tool), "{tools:?}");
    }
    assert_eq!(say(&mob, "echo").await, "Echo: grüß Gott");
    let weather: Value = serde_json::from_str(&say(&mob, "weather").await).expect("structured");
    assert!(weather["temperature"].is_number(), "{weather}");
    let env: Value = serde_json::from_str(&say(&mob, "env").await).expect("the environment");
    let mut names: Vec<&String> = env.as_object().expect("an object").keys().collect();
    names.retain(|name| !["PATH", "HOME", "LANG", "TZ"].contains(&name.as_str()));
    let marked = ["GREETING", "MOBKIT_MODULE"];
    assert_eq!(names, marked, "nothing else of ours reaches it");
    mob.shutdown().await;
}

#[tokio::test]
async fn arguments_that_the_schema_forbids_never_reach_the_module() {
    let hands = Hands::new()
        .when("sum", "get-sum", "{ a = \"two\", b = 3 }")
        .module(&node("server-everything", "\"stdio\""), "");
    let mob = hands.open().await;
    let said = say(&mob, "sum").await;
    assert!(said.contains("two") || said.contains("number"), "{said}");
    assert!(all(&mob, "tool.started").await.is_empty());
    mob.shutdown().await;
}

#[tokio::test]
async fn a_long_call_tells_its_progress_and_is_cancelled_with_its_turn() {
    let hands = hands("");
    let mob = hands.open().await;
    let mut deltas = mob.engine().deltas();
    send(&mob, "worker", "long").await;
    let started = event(&mob, "tool.started", 0).await;
    let told = progress(&mut deltas).await;
    let call = told.call.expect("of a call").to_string();
    assert_eq!(started["data"]["call"], call.as_str());
    cancel(&mob).await;
    let cancelled = event(&mob, "turn.cancelled", 0).await;
    assert_eq!(cancelled["data"]["turn"], started["data"]["turn"]);
    assert_eq!(
        say(&mob, "echo").await,
        "Echo: grüß Gott",
        "the module goes on"
    );
    assert_eq!(all(&mob, "module.starting").await.len(), 1);
    mob.shutdown().await;
}

#[tokio::test]
async fn a_question_of_the_module_is_answered_by_a_person() {
    let hands = hands("");
    let mob = hands.open().await;
    let message = send(&mob, "worker", "ask").await;
    let asked = event(&mob, "approval.requested", 0).await;
    assert_eq!(asked["data"]["about"], "elicitation", "{asked}");
    assert!(
        asked["data"]["schema"]["properties"]["name"].is_object(),
        "{asked}"
    );
    let filled = json!({"name": "Ada", "check": true, "integer": 7});
    decide(&mob, &asked, Verdict::Approve, Some(filled)).await;
    let said = answer(&mob, message).await;
    assert!(
        said.contains("- Name: Ada") && said.contains("Integer: 7"),
        "{said}"
    );

    let after = mob.engine().head();
    let message = send(&mob, "worker", "ask").await;
    let asked = event(&mob, "approval.requested", after).await;
    decide(&mob, &asked, Verdict::Deny, None).await;
    let said = answer(&mob, message).await;
    assert!(said.contains("declined"), "{said}");
    mob.shutdown().await;
}
