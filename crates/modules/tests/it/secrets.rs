//! What modules are told, and what is told of it.

use crate::kit::{Host, Mob, module};
use serde_json::json;

const SECRET: &str = "hunter22-is-not-a-password";

async fn mob() -> Mob {
    let more = "env = { TOKEN = { env = \"SEARCH_TOKEN\" }, MODE = \"fast\" }";
    let modules = [
        module("m", "tools.py", more),
        module("other", "tools.py", ""),
    ];
    let mob = Mob::with(&modules, Host::plain().with("SEARCH_TOKEN", SECRET)).await;
    mob.healthy("m").await;
    mob.healthy("other").await;
    mob
}

#[tokio::test]
async fn a_module_sees_no_environment_but_what_is_listed() {
    let mob = mob().await;
    let seen = mob.value("m", "environment", json!({})).await;
    let seen = seen.as_object().expect("an object");
    // What a shell or an interpreter on the way sets by itself is nothing of the host.
    let listed = ["PATH", "HOME", "LANG", "MODE", "TOKEN", "MOBKIT_MODULE"];
    assert!(
        listed.iter().all(|name| seen.contains_key(*name)),
        "{seen:?}"
    );
    for name in [
        "SECRET_OF_HOST",
        "SEARCH_TOKEN",
        "TZ",
        "CARGO_MANIFEST_DIR",
        "USER",
    ] {
        assert!(!seen.contains_key(name), "{name}");
    }
    let mark = seen["MOBKIT_MODULE"].as_str().expect("a text");
    assert!(mark.ends_with("/m") && mark.len() == 34, "{mark}");
    let other = mob.value("other", "environment", json!({})).await;
    assert!(other.get("TOKEN").is_none());
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_module_is_led_on_a_short_leash() {
    let mob = mob().await;
    let state = mob.value("m", "state", json!({})).await;
    let folder = std::fs::canonicalize(mob.folder.path()).expect("a folder");
    assert_eq!(state["folder"], json!(folder));
    assert_eq!(state["group"], state["pid"], "a process group of its own");
    assert_eq!(state["no_new_privileges"], json!("1"));
    assert_eq!(state["core"], json!([0, 0]));
    assert!(
        state["files"][0]
            .as_u64()
            .is_some_and(|files| files <= 4_096)
    );
    // Its three streams and the listing itself.
    assert_eq!(state["open"].as_array().map(Vec::len), Some(4), "{state}");
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn its_secrets_stand_in_no_event() {
    let mob = mob().await;
    let echoed = mob
        .call("m", "echo", json!({ "a": "the TOKEN" }))
        .await
        .expect("a result");
    assert_eq!(echoed, r#"{"a":"the TOKEN"}"#);
    let seen = mob.value("m", "environment", json!({})).await;
    assert_eq!(seen["TOKEN"], json!("[secret]"));
    mob.agent_calls("module:m/environment", &json!({})).await;
    for how in ["say", "log", "fail"] {
        // The module is asked to tell its secret, and only it knows it.
        let args = json!({ "reveal": how });
        mob.call("m", "reveal", args).await.ok();
    }
    mob.event("the turn ends", |event| {
        matches!(event, mobkit_domain::event::Event::TurnCompleted(_)).then_some(())
    })
    .await;
    mob.engine.shutdown().await;
    let journal = mob.journal().await;
    let (mut hidden, mut shown) = (0, Vec::new());
    for envelope in journal {
        let text = serde_json::to_string(&envelope.event).expect("JSON");
        hidden += usize::from(text.contains("[secret]"));
        if text.contains(SECRET) {
            shown.push(text);
        }
    }
    assert_eq!(shown, Vec::<String>::new());
    assert!(hidden >= 5, "only {hidden} events had something to hide");
}
