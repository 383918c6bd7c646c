//! Tools of modules: what is adopted, what is held, and what can't be used.

use super::harness::Mob;
use super::module_kit::{module, tool, tools};
use mobkit_domain::event::{ToolDefinition, ToolEffect};
use serde_json::{Value, json};

fn described(name: &str, description: &str) -> ToolDefinition {
    tool(name, description, ToolEffect::Read)
}

/// What members are told of a tool.
fn told(mob: &Mob, id: &str, name: &str) -> Option<String> {
    let tools = mob.module(id).tools.as_ref()?;
    tools.get(name).map(|tool| tool.description.clone())
}

fn held(mob: &Mob, id: &str) -> Vec<String> {
    mob.module(id).changed.keys().cloned().collect()
}

/// The tools that changed, with whether they were there before and are there now.
fn changed(mob: &Mob) -> Vec<(String, bool, bool)> {
    let data = mob.data("module.healthy");
    let list = data["changed"].as_array().cloned().unwrap_or_default();
    let has = |change: &Value, key: &str| change.get(key).is_some();
    list.iter()
        .map(|change| {
            let tool = change["tool"].as_str().expect("a name").to_owned();
            (tool, has(change, "before"), has(change, "after"))
        })
        .collect()
}

#[test]
fn a_module_without_a_pin_changes_its_tools_as_it_likes_and_it_shows() {
    let mut mob = Mob::workshop();
    mob.is_healthy(
        "search",
        Some(vec![described("a", "old"), described("b", "b")]),
    );
    assert_eq!(changed(&mob), []);
    mob.is_healthy(
        "search",
        Some(vec![described("a", "new"), described("c", "c")]),
    );
    mob.then("module.healthy");
    let expected = [("a", true, true), ("b", true, false), ("c", false, true)];
    assert_eq!(
        changed(&mob),
        expected.map(|(name, was, is)| (name.to_owned(), was, is))
    );
    assert_eq!(told(&mob, "search", "a").as_deref(), Some("new"));
    assert_eq!(told(&mob, "search", "b"), None);
    assert!(held(&mob, "search").is_empty());
}

#[test]
fn every_part_of_a_definition_counts() {
    let base = described("a", "d");
    let others = [
        ToolDefinition {
            description: "e".to_owned(),
            ..base.clone()
        },
        ToolDefinition {
            schema: json!({"type": "object"}),
            ..base.clone()
        },
        ToolDefinition {
            output_schema: Some(json!({})),
            ..base.clone()
        },
        ToolDefinition {
            hint: ToolEffect::Effect,
            ..base.clone()
        },
    ];
    for other in others {
        let mut mob = Mob::workshop();
        mob.is_healthy("vault", Some(vec![base.clone()]));
        mob.is_healthy("vault", Some(vec![other.clone()]));
        assert_eq!(held(&mob, "vault"), ["a"], "{other:?}");
    }
    // The hash that a module claims does not.
    let mut mob = Mob::workshop();
    mob.is_healthy("vault", Some(vec![base.clone()]));
    let claimed = ToolDefinition {
        hash: "0".repeat(64),
        ..base
    };
    mob.is_healthy("vault", Some(vec![claimed]));
    mob.then("");
}

#[test]
fn a_pinned_tool_keeps_the_definition_that_was_first_seen() {
    let mut mob = Mob::workshop();
    mob.is_healthy("vault", Some(vec![described("open", "old")]));
    assert!(held(&mob, "vault").is_empty());
    mob.is_healthy(
        "vault",
        Some(vec![described("open", "new"), described("shut", "s")]),
    );
    mob.then("module.healthy");
    let expected = [("open", true, true), ("shut", false, true)];
    assert_eq!(
        changed(&mob),
        expected.map(|(name, was, is)| (name.to_owned(), was, is))
    );
    assert_eq!(told(&mob, "vault", "open").as_deref(), Some("old"));
    assert_eq!(told(&mob, "vault", "shut").as_deref(), Some("s"));
    assert_eq!(mob.module("vault").changed["open"].description, "new");
    // The same listing is no news, not even of another process.
    mob.is_healthy(
        "vault",
        Some(vec![described("open", "new"), described("shut", "s")]),
    );
    mob.then("");
    // Yet another definition is.
    mob.is_healthy(
        "vault",
        Some(vec![described("open", "third"), described("shut", "s")]),
    );
    assert_eq!(changed(&mob).len(), 1);
    // What is as it was pinned waits for nobody.
    mob.is_healthy(
        "vault",
        Some(vec![described("open", "old"), described("shut", "s")]),
    );
    assert_eq!(changed(&mob).len(), 1);
    assert!(held(&mob, "vault").is_empty());
}

#[test]
fn a_pinned_tool_that_is_gone_comes_back_under_its_pin() {
    let mut mob = Mob::workshop();
    mob.is_healthy(
        "vault",
        Some(vec![described("open", "old"), described("shut", "s")]),
    );
    mob.is_healthy("vault", Some(vec![described("shut", "s")]));
    assert_eq!(told(&mob, "vault", "open"), None);
    mob.is_healthy(
        "vault",
        Some(vec![described("open", "evil"), described("shut", "s")]),
    );
    assert_eq!(told(&mob, "vault", "open").as_deref(), Some("old"));
    assert_eq!(held(&mob, "vault"), ["open"]);
    mob.is_healthy("vault", Some(vec![described("shut", "s")]));
    assert!(held(&mob, "vault").is_empty());
    mob.is_healthy(
        "vault",
        Some(vec![described("open", "old"), described("shut", "s")]),
    );
    assert!(held(&mob, "vault").is_empty());
    assert_eq!(told(&mob, "vault", "open").as_deref(), Some("old"));
}

#[test]
fn a_pin_outlives_the_process_and_the_runtime() {
    use mobkit_domain::command::RuntimeCommand;
    let mut mob = Mob::workshop();
    mob.is_healthy("vault", Some(vec![described("open", "old")]));
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(told(&mob, "vault", "open").as_deref(), Some("old"));
    mob.is_healthy("vault", Some(vec![described("open", "new")]));
    assert_eq!(held(&mob, "vault"), ["open"]);
    // A new process that does not list at once leaves everything as it was.
    mob.restart_module("vault");
    mob.has_stopped("vault");
    mob.is_healthy("vault", None);
    assert_eq!(held(&mob, "vault"), ["open"]);
}

#[test]
fn tools_that_can_not_be_used_are_left_out_and_named() {
    let mut mob = Mob::workshop();
    let long = "x".repeat(129);
    let mut listed = tools(&["good", "a b", "module:x", "", "a*", "good", &long]);
    let huge = json!({"type": "object", "description": "x".repeat(300_000)});
    listed.push(ToolDefinition {
        schema: huge,
        ..described("huge", "h")
    });
    listed.push(described("ns.sub/tool-1_A", "fine"));
    mob.is_healthy("search", Some(listed));
    mob.then("module.healthy error.raised");
    let data = mob.data("error.raised");
    assert_eq!(
        (&data["error_kind"], &data["module"]),
        (&json!("module_failed"), &json!("search"))
    );
    let error = data["error"].as_str().expect("text");
    assert!(
        error.starts_with("some of its tools can't be used: \"a b\" (its name"),
        "{error}"
    );
    assert!(
        error.ends_with("and 2 more") && !error.contains('\n'),
        "{error}"
    );
    let known = mob.module("search").tools.as_ref().expect("listed");
    assert_eq!(
        known.keys().collect::<Vec<_>>(),
        ["good", "ns.sub/tool-1_A"]
    );
}

#[test]
fn a_module_has_512_tools_at_most() {
    let mut mob = Mob::workshop();
    let names: Vec<String> = (0..600).map(|n| format!("t{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    mob.is_healthy("search", Some(tools(&names)));
    mob.then("module.healthy error.raised");
    assert_eq!(
        mob.module("search")
            .tools
            .as_ref()
            .map(std::collections::BTreeMap::len),
        Some(512)
    );
}

#[test]
fn lazy_modules_list_again_when_their_definition_changed_while_they_were_down() {
    use mobkit_domain::command::RuntimeCommand;
    let mut mob = Mob::workshop_open();
    mob.crash();
    mob.redefine(&super::module_kit::WORKSHOP.replace("[\"mail\"]", "[\"mail\", \"-v\"]"));
    mob.runtime(RuntimeCommand::Ready);
    assert!(mob.modules_asked().contains(&"start mail".to_owned()));
    // The same tools under another definition: known to be current from here on.
    mob.is_healthy("mail", Some(tools(&["fetch", "publish"])));
    mob.then("module.healthy");
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert!(!mob.modules_asked().contains(&"start mail".to_owned()));
    assert!(mob.world.state.modules.contains_key(&module("mail")));
}

#[test]
fn what_is_remembered_of_tools_that_are_gone_is_bounded() {
    let mut mob = Mob::workshop();
    for round in 0..4 {
        let names: Vec<String> = (0..400).map(|n| format!("t{round}-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        mob.is_healthy("vault", Some(tools(&names)));
    }
    assert_eq!(mob.module("vault").gone.len(), 512);
    let mut mob = Mob::workshop();
    let text = "x".repeat(200_000);
    for round in 0..4 {
        let large = (0..10).map(|n| described(&format!("t{round}-{n}"), &text));
        mob.is_healthy("vault", Some(large.collect()));
    }
    assert_eq!(mob.module("vault").gone.len(), 20);
}
