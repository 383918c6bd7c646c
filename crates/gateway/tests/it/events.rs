//! Streams of events, and queries.

use crate::kit::{BASE, Item, Server};
use mobkit_domain::command::{Command, ToolOutcome, TurnCommand};
use mobkit_domain::event::Event;
use mobkit_domain::time::Time;
use mobkit_store::Store;
use serde_json::{Value, json};

const LINES: [(&str, &str); 1] = [("accept", "application/x-ndjson")];

#[tokio::test(start_paused = true)]
async fn a_query_reads_the_journal_page_by_page() {
    let server = Server::up().await;
    server
        .call("member/ask", json!({"to": "ada", "content": "hello"}))
        .await;
    let head = server.engine.head();
    let (mut seen, mut after) = (Vec::new(), 0);
    while after < head {
        let page = server
            .call("event/query", json!({"after": after, "limit": 3}))
            .await;
        assert_eq!(page["head"], head);
        seen.extend(page["events"].as_array().expect("events").iter().cloned());
        after = page["next_after"].as_u64().expect("a position");
    }
    let positions: Vec<u64> = seen
        .iter()
        .filter_map(|event| event["seq"].as_u64())
        .collect();
    assert_eq!(positions, (1..=head).collect::<Vec<_>>());
    let answered = seen.last().expect("an event");
    assert_eq!(answered["kind"], "turn.completed");
    assert_eq!(answered["summary"], "ada answered: echo: hello");
    assert_eq!(answered["data"]["text"], "echo: hello");

    let kinds = json!(["turn.*", "message.accepted"]);
    let filter = json!({"kinds": kinds, "subject": "member/ada", "source": "agent"});
    let page = server.call("event/query", filter).await;
    let events = page["events"].as_array().expect("events").iter();
    let kinds: Vec<&str> = events.filter_map(|event| event["kind"].as_str()).collect();
    assert_eq!(kinds, ["turn.started", "turn.completed"]);
    assert_eq!(page["next_after"], head);
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_now_and_carries_what_comes() {
    let server = Server::up().await;
    let mut stream = server.stream("", &[]).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["cache-control"], "no-store");
    assert_eq!(stream.headers["x-accel-buffering"], "no");
    let head = server.engine.head();
    // A reader that loses the stream before the first event goes on from here.
    assert_eq!(stream.next().await, Some(Item::Position(head)));
    server.call("mob/pause", json!({})).await;
    let event = stream.event().await.expect("an event");
    assert_eq!(
        (&event["seq"], &event["kind"]),
        (&json!(head + 1), &json!("mob.paused"))
    );
    assert!(event["summary"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_does_not_follow_is_the_journal_and_ends() {
    let server = Server::up().await;
    for (query, headers) in [("?follow=false", &[][..]), ("", &LINES[..])] {
        let mut stream = server.stream(query, headers).await;
        let items = stream.rest().await;
        let events: Vec<Value> = items
            .into_iter()
            .map(|item| match item {
                Item::Event(_, event) => event,
                other => panic!("{other:?}"),
            })
            .collect();
        let recorded: Vec<Value> = server
            .journal()
            .await
            .iter()
            .map(mobkit_domain::event::Envelope::to_wire)
            .collect();
        assert_eq!(events, recorded);
    }
    let mut tail = server
        .stream("?follow=false&after=2&kinds=member.spawned", &[])
        .await;
    let events = tail.rest().await;
    assert_eq!(events.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_last_id_wins_over_the_address() {
    let server = Server::up().await;
    let mut stream = server.stream("?after=1", &[("last-event-id", "3")]).await;
    assert_eq!(
        stream.event().await.map(|event| event["seq"].clone()),
        Some(json!(4))
    );
    let mut stream = server.stream("?after=1", &[("last-event-id", "")]).await;
    assert_eq!(
        stream.event().await.map(|event| event["seq"].clone()),
        Some(json!(2))
    );
    let bad = crate::kit::request("GET", "/api/v1/events").header("last-event-id", "x");
    let answer = server
        .send(bad.body(axum::body::Body::empty()).expect("a request"))
        .await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (400, &json!("cursor.malformed"))
    );
}

#[tokio::test(start_paused = true)]
async fn filters_hold_for_streams_and_bad_ones_are_refused() {
    let server = Server::up().await;
    let query = "?after=0&kinds=member.spawned,turn.*&subject=member/bob&source=runtime";
    let mut stream = server.stream(query, &[]).await;
    let event = stream.event().await.expect("an event");
    assert_eq!(
        (&event["kind"], &event["subject"]),
        (&json!("member.spawned"), &json!("member/bob"))
    );
    let check = async |query: &str, code: &str| {
        let answer = server.get(&format!("/api/v1/events?{query}")).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (400, &json!(code)),
            "{query}"
        );
    };
    check("kinds=turn.compleated", "filter.kind_unknown").await;
    check("subject=bob", "filter.subject_malformed").await;
    check("source=human", "filter.source_unknown").await;
    check("follow=maybe", "params.invalid").await;
    check("form=1", "params.unknown_field").await;
    let image = crate::kit::request("GET", "/api/v1/events").header("accept", "image/png");
    let answer = server
        .send(image.body(axum::body::Body::empty()).expect("a request"))
        .await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (406, &json!("request.not_acceptable"))
    );
}

#[tokio::test(start_paused = true)]
async fn cursors_too_old_and_too_young_are_refused() {
    let server = Server::up().await;
    let head = server.engine.head();
    let ahead = server
        .get(&format!("/api/v1/events?after={}", head + 1))
        .await;
    assert_eq!(
        (ahead.status, &ahead.body["code"]),
        (409, &json!("cursor_ahead"))
    );
    assert_eq!(ahead.body["latest"], head);

    let oldest = server
        .memory
        .trim(server.engine.mob(), crate::kit::trim(4, Time(BASE.0 + 1)))
        .await;
    assert_eq!(oldest.expect("trimmed"), 4);
    for after in [0, 2] {
        let expired = server.get(&format!("/api/v1/events?after={after}")).await;
        assert_eq!(
            (expired.status, &expired.body["code"]),
            (410, &json!("cursor_expired"))
        );
        assert_eq!(
            (&expired.body["oldest"], &expired.body["latest"]),
            (&json!(4), &json!(head))
        );
        let query = json!({ "after": after });
        server
            .refused("event/query", query, (410, "cursor_expired"))
            .await;
    }
    assert_eq!(
        server
            .get("/api/v1/events?after=3&follow=false")
            .await
            .status,
        200
    );
    // Who names no cursor gets what is there.
    let page = server.call("event/query", json!({})).await;
    assert_eq!(page["events"][0]["seq"], 4);
    let mut stream = server.stream("", &LINES).await;
    assert_eq!(
        stream.event().await.map(|event| event["seq"].clone()),
        Some(json!(4))
    );
}

#[tokio::test(start_paused = true)]
async fn text_comes_as_it_is_written_before_the_event_that_records_it() {
    let server = Server::up().await;
    let mut stream = server
        .stream("?kinds=model.replied&subject=member/ada", &[])
        .await;
    let mut without = server
        .stream("?kinds=model.replied&deltas=false", &[])
        .await;
    let mut other = server
        .stream("?kinds=model.replied&subject=member/bob", &[])
        .await;
    let mut lines = server
        .stream("?kinds=model.replied&follow=true&deltas=true", &LINES)
        .await;
    server
        .call("member/ask", json!({"to": "ada", "content": "stream"}))
        .await;
    let words = |item: Option<Item>| match item {
        Some(Item::Named(name, delta)) if name == "delta" => delta["text"].clone(),
        Some(Item::Event(_, event)) => event["data"]["text"].clone(),
        item => panic!("{item:?}"),
    };
    stream.next().await;
    for stream in [&mut stream, &mut lines] {
        for expected in ["one ", "two ", "three", "one two three"] {
            assert_eq!(words(stream.next().await), expected);
        }
    }
    without.next().await;
    assert_eq!(words(without.next().await), "one two three");
    // Nothing of another member; the stream is silent until its heartbeat.
    other.next().await;
    assert!(matches!(
        other.next().await,
        Some(Item::Comment(_, Some(_)))
    ));
}

#[tokio::test(start_paused = true)]
async fn text_comes_after_the_start_of_its_turn_however_late_the_reader_is() {
    let server = Server::up().await;
    // More than one chunk of a stream.
    for _ in 0..70 {
        server.call("mob/pause", json!({})).await;
        server.call("mob/resume", json!({})).await;
    }
    let head = server.engine.head();
    // One reader is at the head, the other has the whole journal before it.
    let mut streams = [
        server.stream(&format!("?after={head}"), &[]).await,
        server.stream("?after=0", &[]).await,
    ];
    for _ in 0..2 {
        server
            .call("member/ask", json!({"to": "ada", "content": "stream"}))
            .await;
    }
    for stream in &mut streams {
        let mut told = Vec::new();
        while told.iter().filter(|kind| *kind == "turn.completed").count() < 2 {
            match stream.next().await {
                Some(Item::Named(name, _)) => told.push(name),
                Some(Item::Event(Some(seq), event)) if seq > head => {
                    told.push(event["kind"].as_str().expect("a kind").to_owned());
                }
                _ => {}
            }
        }
        let turn = [
            "message.accepted",
            "message.delivered",
            "turn.started",
            "delta",
            "delta",
            "delta",
            "model.replied",
            "turn.completed",
        ];
        assert_eq!(told, [turn, turn].concat());
    }
}

#[tokio::test(start_paused = true)]
async fn the_progress_of_a_call_is_shown_between_its_start_and_its_end() {
    let server = Server::up().await;
    let mut stream = server.stream("?subject=member/ada", &[]).await;
    let message = json!({"to": "ada", "content": "pay"});
    server.call("member/send", message).await;
    server
        .until(|event| matches!(event, Event::ToolStarted(_)))
        .await;
    let turn = server.engine.view(|world| {
        world
            .state
            .turns
            .iter()
            .next()
            .map(|(id, turn)| (*id, turn.calls[0].id))
    });
    let (turn, call) = turn.expect("a turn");
    for text in ["looking", "half way"] {
        server.engine.progress(turn, call, text);
    }
    let outcome = ToolOutcome::Finished("paid".into());
    let ended = TurnCommand::ToolEnded {
        turn: Some(turn),
        call,
        outcome,
    };
    let ended = server.engine.submit_internal(Command::Turn(ended)).await;
    ended.expect("the call ends");
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "tool.finished") {
        match stream.next().await {
            Some(Item::Named(_, delta)) => {
                assert_eq!(
                    (&delta["kind"], &delta["call"]),
                    (&json!("progress"), &json!(call))
                );
                told.push(delta["text"].as_str().expect("a text").to_owned());
            }
            Some(Item::Event(_, event)) => {
                told.push(event["kind"].as_str().expect("a kind").to_owned());
            }
            _ => {}
        }
    }
    let end = ["tool.started", "looking", "half way", "tool.finished"];
    assert_eq!(told[told.len() - 4..], end, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn whether_to_follow_is_also_said_in_digits() {
    let server = Server::up().await;
    let ended = server.stream("?after=0&follow=0", &[]).await.rest().await;
    assert_eq!(ended.len(), server.journal().await.len());
    let mut lines = server.stream("?follow=1&deltas=0", &LINES).await;
    server.call("mob/pause", json!({})).await;
    let event = lines.event().await.expect("an event");
    assert_eq!(event["kind"], "mob.paused");
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_beats_and_says_how_far_it_has_searched() {
    let server = Server::up().await;
    let mut stream = server.stream("?kinds=turn.failed", &[]).await;
    let mut lines = server
        .stream("?kinds=turn.failed&follow=true", &LINES)
        .await;
    stream.next().await;
    server.call("mob/pause", json!({})).await;
    let head = server.engine.head();
    for beats in 1..=3 {
        let beat = Item::Comment("heartbeat".to_owned(), Some(head));
        assert_eq!(stream.next().await, Some(beat));
        assert_eq!(server.engine.now().since_ms(BASE), beats * 15_000);
    }
    assert_eq!(lines.next().await, Some(Item::Comment(String::new(), None)));
}
