//! Tools of host programs: offered while their session lasts, and refused once it has ended.

use super::harness::{Mob, NEWSROOM};
use mobkit_domain::command::{Command, HostCommand, RuntimeCommand};
use mobkit_domain::event::ToolEffect;
use mobkit_domain::id::HostId;
use mobkit_domain::tool::ToolSpec;
use serde_json::json;

/// The newsroom, whose desks may use `fetch`, which a gate on it lets pass or not.
fn newsroom(gate: &str) -> Mob {
    let desk = r#"tools = ["peers", "now", "look", "save", "publish"]"#;
    let with = r#"tools = ["peers", "now", "look", "save", "publish", "fetch"]"#;
    Mob::ready_of(&format!("{}{gate}", NEWSROOM.replace(desk, with)))
}

fn tool(name: &str) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        description: "Fetches.".to_owned(),
        schema: json!({"type": "object", "required": ["what"]}),
        effect: ToolEffect::Read,
    }
}

fn register(names: &[&str]) -> Command {
    let tools = names.iter().map(|name| tool(name)).collect();
    Command::Host(HostCommand::Register { tools })
}

fn registered(mob: &mut Mob) -> HostId {
    HostId(mob.order(register(&["fetch"])).seq())
}

fn leave(mob: &mut Mob, host: HostId) {
    let reason = "the client went".to_owned();
    mob.internal(Command::Host(HostCommand::Leave { host, reason }));
}

fn fetch(mob: &mut Mob, member: &str, args: serde_json::Value) {
    mob.send(member, "go");
    mob.calls(member, "", &[("fetch", args)]);
}

#[test]
fn a_tool_of_a_program_is_called_while_it_is_there_and_refused_after() {
    let mut mob = newsroom("");
    let host = registered(&mut mob);
    mob.then("host.registered");
    assert_eq!(mob.data("host.registered")["host"], json!(host));
    fetch(&mut mob, "ann", json!({"what": "x"}));
    assert_eq!(mob.tools_asked(), ["fetch"]);
    mob.tool_ends("ann", 0, Ok("here"));
    mob.answers("ann", "done");

    fetch(&mut mob, "ann", json!({}));
    assert_eq!(mob.data("tool.refused")["code"], "tool.bad_arguments");
    mob.answers("ann", "done");

    leave(&mut mob, host);
    mob.then("host.left");
    fetch(&mut mob, "ann", json!({"what": "x"}));
    assert_eq!(mob.data("tool.refused")["code"], "host.away");
    mob.answers("ann", "done");
    leave(&mut mob, host);
    assert_eq!(mob.count("host.left"), 1);

    // Who comes after takes over.
    registered(&mut mob);
    fetch(&mut mob, "bob", json!({"what": "y"}));
    assert_eq!(mob.tools_asked(), ["fetch"]);
}

#[test]
fn nobody_is_connected_after_a_crash() {
    let mut mob = newsroom("");
    registered(&mut mob);
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    fetch(&mut mob, "ann", json!({"what": "x"}));
    assert_eq!(mob.data("tool.refused")["code"], "host.away");
    registered(&mut mob);
}

#[test]
fn a_gate_stops_a_tool_of_a_program_as_any_other() {
    let mut mob = newsroom("\n[[gates]]\ntool = \"fetch\"\naction = \"deny\"\n");
    registered(&mut mob);
    fetch(&mut mob, "ann", json!({"what": "x"}));
    assert_eq!(mob.data("tool.refused")["code"], "gate.denied");
}

#[test]
fn names_that_are_taken_or_none_are_refused() {
    let mut mob = newsroom("");
    registered(&mut mob);
    for (names, code) in [
        (&["fetch"][..], "host.tool_taken"),
        (&["publish"], "host.tool_taken"),
        (&["now"], "host.tool_taken"),
        (&["module:a/b"], "host.tool_name"),
        (&[""], "host.tool_name"),
        (&["a", "a"], "host.tools"),
        (&[], "host.tools"),
    ] {
        assert_eq!(mob.refused(register(names)), code, "{names:?}");
    }
}
