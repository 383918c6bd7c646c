//! Long texts, which events carry by reference.

use crate::kit::Server;
use bytes::Bytes;
use mobkit_store::Store;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_long_text_of_a_history_is_read_by_its_reference() {
    let server = Server::up().await;
    server
        .call("member/ask", json!({"to": "ada", "content": "long"}))
        .await;
    let history = server
        .call("member/history", json!({"member": "ada"}))
        .await;
    let text = &history["entries"][1]["text"];
    assert_eq!(text["bytes"], 100_000);
    let got = server.call("blob/get", json!({"blob": text["blob"]})).await;
    let whole = json!({"blob": text["blob"], "bytes": 100_000, "text": "x".repeat(100_000)});
    assert_eq!(got, whole);
    let by_query = format!(
        "/api/v1/blob/get?blob={}&offset=99990&limit=6",
        text["blob"].as_str().expect("a name")
    );
    let part = server.get(&by_query).await.body;
    assert_eq!(
        (&part["text"], &part["next_offset"]),
        (&json!("xxxxxx"), &json!(99_996))
    );
}

#[tokio::test(start_paused = true)]
async fn a_blob_is_read_in_parts_and_every_part_is_bounded() {
    let server = Server::up().await;
    let content = "ä€x".repeat(500_000);
    let kept = server.memory.blob_put(Bytes::from(content.clone())).await;
    let blob = kept.expect("kept").blob;
    let (mut read, mut offset) = (String::new(), json!(0));
    let mut parts = 0;
    while !offset.is_null() {
        let params = json!({"blob": blob, "offset": offset});
        let part = server.call("blob/get", params).await;
        let text = part["text"].as_str().expect("text");
        assert!(text.len() <= 1024 * 1024);
        read.push_str(text);
        offset = part["next_offset"].clone();
        parts += 1;
    }
    assert_eq!((read == content, parts), (true, 3));
    let raw = server
        .memory
        .blob_put(Bytes::from_static(&[0xff, 0xfe]))
        .await;
    let params = json!({"blob": raw.expect("kept").blob});
    assert_eq!(server.call("blob/get", params).await["base64"], "//4=");
}

#[tokio::test(start_paused = true)]
async fn blobs_that_are_not_there_and_parts_that_can_not_be_are_refused() {
    let server = Server::up().await;
    let kept = server.memory.blob_put(Bytes::from("ä")).await;
    let blob = kept.expect("kept").blob;
    let check = async |params, expected| {
        server.refused("blob/get", params, expected).await;
    };
    let absent = format!("sha256:{}", "0".repeat(64));
    check(json!({"blob": absent}), (404, "blob.not_found")).await;
    for name in [
        "",
        "sha256:0",
        "../operator.token",
        &absent.replace('0', "A"),
    ] {
        check(json!({"blob": name}), (400, "params.invalid")).await;
    }
    for offset in [1, 3, u64::MAX] {
        check(
            json!({"blob": blob, "offset": offset}),
            (400, "params.invalid"),
        )
        .await;
    }
    for limit in [0, 1024 * 1024 + 1] {
        check(
            json!({"blob": blob, "limit": limit}),
            (400, "limit.out_of_range"),
        )
        .await;
    }
}
