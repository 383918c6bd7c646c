//! The mob as a whole, and the process.

use crate::kit::{Options, Server};
use async_trait::async_trait;
use mobkit_domain::definition::MemberSpec;
use mobkit_domain::id::{MemberId, ProfileId};
use mobkit_engine::{Discovery, HookError, Hooks};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Names one member, or fails.
#[derive(Default)]
struct Register {
    down: AtomicBool,
}

#[async_trait]
impl Discovery for Register {
    async fn discover(&self, _: Value) -> Result<Vec<MemberSpec>, HookError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(HookError("the register is down".to_owned()));
        }
        let id = MemberId::parse("user:eve").expect("an id");
        Ok(vec![MemberSpec::new(
            id,
            ProfileId::parse("clerk").expect("an id"),
        )])
    }
}

#[tokio::test(start_paused = true)]
async fn status_and_info_say_what_runs() {
    let server = Server::up().await;
    server
        .call("member/send", json!({"to": "ada", "content": "hang"}))
        .await;
    let status = server.call("mob/status", json!({"mob": "desk"})).await;
    let expected = json!({
        "mob": "desk", "state": "running", "members": 3,
        "members_by_state": {"idle": 2, "working": 1}, "paused": false, "turns_open": 1,
        "schedules": 0, "deliveries_open": 0,
        "head": server.engine.head(), "epoch": 1, "version": "0.0.0-test",
    });
    assert_eq!(status, expected);
    let info = server.call("system/info", json!({})).await;
    let expected = json!({
        "version": "0.0.0-test", "pid": std::process::id(), "uptime_ms": 0,
        "durability": "memory", "store": "memory", "rehearsal": false,
    });
    assert_eq!(info, expected);
}

#[tokio::test(start_paused = true)]
async fn another_mob_is_not_here() {
    let server = Server::up().await;
    let other = json!({"mob": "newsroom"});
    server
        .refused("mob/status", other.clone(), (404, "mob.not_found"))
        .await;
    server
        .refused("mob/pause", other, (404, "mob.not_found"))
        .await;
    server
        .refused("mob/status", json!({"mob": 7}), (400, "params.invalid"))
        .await;
    assert_eq!(server.get("/api/v1/mob/status?mob=desk").await.status, 200);
    assert_eq!(server.get("/api/v1/mob/status?mob=x").await.status, 404);
    assert_eq!(server.get("/api/v1/events?mob=x").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn the_line_stops_and_starts() {
    let server = Server::up().await;
    let paused = server
        .call("mob/pause", json!({"reason": "fire drill"}))
        .await;
    assert_eq!(
        (&paused["paused"], &paused["seq"]),
        (&json!(true), &json!(server.engine.head()))
    );
    server
        .call("member/send", json!({"to": "ada", "content": "hello"}))
        .await;
    let member = server.call("member/get", json!({"member": "ada"})).await;
    assert_eq!(
        (&member["state"], &member["queue_len"]),
        (&json!("idle"), &json!(1))
    );
    assert_eq!(server.call("mob/resume", json!({})).await["paused"], false);
    assert_eq!(
        server.call("member/get", json!({"member": "ada"})).await["queue_len"],
        0
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_seen_and_applied_by_its_digest() {
    let server = Server::up().await;
    let plan = server.call("mob/plan", json!({})).await;
    assert_eq!(
        (&plan["empty"], &plan["needs_force"]),
        (&json!(true), &json!(false))
    );
    server
        .call("member/retire", json!({"member": "ada", "mode": "now"}))
        .await;
    let plan = server.call("mob/plan", json!({})).await;
    assert_eq!(plan["counts"]["spawn"], 1);
    assert!(
        plan["steps"]
            .as_array()
            .is_some_and(|steps| !steps.is_empty())
    );

    server
        .call("member/retire", json!({"member": "bob", "mode": "now"}))
        .await;
    let digest = json!({"digest": plan["digest"]});
    server
        .refused("mob/apply", digest, (409, "plan.stale"))
        .await;
    let plan = server.call("mob/plan", json!({})).await;
    let report = server
        .call("mob/apply", json!({"digest": plan["digest"]}))
        .await;
    assert_eq!(report["spawned"], json!(["ada", "bob"]));
    assert_eq!(report["complete"], true);
    assert_eq!(
        report["edges"]["wired_edges"],
        json!([{"a": "ada", "b": "bob"}])
    );
    let nothing = server.call("mob/reconcile", json!({})).await;
    assert_eq!(
        (&nothing["spawned"], &nothing["complete"]),
        (&json!([]), &json!(true))
    );
    let edges = server.call("mob/reconcile_edges", json!({})).await;
    assert_eq!(edges["retained_edges"], json!([{"a": "ada", "b": "bob"}]));
    assert_eq!(edges["complete"], true);
}

#[tokio::test(start_paused = true)]
async fn without_discovery_there_is_nothing_to_rediscover() {
    let server = Server::up().await;
    let answer = server
        .call("mob/rediscover", json!({"mode": "reset"}))
        .await;
    assert_eq!(answer, json!({"status": "no_discovery_configured"}));
}

#[tokio::test(start_paused = true)]
async fn a_reset_brings_everybody_back_as_a_new_generation() {
    let server = Server::up().await;
    server
        .call("member/send", json!({"to": "ada", "content": "hang"}))
        .await;
    server.call("member/spawn", json!({"id": "guest"})).await;
    let report = server.call("mob/reset", json!({})).await;
    assert_eq!(report["retired"], json!(["ada", "bob", "cid", "guest"]));
    assert_eq!(report["spawned"], json!(["ada", "bob", "cid"]));
    assert_eq!(report["complete"], true);
    let ada = server.call("member/get", json!({"member": "ada"})).await;
    assert_eq!(
        (&ada["generation"], &ada["state"]),
        (&json!(2), &json!("idle"))
    );
    assert_eq!(ada["wired_to"], json!(["bob"]));
}

#[tokio::test(start_paused = true)]
async fn discovery_that_is_down_changes_nothing() {
    let register = Arc::new(Register::default());
    let mut hooks = Hooks::default();
    hooks.discovery = Some(Arc::clone(&register) as _);
    let server = Server::with(Options {
        hooks,
        ..Options::default()
    })
    .await;
    let report = server.call("mob/rediscover", json!({})).await;
    assert_eq!(report["status"], "rediscovered");
    assert_eq!(report["retained"], json!(["ada", "bob", "cid", "user:eve"]));
    register.down.store(true, Ordering::SeqCst);
    let before = server.call("member/list", json!({})).await;
    server
        .refused("mob/rediscover", json!({}), (503, "discovery.failed"))
        .await;
    server
        .refused("mob/reset", json!({}), (503, "discovery.failed"))
        .await;
    assert_eq!(server.call("member/list", json!({})).await, before);
    register.down.store(false, Ordering::SeqCst);
    let reset = server.call("mob/reset", json!({})).await;
    assert_eq!(reset["spawned"], json!(["ada", "bob", "cid", "user:eve"]));
}
