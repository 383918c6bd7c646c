//! Schedules: defining them, what they do, and what is told of it.

use crate::kit::{BASE, Server};
use mobkit_domain::event::Event;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Half an hour before the tests begin is 05:30 in UTC.
const EVERY_HOUR: &str = "0 * * * *";

fn hourly(id: &str) -> Value {
    json!({"id": id, "cron": EVERY_HOUR, "to": {"member": "ada"}, "message": "it is {{ due }}"})
}

fn completed(event: &Event) -> bool {
    matches!(event, Event::OccurrenceCompleted(_))
}

#[tokio::test(start_paused = true)]
async fn a_schedule_is_shown_as_the_mob_file_would_have_it() {
    let server = Server::up().await;
    let entry = json!({
        "id": "news", "every": "90m", "timezone": "Europe/London",
        "to": {"member": "ada"}, "message": "go", "missed": {"policy": "all", "within": "2h"},
        "overlap": "queue", "enabled": true,
    });
    let put = server.call("schedule/put", entry.clone()).await;
    assert_eq!(put["schedule"], "news");
    assert_eq!(put["next"], "2025-11-22T07:30:00.000Z");
    let found = server.call("schedule/get", json!({"id": "news"})).await;
    for (key, value) in entry.as_object().expect("an object") {
        assert_eq!(&found[key], value, "{key}");
    }
    assert_eq!(
        (&found["origin"], &found["paused"], &found["open"]),
        (&json!("api"), &json!(false), &json!(0))
    );
    assert_eq!(found.get("previous"), None);
    server.call("schedule/put", hourly("a")).await;
    let page = server.call("schedule/list", json!({"limit": 1})).await;
    assert_eq!(page["schedules"][0]["id"], "a");
    assert_eq!(page["schedules"][0]["cron"], EVERY_HOUR);
    assert_eq!(page["schedules"][0]["missed"]["within"], "12h");
    let rest = json!({"cursor": page["next_cursor"], "limit": 1});
    let rest = server.call("schedule/list", rest).await;
    assert_eq!(rest, json!({"schedules": [found]}));
    let again = server.call("schedule/put", entry).await;
    assert_eq!(again["seq"], server.engine.head(), "nothing changed");
    let status = server.call("mob/status", json!({})).await;
    assert_eq!(status["schedules"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_not_there_is_told_with_all_else_that_is_wrong() {
    let server = Server::up().await;
    let all = json!({
        "id": "news", "every": "1h", "to": {"member": "dan"}, "message": "{{ due | tim }}",
        "jitter": "soon", "missed": {"policy": "x"},
    });
    let refused = server.post("schedule/put", all).await;
    let problems = refused.body["problems"].as_array().expect("a list");
    let fields: BTreeSet<&str> = problems
        .iter()
        .filter_map(|p| p["field"].as_str())
        .collect();
    assert_eq!(
        fields,
        BTreeSet::from(["jitter", "message", "missed", "to"])
    );
    let codes: Vec<&str> = problems.iter().filter_map(|p| p["code"].as_str()).collect();
    assert!(codes.contains(&"schedule.member_unknown"), "{codes:?}");
    let unhelped = problems.iter().find(|problem| problem["hint"].is_null());
    assert_eq!(unhelped, None, "each says the next step");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_in_a_schedule_names_its_field() {
    let server = Server::up().await;
    let wrong = json!({
        "id": "news", "cron": "61 * * * *", "timezone": "Europe/Londn", "to": {"member": "ada"},
        "message": "go",
    });
    let refused = (400, "definition.cron_invalid");
    let told = server.refused("schedule/put", wrong, refused).await;
    assert_eq!(told["field"], "cron");
    let problems = told["problems"].as_array().expect("a list");
    let codes: Vec<(&Value, &Value)> = problems.iter().map(|p| (&p["field"], &p["code"])).collect();
    let cron = (&json!("cron"), &json!("definition.cron_invalid"));
    let zone = (&json!("timezone"), &json!("definition.timezone_unknown"));
    assert_eq!(codes, [cron, zone]);
    let cases = [
        (
            json!({"id": "a b", "every": "1m", "to": {"member": "ada"}, "message": "x"}),
            400,
            "definition.id_invalid",
        ),
        (
            json!({"id": "a", "every": "10ms", "to": {"member": "ada"}, "message": "x"}),
            400,
            "definition.duration_invalid",
        ),
        (
            json!({"id": "a", "every": "1m", "at": "2026-01-01T00:00:00", "to": {"member": "ada"},
            "message": "x"}),
            400,
            "definition.trigger_ambiguous",
        ),
        (
            json!({"id": "a", "every": "1m", "to": {"member": "ada"}}),
            400,
            "definition.key_missing",
        ),
        (
            json!({"id": "a", "every": "1m", "to": {"member": "dan"}, "message": "x"}),
            400,
            "schedule.member_unknown",
        ),
        (
            json!({"id": "a", "evry": "1m"}),
            400,
            "params.unknown_field",
        ),
    ];
    for (entry, status, code) in cases {
        server.refused("schedule/put", entry, (status, code)).await;
    }
    for operation in [
        "get",
        "remove",
        "pause",
        "resume",
        "trigger",
        "preview",
        "occurrences",
    ] {
        let name = format!("schedule/{operation}");
        let missing = (404, "schedule.not_found");
        server
            .refused(&name, json!({"schedule": "news"}), missing)
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_due_becomes_a_turn_and_is_listed() {
    let server = Server::up().await;
    server.call("schedule/put", hourly("news")).await;
    server.until_count(2, completed).await;
    let found = server
        .call("schedule/occurrences", json!({"id": "news"}))
        .await;
    let listed = found["occurrences"].as_array().expect("a list");
    let dues: Vec<&Value> = listed.iter().map(|found| &found["due"]).collect();
    assert_eq!(
        dues,
        ["2025-11-22T08:00:00.000Z", "2025-11-22T07:00:00.000Z"]
    );
    for found in listed {
        assert_eq!(found["state"], "completed");
        assert_eq!(
            (&found["occasion"], &found["attempts"]),
            (&json!("due"), &json!(1))
        );
        let turn = server
            .call("turn/get", json!({"turn": found["turn"]}))
            .await;
        let due = found["due"].as_str().expect("a time");
        assert_eq!(turn["text"], format!("echo: it is {due}"));
        assert_eq!(turn["messages"], json!([found["message"]]));
    }
    let page = json!({"id": "news", "limit": 1});
    let page = server.call("schedule/occurrences", page).await;
    assert_eq!(page["occurrences"], json!([listed[0]]));
    let rest = json!({"id": "news", "limit": 1, "cursor": page["next_cursor"]});
    let rest = server.call("schedule/occurrences", rest).await;
    assert_eq!(rest["occurrences"], json!([listed[1]]));
    let none = json!({"id": "news", "state": "failed"});
    let none = server.call("schedule/occurrences", none).await;
    assert_eq!(none, json!({"occurrences": []}));
    let shown = server.call("schedule/get", json!({"id": "news"})).await;
    assert_eq!(shown["previous"], "2025-11-22T08:00:00.000Z");
    server.call("schedule/remove", json!({"id": "news"})).await;
    let kept = server
        .call("schedule/occurrences", json!({"id": "news"}))
        .await;
    assert_eq!(kept, found, "history stays");
}

#[tokio::test(start_paused = true)]
async fn an_occurrence_in_a_turn_that_works_names_the_turn() {
    let server = Server::up().await;
    let hangs = json!({"id": "a", "every": "1h", "to": {"member": "ada"}, "message": "hang"});
    server.call("schedule/put", hangs).await;
    let seq = server
        .call("schedule/trigger", json!({"schedule": "a"}))
        .await;
    assert_eq!(seq["schedule"], "a");
    server
        .until_count(1, |event| matches!(event, Event::TurnStarted(_)))
        .await;
    let found = server
        .call("schedule/occurrences", json!({"id": "a"}))
        .await;
    let found = &found["occurrences"][0];
    assert_eq!(
        (&found["state"], &found["occasion"]),
        (&json!("dispatched"), &json!("triggered"))
    );
    let message = server
        .call("message/get", json!({"id": found["message"]}))
        .await;
    assert!(message["turn"].is_string());
    assert_eq!(found["turn"], message["turn"]);
    let shown = server.call("schedule/get", json!({"id": "a"})).await;
    assert_eq!(shown["open"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_paused_schedule_does_not_fire_until_it_is_resumed() {
    let server = Server::up().await;
    server.call("schedule/put", hourly("news")).await;
    let pause = json!({"id": "news", "reason": "holidays"});
    server.call("schedule/pause", pause).await;
    let shown = server.call("schedule/get", json!({"id": "news"})).await;
    assert_eq!((&shown["paused"], shown.get("next")), (&json!(true), None));
    tokio::time::advance(std::time::Duration::from_hours(5)).await;
    server.call("schedule/resume", json!({"id": "news"})).await;
    server.until_count(1, completed).await;
    let found = server
        .call("schedule/occurrences", json!({"id": "news"}))
        .await;
    let found = found["occurrences"].as_array().expect("a list").clone();
    assert_eq!(found.len(), 1, "what was due in between is not made up for");
    assert_eq!(found[0]["due"], "2025-11-22T12:00:00.000Z");
}

#[tokio::test(start_paused = true)]
async fn a_preview_says_what_will_be_due() {
    let server = Server::up().await;
    server.call("schedule/put", hourly("news")).await;
    let due =
        |params: Value| async { server.call("schedule/preview", params).await["due"].clone() };
    let two = json!(["2025-11-22T07:00:00.000Z", "2025-11-22T08:00:00.000Z"]);
    assert_eq!(due(json!({"id": "news", "n": 2})).await, two);
    assert_eq!(due(json!({"cron": EVERY_HOUR, "n": 2})).await, two);
    assert_eq!(due(json!({"every": "1h", "n": 2})).await, two);
    assert_eq!(
        due(json!({"id": "news"})).await.as_array().map(Vec::len),
        Some(5)
    );
    let once = json!({"at": "2025-11-22T08:00:00", "timezone": "Europe/Berlin", "n": 3});
    assert_eq!(due(once).await, json!([two[0]]));
    let past = json!({"at": "2025-11-22T01:00:00"});
    assert_eq!(due(past).await, json!([]));
    // The clock of the zone is set forward: what it skips is due when it goes on.
    let skipped = json!({"cron": "30 2 29 3 *", "timezone": "Europe/Berlin", "n": 1});
    assert_eq!(due(skipped).await, json!(["2026-03-29T01:00:00.000Z"]));
    let by_query = server
        .get("/api/v1/schedule/preview?cron=0+*+*+*+*&n=2")
        .await;
    assert_eq!(by_query.body["due"], two);
    let cases = [
        (json!({"cron": "61 * * * *"}), "definition.cron_invalid"),
        (json!({}), "definition.trigger_missing"),
        (
            json!({"id": "news", "cron": EVERY_HOUR}),
            "schedule.preview_ambiguous",
        ),
        (json!({"id": "news", "n": 0}), "schedule.preview_range"),
        (json!({"id": "news", "n": 101}), "schedule.preview_range"),
    ];
    for (params, code) in cases {
        server
            .refused("schedule/preview", params, (400, code))
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_past_is_made_up_for_once() {
    let server = Server::up().await;
    server.call("schedule/put", hourly("news")).await;
    server.until_count(2, completed).await;
    let stretch = |limit: u64| {
        json!({
            "id": "news", "from": "2025-11-22T05:00:00Z", "to": "2025-11-22T08:00:00Z",
            "limit": limit, "key": format!("back-{limit}"),
        })
    };
    let first = server.call("schedule/backfill", stretch(1)).await;
    assert_eq!(first["dues"], json!(["2025-11-22T05:00:00.000Z"]));
    assert_eq!(first["more"], true);
    server.until_count(3, completed).await;
    let repeated = server.call("schedule/backfill", stretch(1)).await;
    assert_eq!(repeated, first, "the same key, the same answer");
    let rest = server.call("schedule/backfill", stretch(9)).await;
    assert_eq!(
        rest["dues"],
        json!(["2025-11-22T06:00:00.000Z"]),
        "the others have run"
    );
    assert_eq!(rest.get("more"), None);
    server.until_count(4, completed).await;
    let nothing = server.call("schedule/backfill", stretch(8)).await;
    assert_eq!(nothing["dues"], json!([]));
    let state = json!({"id": "news", "state": "completed"});
    let found = server.call("schedule/occurrences", state).await;
    assert_eq!(found["occurrences"].as_array().map(Vec::len), Some(4));
    assert_eq!(found["occurrences"][0]["occasion"], "backfilled");
}

#[tokio::test(start_paused = true)]
async fn only_a_stretch_of_the_past_can_be_made_up_for() {
    let server = Server::up().await;
    server.call("schedule/put", hourly("news")).await;
    let now = BASE.to_string();
    let cases = [
        (now.as_str(), "2025-11-22T06:00:01Z", "schedule.not_past"),
        (
            now.as_str(),
            "2025-11-22T05:00:00Z",
            "schedule.stretch_empty",
        ),
        (
            "2020-01-01T00:00:00Z",
            now.as_str(),
            "schedule.stretch_too_long",
        ),
    ];
    for (from, to, code) in cases {
        let params = json!({"id": "news", "from": from, "to": to});
        server
            .refused("schedule/backfill", params, (400, code))
            .await;
    }
    let missing = json!({"id": "none", "from": now, "to": now});
    server
        .refused("schedule/backfill", missing, (404, "schedule.not_found"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_listed_as_one_and_can_be_made_up_for() {
    let server = Server::up().await;
    let mut entry = hourly("news");
    entry["missed"] = json!({"policy": "skip"});
    server.call("schedule/put", entry).await;
    server.call("mob/pause", json!({})).await;
    tokio::time::advance(std::time::Duration::from_mins(150)).await;
    server.call("mob/resume", json!({})).await;
    let missed = |event: &Event| matches!(event, Event::OccurrenceMissed(_));
    server.until_count(1, missed).await;
    let found = server
        .call("schedule/occurrences", json!({"id": "news"}))
        .await;
    let found = &found["occurrences"][0];
    let span = json!(["2025-11-22T07:00:00.000Z", "2025-11-22T08:00:00.000Z"]);
    assert_eq!(json!([found["due"], found["until"]]), span);
    assert_eq!(
        (&found["state"], &found["count"]),
        (&json!("missed"), &json!(2))
    );
    let stretch = json!({"id": "news", "from": span[0], "to": span[1]});
    let first = server.call("schedule/backfill", stretch.clone()).await;
    assert_eq!(first["dues"], span);
    server.until_count(2, completed).await;
    let again = server.call("schedule/backfill", stretch).await;
    assert_eq!(again["dues"], json!([]));
}
