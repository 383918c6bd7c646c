//! State that an earlier version wrote: it opens, everything is there, and it goes on.
//!
//! `programs/earlier_version/state.tar.gz` is what version 0.1.0 of commit f5e4ae6 left behind when
//! it was killed: a snapshot, a tail after it in the write-ahead log, a turn in a model call and a
//! message behind it, an approval that waits, a delivery that failed three times, and a blob.

use crate::running::{Example, Up};
use mobkit::id::MobId;
use mobkit::{Durability, SqliteStore, Store as _};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

fn earlier() -> Example {
    let mob = Example::of_test("earlier_version");
    std::fs::create_dir(mob.state()).expect("a folder");
    let unpacked = Command::new("tar")
        .args(["-xzf", "state.tar.gz", "-C"])
        .arg(mob.state())
        .current_dir(mob.mob())
        .status()
        .expect("tar is there: install it to run this test");
    assert!(unpacked.success(), "{unpacked}");
    // Where the deliveries of then could not be written.
    std::fs::create_dir(mob.mob().join("out")).expect("a folder");
    // The model call was to take an hour; the version that goes on need not wait for it.
    let script = mob.mob().join("rehearsal.toml");
    let text = std::fs::read_to_string(&script).expect("a script");
    std::fs::write(&script, text.replace("delay = \"1h\"\n", "")).expect("written");
    mob
}

fn rpc(mob: &Example, operation: &str, params: &Value) -> Value {
    let run = mob.run(&["rpc", operation, &params.to_string()]);
    assert_eq!(run.code, 0, "{run:?}");
    run.document()
}

/// Follows the journal from its beginning until so many events of a kind have come.
fn wait_for(mob: &Example, kind: &str, count: usize) {
    let words = [
        "events", "--json", "--follow", "--after", "0", "--kinds", kind,
    ];
    let mut follower = mob
        .command(&words)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let lines = BufReader::new(follower.stdout.take().expect("a pipe")).lines();
    let seen = lines.take(count).map_while(Result::ok).count();
    follower.kill().expect("it runs");
    follower.wait().expect("it is a child");
    assert_eq!(seen, count, "{kind}");
}

fn up(mob: &Example) -> Up {
    let mut up = mob.up();
    assert_eq!(up.document()["state"], "running");
    up
}

/// What the journal says, and that it is whole.
fn everything_is_there(mob: &Example) {
    let events = mob.events();
    for (event, seq) in events.iter().zip(1..) {
        assert_eq!(event["seq"], seq, "dense: {event}");
    }
    let history = rpc(mob, "member/history", &json!({ "member": "reporter" }));
    let history = history.to_string();
    assert!(history.contains("hello there"));
    let long = history
        .find("sha256:")
        .expect("a long text is kept as a blob");
    let long = json!({ "blob": history[long..long + 71] });
    let long = rpc(mob, "blob/get", &long).to_string();
    assert!(long.contains("long long long"), "{}", &long[..80]);
    // A key of then is known now.
    let again = mob.run(&["send", "reporter", "hello there", "--key", "k1"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.stdout.contains("msg-25"), "{again:?}");
    let occurrences = rpc(mob, "schedule/occurrences", &json!({ "id": "hourly" }));
    // How many came due since then depends on the time of day; the one that was triggered stays.
    let all = occurrences["occurrences"].as_array().expect("a list");
    let triggered: Vec<&Value> = all
        .iter()
        .filter(|o| o["occasion"] == "triggered")
        .collect();
    let [triggered] = triggered.as_slice() else {
        panic!("{occurrences}");
    };
    let found = (&triggered["state"], &triggered["message"]);
    assert_eq!(found, (&json!("completed"), &json!("msg-36")));
    let editor = rpc(mob, "member/get", &json!({ "member": "editor" }));
    assert!(editor.to_string().contains("reporter"), "wired: {editor}");
}

#[test]
fn state_of_an_earlier_version_opens_and_goes_on() {
    let mob = earlier();
    let running = up(&mob);
    everything_is_there(&mob);
    // What waited for a person still does, and what it is about is as it was.
    let approvals = rpc(&mob, "approval/list", &json!({ "state": "pending" }));
    let [approval] = approvals["approvals"]
        .as_array()
        .expect("a list")
        .as_slice()
    else {
        panic!("{approvals}");
    };
    assert_eq!(
        (&approval["id"], &approval["tool"]),
        (&json!("apr-77"), &json!("deliver"))
    );
    let decision = json!({ "id": "apr-77", "digest": approval["digest"], "decision": "approve" });
    rpc(&mob, "approval/decide", &decision);
    // The delivery that failed then is made now, and the one that was just approved.
    wait_for(&mob, "delivery.delivered", 2);
    let sent = std::fs::read_to_string(mob.mob().join("out/ops.jsonl")).expect("a file");
    for what in ["first", "second"] {
        assert_eq!(sent.matches(what).count(), 1, "{sent}");
    }
    // The turn that was interrupted ends, and the message behind it has its answer.
    let after = mob.run(&["send", "reporter", "are you well", "--wait"]);
    assert_eq!(
        (after.code, after.stdout.trim()),
        (0, "rehearsal: are you well")
    );
    for (message, answer) in [
        ("msg-57", "I have thought"),
        ("msg-60", "rehearsal: and then answer"),
    ] {
        let message = rpc(&mob, "message/get", &json!({ "message": message }));
        let turn = rpc(&mob, "turn/get", &json!({ "turn": message["turn"] }));
        assert_eq!(
            (&turn["status"], &turn["text"]),
            (&json!("completed"), &json!(answer))
        );
    }
    let (code, last) = running.interrupt();
    assert_eq!(code, Some(0), "{last}");
    // Once more, from the snapshot that this version wrote.
    let running = up(&mob);
    everything_is_there(&mob);
    assert_eq!(running.interrupt().0, Some(0));
}

#[tokio::test]
async fn state_of_an_earlier_version_is_sound_once_it_was_opened() {
    let mob = earlier();
    let (code, last) = up(&mob).interrupt();
    assert_eq!(code, Some(0), "{last}");
    let store = SqliteStore::open(&mob.state(), Durability::Process).expect("it opens");
    let id = MobId::parse("archive").expect("an id");
    let found = store.verify(&id).await.expect("verified");
    assert_eq!(found.problems, Vec::<String>::new());
    assert!(found.events > 75 && found.blobs > 0, "{found:?}");
}
