//! Members: snapshots, lists and changes.

use crate::kit::Server;
use serde_json::{Value, json};

fn ids(list: &Value) -> Vec<&str> {
    let members = list["members"].as_array().expect("a list").iter();
    members
        .map(|member| member["id"].as_str().expect("an id"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_has_the_shape_of_the_contract() {
    let server = Server::up().await;
    server
        .call("member/ask", json!({"to": "ada", "content": "hello"}))
        .await;
    let mut snapshot = server.call("member/get", json!({"member": "ada"})).await;
    assert!(
        snapshot["session"]
            .take()
            .as_str()
            .is_some_and(|id| id.starts_with("ses-"))
    );
    let expected = json!({
        "id": "ada", "profile": "worker", "engine": "native", "model": "main", "state": "idle",
        "since": "2025-11-22T06:00:00.000Z", "generation": 1, "incarnation": 1, "session": null,
        "labels": {"team": "news", "floor": "2"}, "wired_to": ["bob"], "queue_len": 0,
        "tokens": 15, "cost_usd": 0.00002, "exposed": false,
    });
    assert_eq!(snapshot, expected);
    assert_eq!(
        server.call("member/get", json!({"id": "cid"})).await["exposed"],
        true
    );
    server
        .refused(
            "member/get",
            json!({"member": "eve"}),
            (404, "member.not_found"),
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn lists_filter_and_page() {
    let server = Server::up().await;
    let check = async |params: Value, expected: &[&str]| {
        assert_eq!(
            ids(&server.call("member/list", params.clone()).await),
            expected,
            "{params}"
        );
    };
    check(json!({}), &["ada", "bob", "cid"]).await;
    check(json!({"label": "team"}), &["ada", "cid"]).await;
    check(json!({"label": "team=news"}), &["ada"]).await;
    check(json!({"profile": "worker"}), &["ada", "bob"]).await;
    check(json!({"state": "working"}), &[]).await;
    let first = server.call("member/list", json!({"limit": 2})).await;
    assert_eq!(ids(&first), ["ada", "bob"]);
    let rest = json!({"limit": 2, "cursor": first["next_cursor"]});
    let second = server.call("member/list", rest).await;
    assert_eq!(ids(&second), ["cid"]);
    assert!(second.get("next_cursor").is_none());
    let by_query = server
        .get("/api/v1/member/list?limit=1&label=team%3Dnews")
        .await;
    assert_eq!(ids(&by_query.body), ["ada"]);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_belongs_to_one_list() {
    let server = Server::up().await;
    for text in ["one", "two"] {
        server
            .call("member/ask", json!({"to": "ada", "content": text}))
            .await;
    }
    let lists = ["member/list", "turn/list", "message/list", "member/history"];
    let params = |list: &str, cursor: &Value| {
        let mut params = json!({"limit": 1, "cursor": cursor});
        if list == "member/history" {
            params["member"] = json!("ada");
        }
        params
    };
    for list in lists {
        let page = server.call(list, params(list, &Value::Null)).await;
        let cursor = &page["next_cursor"];
        assert!(cursor.is_string(), "{list}");
        server.call(list, params(list, cursor)).await;
        for other in lists
            .iter()
            .chain(["edge/list"].iter())
            .filter(|other| **other != list)
        {
            let malformed = (400, "cursor.malformed");
            server
                .refused(other, params(other, cursor), malformed)
                .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_change_answers_its_first_position_and_the_member_of_now() {
    let server = Server::up().await;
    let pause = json!({"member": "ada", "key": "k-1"});
    let first = server.call("member/pause", pause.clone()).await;
    server.call("member/resume", json!({"member": "ada"})).await;
    let again = server.call("member/pause", pause).await;
    assert_eq!(again["seq"], first["seq"]);
    let states = (&first["member"]["state"], &again["member"]["state"]);
    assert_eq!(states, (&json!("paused"), &json!("idle")));
}

#[tokio::test(start_paused = true)]
async fn bad_pages_are_refused() {
    let server = Server::up().await;
    let out = (400, "limit.out_of_range");
    server
        .refused("member/list", json!({"limit": 0}), out)
        .await;
    server
        .refused("member/list", json!({"limit": 1001}), out)
        .await;
    let malformed = (400, "cursor.malformed");
    server
        .refused("member/list", json!({"cursor": "No such"}), malformed)
        .await;
    server
        .refused("turn/list", json!({"cursor": "x"}), malformed)
        .await;
    server
        .refused("edge/list", json!({"cursor": "x"}), malformed)
        .await;
    server
        .refused(
            "member/list",
            json!({"state": "tired"}),
            (400, "params.invalid"),
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_member_joins_changes_and_leaves() {
    let server = Server::up().await;
    let spawned = server
        .call(
            "member/spawn",
            json!({"id": "dan", "labels": {"a": "b"}, "context": {"x": 1}}),
        )
        .await;
    assert_eq!(spawned["member"]["profile"], "worker");
    assert_eq!(spawned["member"]["labels"], json!({"a": "b"}));
    assert!(spawned["seq"].is_u64());
    server
        .refused(
            "member/spawn",
            json!({"member": "dan"}),
            (409, "member.exists"),
        )
        .await;
    let same = server
        .call(
            "member/ensure",
            json!({"member": "dan", "profile": "worker"}),
        )
        .await;
    assert_eq!(same["member"], spawned["member"]);

    let dan = json!({"member": "dan"});
    let respawned = server.call("member/respawn", dan.clone()).await;
    assert_eq!(respawned["member"]["incarnation"], 2);
    assert_eq!(respawned["member"]["session"], spawned["member"]["session"]);
    let reset = server.call("member/reset", dan.clone()).await;
    assert_eq!(reset["member"]["generation"], 2);
    assert_ne!(reset["member"]["session"], spawned["member"]["session"]);
    let paused = server
        .call("member/pause", json!({"member": "dan", "reason": "lunch"}))
        .await;
    assert_eq!(paused["member"]["state"], "paused");
    assert_eq!(
        server.call("member/resume", dan.clone()).await["member"]["state"],
        "idle"
    );

    server
        .refused("member/delete", dan.clone(), (409, "member.not_retired"))
        .await;
    let retired = server
        .call("member/retire", json!({"member": "dan", "mode": "now"}))
        .await;
    assert_eq!(retired["member"]["state"], "retired");
    assert_eq!(
        ids(&server
            .call("member/list", json!({"state": "retired"}))
            .await),
        ["dan"]
    );
    assert!(!ids(&server.call("member/list", json!({})).await).contains(&"dan"));
    assert_eq!(
        server.call("member/delete", dan.clone()).await["deleted"],
        "dan"
    );
    server
        .refused("member/get", dan, (404, "member.not_found"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_can_not_be_is_not_spawned() {
    let server = Server::up().await;
    let before = server.journal().await.len();
    let check = async |params: Value, code: &str| {
        server.refused("member/spawn", params, (400, code)).await;
    };
    check(json!({"id": "Dan"}), "params.invalid").await;
    check(
        json!({"id": "dan", "profile": "baker"}),
        "profile.not_found",
    )
    .await;
    check(
        json!({"id": "dan", "session": "ses-999"}),
        "session.not_found",
    )
    .await;
    check(json!({"id": "dan", "context": [1]}), "params.invalid").await;
    check(
        json!({"id": "dan", "context": {"x": "y".repeat(40_000)}}),
        "params.too_long",
    )
    .await;
    assert_eq!(server.journal().await.len(), before);
}

#[tokio::test(start_paused = true)]
async fn cancelling_stops_the_running_turn() {
    let server = Server::up().await;
    server
        .call("member/send", json!({"to": "ada", "content": "hang"}))
        .await;
    let working = server.call("member/get", json!({"member": "ada"})).await;
    assert_eq!(working["state"], "working");
    let cancelled = server
        .call(
            "member/cancel",
            json!({"member": "ada", "reason": "enough"}),
        )
        .await;
    assert_eq!(cancelled["member"]["state"], "idle");
    let turn = server
        .call("turn/get", json!({"turn": working["turn"]}))
        .await;
    assert_eq!(
        (&turn["status"], &turn["reason"]),
        (&json!("cancelled"), &json!("enough"))
    );
    server
        .refused(
            "member/cancel",
            json!({"member": "ada"}),
            (409, "member.idle"),
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn edges_are_wired_listed_and_unwired() {
    let server = Server::up().await;
    let wired = server
        .call("edge/wire", json!({"a": "cid", "b": "ada"}))
        .await;
    assert_eq!(
        wired["edge"],
        json!({"a": "ada", "b": "cid", "origin": "operator"})
    );
    let all = server.call("edge/list", json!({})).await;
    let expected = json!([
        {"a": "ada", "b": "bob", "origin": "static"},
        {"a": "ada", "b": "cid", "origin": "operator"},
    ]);
    assert_eq!(all, json!({ "edges": expected }));
    let first = server.call("edge/list", json!({"limit": 1})).await;
    let next = json!({"limit": 1, "cursor": first["next_cursor"]});
    assert_eq!(
        server.call("edge/list", next).await["edges"],
        json!([expected[1]])
    );
    let of_bob = server.call("edge/list", json!({"member": "bob"})).await;
    assert_eq!(of_bob["edges"], json!([expected[0]]));
    server
        .call("edge/unwire", json!({"a": "ada", "b": "cid"}))
        .await;
    let gone = (404, "edge.not_found");
    server
        .refused("edge/unwire", json!({"a": "ada", "b": "cid"}), gone)
        .await;
    server
        .refused(
            "edge/wire",
            json!({"a": "ada", "b": "ada"}),
            (400, "edge.self"),
        )
        .await;
    server
        .refused(
            "edge/wire",
            json!({"a": "ada", "b": "eve"}),
            (404, "member.not_found"),
        )
        .await;
}
