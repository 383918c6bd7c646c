//! Asking: send, and wait for the end of that very turn.

use crate::kit::{Options, Server};
use futures::{FutureExt, join};
use mobkit_domain::event::Event;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn an_answer_comes_with_its_turn() {
    let server = Server::up().await;
    let answer = server
        .call("member/ask", json!({"to": "ada", "content": "hello"}))
        .await;
    let turn = server
        .call("turn/get", json!({"turn": answer["turn"]}))
        .await;
    assert_eq!(turn["messages"], json!([answer["message"]]));
    assert_eq!(answer["status"], "completed");
    assert_eq!(answer["text"], "echo: hello");
    let end = server
        .journal()
        .await
        .into_iter()
        .find(|e| e.event.kind() == "turn.completed");
    assert_eq!(answer["seq"].as_u64(), end.map(|event| event.seq));
    assert!(answer.get("reason").is_none() && answer.get("rehearsal").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_turn_without_an_answer_says_why() {
    let server = Server::up().await;
    let failed = server
        .call("member/ask", json!({"to": "ada", "content": "fail"}))
        .await;
    assert_eq!(
        (&failed["status"], &failed["text"]),
        (&json!("failed"), &json!(null))
    );
    assert!(
        failed["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("on purpose"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_cut_says_so() {
    let server = Server::up().await;
    let cut = server
        .call("member/ask", json!({"to": "ada", "content": "cut"}))
        .await;
    let status = (&cut["status"], &cut["text"], &cut["finish"]);
    assert_eq!(
        status,
        (&json!("completed"), &json!("one two"), &json!("length"))
    );
    let turn = json!({"turn": cut["turn"]});
    assert_eq!(server.call("turn/get", turn).await["finish"], "length");
    let whole = server
        .call("member/ask", json!({"to": "ada", "content": "hello"}))
        .await;
    assert!(whole.get("finish").is_none());
    let turn = json!({"turn": whole["turn"]});
    assert!(server.call("turn/get", turn).await.get("finish").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_no_turn_took_says_so() {
    let server = Server::up().await;
    server
        .call("member/send", json!({"to": "ada", "content": "hang"}))
        .await;
    let ask = server.call("member/ask", json!({"to": "ada", "content": "hello"}));
    let withdraw = async {
        let mut message = None;
        server
            .until(|event| match event {
                Event::MessageAccepted(e) if e.text.inline() == Some("hello") => {
                    message = Some(e.message);
                    true
                }
                _ => false,
            })
            .await;
        server
            .call(
                "message/cancel",
                json!({"message": message, "reason": "no need"}),
            )
            .await;
    };
    let (answer, ()) = join!(ask, withdraw);
    assert_eq!(
        (&answer["status"], &answer["turn"]),
        (&json!("cancelled"), &json!(null))
    );
    assert_eq!(answer["reason"], "no need");
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_and_its_turn_goes_on() {
    let server = Server::up().await;
    let ask = json!({"to": "ada", "content": "gate", "timeout_ms": 500, "key": "k"});
    let refused = server
        .refused("member/ask", ask.clone(), (504, "ask.timed_out"))
        .await;
    assert_eq!(refused["kind"], "busy");
    let shown = server
        .call("message/get", json!({"message": refused["message"]}))
        .await;
    assert_eq!(shown["state"], "delivered");
    server.runner.gate.notify_one();
    // The same key goes on waiting for the same message, with another patience.
    let again = json!({"to": "ada", "content": "gate", "timeout_ms": 5_000, "key": "k"});
    let answer = server.call("member/ask", again).await;
    assert_eq!(answer["message"], refused["message"]);
    assert_eq!(answer["text"], "gone through");
    let accepted = server.journal().await;
    let accepted = accepted
        .iter()
        .filter(|e| e.event.kind() == "message.accepted")
        .count();
    assert_eq!(accepted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_busy_member_holds_up_nobody_else() {
    let server = Server::up().await;
    let mut slow = server
        .call("member/ask", json!({"to": "ada", "content": "gate"}))
        .boxed_local();
    assert!(slow.as_mut().now_or_never().is_none());
    for _ in 0..100 {
        let quick = server
            .call("member/ask", json!({"to": "bob", "content": "hello"}))
            .await;
        assert_eq!(quick["status"], "completed");
    }
    // A batch waits for its slowest request alone.
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "member/ask", "params": {"to": "cid", "content": "a"}},
        {"jsonrpc": "2.0", "id": 2, "method": "member/cancel", "params": {"member": "ada"}},
    ]);
    let answer = server.rpc(&batch.to_string()).await.body;
    assert_eq!(answer[0]["result"]["text"], "echo: a");
    assert_eq!(answer[1]["result"]["member"]["state"], "idle");
    assert_eq!(slow.await["status"], "cancelled");
}

#[tokio::test(start_paused = true)]
async fn patience_has_bounds() {
    let server = Server::up().await;
    let before = server.journal().await.len();
    for timeout_ms in [0, 600_001] {
        let ask = json!({"to": "ada", "content": "hello", "timeout_ms": timeout_ms});
        server
            .refused("member/ask", ask, (400, "params.invalid"))
            .await;
    }
    assert_eq!(server.journal().await.len(), before);
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_marks_every_answer() {
    let server = Server::with(Options {
        rehearsal: true,
        ..Options::default()
    })
    .await;
    let answer = server
        .call("member/ask", json!({"to": "ada", "content": "hello"}))
        .await;
    assert_eq!(answer["rehearsal"], true);
    let info = server.get("/api/v1/system/info").await;
    assert_eq!(info.body["rehearsal"], true);
    assert_eq!(info.header("mobkit-rehearsal"), "true");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_every_wait() {
    let server = Server::up().await;
    let ask = server.post("member/ask", json!({"to": "ada", "content": "hang"}));
    let stop = async {
        server
            .until(|event| matches!(event, Event::TurnStarted(_)))
            .await;
        server.engine.shutdown().await
    };
    let (answer, report) = join!(ask, stop);
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (503, &json!("runtime.stopping"))
    );
    assert_eq!(report.drain.turns_checkpointed, 1);
}
