//! Conversations with remote servers of the era before, which have sessions.

use super::end::alone;
use super::host::Heard;
use super::peer::{call, id, says};
use super::web::{Web, before};
use crate::client::ClientError;
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn a_session_lasts_from_initialize_to_its_deletion() {
    let mut web = Web::start();
    let (client, beside, mut heard) = before(&mut web, Vec::new()).await;
    assert_eq!(client.protocol(), "mcp 2025-11-25 (shop 1.2)");
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let asked = web.expect("tools/call").await.of_session("s1");
        assert_eq!(asked.header("mcp-protocol-version"), "2025-11-25");
        assert_eq!(asked.body["params"]["_meta"]["progressToken"], "call-7-1");
        asked.answer(says("done"));
    });
    assert_eq!(made, Ok("done".to_owned()));
    beside
        .notify("notifications/tools/list_changed", json!({}))
        .await;
    assert_eq!(heard.recv().await, Some(Heard::ToolsChanged));
    let (probed, ()) = tokio::join!(client.probe(), async {
        web.expect("ping").await.of_session("s1").answer(json!({}));
    });
    assert_eq!(probed, Ok(()));
    let ((), ()) = tokio::join!(client.close(), async {
        let asked = web.expect_bare(&Method::DELETE).await;
        asked.of_session("s1").status(200, "");
    });
    beside.abandoned().await;
    assert_eq!(client.closed().await, ClientError::Closed);
    alone().await;
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_cancelled_at_the_server() {
    let mut web = Web::start();
    let (client, _beside, _heard) = before(&mut web, Vec::new()).await;
    let making = client.call(call(1));
    let (request, events) = tokio::select! {
        _ = making => panic!("it is not answered"),
        asked = web.expect("tools/call") => (asked.body.clone(), asked.events()),
    };
    let asked = web.expect("notifications/cancelled").await.of_session("s1");
    assert_eq!(asked.body["params"]["requestId"], request["id"]);
    asked.status(202, "");
    events.abandoned().await;
}

#[tokio::test]
async fn a_question_belongs_to_the_call_on_whose_stream_it_comes() {
    let mut web = Web::start();
    let answers = vec![Some(json!({ "n": 3 }))];
    let (client, _beside, mut heard) = before(&mut web, answers).await;
    let (first, second, ()) = tokio::join!(client.call(call(1)), client.call(call(2)), async {
        let one = web.expect("tools/call").await;
        let two = web.expect("tools/call").await;
        let request = two.body.clone();
        let events = two.events();
        let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
        let params = json!({ "message": "How many?", "requestedSchema": schema });
        let question = json!({
            "jsonrpc": "2.0", "id": "q1", "method": "elicitation/create", "params": params,
        });
        events.say(question).await;
        let answer = web.next().await.of_session("s1");
        assert_eq!(answer.body["id"], "q1");
        let accepted = json!({ "action": "accept", "content": { "n": 3 } });
        assert_eq!(answer.body["result"], accepted);
        answer.status(202, "");
        let Some(Heard::Asked(of, ..)) = heard.recv().await else {
            panic!("a question");
        };
        assert_eq!(of.to_string(), request["params"]["_meta"]["mobkit/call"]);
        events.answer(&request, says("three")).await;
        one.answer(says("no question"));
    });
    let mut made = [first, second].map(|made| made.expect("made"));
    made.sort();
    assert_eq!(made, ["no question", "three"]);
}

#[tokio::test]
async fn a_session_that_the_server_forgot_is_begun_again_once() {
    let mut web = Web::start();
    let (client, beside, _heard) = before(&mut web, Vec::new()).await;
    let (made, beside) = tokio::join!(client.call(call(1)), async {
        let asked = web.expect("tools/call").await;
        asked.of_session("s1").status(404, "");
        let other = web.greeted("s2").await;
        beside.abandoned().await;
        let asked = web.expect("tools/call").await.of_session("s2");
        assert_eq!(asked.body["params"]["_meta"]["mobkit/call"], "call-1-1");
        asked.answer(says("done"));
        other
    });
    assert_eq!(made, Ok("done".to_owned()));
    let (made, ()) = tokio::join!(client.call(call(2)), async {
        let asked = web.expect("tools/call").await;
        asked.of_session("s2").status(404, "");
        web.expect("initialize").await.status(500, "");
    });
    let text = "the server ended the session and began no other";
    assert!(
        matches!(&made, Err(ClientError::Lost(_))),
        "{made:?} instead of {text}"
    );
    drop(beside);
}

#[tokio::test]
async fn a_call_in_flight_is_lost_with_its_session() {
    let mut web = Web::start();
    let (client, _beside, _heard) = before(&mut web, Vec::new()).await;
    let (first, second, ()) = tokio::join!(
        client.call(call(1)),
        async {
            let made = client.call(call(2)).await;
            made.map(|_| id(2))
        },
        async {
            let one = web.expect("tools/call").await;
            let events = one.events();
            web.expect("tools/call").await.status(404, "");
            let _beside = web.greeted("s2").await;
            web.expect("tools/call")
                .await
                .of_session("s2")
                .answer(says("done"));
            events.abandoned().await;
        }
    );
    let text = "the server forgot the session before the answer came";
    let lost = Err(ClientError::Lost(text.to_owned()));
    // Which of the two was asked first is the client's choice.
    assert!(
        (first == lost && second == Ok(id(2)))
            || (first == Ok("done".to_owned()) && second == lost.map(|_: String| id(2))),
        "{first:?} {second:?}"
    );
}
