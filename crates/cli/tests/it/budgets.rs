//! A member that has used up the money of its day, as an operator sees it.

use crate::running::Example;
use serde_json::Value;

/// Each answer of the script costs a dollar and more: a word is a token.
const MOB: &str = r#"
[mob]
id = "thrift"
[models.main]
provider = "rehearsal"
price = { input = 1000000.0, output = 0.0 }
[profiles.worker]
model = "main"
instructions = "Work."
budget = { usd_per_day = 5.0 }
[[members]]
id = "worker"
profile = "worker"
"#;

fn worker(mob: &Example) -> Value {
    let run = mob.run(&["ps", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.document()["members"][0].clone()
}

#[test]
fn it_pauses_and_says_so_and_goes_on_when_the_mob_file_allows_more() {
    let mob = Example::written(&[("mob.toml", MOB)]);
    let mut up = mob.up_for_real();
    up.document();
    assert_eq!(
        mob.run(&["send", "worker", "one two three", "--wait"]).code,
        0
    );

    let paused = worker(&mob);
    assert_eq!(paused["state"], "paused");
    assert_eq!(paused["paused"]["budget"], "usd_per_day");
    let until = paused["paused"]["until"].as_str().expect("a time");
    assert!(until.ends_with("T00:00:00.000Z"), "{until}");
    let shown = mob.run(&["ps"]).stdout;
    assert!(shown.contains("the budget usd_per_day of"), "{shown}");
    assert!(shown.contains("goes on in"), "{shown}");
    let resumed = mob.run(&["resume", "worker", "--json"]);
    assert_eq!(resumed.document()["error"]["code"], "budget.exhausted");
    assert_eq!(resumed.code, 6, "{}", resumed.stderr);
    let sent = mob.run(&["send", "worker", "more"]);
    assert_eq!(sent.code, 0, "it is accepted and waits: {}", sent.stderr);
    let kinds = |kind: &str| mob.events().iter().filter(|e| e["kind"] == kind).count();
    assert_eq!((kinds("model.replied"), kinds("budget.exhausted")), (1, 1));

    let text = MOB.replace("usd_per_day = 5.0", "usd_per_day = 500.0");
    std::fs::write(mob.mob().join("mob.toml"), text).expect("a file");
    let applied = mob.run(&["apply", "--yes"]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    // What waited is answered before this is.
    let run = mob.run(&["send", "worker", "and more", "--wait"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(kinds("turn.completed"), 3);
    let worker = worker(&mob);
    assert_eq!(
        (&worker["state"], worker.get("paused")),
        (&"idle".into(), None)
    );
    assert_eq!(up.interrupt().0, Some(0));
}
