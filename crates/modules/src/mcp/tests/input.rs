//! Questions in the middle of a call.

use super::host::Heard;
use super::peer::{Ends, call, id, says};
use crate::client::ClientError;
use serde_json::{Value, json};

fn form(message: &str) -> Value {
    let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
    json!({
        "method": "elicitation/create",
        "params": { "mode": "form", "message": message, "requestedSchema": schema },
    })
}

fn wants(requests: &Value, state: Option<&str>) -> Value {
    let mut result = json!({ "resultType": "input_required", "inputRequests": requests });
    if let Some(state) = state {
        result["requestState"] = json!(state);
    }
    result
}

fn ends(answers: &[Option<Value>]) -> Ends {
    Ends {
        answers: answers.to_vec(),
        ..Ends::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_wants_input_is_made_again_with_the_answers() {
    let ends = ends(&[Some(json!({ "n": 3 })), None]);
    let (client, mut peer, mut heard) = ends.modern().await;
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let first = peer.expect("tools/call").await;
        let both = json!({ "a": form("How many?"), "b": form("And sugar?") });
        peer.answer(&first, wants(&both, Some("state-1"))).await;
        let second = peer.expect("tools/call").await;
        assert_ne!(second["id"], first["id"]);
        let params = &second["params"];
        assert_eq!(params["arguments"], first["params"]["arguments"]);
        assert_eq!(params["_meta"]["mobkit/call"], "call-7-1");
        assert_eq!(params["requestState"], "state-1");
        let answers = json!({
            "a": { "action": "accept", "content": { "n": 3 } },
            "b": { "action": "decline" },
        });
        assert_eq!(params["inputResponses"], answers);
        peer.answer(&second, says("three, no sugar")).await;
    });
    assert_eq!(made, Ok("three, no sugar".to_owned()));
    for (message, asked) in [("How many?", true), ("And sugar?", true)] {
        let Some(Heard::Asked(of, shown, schema)) = heard.recv().await else {
            panic!("a question: {asked}");
        };
        assert_eq!((of, shown.as_str()), (id(7), message));
        assert_eq!(schema["properties"]["n"]["type"], "integer");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_wants_nothing_but_patience_is_made_again() {
    let (client, mut peer, _heard) = Ends::default().modern().await;
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let mut states = vec![None];
        for state in ["a", "b"] {
            let request = peer.expect("tools/call").await;
            states.push(
                request["params"]["requestState"]
                    .as_str()
                    .map(str::to_owned),
            );
            let again = json!({ "resultType": "input_required", "requestState": state });
            peer.answer(&request, again).await;
        }
        let request = peer.expect("tools/call").await;
        assert_eq!(states, [None, None, Some("a".to_owned())]);
        assert_eq!(request["params"]["requestState"], "b");
        assert_eq!(request["params"].get("inputResponses"), None);
        peer.answer(&request, says("done")).await;
    });
    assert_eq!(made, Ok("done".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_module_does_not_ask_for_ever() {
    let (client, mut peer, _heard) = Ends::default().modern().await;
    let asking = async {
        loop {
            let request = peer.expect("tools/call").await;
            let again = json!({ "resultType": "input_required", "requestState": "x" });
            peer.answer(&request, again).await;
        }
    };
    let made = tokio::select! {
        made = client.call(call(7)) => made,
        () = asking => unreachable!("it asks for ever"),
    };
    let text = "it asked for input more than 32 times";
    assert_eq!(made, Err(ClientError::Failed(text.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_offered_is_declined_or_refused() {
    let (client, mut peer, mut heard) = Ends::default().modern().await;
    let url = json!({
        "method": "elicitation/create",
        "params": { "mode": "url", "message": "Sign in", "url": "https://shop.example/sign-in" },
    });
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let request = peer.expect("tools/call").await;
        peer.answer(&request, wants(&json!({ "a": url }), None))
            .await;
        let request = peer.expect("tools/call").await;
        let declined = json!({ "a": { "action": "decline" } });
        assert_eq!(request["params"]["inputResponses"], declined);
        let roots = json!({ "method": "roots/list" });
        peer.answer(&request, wants(&json!({ "r": roots }), None))
            .await;
    });
    let text = "it wants a model or folders of its client, which are not offered";
    assert_eq!(made, Err(ClientError::Refused(text.to_owned())));
    let said = json!({
        "kind": "elicitation_declined",
        "call": "call-7-1",
        "message": "Sign in",
        "reason": "an answer at an address is not offered",
    });
    assert_eq!(heard.recv().await, Some(Heard::Said(said)));
}

#[tokio::test(start_paused = true)]
async fn a_question_ends_with_its_call_and_with_the_conversation() {
    let (client, mut peer, mut heard) = Ends::default().modern().await;
    tokio::select! {
        _ = client.call(call(1)) => panic!("it is not answered"),
        () = async {
            let request = peer.expect("tools/call").await;
            peer.answer(&request, wants(&json!({ "a": form("How many?") }), None)).await;
            assert!(matches!(heard.recv().await, Some(Heard::Asked(..))));
        } => {}
    }
    assert_eq!(heard.recv().await, Some(Heard::LetGo(id(1))));
    let (made, ()) = tokio::join!(client.call(call(2)), async {
        let request = peer.expect("tools/call").await;
        peer.answer(&request, wants(&json!({ "a": form("How many?") }), None))
            .await;
        assert!(matches!(heard.recv().await, Some(Heard::Asked(..))));
        drop(peer);
    });
    assert_eq!(made, Err(ClientError::Closed));
    assert_eq!(heard.recv().await, Some(Heard::LetGo(id(2))));
}

/// Asks as servers did before 2026-07-28, and returns the answer.
async fn ask(peer: &mut super::peer::Peer, request_id: &str, question: &Value) -> Value {
    let mut request = question.clone();
    request["jsonrpc"] = json!("2.0");
    request["id"] = json!(request_id);
    peer.say(request).await;
    let answer = peer.next().await.expect("an answer");
    assert_eq!(answer["id"], request_id, "{answer}");
    answer["result"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_request_for_input_belongs_to_the_only_call() {
    let ends = ends(&[Some(json!({ "n": 3 })), None, Some(json!({ "of": {} }))]);
    let (client, mut peer, mut heard) = ends.before().await;
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let request = peer.expect("tools/call").await;
        let answer = ask(&mut peer, "q1", &form("How many?")).await;
        assert_eq!(answer, json!({ "action": "accept", "content": { "n": 3 } }));
        let mut without_mode = form("And sugar?");
        without_mode["params"]
            .as_object_mut()
            .expect("an object")
            .remove("mode");
        let answer = ask(&mut peer, "q2", &without_mode).await;
        assert_eq!(answer, json!({ "action": "decline" }));
        // Deeper than the protocol allows; a person can answer it all the same.
        let deep = json!({ "type": "object", "properties": { "of": { "type": "object" } } });
        let params = json!({ "message": "Which?", "requestedSchema": deep });
        let question = json!({ "method": "elicitation/create", "params": params });
        let answer = ask(&mut peer, "q3", &question).await;
        assert_eq!(
            answer,
            json!({ "action": "accept", "content": { "of": {} } })
        );
        peer.answer(&request, says("done")).await;
    });
    assert_eq!(made, Ok("done".to_owned()));
    for message in ["How many?", "And sugar?", "Which?"] {
        let Some(Heard::Asked(of, shown, _)) = heard.recv().await else {
            panic!("a question");
        };
        assert_eq!((of, shown.as_str()), (id(7), message));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_for_input_that_belongs_to_nobody_is_declined() {
    let (client, mut peer, mut heard) = Ends::default().before().await;
    let declined = json!({ "action": "decline" });
    let said = Heard::Said(json!({
        "kind": "elicitation_declined",
        "call": null,
        "message": "How many?",
        "reason": "the question can't be told to belong to one call",
    }));
    assert_eq!(ask(&mut peer, "q1", &form("How many?")).await, declined);
    assert_eq!(heard.recv().await.as_ref(), Some(&said));
    let (first, second, ()) = tokio::join!(client.call(call(1)), client.call(call(2)), async {
        let one = peer.expect("tools/call").await;
        let two = peer.expect("tools/call").await;
        assert_eq!(ask(&mut peer, "q2", &form("How many?")).await, declined);
        peer.answer(&one, says("first")).await;
        peer.answer(&two, says("second")).await;
    });
    assert_eq!(heard.recv().await, Some(said));
    assert!(first.is_ok() && second.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_request_for_input_ends_with_its_call() {
    let (client, mut peer, mut heard) = Ends::default().before().await;
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let request = peer.expect("tools/call").await;
        let mut question = form("How many?");
        question["jsonrpc"] = json!("2.0");
        question["id"] = json!("q1");
        peer.say(question).await;
        assert!(matches!(heard.recv().await, Some(Heard::Asked(..))));
        peer.answer(&request, says("never mind")).await;
    });
    assert_eq!(made, Ok("never mind".to_owned()));
    assert_eq!(heard.recv().await, Some(Heard::LetGo(id(7))));
    let answer = peer.next().await.expect("an answer");
    assert_eq!(answer["result"], json!({ "action": "cancel" }));
}

#[tokio::test(start_paused = true)]
async fn other_requests_of_a_module_are_refused() {
    let (_client, mut peer, _heard) = Ends::default().before().await;
    let sampling = json!({ "messages": [], "maxTokens": 5 });
    for (method, params) in [
        ("roots/list", json!({})),
        ("sampling/createMessage", sampling),
        ("shop/price", json!({})),
    ] {
        let request = json!({ "jsonrpc": "2.0", "id": 5, "method": method, "params": params });
        peer.say(request).await;
        let answer = peer.next().await.expect("an answer");
        assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
    }
    peer.say(json!({ "jsonrpc": "2.0", "id": 6, "method": "ping" }))
        .await;
    let answer = peer.next().await.expect("an answer");
    assert_eq!(answer["result"], json!({}));
}
