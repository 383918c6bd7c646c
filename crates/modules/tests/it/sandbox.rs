//! Sandboxes, as far as the kernel of this machine has them.

use crate::kit::{Mob, PROGRAMS, module};
use mobkit_domain::event::Event;
use serde_json::json;

/// To trace processes, to administer the system, to watch its performance.
const BEYOND: u64 = 1 << 19 | 1 << 21 | 1 << 38;

/// The level that the module reports, and whether it is enforced here.
async fn level(mob: &Mob) -> (String, bool) {
    let line = mob
        .event("healthy", |event| match event {
            Event::ModuleHealthy(e) => e.sandbox.clone(),
            _ => None,
        })
        .await;
    let enforced = line.starts_with("filesystem");
    assert!(enforced || line.starts_with("not enforced: "), "{line}");
    (line, enforced)
}

fn sandboxed(rules: &str) -> [String; 1] {
    let more = format!("sandbox = {{ filesystem = [\"ro:{PROGRAMS}\", {rules} }}");
    [module("m", "tools.py", &more)]
}

#[tokio::test]
async fn only_what_is_listed_can_be_read_and_written() {
    let outside = tempfile::tempdir().expect("a folder");
    let mob = Mob::up(&sandboxed("\"ro:in\", \"rw:out\"], network = \"all\"")).await;
    let (line, _) = level(&mob).await;
    assert!(
        line.contains("in, out") || line.starts_with("not enforced"),
        "{line}"
    );
    mob.engine.shutdown().await;

    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display();
    for name in ["in", "out"] {
        std::fs::create_dir(folder.path().join(name)).expect("made");
    }
    std::fs::write(folder.path().join("in/a"), "readable").expect("written");
    std::fs::write(outside.path().join("b"), "secret").expect("written");
    let rules = format!("\"ro:{place}/in\", \"rw:{place}/out\"], network = \"all\"");
    let mob = Mob::up(&sandboxed(&rules)).await;
    let (_, enforced) = level(&mob).await;
    let at = |path: &str| json!({ "path": format!("{place}/{path}") });
    let read = mob.call("m", "read", at("in/a")).await;
    assert_eq!(read, Ok("readable".to_owned()));
    let written = mob.call("m", "write", at("out/new")).await;
    assert_eq!(written, Ok("written".to_owned()));
    let over = mob.call("m", "write", at("in/a")).await;
    let peeked = mob
        .call("m", "read", json!({ "path": outside.path().join("b") }))
        .await;
    let state = mob.value("m", "state", json!({})).await;
    let environment = json!({ "path": format!("/proc/{}/environ", std::process::id()) });
    let spied = mob.call("m", "read", environment).await;
    if enforced {
        let beyond = state["capabilities"]
            .as_u64()
            .map(|capabilities| capabilities & BEYOND);
        assert_eq!(beyond, Some(0), "{state}");
        for denied in [&over, &peeked, &spied] {
            assert!(
                denied
                    .as_ref()
                    .is_err_and(|e| e.contains("ermission denied")),
                "{denied:?}"
            );
        }
        assert_eq!(
            std::fs::read_to_string(folder.path().join("in/a"))
                .ok()
                .as_deref(),
            Some("readable")
        );
    } else {
        assert_eq!(over, Ok("written".to_owned()));
        assert_eq!(peeked, Ok("secret".to_owned()));
    }
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn without_a_network_nobody_is_reached() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let mob = Mob::up(&sandboxed("], network = \"none\"")).await;
    let (line, _) = level(&mob).await;
    let enforced = line.contains("of the network only TCP");
    let reached = mob.call("m", "connect", json!({ "port": port })).await;
    if enforced {
        assert!(
            reached
                .as_ref()
                .is_err_and(|e| e.contains("ermission denied")),
            "{reached:?}"
        );
    } else {
        assert_eq!(reached, Ok("connected".to_owned()), "{line}");
    }
    mob.engine.shutdown().await;
    let open = Mob::up(&sandboxed("], network = \"all\"")).await;
    open.healthy("m").await;
    let reached = open.call("m", "connect", json!({ "port": port })).await;
    assert_eq!(reached, Ok("connected".to_owned()));
    open.engine.shutdown().await;
}

#[tokio::test]
async fn a_sandbox_that_is_required_is_had_or_the_module_does_not_start() {
    let best = Mob::up(&sandboxed("], network = \"none\"")).await;
    let (line, _) = level(&best).await;
    best.engine.shutdown().await;
    let strict = Mob::up(&sandboxed("], network = \"none\", require = \"strict\"")).await;
    let told = strict
        .event("an end", |event| match event {
            Event::ModuleHealthy(e) => Some(Ok(e.sandbox.clone())),
            Event::ModuleQuarantined(e) => Some(Err(e.reason.clone())),
            _ => None,
        })
        .await;
    if line.contains("of the network only TCP") {
        assert_eq!(told, Ok(Some(line)));
    } else {
        let reason = told.expect_err("it must not start");
        assert!(
            reason.starts_with("its sandbox is required and can't be had: "),
            "{reason}"
        );
    }
    strict.engine.shutdown().await;
}

#[tokio::test]
async fn without_a_sandbox_nothing_is_said_of_one() {
    let mob = Mob::up(&[module("m", "tools.py", "")]).await;
    let sandbox = mob
        .event("healthy", |event| match event {
            Event::ModuleHealthy(e) => Some(e.sandbox.clone()),
            _ => None,
        })
        .await;
    assert_eq!(sandbox, None);
    mob.engine.shutdown().await;
}
