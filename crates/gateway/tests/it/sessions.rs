//! Sessions: JSON-RPC in both directions over lines.

use crate::kit::{BASE, Options, Server, Talk, error};
use mobkit_domain::event::Event;
use mobkit_domain::time::Time;
use mobkit_engine::HostFailure;
use mobkit_gateway::SessionEnd;
use mobkit_store::Store;
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn requests_are_answered_and_bad_lines_end_nothing() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    let status = talk.call(1, "mob/status", json!({})).await;
    assert_eq!(status["mob"], "desk");
    for (line, expected) in [
        ("nonsense", (-32700, "rpc.parse")),
        ("{\"jsonrpc\": \"2.0\", \"id\"", (-32700, "rpc.parse")),
        ("3", (-32600, "rpc.request")),
        ("[]", (-32600, "rpc.request")),
        (
            "{\"id\": 1, \"method\": \"mob/status\"}",
            (-32600, "rpc.request"),
        ),
        (&"x".repeat(2_000_000), (-32600, "request.too_large")),
    ] {
        talk.say(line).await;
        let answer = talk.next().await.expect("an answer");
        let (number, code) = error(&answer);
        assert_eq!((number, code.as_str()), expected, "{answer}");
    }
    let unknown = talk.refused(2, "mob/statsu", json!({})).await;
    assert_eq!(unknown, (-32601, "operation.not_found".to_owned()));
    let missing = talk
        .refused(3, "member/get", json!({"member": "nobody"}))
        .await;
    assert_eq!(missing, (-32004, "member.not_found".to_owned()));
    assert_eq!(talk.call(4, "mob/status", json!({})).await["mob"], "desk");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_answered_as_one_and_notifications_are_not() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    let ask = json!({"to": "ada", "content": "hello"});
    let batch = json!([
        {"jsonrpc": "2.0", "id": "a", "method": "member/ask", "params": ask},
        {"jsonrpc": "2.0", "method": "mob/pause"},
        {"jsonrpc": "2.0", "id": "b", "method": "nothing/there"},
        7,
    ]);
    talk.say(&batch.to_string()).await;
    let answers = talk.next().await.expect("an answer");
    let answers = answers.as_array().expect("a batch").clone();
    assert_eq!(answers.len(), 3, "{answers:?}");
    assert_eq!(answers[0]["result"]["text"], "echo: hello");
    assert_eq!(error(&answers[1]).0, -32601);
    assert_eq!(error(&answers[2]).0, -32600);
    let status = talk.call(1, "mob/status", json!({})).await;
    assert_eq!(status["paused"], true);
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_delays_nothing_that_comes_after_it() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    let ask = json!({"to": "ada", "content": "hang", "timeout_ms": 600_000});
    talk.ask(1, "member/ask", ask).await;
    server
        .until(|event| matches!(event, Event::TurnStarted(_)))
        .await;
    talk.call(2, "member/cancel", json!({"member": "ada"}))
        .await;
    let answer = talk.answer(1).await;
    assert_eq!(answer["result"]["status"], "cancelled", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_request_is_given_up_by_its_id_and_what_it_did_stays() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    let ask = json!({"to": "ada", "content": "gate", "timeout_ms": 600_000});
    talk.ask(1, "member/ask", ask.clone()).await;
    server
        .until(|event| matches!(event, Event::TurnStarted(_)))
        .await;
    let taken = talk.refused(1, "member/ask", ask).await;
    assert_eq!(taken, (-32600, "rpc.request".to_owned()));
    let cancel = json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}});
    talk.say(&cancel.to_string()).await;
    let given_up = error(&talk.answer(1).await);
    assert_eq!(given_up, (-32009, "request.cancelled".to_owned()));
    server.runner.gate.notify_one();
    server
        .until(|event| matches!(event, Event::TurnCompleted(_)))
        .await;
    // The id is free again, and a cancel of nothing is no error.
    talk.call(1, "mob/status", json!({})).await;
    let nothing = talk.call(2, "$/cancelRequest", json!({"id": 1})).await;
    assert_eq!(nothing, json!({"cancelled": false}));
}

#[tokio::test(start_paused = true)]
async fn more_requests_than_a_session_may_have_are_busy_and_a_cancel_still_works() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    let ask = json!({"to": "ada", "content": "hang", "timeout_ms": 600_000});
    talk.ask(0, "member/ask", ask).await;
    server
        .until(|event| matches!(event, Event::TurnStarted(_)))
        .await;
    let again = json!({"to": "ada", "content": "hang", "timeout_ms": 600_000, "key": "k"});
    for id in 1..256 {
        talk.ask(id, "member/ask", again.clone()).await;
    }
    let refused = talk.refused(999, "mob/status", json!({})).await;
    assert_eq!(refused, (-32011, "session.busy".to_owned()));
    assert_eq!(
        talk.call(998, "$/cancelRequest", json!({"id": 0})).await["cancelled"],
        true
    );
    talk.answer(0).await;
    talk.call(997, "mob/status", json!({})).await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_brings_events_in_order_and_resumes_where_it_was_left() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    let head = server.engine.head();
    let all = talk.call(1, "event/subscribe", json!({"after": 0})).await;
    assert_eq!(all, json!({"subscription": 1, "after": 0}));
    for seq in 1..=head {
        assert_eq!(talk.event().await["seq"], seq);
    }
    let turns = json!({"kinds": ["turn.*"], "subject": "member/ada", "source": "agent"});
    let turns = talk.call(2, "event/subscribe", turns).await;
    assert_eq!(turns, json!({"subscription": 2, "after": head}));
    for member in ["bob", "ada"] {
        talk.call(3, "member/ask", json!({"to": member, "content": "hello"}))
            .await;
    }
    let of_turns = |message: &Value| message["params"]["subscription"] == 2;
    for kind in ["turn.started", "turn.completed"] {
        let note = talk.until(of_turns).await;
        let event = &note["params"]["event"];
        assert_eq!(
            (&event["kind"], &event["subject"]),
            (&json!(kind), &json!("member/ada"))
        );
    }
    talk.call(4, "event/unsubscribe", json!({"subscription": 2}))
        .await;
    let again = talk
        .refused(5, "event/unsubscribe", json!({"subscription": 2}))
        .await;
    assert_eq!(again, (-32004, "subscription.not_found".to_owned()));
    // Another session goes on in the middle.
    let mut other = Talk::with(&server);
    other
        .call(1, "event/subscribe", json!({"after": head + 2}))
        .await;
    assert_eq!(other.event().await["seq"], head + 3);
}

#[tokio::test(start_paused = true)]
async fn text_comes_beside_the_journal_where_it_is_wanted() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    let wanted = json!({"deltas": true, "kinds": "turn.completed"});
    talk.call(1, "event/subscribe", wanted).await;
    talk.ask(2, "member/send", json!({"to": "ada", "content": "stream"}))
        .await;
    let mut text = String::new();
    while text != "one two three" {
        let note = talk.note("event/delta").await;
        text.push_str(note["delta"]["text"].as_str().expect("text"));
    }
    assert_eq!(talk.event().await["kind"], "turn.completed");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_cannot_be_followed_is_refused() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    let ahead = talk
        .refused(1, "event/subscribe", json!({"after": 9_999}))
        .await;
    assert_eq!(ahead, (-32009, "cursor_ahead".to_owned()));
    // As retention does.
    let trimmed = server
        .memory
        .trim(server.engine.mob(), crate::kit::trim(3, Time(BASE.0 + 1)))
        .await;
    assert_eq!(trimmed.expect("trimmed"), 3);
    talk.ask(2, "event/subscribe", json!({"after": 1})).await;
    let expired = talk.answer(2).await;
    assert_eq!(error(&expired), (-32010, "cursor_expired".to_owned()));
    assert_eq!(expired["error"]["data"]["oldest"], 3);
    let unknown = talk
        .refused(3, "event/subscribe", json!({"kind": "x"}))
        .await;
    assert_eq!(unknown, (-32602, "params.unknown_field".to_owned()));
    for id in 4..36 {
        talk.call(id, "event/subscribe", json!({})).await;
    }
    let many = talk.refused(36, "event/subscribe", json!({})).await;
    assert_eq!(many, (-32011, "session.busy".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_does_not_read_is_left() {
    let server = Server::up().await;
    let mut talk = Talk::over(&server, 512);
    talk.ask(1, "event/subscribe", json!({"after": 0})).await;
    assert_eq!(talk.ended.await.expect("ended"), SessionEnd::SlowReader);
    // The mob has not noticed.
    server
        .call("member/ask", json!({"to": "ada", "content": "hello"}))
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_the_end_of_the_input_is_answered() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    talk.ask(1, "member/ask", json!({"to": "ada", "content": "hello"}))
        .await;
    talk.close();
    (&mut talk.gone).await.expect("told");
    let engine = server.engine.clone();
    let answering = async {
        assert_eq!(talk.answer(1).await["result"]["text"], "echo: hello");
        assert_eq!(talk.next().await, None);
        talk.ended.await.expect("ended")
    };
    let (report, end) = futures::join!(engine.shutdown(), answering);
    assert_eq!(end, SessionEnd::ClientGone);
    assert!(report.is_orderly());
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_while_the_mob_starts_waits_for_it() {
    let options = Options {
        starting: true,
        ..Options::default()
    };
    let server = Server::with(options).await;
    let mut talk = Talk::with(&server);
    talk.call(1, "event/subscribe", json!({"kinds": "runtime.ready"}))
        .await;
    talk.ask(2, "member/ask", json!({"to": "ada", "content": "hello"}))
        .await;
    server.engine.bring_up().await.expect("brought up");
    assert_eq!(talk.event().await["kind"], "runtime.ready");
    assert_eq!(talk.answer(2).await["result"]["text"], "echo: hello");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_streams_and_waits_with_a_last_word() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    talk.call(1, "event/subscribe", json!({})).await;
    talk.ask(2, "member/ask", json!({"to": "ada", "content": "hang"}))
        .await;
    talk.ask(3, "system/shutdown", json!({"wait": true})).await;
    assert_eq!(talk.answer(3).await["result"]["state"], "stopped");
    let given_up = error(&talk.answer(2).await);
    assert_eq!(given_up.1, "runtime.stopping");
    let last = talk.note("event/ended").await;
    assert_eq!(
        last,
        json!({"subscription": 1, "reason": "runtime.stopping"})
    );
    assert_eq!(talk.ended.await.expect("ended"), SessionEnd::Stopped);
}

#[tokio::test(start_paused = true)]
async fn the_start_waits_for_what_the_first_line_serves() {
    let starting = || Options {
        starting: true,
        ..Options::default()
    };
    let tool = json!({"name": "pay", "description": "Pays.", "schema": {}});
    for (params, starts) in [
        (json!({"discovery": true}), true),
        (json!({"tools": [tool]}), false),
        (json!({"discovry": true}), false),
    ] {
        let server = Server::with(starting()).await;
        let mut talk = Talk::with(&server);
        talk.ask(1, "host/register", params).await;
        assert_eq!(talk.answer(1).await.get("result").is_some(), starts);
        assert_eq!((&mut talk.may_start).await.is_ok(), starts);
    }
    let server = Server::with(starting()).await;
    let mut talk = Talk::with(&server);
    talk.say("nonsense").await;
    (&mut talk.may_start).await.expect("nothing is waited for");
}

#[tokio::test(start_paused = true)]
async fn a_program_is_asked_and_told_when_nobody_waits() {
    let server = Server::up().await;
    let mut talk = Talk::with(&server);
    let schema = json!({"type": "object"});
    let tool = json!({"name": "fetch", "description": "Fetches.", "schema": schema});
    let host = talk
        .call(1, "host/register", json!({"tools": [tool]}))
        .await;
    assert_eq!(host["tools"], json!(["fetch"]));
    let hosts = server.engine.hosts().clone();
    let asked = |message: &Value| message["method"] == "tool/call";

    let answering = async {
        let request = talk.until(asked).await;
        assert_eq!(request["params"], json!({"n": 1}));
        talk.say(
            &json!({"jsonrpc": "2.0", "id": request["id"], "result": {"result": 2}}).to_string(),
        )
        .await;
    };
    let (answer, ()) = futures::join!(hosts.call_tool("fetch", json!({"n": 1})), answering);
    assert_eq!(answer, Ok(json!({"result": 2})));

    let mut given_up = Box::pin(hosts.call_tool("fetch", json!({"n": 2})));
    let request = tokio::select! {
        biased;
        request = talk.until(asked) => request,
        answer = &mut given_up => panic!("{answer:?}"),
    };
    drop(given_up);
    let withdrawn = talk.note("$/cancelRequest").await;
    assert_eq!(withdrawn, json!({"id": request["id"]}));

    let mut lost = Box::pin(hosts.call_tool("fetch", json!({"n": 3})));
    tokio::select! {
        biased;
        _ = talk.until(asked) => {}
        answer = &mut lost => panic!("{answer:?}"),
    }
    talk.close();
    assert_eq!(lost.await, Err(HostFailure::Lost));
    server
        .until(|event| matches!(event, Event::HostLeft(_)))
        .await;
    let away = hosts.call_tool("fetch", json!({})).await;
    assert_eq!(away, Err(HostFailure::Away));
}
