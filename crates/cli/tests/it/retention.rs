//! Retention, as the mob file says it and an operator sees it.

use crate::running::Example;
use serde_json::Value;

const MOB: &str = r#"
[mob]
id = "desk"
[models.main]
provider = "rehearsal"
script = "rehearsal.toml"
[profiles.editor]
model = "main"
instructions = "You edit."
[[members]]
id = "editor"
profile = "editor"
[store]
retention = { events = "1s", logs = "1s" }
"#;

/// The last answer comes when everything before it is too old.
const SCRIPT: &str = "[[rules]]\nwhen = { text = \"slow\" }\ndelay = \"2s\"\nsay = \"done\"\n";

fn say(mob: &Example, text: &str) {
    let run = mob.run(&["send", "editor", text, "--wait"]);
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn a_start_forgets_what_is_too_old_and_the_member_remembers() {
    let mob = Example::written(&[("mob.toml", MOB), ("rehearsal.toml", SCRIPT)]);
    let mut up = mob.up_for_real();
    up.document();
    for text in ["one", "two", "three", "slow"] {
        say(&mob, text);
    }
    let (code, _) = up.interrupt();
    assert_eq!(code, Some(0));
    let mut up = mob.up_for_real();
    up.document();
    // What is forgotten goes beside the start.
    let told = (0..1_000)
        .map(|_| mob.run(&["events", "--after", "1"]))
        .find(|run| run.code != 0)
        .expect("the beginning is forgotten");
    assert!(told.stderr.contains("cursor_expired"), "{told:?}");
    assert!(told.stderr.contains("hint: "), "{told:?}");
    let history = mob.run(&["rpc", "member/history", r#"{"member":"editor"}"#]);
    let history: Value = serde_json::from_str(&history.stdout).expect("an answer");
    let said = history.to_string();
    for text in ["one", "two", "three"] {
        assert!(said.contains(text), "{text}: {said}");
    }
    say(&mob, "four");
    let (code, _) = up.interrupt();
    assert_eq!(code, Some(0));
}
