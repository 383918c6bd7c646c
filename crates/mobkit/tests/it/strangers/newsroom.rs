//! The servers of the newsroom example, judged by the official client.

use super::hands::python;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// What the client is told when it asks all this, in order.
fn ask(asked: &[Value]) -> Vec<Value> {
    let (python, script) = python();
    let mut command = Command::new(python);
    command.arg(script.with_file_name("client.py"));
    command.args(asked.iter().map(ToString::to_string));
    let output = command.output().expect("python starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let answers = String::from_utf8(output.stdout).expect("text");
    let answers = answers.lines().map(serde_json::from_str);
    answers.map(|answer| answer.expect("a document")).collect()
}

#[test]
fn the_servers_of_the_newsroom_satisfy_the_official_client_in_both_eras() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/newsroom");
    let copy = tempfile::tempdir().expect("a folder");
    for folder in ["modules", "published"] {
        std::fs::create_dir(copy.path().join(folder)).expect("a folder");
    }
    for name in [
        "feed.jsonl",
        "modules/mcp_server.py",
        "modules/feed.py",
        "modules/wire.py",
    ] {
        std::fs::copy(example.join(name), copy.path().join(name)).expect("a copy");
    }
    for (mode, protocol) in [("2026-07-28", "2026-07-28"), ("legacy", "2025-11-25")] {
        let asked = |server: &str, tool: &str, arguments: Value| {
            let server = copy.path().join("modules").join(server);
            json!({"mode": mode, "server": server, "tool": tool, "arguments": arguments})
        };
        let strongest = json!({"min_magnitude": 6, "limit": 1});
        let told = ask(&[
            asked("feed.py", "search_reports", strongest),
            asked("feed.py", "next_report", json!({"after": "us2000crkq"})),
            asked("wire.py", "publish", json!({"bulletin": "Größe 5"})),
        ]);
        assert_eq!(told.len(), 3);
        for answer in &told {
            assert_eq!(answer["protocol"], protocol);
            assert_eq!(answer["failed"], json!([false, true]));
            let text = answer["text"].as_str().expect("a text");
            let text: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(text, answer["result"]);
        }
        assert_eq!(told[0]["tools"], json!(["next_report", "search_reports"]));
        assert_eq!(told[0]["result"]["count"], 5);
        assert_eq!(told[0]["result"]["reports"][0]["mag"], 6.4);
        assert_eq!(told[1]["result"]["report"]["id"], "us2000crl8");
        assert_eq!(told[2]["tools"], json!(["publish"]));
        assert_eq!(told[2]["result"]["bulletin"], "Größe 5");
    }
    let published = copy.path().join("published/bulletins.jsonl");
    let published = std::fs::read_to_string(published).expect("a file");
    assert_eq!(
        published
            .lines()
            .filter(|line| line.contains("Größe 5"))
            .count(),
        2
    );
}
