//! A tool call whose outcome nobody knows.

use crate::kit::{Options, Server};
use mobkit_domain::event::Event;
use serde_json::{Value, json};

/// A mob whose process died while a payment was on its way.
async fn interrupted() -> (Server, Value) {
    let first = Server::up().await;
    first
        .call("member/send", json!({"to": "ada", "content": "pay"}))
        .await;
    first
        .until(|event| matches!(event, Event::ToolStarted(_)))
        .await;
    let options = Options {
        memory: first.memory.reopen(),
        ..Options::default()
    };
    let second = Server::with(options).await;
    let unknown = second
        .journal()
        .await
        .into_iter()
        .find_map(|event| match event.event {
            Event::ToolUnknown(e) => Some(json!(e.call)),
            _ => None,
        });
    (second, unknown.expect("an unknown call"))
}

#[tokio::test(start_paused = true)]
async fn an_operator_says_what_came_of_it_and_the_turn_goes_on() {
    let (server, call) = interrupted().await;
    let waiting = server.call("member/get", json!({"member": "ada"})).await;
    assert_eq!(
        (&waiting["state"], &waiting["waiting_for"]),
        (&json!("waiting"), &json!("operator"))
    );
    let waiting_on = json!({"what": "operator", "call": call});
    assert_eq!(waiting["waiting_on"], waiting_on);
    let turn = json!({"turn": waiting["turn"]});
    let shown = server.call("turn/get", turn.clone()).await;
    assert_eq!(
        (&shown["status"], &shown["waiting_on"]),
        (&json!("waiting"), &waiting_on)
    );

    let without = json!({"call": call, "how": "happened"});
    server
        .refused("tool/resolve", without, (400, "tool.result_mismatch"))
        .await;
    let how = json!({"call": call, "how": "happened", "result": {"receipt": 7}});
    let resolved = server.call("tool/resolve", how).await;
    assert_eq!(
        (&resolved["call"], &resolved["how"]),
        (&call, &json!("happened"))
    );
    server
        .until(|event| matches!(event, Event::TurnCompleted(_)))
        .await;
    let turn = server.call("turn/get", turn).await;
    assert_eq!(
        (&turn["status"], &turn["steps"]),
        (&json!("completed"), &json!(2))
    );
    let told = server
        .call("member/history", json!({"member": "ada"}))
        .await;
    let entries = told["entries"].as_array().expect("entries");
    let result = entries
        .iter()
        .find(|entry| entry["kind"] == "tool.resolved")
        .expect("told");
    assert_eq!(result["text"], "{\"receipt\":7}");
    server
        .refused(
            "tool/resolve",
            json!({"call": call, "how": "run"}),
            (404, "tool.not_open"),
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn giving_up_ends_the_turn() {
    let (server, call) = interrupted().await;
    let turn = server.call("member/get", json!({"member": "ada"})).await["turn"].clone();
    server
        .call("tool/resolve", json!({"call": call, "how": "give_up"}))
        .await;
    let turn = server.call("turn/get", json!({"turn": turn})).await;
    assert_eq!(
        (&turn["status"], &turn["class"]),
        (&json!("failed"), &json!("tool"))
    );
    server
        .refused(
            "tool/resolve",
            json!({"call": "x", "how": "run"}),
            (400, "params.invalid"),
        )
        .await;
}
