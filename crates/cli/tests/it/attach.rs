//! A message with files, from the command line to the providers, over a tool call and a crash.

use crate::provider::{Provider, Says, Speaks};
use crate::running::Example;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

fn mob(provider: &str, speaks: &str) -> String {
    format!(
        r#"
[mob]
id = "attach"
[models.main]
provider = "{speaks}"
model = "gpt-5.6"
base_url = "{provider}"
[profiles.worker]
model = "main"
instructions = "Work."
tools = ["now"]
[[members]]
id = "worker"
profile = "worker"
"#
    )
}

/// The parts of the first message that the provider was sent with its last call.
fn shown(provider: &Provider) -> Value {
    let body = provider.asked().pop().expect("it was called");
    let messages = body["messages"].as_array().expect("messages").clone();
    let mut users = messages.into_iter().filter(|m| m["role"] == "user");
    users.next().expect("a message")["content"].take()
}

#[test]
fn files_reach_the_model_and_stay_in_the_session_over_a_tool_call_and_a_crash() {
    let provider = Provider::of(Speaks::OpenAi);
    let mob = Example::written(&[
        ("mob.toml", &mob(&provider.url(), "openai")),
        ("notes.md", "# Notes"),
    ]);
    std::fs::write(mob.mob().join("chart.png"), PNG).expect("a file");
    std::fs::write(mob.mob().join("broken.png"), "no png").expect("a file");
    std::fs::write(mob.mob().join("raw.bin"), b"\xff\x00").expect("a file");
    let path = |name: &str| mob.mob().join(name).to_str().expect("text").to_owned();
    let (chart, notes) = (path("chart.png"), path("notes.md"));
    let mut up = mob.up_for_real();
    up.document();

    provider.next(&[Says::Calls("now")]);
    let words = [
        "send", "worker", "look", "--attach", &chart, "--attach", &notes, "--wait",
    ];
    let run = mob.run(&words);
    assert_eq!(
        (run.code, run.stdout.trim()),
        (0, "by openai"),
        "{}",
        run.stderr
    );
    let url = format!("data:image/png;base64,{}", STANDARD.encode(PNG));
    let expected = json!([
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "[file notes.md, text/markdown, 7 bytes]\n# Notes"},
    ]);
    assert_eq!(
        provider.asked().len(),
        2,
        "one call before the tool, one after"
    );
    assert_eq!(shown(&provider), expected);
    up.kill();
    let mut up = mob.up_for_real();
    up.document();
    let run = mob.run(&["send", "worker", "and?", "--wait"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(shown(&provider), expected, "after the crash, too");

    let messages = mob
        .events()
        .iter()
        .filter(|e| e["kind"] == "message.accepted")
        .count();
    for (file, exit, code) in [
        ("broken.png", 2, "message.media_mismatch"),
        ("raw.bin", 2, "attach.unknown_type"),
        ("nowhere.png", 4, "file.not_found"),
    ] {
        let run = mob.run(&["send", "worker", "look", "--attach", &path(file), "--json"]);
        assert_eq!(run.document()["error"]["code"], code, "{run:?}");
        assert_eq!(run.code, exit, "{run:?}");
    }
    let after = mob
        .events()
        .iter()
        .filter(|e| e["kind"] == "message.accepted")
        .count();
    assert_eq!(after, messages);
    assert_eq!(up.interrupt().0, Some(0));
}
