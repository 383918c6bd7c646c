//! One message.

use crate::fake::{Fake, Reply};
use crate::mob::{Mob, NDJSON, SSE};
use crate::program::{Place, Run};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server with a mob, and a folder that points to it.
fn with_mob() -> (Arc<Mob>, Fake, Place) {
    let mob = Arc::new(Mob::default());
    let shared = Arc::clone(&mob);
    let server = Fake::start(move |request| shared.answer(request));
    let place = Place::of(&server);
    (mob, server, place)
}

fn send(words: &[&str]) -> Run {
    let (_mob, _server, place) = with_mob();
    place.run(&[&["send", "desk"], words].concat())
}

#[test]
fn a_message_is_answered_with_its_id() {
    let (mob, server, place) = with_mob();
    let run = place.run(&["send", "desk", "hello"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "msg-1\n", "")
    );
    assert_eq!(mob.texts(), ["hello"]);
    let body = &server.seen()[0].body;
    assert_eq!(body["key"].as_str().map(str::len), Some(32), "{body}");
    let second = place.run(&["send", "desk", "hello"]);
    assert_eq!((second.code, mob.texts().len()), (0, 2));
}

#[test]
fn text_may_come_from_stdin_or_a_file() {
    let (mob, _server, place) = with_mob();
    assert_eq!(
        place.run_with(&["send", "desk", "-"], "from\nstdin\n").code,
        0
    );
    place.write("f.txt", "from file");
    assert_eq!(place.run(&["send", "desk", "--file", "f.txt"]).code, 0);
    assert_eq!(mob.texts(), ["from\nstdin\n", "from file"]);
    assert_eq!(place.run(&["send", "desk", "--file", "absent.txt"]).code, 4);
}

#[test]
fn the_same_key_is_sent_once_and_other_content_is_a_conflict() {
    let (mob, _server, place) = with_mob();
    for _ in 0..2 {
        let run = place.run(&["send", "desk", "hello", "--key", "k"]);
        assert_eq!((run.code, run.stdout.as_str()), (0, "msg-1\n"));
    }
    assert_eq!(place.run(&["send", "desk", "other", "--key", "k"]).code, 6);
    assert_eq!(mob.texts(), ["hello"]);
}

#[test]
fn a_member_that_is_not_there_is_4() {
    let (_mob, _server, place) = with_mob();
    let run = place.run(&["send", "nobody", "hello"]);
    assert_eq!(run.code, 4);
    assert!(
        run.stderr.contains("there is no member \"nobody\""),
        "{run:?}"
    );
}

#[test]
fn waiting_prints_the_answer_alone() {
    let run = send(&["hello", "--wait"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "re: hello\n"));
    assert!(run.stderr.contains("rehearsal"), "{run:?}");
    let run = send(&["hello", "--wait", "--json"]);
    let expected = json!({"message": "msg-1", "turn": "turn-1", "status": "completed", "seq": 4,
        "text": "re: hello", "rehearsal": true});
    assert_eq!((run.code, run.document()), (0, expected));
}

#[test]
fn an_answer_that_is_not_in_the_event_is_asked_for() {
    assert_eq!(send(&["long", "--wait"]).stdout, "a long answer\n");
}

#[test]
fn a_wait_that_is_over_does_not_count() {
    assert_eq!(send(&["resolved", "--wait"]).stdout, "after all\n");
}

#[test]
fn a_turn_without_an_answer_says_why() {
    for (text, code, error) in [
        (
            "fail",
            1,
            "error[turn.failed]: turn-1 failed: 429 from the model",
        ),
        (
            "human",
            8,
            "error[turn.waiting]: turn-1 waits: for a person, about call-1",
        ),
    ] {
        let run = send(&[text, "--wait"]);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{run:?}");
        assert!(run.stderr.contains(error), "{run:?}");
        let run = send(&[text, "--wait", "--json"]);
        assert_eq!(
            (run.code, &run.document()["turn"]),
            (code, &json!("turn-1")),
            "{run:?}"
        );
    }
}

#[test]
fn a_turn_that_waits_for_a_decision_says_how_to_decide() {
    let run = send(&["gated", "--wait", "--key", "k"]);
    assert_eq!((run.code, run.stdout.as_str()), (8, ""), "{run:?}");
    let told = "waiting for approval apr-4 (module:mail/send) - approve: mobkit approve apr-4\n";
    assert!(run.stderr.contains(told), "{run:?}");
    assert!(
        run.stderr.ends_with("repeat the command with --key k\n"),
        "{run:?}"
    );
    let quiet = send(&["gated", "--wait", "--quiet"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (8, told));
    let run = send(&["gated", "--wait", "--json", "--key", "k"]);
    let document = run.document();
    assert_eq!(run.code, 8, "{run:?}");
    for (name, value) in [
        ("status", "waiting"),
        ("approval", "apr-4"),
        ("tool", "module:mail/send"),
        ("turn", "turn-1"),
        ("message", "msg-1"),
        ("key", "k"),
    ] {
        assert_eq!(document[name], value, "{document}");
    }
    assert_eq!(document["error"]["code"], "turn.waiting");
}

#[test]
fn a_decision_that_was_made_does_not_count() {
    let run = send(&["decided", "--wait"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "let through\n"),
        "{run:?}"
    );
}

#[test]
fn who_goes_on_waiting_is_told_what_for() {
    let run = send(&["gated", "--wait", "--through-approvals", "--timeout", "1s"]);
    assert_eq!((run.code, run.stdout.as_str()), (7, ""), "{run:?}");
    let told = "waiting for approval apr-4 (module:mail/send) - approve: mobkit approve apr-4\n";
    assert!(run.stderr.contains(told), "{run:?}");
    let run = send(&["decided", "--wait", "--through-approvals"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "let through\n"),
        "{run:?}"
    );
}

#[test]
fn a_turn_ahead_that_waits_for_a_person_is_named() {
    let server = Fake::start(|request| match request.path.as_str() {
        "/api/v1/member/get" => Reply::Json(
            200,
            json!({"id": "desk", "turn": "turn-3", "state": "waiting",
                "waiting_on": {"what": "approval", "call": "call-4-1", "approval": "apr-5"}}),
        ),
        "/api/v1/member/send" => Reply::Json(200, json!({"message": "msg-9", "seq": 9})),
        "/api/v1/events" => Reply::Hold(NDJSON, String::new()),
        _ => Reply::Json(200, json!({})),
    });
    let run = Place::of(&server).run(&["send", "desk", "x", "--wait", "--timeout", "300ms"]);
    assert_eq!(run.code, 7, "{run:?}");
    let told = "msg-9 is behind a turn of desk that waits for approval apr-5 - approve: mobkit \
                approve apr-5\n";
    assert!(run.stderr.contains(told), "{run:?}");
}

#[test]
fn what_takes_too_long_goes_on_and_has_an_id() {
    let run = send(&["hang", "--wait", "--timeout", "300ms"]);
    assert_eq!((run.code, run.stdout.as_str()), (7, ""), "{run:?}");
    assert!(run.stderr.contains("msg-1 has no answer yet"), "{run:?}");
    assert!(
        run.stderr.contains("repeat the command with --key "),
        "{run:?}"
    );
}

#[test]
fn a_restart_in_between_is_invisible() {
    let mob = Arc::new(Mob::default());
    let (shared, count) = (Arc::clone(&mob), AtomicUsize::new(0));
    let server = Fake::start(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        // Lost on the way to the server, on the way back, and while it starts.
        0 => Reply::Vanish,
        1 => {
            shared.answer(request);
            Reply::Vanish
        }
        2 => {
            let body = json!({"kind": "busy", "code": "runtime.starting", "retry_after_ms": 1});
            Reply::Text(503, "application/problem+json", body.to_string())
        }
        _ => shared.answer(request),
    });
    let run = Place::of(&server).run(&["send", "desk", "hello", "--wait"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "re: hello\n"),
        "{run:?}"
    );
    assert_eq!(mob.texts(), ["hello"]);
    assert!(run.stderr.contains("trying again for up to 30s"), "{run:?}");
    assert!(run.stderr.contains("the server answers again"), "{run:?}");
}

#[test]
fn a_stream_that_breaks_goes_on_where_it_was() {
    let event = |seq: u64, kind: &str, data| {
        let event = json!({"seq": seq, "kind": kind, "subject": "member/desk", "data": data});
        format!("{event}\n")
    };
    let delivered = event(
        8,
        "message.delivered",
        json!({"message": "msg-7", "turn": "turn-9"}),
    );
    let completed = event(
        12,
        "turn.completed",
        json!({"turn": "turn-9", "text": "done"}),
    );
    let half = format!("{delivered}{}", &completed[..20]);
    let again = format!("{delivered}{completed}");
    let server = Fake::start(move |request| match request.path.as_str() {
        "/api/v1/events" if request.query["after"] == "6" => Reply::Cut(NDJSON, half.clone()),
        "/api/v1/events" if request.query["after"] == "8" => Reply::Hold(NDJSON, again.clone()),
        "/api/v1/member/send" => Reply::Json(200, json!({"message": "msg-7", "seq": 7})),
        _ => Reply::Json(200, json!({})),
    });
    let run = Place::of(&server).run(&["send", "desk", "x", "--wait"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "done\n"), "{run:?}");
    assert!(
        run.stderr.contains("after event 8; connecting again"),
        "{run:?}"
    );
}

/// Runs `send --stream` against a stream of these pieces and this answer.
fn stream(pieces: &[(u64, &str)], answer: &str, words: &[&str]) -> Run {
    let event = |name: &str, data| format!("event: {name}\ndata: {data}\n\n");
    let delivered = json!({"seq": 2, "kind": "message.delivered",
        "data": {"message": "msg-1", "turn": "turn-2"}});
    let mut text = event("message.delivered", delivered);
    text.push_str(&event(
        "delta",
        json!({"turn": "turn-0", "step": 1, "text": "of another"}),
    ));
    let thought = json!({"turn": "turn-2", "step": 1, "kind": "reasoning", "text": "hm"});
    if words.is_empty() {
        text.push_str(&event("delta", thought));
    }
    for (step, piece) in pieces {
        let delta = json!({"member": "desk", "turn": "turn-2", "step": step, "text": piece});
        text.push_str(&event("delta", delta));
    }
    let data = json!({"turn": "turn-2", "text": answer});
    let completed = json!({"seq": 5, "kind": "turn.completed", "data": data});
    text.push_str(&event("turn.completed", completed));
    let server = Fake::start(move |request| match request.path.as_str() {
        "/api/v1/events" => {
            assert_eq!(request.headers["accept"], SSE);
            Reply::Hold(SSE, text.clone())
        }
        "/api/v1/member/send" => Reply::Json(200, json!({"message": "msg-1", "seq": 1})),
        _ => Reply::Json(200, json!({})),
    });
    Place::of(&server).run(&[&["send", "desk", "x", "--stream"], words].concat())
}

#[test]
fn streamed_text_ends_as_the_whole_answer() {
    let run = stream(&[(1, "one "), (1, "two")], "one two", &[]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "one two\n"), "{run:?}");
    let lost_at_the_end = stream(&[(1, "one ")], "one two", &[]);
    assert_eq!(lost_at_the_end.stdout, "one two\n");
    let lost_in_the_middle = stream(&[(1, "one "), (1, "three")], "one two three", &[]);
    assert_eq!(lost_in_the_middle.stdout, "one three\none two three\n");
    assert!(
        lost_in_the_middle
            .stderr
            .contains("pieces of the text were lost")
    );
    let two_steps = stream(&[(1, "I look."), (2, "done")], "done", &[]);
    assert_eq!(two_steps.stdout, "I look.\ndone\n");
}

#[test]
fn streamed_json_is_one_document_per_piece_and_the_answer() {
    let run = stream(&[(1, "one")], "one", &["--json"]);
    let documents = run.documents();
    assert_eq!(documents.len(), 2, "{run:?}");
    assert_eq!(documents[0]["delta"]["text"], "one");
    assert_eq!(documents[1]["text"], "one");
}

/// Runs `send --wait` against an answer with this data.
fn answered(data: &Value, words: &[&str]) -> Run {
    let delivered = json!({"seq": 2, "kind": "message.delivered",
        "data": {"message": "msg-1", "turn": "turn-2"}});
    let completed = json!({"seq": 5, "kind": "turn.completed", "data": data});
    let text = format!("{delivered}\n{completed}\n");
    let server = Fake::start(move |request| match request.path.as_str() {
        "/api/v1/events" => Reply::Hold(NDJSON, text.clone()),
        "/api/v1/member/send" => Reply::Json(200, json!({"message": "msg-1", "seq": 1})),
        _ => Reply::Json(200, json!({})),
    });
    Place::of(&server).run(&[&["send", "desk", "x", "--wait"], words].concat())
}

#[test]
fn an_answer_that_was_cut_says_so() {
    let cut = json!({"turn": "turn-2", "text": "half of", "finish": "length"});
    let run = answered(&cut, &[]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "half of\n"), "{run:?}");
    assert!(run.stderr.contains("the answer is cut"), "{run:?}");
    let document = answered(&cut, &["--json"]).document();
    assert_eq!(
        (&document["finish"], &document["seq"]),
        (&json!("length"), &json!(5))
    );
    let whole = answered(&json!({"turn": "turn-2", "text": "all"}), &[]);
    assert!(!whole.stderr.contains("cut"), "{whole:?}");
}

#[test]
fn a_request_that_is_too_large_is_no_outage() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // It reads a little and hangs up.
            let _ = std::io::Read::read(&mut &stream, &mut [0; 1_024]);
        }
    });
    let place = Place::empty();
    place.write("large.txt", &"x".repeat(8 * 1024 * 1024));
    let run = place.run(&["send", "desk", "--file", "large.txt", "--url", &url]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
    assert!(
        run.stderr.starts_with("error[request.too_large]: "),
        "{}",
        run.stderr
    );
}

#[test]
fn a_server_whose_process_is_gone_is_named_by_its_pid() {
    let place = Place::of(&Fake::always(200, json!({})));
    let mut child = std::process::Command::new("true")
        .spawn()
        .expect("a process");
    let pid = child.id();
    child.wait().expect("it ends");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", free.local_addr().expect("bound"));
    drop(free);
    let record = json!({"pid": pid, "url": url, "started": "2026-11-22T06:00:00.000Z"});
    place.write(".mobkit/server.json", &record.to_string());
    let run = place.run(&["send", "desk", "x", "--timeout", "200ms"]);
    assert_eq!(run.code, 9, "{run:?}");
    let told = format!("the server of pid {pid} is gone; waiting for a new one for up to 200ms\n");
    assert!(run.stderr.starts_with(&told), "{run:?}");
    let run = place.run(&["ps"]);
    assert!(run.stderr.starts_with("error[server.gone]: "), "{run:?}");
}
