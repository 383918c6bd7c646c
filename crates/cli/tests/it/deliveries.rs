//! The commands about deliveries and routes.

use crate::fake::{Fake, Reply, problem};
use crate::program::Place;
use serde_json::json;

#[test]
fn deliveries_are_listed_by_state_route_and_recipient() {
    let delivery = json!({"id": "dlv-9", "route": "hook", "recipient": "ops", "state": "dead",
        "attempts": [], "reason": "410 Gone"});
    let server = Fake::always(200, json!({"deliveries": [delivery]}));
    let place = Place::of(&server);
    let filters = ["--in", "dead", "--route", "hook", "--to", "ops", "-n", "7"];
    let run = place.run(&[&["deliveries"], &filters[..]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        run.stdout,
        "ID     ROUTE  TO   STATE  ATTEMPTS  NEXT  LAST\n\
         dlv-9  hook   ops  dead   0         -     410 Gone\n"
    );
    assert!(
        run.stderr.contains("mobkit deliveries replay ID"),
        "{run:?}"
    );
    let expected = json!({"state": "dead", "route": "hook", "recipient": "ops", "limit": 7});
    assert_eq!(server.seen()[0].body, expected);
    let document = place.run(&["deliveries", "--json"]).document();
    assert_eq!(document["deliveries"][0]["id"], "dlv-9");
    assert_eq!(place.run(&["deliveries", "--in", "lost"]).code, 2);
}

#[test]
fn a_delivery_is_sent_with_a_key() {
    let server = Fake::always(200, json!({"delivery": "dlv-9", "seq": 9}));
    let place = Place::of(&server);
    let words = [
        "deliveries",
        "send",
        "ops",
        "disk is full",
        "--channel",
        "alarm",
        "--key",
        "k",
    ];
    let run = place.run(&words);
    assert_eq!((run.code, run.stdout.as_str()), (0, "dlv-9\n"), "{run:?}");
    let expected = json!({"recipient": "ops", "payload": "disk is full", "channel": "alarm",
        "key": "k"});
    assert_eq!(server.seen()[0].body, expected);
    let words = ["deliveries", "send", "member:editor", "-", "--json"];
    let document = place.run_with(&words, "{\"a\": 1}").document();
    let request = &server.seen()[1];
    assert_eq!(request.body["payload"], json!({"a": 1}));
    assert_eq!(request.body["key"], document["key"]);
    assert_eq!(place.run(&["deliveries", "send", "ops", " "]).code, 2);
}

#[test]
fn several_are_sent_again_and_what_was_is_told_when_one_can_not() {
    let server = Fake::start(|request| match request.body["delivery"].as_str() {
        Some("dlv-3") => problem(404, "missing", "delivery.not_found", "no"),
        Some("dlv-4") => problem(409, "conflict", "delivery.not_left", "no"),
        id => Reply::Json(200, json!({"delivery": id, "seq": 9})),
    });
    let place = Place::of(&server);
    let run = place.run(&["deliveries", "replay", "dlv-1", "dlv-2"]);
    assert_eq!(
        run.stdout, "sent dlv-1 again\nsent dlv-2 again\n",
        "{run:?}"
    );
    let run = place.run(&["deliveries", "replay", "dlv-1", "dlv-3", "--json"]);
    assert_eq!(run.code, 4, "{run:?}");
    let document = run.document();
    assert_eq!(document["error"]["code"], "delivery.not_found");
    assert_eq!(document["replayed"][0]["delivery"], "dlv-1");
    assert_eq!(place.run(&["deliveries", "replay", "dlv-4"]).code, 6);
    assert_eq!(place.run(&["deliveries", "replay"]).code, 2);
}

#[test]
fn a_route_is_resolved_or_it_is_said_why_not() {
    let server = Fake::start(|request| {
        let body = match request.body["recipient"].as_str() {
            Some("ops") => json!({"route": "hook", "sink": "webhook"}),
            Some("old") => json!({"code": "route.disabled", "reason": "out of use", "hint": "h"}),
            _ => json!({"code": "route.none", "reason": "no route takes it"}),
        };
        Reply::Json(200, body)
    });
    let place = Place::of(&server);
    let run = place.run(&["routes", "resolve", "ops", "--channel", "alarm"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "hook (webhook)\n"),
        "{run:?}"
    );
    assert_eq!(
        server.seen()[0].body,
        json!({"recipient": "ops", "channel": "alarm"})
    );
    for (recipient, code) in [("old", 6), ("x", 4)] {
        let run = place.run(&["routes", "resolve", recipient]);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{run:?}");
    }
}

#[test]
fn a_route_is_brought_back_by_its_name() {
    let server = Fake::always(200, json!({"route": "ops", "seq": 9}));
    let place = Place::of(&server);
    let run = place.run(&["routes", "enable", "ops"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "ops is in use\n"),
        "{run:?}"
    );
    let seen = &server.seen()[0];
    assert_eq!(seen.path, "/api/v1/route/enable");
    assert_eq!(seen.body["route"], "ops");
    assert!(seen.body["key"].is_string(), "it can be repeated");
}

#[test]
fn where_there_are_no_deliveries_it_is_said_how_to_send_one() {
    let server = Fake::always(200, json!({"deliveries": []}));
    let place = Place::of(&server);
    let run = place.run(&["deliveries"]);
    assert!(run.stderr.starts_with("no deliveries; send one"), "{run:?}");
    let run = place.run(&["deliveries", "--in", "dead"]);
    assert_eq!(run.stderr, "no such deliveries\n");
}

#[test]
fn routes_that_are_out_of_use_come_first() {
    let route = |id: &str, disabled: Option<&str>| {
        json!({"id": id, "match": {"recipient": id, "channel": "*"}, "disabled": disabled,
            "sink": {"kind": "file", "path": "out.jsonl"}, "open": 0})
    };
    let routes = [route("a", None), route("b", Some("410 Gone"))];
    let server = Fake::always(200, json!({"routes": routes}));
    let place = Place::of(&server);
    let run = place.run(&["routes"]);
    let first: Vec<&str> = run
        .stdout
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(first, ["ID", "b", "a"], "{run:?}");
    let document = place.run(&["routes", "--json"]).document();
    assert_eq!(document["routes"][0]["id"], "b");
    let none = Fake::always(200, json!({"routes": []}));
    let run = Place::of(&none).run(&["routes"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    assert!(run.stderr.starts_with("no routes; "), "{run:?}");
}

#[test]
fn status_says_what_did_not_arrive() {
    let server = Fake::start(|request| {
        let body = match request.path.as_str() {
            "/api/v1/delivery/list" if request.body["state"] == "dead" => {
                json!({"deliveries": [{"id": "dlv-9"}, {"id": "dlv-8"}]})
            }
            "/api/v1/mob/status" => json!({"mob": "m", "state": "running", "members": 1,
                "head": 40, "epoch": 1, "version": "0.1.0"}),
            _ => json!({"store": "sqlite", "durability": "power", "pid": 1}),
        };
        Reply::Json(200, body)
    });
    let place = Place::of(&server);
    let run = place.run(&["status"]);
    assert!(run.stdout.contains("\ndeliveries 2 dead\n"), "{run:?}");
    assert_eq!(
        run.stderr,
        "see what did not arrive with `mobkit deliveries --in dead`\n"
    );
    let document = place.run(&["status", "--json"]).document();
    assert_eq!(
        document["deliveries_left"]["dead"],
        json!({"count": 2, "more": false})
    );
}
