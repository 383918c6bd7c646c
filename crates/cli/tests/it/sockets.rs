//! `GET /rpc/ws`, judged by a client that others wrote: the one that Node.js has built in.

use crate::running::{Example, path};
use std::path::Path;
use std::process::Command;

const MOB: &str = r#"
[mob]
id = "sockets"
[models.main]
provider = "rehearsal"
script = "rehearsal.toml"
[profiles.worker]
model = "main"
instructions = "Answer."
tools = ["fetch"]
[[members]]
id = "quick"
profile = "worker"
[[members]]
id = "slow"
profile = "worker"
[store]
kind = "sqlite"
durability = "process"
"#;

const RULES: &str = r#"
[[rules]]
when = { member = "slow" }
delay = "10m"
say = "at last"
[[rules]]
when = { text = "^fetch (?<what>.*)$", step = 1 }
call = [{ tool = "fetch", args = { what = "{{ what }}" } }]
[[rules]]
when = { tool = "fetch" }
say = "got: {{ result }}"
[[rules]]
when = {}
say = "{{ member }} says {{ message }}"
"#;

#[test]
fn a_client_of_others_talks_over_a_websocket() {
    let example = Example::written(&[("mob.toml", MOB), ("rehearsal.toml", RULES)]);
    let mut up = example.up_for_real();
    let ready = up.document();
    let url = ready["url"].as_str().expect("a url");
    let token = std::fs::read_to_string(example.state().join("operator.token")).expect("a token");
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/programs");
    let mut node = Command::new("node");
    // From Node.js 22 on this is on by itself.
    node.arg("--experimental-websocket")
        .arg(programs.join("sockets/client.mjs"))
        .args([url, token.trim()])
        .env_clear()
        .envs(path());
    let run = node
        .output()
        .expect("node is missing: install Node.js 20.10 or newer");
    let said = String::from_utf8_lossy(&run.stdout);
    assert_eq!(said.trim(), "done", "{run:?}");
    up.document();
    assert_eq!(up.end(), Some(0));
}
