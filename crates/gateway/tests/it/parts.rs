//! Messages with images and files.

use crate::kit::Server;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mobkit_store::Store;
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

fn image(bytes: &[u8]) -> Value {
    json!({"type": "image", "media_type": "image/png", "name": "chart.png",
        "data": STANDARD.encode(bytes)})
}

fn file(media_type: &str, bytes: &[u8]) -> Value {
    json!({"type": "file", "media_type": media_type, "name": "a file",
        "data": STANDARD.encode(bytes)})
}

async fn blobs(server: &Server) -> u64 {
    let found = server.memory.verify(server.engine.mob()).await;
    let found = found.expect("verified");
    assert_eq!(found.problems, Vec::<String>::new());
    found.blobs
}

#[tokio::test(start_paused = true)]
async fn files_are_kept_once_and_events_only_name_them() {
    let server = Server::up().await;
    let parts = json!([
        {"type": "text", "text": "look:"},
        image(PNG),
        file("Text/Plain; charset=utf-8", "one\ntwo".as_bytes()),
        {"type": "data", "data": {"n": 1}},
    ]);
    let params = json!({"to": "ada", "content": parts});
    let sent = server.call("member/ask", params.clone()).await;
    let message = json!({"message": sent["message"]});
    let shown = server.call("message/get", message).await;
    let kept = &shown["parts"][1];
    assert_eq!(
        (&kept["media_type"], &kept["name"]),
        (&json!("image/png"), &json!("chart.png"))
    );
    assert_eq!(kept["data"]["bytes"], PNG.len());
    let blob = server
        .call("blob/get", json!({"blob": kept["data"]["blob"]}))
        .await;
    assert_eq!(blob["base64"], STANDARD.encode(PNG));
    assert_eq!(shown["parts"][2]["media_type"], "text/plain");
    assert_eq!(
        shown["text"],
        "look:\n[image chart.png, image/png, 17 bytes]\n[file a file, text/plain, 7 bytes]\n\
         one\ntwo\n{\"n\":1}"
    );
    let history = server
        .call("member/history", json!({"member": "ada"}))
        .await;
    assert_eq!(history["entries"][0]["parts"], shown["parts"]);
    assert_eq!(blobs(&server).await, 2);
    server.call("member/ask", params).await;
    assert_eq!(blobs(&server).await, 2, "the same bytes are kept once");
    for event in server.journal().await {
        let event = event.to_wire().to_string();
        assert!(!event.contains(&STANDARD.encode(PNG)), "{event}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_of_five_megabytes_is_taken_and_no_larger_one() {
    let server = Server::up().await;
    let mut bytes = vec![b'a'; 5_000_000];
    let params = |bytes: &[u8]| json!({"to": "ada", "content": [file("text/plain", bytes)]});
    server.call("member/send", params(&bytes)).await;
    bytes.push(b'a');
    let refusal = (400, "message.part_size");
    server.refused("member/send", params(&bytes), refusal).await;
    let huge = vec![b'a'; 13_000_000];
    let refusal = (413, "request.too_large");
    server.refused("member/send", params(&huge), refusal).await;
    let long = json!({"member": "a".repeat(1_100_000)});
    server.refused("member/get", long, refusal).await;
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_not_what_it_says_is_refused_and_nothing_is_kept() {
    let server = Server::up().await;
    let before = server.journal().await.len();
    let mut unnamed = image(PNG);
    unnamed["name"] = json!("two\nlines");
    let mut no_base64 = image(PNG);
    no_base64["data"] = json!("%%");
    let mut more = image(PNG);
    more["url"] = json!("https://a.test/");
    let mut untyped = file("text/plain", b"a");
    untyped
        .as_object_mut()
        .expect("an object")
        .remove("media_type");
    for (part, code) in [
        (image(b"GIF89a"), "message.media_mismatch"),
        (image(b""), "message.part_size"),
        (file("application/pdf", b"no pdf"), "message.media_mismatch"),
        (file("application/json", b"{"), "message.media_mismatch"),
        (file("text/plain", b"\xff\xfe"), "message.media_mismatch"),
        (file("image/png", PNG), "message.media_unsupported"),
        (file("application/zip", b"PK"), "message.media_unsupported"),
        (unnamed, "message.content_malformed"),
        (no_base64, "message.content_malformed"),
        (more, "message.content_malformed"),
        (untyped, "message.content_malformed"),
    ] {
        let content = json!([image(PNG), part]);
        let params = json!({"to": "ada", "content": content});
        let told = server.refused("member/send", params, (400, code)).await;
        assert!(told["hint"].is_string(), "{told}");
    }
    assert_eq!(server.journal().await.len(), before);
    assert_eq!(blobs(&server).await, 0, "not even the good part beside it");
}
