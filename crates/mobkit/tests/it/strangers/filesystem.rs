//! `@modelcontextprotocol/server-filesystem`, on a folder of the test.

use super::hands::{Hands, all, answer, decide, event, node, say};
use crate::kit::send;
use mobkit::event::Verdict;
use serde_json::{Value, json};

const GATES: &str = r#"
    start = "lazy"
    pin = true
    [[gates]]
    tool = "module:other/read_*"
    action = "allow"
    [[gates]]
    tool = "module:other/list_*"
    action = "allow"
    [[gates]]
    tool = "module:other/*"
    action = "review"
"#;

fn hands() -> Hands {
    let hands = Hands::new()
        .when("list", "list_directory", "{ path = \".\" }")
        .when("read", "read_text_file", "{ path = \"größe.txt\" }")
        .when("outside", "read_text_file", "{ path = \"/etc/hostname\" }")
        .when(
            "write",
            "write_file",
            "{ path = \"new.txt\", content = \"said\" }",
        );
    std::fs::create_dir(hands.path().join("papers")).expect("a folder");
    hands.write("papers/größe.txt", "1,80 m");
    hands.module(&node("server-filesystem", "\"papers\""), GATES)
}

/// The text of a structured result.
fn content(said: &str) -> Value {
    let result: Value = serde_json::from_str(said).expect("structured");
    result["content"].clone()
}

#[tokio::test]
async fn files_are_listed_and_read_and_what_fails_is_told() {
    let hands = hands();
    let mob = hands.open().await;
    assert_eq!(content(&say(&mob, "list").await), "[FILE] größe.txt");
    assert_eq!(content(&say(&mob, "read").await), "1,80 m");
    let said = say(&mob, "outside").await;
    assert!(said.contains("outside allowed directories"), "{said}");
    let failed = event(&mob, "tool.failed", 0).await;
    assert_eq!(failed["data"]["tool"], "module:other/read_text_file");
    mob.shutdown().await;
}

#[tokio::test]
async fn a_file_is_written_once_a_person_has_approved() {
    let hands = hands();
    let mob = hands.open().await;
    let message = send(&mob, "worker", "write").await;
    let asked = event(&mob, "approval.requested", 0).await;
    assert_eq!(asked["data"]["tool"], "module:other/write_file");
    assert_eq!(asked["data"]["gate"], "module:other/*");
    assert_eq!(hands.read("papers/new.txt"), "");
    let edited = json!({"path": "new.txt", "content": "edited"});
    decide(&mob, &asked, Verdict::Edit, Some(edited)).await;
    let said = answer(&mob, message).await;
    assert!(said.contains("uccessfully wrote"), "{said}");
    assert_eq!(hands.read("papers/new.txt"), "edited");
    let started = all(&mob, "tool.started").await;
    assert_eq!(started.len(), 1);
    assert_eq!(started[0]["data"]["approval"], asked["data"]["approval"]);

    let after = mob.engine().head();
    let message = send(&mob, "worker", "write").await;
    let asked = event(&mob, "approval.requested", after).await;
    decide(&mob, &asked, Verdict::Deny, None).await;
    answer(&mob, message).await;
    assert_eq!(hands.read("papers/new.txt"), "edited");
    mob.shutdown().await;
}
