//! Calls and what comes of them.

use super::host::Heard;
use super::peer::{Ends, call, id, says};
use crate::client::{ClientError, Limits};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn a_call_carries_its_arguments_and_its_lasting_id() {
    for modern in [true, false] {
        let ends = Ends::default();
        let (client, mut peer, _heard) = if modern {
            ends.modern().await
        } else {
            ends.before().await
        };
        let (made, ()) = tokio::join!(client.call(call(7)), async {
            let request = peer.expect("tools/call").await;
            let params = &request["params"];
            assert_eq!(params["name"], "buy");
            assert_eq!(params["arguments"], json!({ "what": "tea", "n": 2 }));
            assert_eq!(params["_meta"]["mobkit/call"], "call-7-1");
            assert_eq!(params["_meta"]["progressToken"], "call-7-1");
            let result = json!({
                "content": [{ "type": "text", "text": "{\"left\": 3}" }],
                "structuredContent": { "left": 3 },
            });
            peer.answer(&request, result).await;
        });
        assert_eq!(made, Ok("{\"left\":3}".to_owned()));
    }
}

/// What comes of a call that is answered with this besides its id.
async fn answered(answer: Value) -> Result<String, ClientError> {
    let (client, mut peer, _heard) = Ends::default().before().await;
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let request = peer.expect("tools/call").await;
        let mut answer = answer;
        answer["jsonrpc"] = json!("2.0");
        answer["id"] = request["id"].clone();
        peer.say(answer).await;
    });
    made
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_tool_and_a_refusal_of_the_module_are_two_things() {
    let failed = |text: &str| Err(ClientError::Failed(text.to_owned()));
    let refused = |text: &str| Err(ClientError::Refused(text.to_owned()));
    let mut result = says("no tea left");
    result["isError"] = json!(true);
    assert_eq!(
        answered(json!({ "result": result })).await,
        failed("no tea left")
    );
    let silent = json!({ "result": { "content": [], "isError": true } });
    assert_eq!(
        answered(silent).await,
        failed("the tool failed and says no more")
    );
    let error = json!({ "error": { "code": -32602, "message": "Unknown tool: buy" } });
    assert_eq!(
        answered(error).await,
        refused("Unknown tool: buy (code -32602)")
    );
    let nothing = json!({ "result": {} });
    assert_eq!(answered(nothing).await, Ok(String::new()));
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_form_ends_its_call() {
    let strange = json!({ "result": { "content": [{ "type": "smell", "of": "tea" }] } });
    let failed = ClientError::Failed("the answer has not the form of a result".to_owned());
    assert_eq!(answered(strange).await, Err(failed.clone()));
    let task = json!({ "result": { "resultType": "task", "taskId": "1" } });
    assert_eq!(answered(task).await, Err(failed));
    let refused = ClientError::Refused("the answer is malformed (code -32603)".to_owned());
    assert_eq!(
        answered(json!({ "error": "no" })).await,
        Err(refused.clone())
    );
    assert_eq!(answered(json!({})).await, Err(refused));
}

#[tokio::test(start_paused = true)]
async fn calls_run_side_by_side() {
    let (client, mut peer, _heard) = Ends::default().modern().await;
    let (first, second, ()) = tokio::join!(client.call(call(1)), client.call(call(2)), async {
        let one = peer.expect("tools/call").await;
        let two = peer.expect("tools/call").await;
        peer.answer(&two, says("second")).await;
        peer.answer(&one, says("first")).await;
    });
    assert_eq!(first, Ok("first".to_owned()));
    assert_eq!(second, Ok("second".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_is_cancelled_at_the_module() {
    for modern in [true, false] {
        let ends = Ends::default();
        let (client, mut peer, _heard) = if modern {
            ends.modern().await
        } else {
            ends.before().await
        };
        let request = tokio::select! {
            _ = client.call(call(1)) => panic!("it is not answered"),
            request = peer.expect("tools/call") => request,
        };
        let cancelled = peer.expect("notifications/cancelled").await;
        assert_eq!(cancelled["params"]["requestId"], request["id"]);
        // An answer all the same is nothing to anybody, and the conversation goes on.
        peer.answer(&request, says("too late")).await;
        let (made, ()) = tokio::join!(client.call(call(2)), async {
            let request = peer.expect("tools/call").await;
            peer.answer(&request, says("done")).await;
        });
        assert_eq!(made, Ok("done".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn progress_reaches_the_host_while_the_call_is_in_flight() {
    let (client, mut peer, mut heard) = Ends::default().before().await;
    let progress = |token: Value, params: Value| {
        let mut params = params;
        params["progressToken"] = token;
        params
    };
    let method = "notifications/progress";
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let request = peer.expect("tools/call").await;
        let token = || request["params"]["_meta"]["progressToken"].clone();
        let step = json!({ "progress": 1, "total": 4, "message": "boiling" });
        peer.notify(method, progress(token(), step)).await;
        let boiling = Heard::Progress(id(7), "boiling (1 of 4)".to_owned());
        assert_eq!(heard.recv().await, Some(boiling));
        for strange in [json!("call-8-1"), json!(3), json!("x")] {
            peer.notify(method, progress(strange, json!({ "progress": 9 })))
                .await;
        }
        peer.notify(method, progress(token(), json!({ "progress": 2.5 })))
            .await;
        let more = Heard::Progress(id(7), "2.5".to_owned());
        assert_eq!(heard.recv().await, Some(more));
        peer.answer(&request, says("done")).await;
    });
    assert_eq!(made, Ok("done".to_owned()));
    peer.notify(
        method,
        progress(json!("call-7-1"), json!({ "progress": 3 })),
    )
    .await;
    peer.notify("notifications/shop/closed", json!({ "at": 18 }))
        .await;
    let said = json!({
        "kind": "notification", "method": "notifications/shop/closed", "params": { "at": 18 },
    });
    assert_eq!(heard.recv().await, Some(Heard::Said(said)));
}

#[tokio::test(start_paused = true)]
async fn log_messages_are_events_of_the_module() {
    let (_client, mut peer, mut heard) = Ends::default().before().await;
    let params = json!({ "level": "warning", "logger": "till", "data": { "open": true } });
    peer.notify("notifications/message", params).await;
    let said = json!({
        "kind": "log", "level": "warning", "logger": "till", "data": { "open": true },
    });
    assert_eq!(heard.recv().await, Some(Heard::Said(said)));
}

#[tokio::test(start_paused = true)]
async fn a_module_that_does_not_read_can_be_called_no_more() {
    let (client, peer, _heard) = Ends::default().modern().await;
    let mut large = call(1);
    large.args = json!({ "what": "x".repeat(2 * super::peer::PIPE_BYTES) });
    let stuck = client.call(large);
    tokio::pin!(stuck);
    assert!(futures::poll!(&mut stuck).is_pending());
    let many = (2..2_000).map(|reply| client.call(call(reply)));
    let (made, _, _) = futures::future::select_all(many).await;
    let refused = ClientError::Refused("the module does not read its input".to_owned());
    assert_eq!(made, Err(refused));
    // Nothing that is stuck holds up the end.
    client.close().await;
    assert_eq!(stuck.await, Err(ClientError::Closed));
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn a_line_without_end_breaks_the_conversation() {
    let limits = Limits {
        line_bytes_max: 1024 * 1024,
        ..Limits::default()
    };
    let ends = Ends {
        limits,
        ..Ends::default()
    };
    let (client, mut peer, _heard) = ends.modern().await;
    let broken = ClientError::Broken("wrote a line over 1 MiB".to_owned());
    let ((), made) = tokio::join!(
        async {
            let request = peer.expect("tools/call").await;
            let fits = says(&"x".repeat(limits.line_bytes_max - 100));
            peer.answer(&request, fits).await;
        },
        client.call(call(1))
    );
    assert_eq!(made.map(|text| text.len()), Ok(limits.line_bytes_max - 100));
    let ((), made) = tokio::join!(
        async {
            peer.expect("tools/call").await;
            peer.raw("{").await;
            while peer.try_raw(&"x".repeat(1024)).await {}
        },
        client.call(call(2))
    );
    assert_eq!(made, Err(broken.clone()));
    assert_eq!(client.closed().await, broken);
}

#[tokio::test(start_paused = true)]
async fn too_much_that_is_no_message_breaks_the_conversation() {
    let (client, mut peer, mut heard) = Ends::default().modern().await;
    for _ in 0..100 {
        peer.raw("la\n").await;
    }
    let (made, ()) = tokio::join!(client.call(call(1)), async {
        let request = peer.expect("tools/call").await;
        peer.answer(&request, says("done")).await;
    });
    assert_eq!(made, Ok("done".to_owned()));
    let (made, ()) = tokio::join!(client.call(call(2)), async {
        peer.expect("tools/call").await;
        peer.raw("la\n").await;
    });
    let text = "wrote more than 100 lines that are no part of the protocol";
    let broken = ClientError::Broken(text.to_owned());
    assert_eq!(made, Err(broken.clone()));
    assert_eq!(client.closed().await, broken);
    let mut stray = 0;
    while let Ok(Heard::Stray(line)) = heard.try_recv() {
        assert_eq!(line, "la");
        stray += 1;
    }
    assert_eq!(stray, 101);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_is_cut_in_an_answer_loses_the_call() {
    let (client, mut peer, _heard) = Ends::default().modern().await;
    let (made, ()) = tokio::join!(client.call(call(1)), async {
        let request = peer.expect("tools/call").await;
        let answer = json!({ "jsonrpc": "2.0", "id": request["id"], "result": says("done") });
        let answer = answer.to_string();
        peer.raw(&answer[..answer.len() - 5]).await;
        drop(peer);
    });
    assert_eq!(made, Err(ClientError::Closed));
    assert_eq!(client.closed().await, ClientError::Closed);
    assert_eq!(client.call(call(2)).await, Err(ClientError::Closed));
    assert_eq!(client.probe().await, Err(ClientError::Closed));
}
