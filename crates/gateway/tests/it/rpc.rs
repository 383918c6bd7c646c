//! JSON-RPC 2.0, with the examples of its specification (section 7).

use crate::kit::{Answer, Server};
use serde_json::{Value, json};

/// Posts the text and compares the codes, or the absence, of what comes back.
async fn check(server: &Server, text: &str, expected: Value) -> Answer {
    let answer = server.rpc(text).await;
    let brief = |response: &Value| {
        assert_eq!(response["jsonrpc"], "2.0", "{response}");
        match response.get("error") {
            Some(error) => {
                assert!(error["message"].is_string(), "{response}");
                assert!(error["data"]["code"].is_string(), "{response}");
                assert!(response.get("result").is_none(), "{response}");
                json!([response["id"], error["code"]])
            }
            None => json!([response["id"], "ok"]),
        }
    };
    let found = match &answer.body {
        Value::Array(list) => Value::Array(list.iter().map(brief).collect()),
        Value::Null => Value::Null,
        single => brief(single),
    };
    assert_eq!(found, expected, "{text}");
    assert_eq!(
        answer.status,
        if expected.is_null() { 204 } else { 200 },
        "{text}"
    );
    answer
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_given_twice_is_refused() {
    let server = Server::up().await;
    let twice =
        r#"{"jsonrpc":"2.0","id":1,"method":"mob/pause","params":{"reason":"a","reason":"b"}}"#;
    let answer = check(&server, twice, json!([null, -32602])).await;
    assert_eq!(
        answer.body["error"]["data"]["code"],
        "params.duplicate_field"
    );
    assert_eq!(server.call("mob/status", json!({})).await["paused"], false);
}

#[tokio::test(start_paused = true)]
async fn the_examples_of_the_specification_hold() {
    let server = Server::up().await;
    let all = [
        // Calls with named parameters, and with parameters by position.
        (
            r#"{"jsonrpc":"2.0","method":"member/get","params":{"member":"ada"},"id":3}"#,
            json!([3, "ok"]),
        ),
        (
            r#"{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":1}"#,
            json!([1, -32601]),
        ),
        (
            r#"{"jsonrpc":"2.0","method":"member/get","params":["ada"],"id":1}"#,
            json!([1, -32602]),
        ),
        // Notifications.
        (
            r#"{"jsonrpc":"2.0","method":"update","params":[1,2,3,4,5]}"#,
            json!(null),
        ),
        (r#"{"jsonrpc":"2.0","method":"foobar"}"#, json!(null)),
        // A method that does not exist.
        (
            r#"{"jsonrpc":"2.0","method":"foobar","id":"1"}"#,
            json!(["1", -32601]),
        ),
        // Invalid JSON.
        (
            r#"{"jsonrpc":"2.0","method":"foobar,"params":"bar","baz]"#,
            json!([null, -32700]),
        ),
        // An invalid request.
        (
            r#"{"jsonrpc":"2.0","method":1,"params":"bar"}"#,
            json!([null, -32600]),
        ),
        // A batch with invalid JSON.
        (
            r#"[{"jsonrpc":"2.0","method":"sum","id":"1"},{"jsonrpc":"2.0","method"]"#,
            json!([null, -32700]),
        ),
        // An empty batch.
        ("[]", json!([null, -32600])),
        // Invalid batches.
        ("[1]", json!([[null, -32600]])),
        (
            "[1,2,3]",
            json!([[null, -32600], [null, -32600], [null, -32600]]),
        ),
        // A batch of everything.
        (
            r#"[{"jsonrpc":"2.0","method":"mob/status","id":"1"},
                {"jsonrpc":"2.0","method":"notify_hello","params":[7]},
                {"jsonrpc":"2.0","method":"member/get","params":{"member":"ada"},"id":"2"},
                {"foo":"boo"},
                {"jsonrpc":"2.0","method":"foo.get","params":{"name":"myself"},"id":"5"},
                {"jsonrpc":"2.0","method":"system/info","id":"9"}]"#,
            json!([
                ["1", "ok"],
                ["2", "ok"],
                [null, -32600],
                ["5", -32601],
                ["9", "ok"]
            ]),
        ),
        // A batch of notifications.
        (
            r#"[{"jsonrpc":"2.0","method":"notify_sum","params":[1,2,4]},
                {"jsonrpc":"2.0","method":"notify_hello","params":[7]}]"#,
            json!(null),
        ),
    ];
    for (text, expected) in all {
        check(&server, text, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn ids_are_texts_numbers_and_null() {
    let server = Server::up().await;
    for id in [json!("a"), json!(7), json!(-1.5), json!(null)] {
        let request = json!({"jsonrpc": "2.0", "id": id, "method": "system/info"});
        check(&server, &request.to_string(), json!([id, "ok"])).await;
    }
    for id in [json!(true), json!([1]), json!({})] {
        let request = json!({"jsonrpc": "2.0", "id": id, "method": "system/info"});
        check(&server, &request.to_string(), json!([null, -32600])).await;
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_requests_are_answered_under_their_id() {
    let server = Server::up().await;
    let all = [
        (r#"{"id":1,"method":"system/info"}"#, json!([1, -32600])),
        (
            r#"{"jsonrpc":"1.0","id":1,"method":"system/info"}"#,
            json!([1, -32600]),
        ),
        (r#"{"jsonrpc":"2.0","id":1}"#, json!([1, -32600])),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"system/info","params":null}"#,
            json!([1, -32600]),
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"system/info","params":[]}"#,
            json!([1, "ok"]),
        ),
        (r#""system/info""#, json!([null, -32600])),
        ("null", json!([null, -32600])),
        ("", json!([null, -32700])),
        ("{} {}", json!([null, -32700])),
    ];
    for (text, expected) in all {
        check(&server, text, expected).await;
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    check(&server, &deep, json!([null, -32700])).await;
}

#[tokio::test(start_paused = true)]
async fn refusals_keep_their_code_kind_and_hint() {
    let server = Server::up().await;
    let error = async |method: &str, params: Value| {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        server.rpc(&request.to_string()).await.body["error"].clone()
    };
    let missing = error("member/get", json!({"member": "eve"})).await;
    assert_eq!(
        (&missing["code"], &missing["data"]["code"]),
        (&json!(-32004), &json!("member.not_found"))
    );
    assert_eq!(missing["data"]["kind"], "missing");
    assert!(missing["data"]["hint"].is_string());
    let unknown = error("member/get", json!({"member": "ada", "stat": 1})).await;
    assert_eq!(
        (&unknown["code"], &unknown["data"]["code"]),
        (&json!(-32602), &json!("params.unknown_field"))
    );
    let unknown = error("member/lst", json!({})).await;
    assert_eq!(unknown["data"]["hint"], "did you mean `member/list`?");
    let ahead = error("event/query", json!({"after": 9_999})).await;
    assert_eq!(
        (&ahead["code"], &ahead["data"]["latest"]),
        (&json!(-32009), &json!(server.engine.head()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_notification_is_carried_out_in_silence() {
    let server = Server::up().await;
    let send = json!({"jsonrpc": "2.0", "method": "member/send",
                      "params": {"to": "ada", "content": "hello"}});
    check(&server, &send.to_string(), json!(null)).await;
    let listed = server.call("message/list", json!({"member": "ada"})).await;
    assert_eq!(listed["messages"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_at_most_a_hundred_requests() {
    let server = Server::up().await;
    let one = json!({"jsonrpc": "2.0", "id": 1, "method": "system/info"});
    let batch = |size: usize| json!(vec![one.clone(); size]).to_string();
    check(&server, &batch(101), json!([null, -32600])).await;
    let answer = server.rpc(&batch(100)).await;
    assert_eq!(answer.body.as_array().map(Vec::len), Some(100));
}
