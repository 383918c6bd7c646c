//! `cost/summary`: every breakdown of the same calls has the same sum.

use crate::kit::{MOB, Options, Server};
use serde_json::{Value, json};

/// A mob in which ada works with a model that has a price and cid with one that has none.
fn half_priced() -> Options {
    let clerk = "[profiles.clerk]\nmodel = \"main\"";
    assert_eq!(MOB.matches(clerk).count(), 1);
    let free = "[models.free]\nprovider = \"rehearsal\"\n[profiles.clerk]\nmodel = \"free\"";
    Options {
        mob: Some(MOB.replace(clerk, free)),
        ..Options::default()
    }
}

async fn worked() -> Server {
    let server = Server::with(half_priced()).await;
    for to in ["ada", "ada", "bob", "cid"] {
        let content = json!({"to": to, "content": "hello"});
        server.call("member/ask", content).await;
    }
    server
}

#[tokio::test(start_paused = true)]
async fn every_breakdown_has_the_sum_of_the_turns_and_of_the_members() {
    let server = worked().await;
    let total = json!({
        "calls": 4, "unpriced_calls": 1, "tokens": 60, "input_tokens": 40, "output_tokens": 20,
        "cached_input_tokens": 0, "cache_creation_input_tokens": 0,
        "cost_usd": 0.00006, "cost_nano_usd": 60_000,
    });
    for (by, groups) in [
        ("member", vec![json!("ada"), json!("bob"), json!("cid")]),
        ("model", vec![json!("main"), json!("free")]),
        ("profile", vec![json!("worker"), json!("clerk")]),
        ("day", vec![json!("2025-11-22")]),
        ("schedule", vec![Value::Null]),
    ] {
        let summary = server.call("cost/summary", json!({"by": by})).await;
        assert_eq!(summary["total"], total, "{by}");
        let found = summary["groups"].as_array().expect("groups");
        let names: Vec<_> = found.iter().map(|group| group[by].clone()).collect();
        assert_eq!(names, groups, "{by}");
        let sum = |field: &str| -> u64 { found.iter().filter_map(|g| g[field].as_u64()).sum() };
        for field in ["calls", "unpriced_calls", "tokens", "cost_nano_usd"] {
            assert_eq!(json!(sum(field)), total[field], "{by} {field}");
        }
    }
    let turns = server.call("turn/list", json!({})).await;
    let of_turns = server.call("cost/summary", json!({"by": "turn"})).await;
    assert_eq!(of_turns["total"], total);
    for turn in turns["turns"].as_array().expect("turns") {
        let groups = of_turns["groups"].as_array().expect("groups");
        let group = groups.iter().find(|group| group["turn"] == turn["turn"]);
        let group = group.expect("each turn called a model");
        assert_eq!(group["cost_usd"], turn["cost_usd"]);
        assert_eq!(group["tokens"], turn["tokens"]);
    }
    for member in ["ada", "bob", "cid"] {
        let shown = server.call("member/get", json!({"member": member})).await;
        let summary = server.call("cost/summary", json!({"member": member})).await;
        assert_eq!(summary["total"]["cost_usd"], shown["cost_usd"], "{member}");
        assert_eq!(summary["total"]["tokens"], shown["tokens"], "{member}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_listed_is_summed_up_in_one() {
    let server = worked().await;
    let summary = server.call("cost/summary", json!({"limit": 1})).await;
    let groups = summary["groups"].as_array().expect("groups");
    assert_eq!(groups.len(), 1);
    assert_eq!(
        (&groups[0]["member"], &groups[0]["calls"]),
        (&json!("ada"), &json!(2))
    );
    let others = &summary["others"];
    assert_eq!(
        (&others["groups"], &others["calls"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        (&others["cost_nano_usd"], &others["unpriced_calls"]),
        (&json!(20_000), &json!(1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_window_counts_what_was_recorded_in_it() {
    let server = worked().await;
    let at = "2025-11-22T06:00:00.000Z";
    let later = "2025-11-22T06:00:00.001Z";
    for (window, calls) in [
        (json!({"from": at}), 4),
        (json!({"from": later}), 0),
        (json!({"until": at}), 0),
        (json!({"from": at, "until": later}), 4),
    ] {
        let summary = server.call("cost/summary", window.clone()).await;
        assert_eq!(summary["total"]["calls"], calls, "{window}");
    }
    let nothing = server.call("cost/summary", json!({"from": later})).await;
    assert_eq!(
        (&nothing["total"]["cost_nano_usd"], &nothing["groups"]),
        (&json!(0), &json!([]))
    );
    for (params, code) in [
        (json!({"from": later, "until": at}), "cost.window_empty"),
        (json!({"by": "colour"}), "params.invalid"),
        (json!({"limit": 0}), "limit.out_of_range"),
        (json!({"since": at}), "params.unknown_field"),
    ] {
        server.refused("cost/summary", params, (400, code)).await;
    }
}
