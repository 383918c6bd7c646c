//! What can go wrong with a call, and what it is called then.

use crate::chat_server::{Caller, End, KEY, ORIGIN, Script, asked, chunk};
use mobkit_agents::model::{Delta, ModelProvider, collect};
use mobkit_domain::model::{Failure, FailureClass};
use serde_json::json;
use std::io::Write;
use std::sync::{Arc, Mutex};

/// Long enough to connect to this machine, short enough to wait for.
const SHORT_MS: u64 = 400;

async fn failure(script: Script) -> Failure {
    let outcome = Caller::default().call(asked("hello"), script).await;
    outcome.result.expect_err("a failure")
}

async fn class(script: Script) -> FailureClass {
    failure(script).await.class
}

fn begun() -> Script {
    Script::events(&[chunk(&json!({ "content": "Good " }))])
}

#[tokio::test]
async fn a_refused_key_is_named_by_its_origin() {
    let body = json!({ "error": {
        "message": format!("Incorrect API key provided: sk-Zq81x***3Trd / {KEY}."),
        "code": "invalid_api_key",
    } });
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let failure = failure(Script::status(status, &body.to_string())).await;
        assert_eq!(failure.class, FailureClass::Unauthorized);
        let number = &status[..3];
        let reason = format!("openai-compatible small: HTTP {number}: the key {ORIGIN} is refused");
        assert_eq!(failure.reason, reason);
    }
}

#[tokio::test]
async fn a_wanted_key_that_is_not_set_is_said() {
    let caller = Caller {
        key: None,
        ..Caller::default()
    };
    let script = Script::status("401 Unauthorized", "{}");
    let failure = caller
        .call(asked("hello"), script)
        .await
        .result
        .expect_err("a failure");
    assert!(
        failure
            .reason
            .ends_with("HTTP 401: a key is wanted, and none is set")
    );
}

#[tokio::test]
async fn nothing_of_the_key_gets_into_a_reason_or_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log works");
    let body = format!("quota of {KEY} (sk-Zq81x...) is used up");
    let quota = failure(Script::status("429 Too Many Requests", &body)).await;
    let expected = "openai-compatible small: HTTP 429: quota of [redacted] ([redacted]) is used up";
    assert_eq!(quota.reason, expected);
    let event = json!({ "error": { "message": format!("{KEY} is over"), "code": 429 } });
    let late = failure(Script::events(&[event])).await;
    assert_eq!(late.class, FailureClass::RateLimited);
    let log = log.text();
    assert!(log.contains("the log works"));
    for reason in [&late.reason, &log] {
        assert!(!reason.contains("Zq81"), "{reason}");
    }
}

#[tokio::test]
async fn too_many_requests_tell_how_long_to_wait() {
    let limited = || Script::status("429 Too Many Requests", r#"{"error":{"message":"Slow"}}"#);
    let seconds = failure(limited().header("retry-after", "7")).await;
    assert_eq!(seconds.class, FailureClass::RateLimited);
    assert_eq!(seconds.retry_after_ms, Some(7_000));
    assert_eq!(seconds.reason, "openai-compatible small: HTTP 429: Slow");
    let date = limited()
        .header("date", "Wed, 21 Oct 2026 07:28:00 GMT")
        .header("retry-after", "Wed, 21 Oct 2026 07:28:05 GMT");
    assert_eq!(failure(date).await.retry_after_ms, Some(5_000));
    assert_eq!(failure(limited()).await.retry_after_ms, None);
}

#[tokio::test]
async fn other_statuses_have_their_classes() {
    let cases = [
        ("500 Internal Server Error", FailureClass::Server),
        ("503 Service Unavailable", FailureClass::Server),
        ("408 Request Timeout", FailureClass::Timeout),
        ("400 Bad Request", FailureClass::Rejected),
        ("404 Not Found", FailureClass::Rejected),
        ("302 Found", FailureClass::Rejected),
    ];
    for (status, expected) in cases {
        assert_eq!(
            class(Script::status(status, "<html>")).await,
            expected,
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_stream_that_ends_early_was_cut() {
    let outcome = Caller::default()
        .call(asked("hello"), begun().end(End::Drop))
        .await;
    assert_eq!(outcome.deltas, [Delta::Text("Good ".to_owned())]);
    assert_eq!(
        outcome.result.map_err(|failure| failure.class),
        Err(FailureClass::Cut)
    );
    assert_eq!(class(begun()).await, FailureClass::Cut);
    assert_eq!(class(Script::events(&[])).await, FailureClass::Cut);
}

#[tokio::test]
async fn an_end_mark_without_a_reason_to_stop_is_a_cut() {
    let script = Script::whole(&[chunk(&json!({ "content": "Good " }))]);
    assert_eq!(class(script).await, FailureClass::Cut);
}

#[tokio::test]
async fn an_answer_against_the_protocol_is_garbage() {
    let whole = json!({ "choices": [{ "message": { "content": "not streamed" } }] }).to_string();
    for body in [
        "data: {\"choices\": [\n\n",
        "<html>login</html>\n",
        &whole,
        "data: \u{0}\n\n",
    ] {
        assert_eq!(
            class(Script::body(body)).await,
            FailureClass::Garbage,
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_error_inside_the_stream_has_the_class_that_it_names() {
    let cases = [
        (
            json!({ "code": 503, "message": "busy" }),
            FailureClass::Server,
        ),
        (
            json!({ "code": "rate_limit_exceeded" }),
            FailureClass::RateLimited,
        ),
        (json!({ "type": "overloaded_error" }), FailureClass::Server),
        (
            json!({ "type": "invalid_request_error" }),
            FailureClass::Rejected,
        ),
        (
            json!({ "type": "authentication_error" }),
            FailureClass::Unauthorized,
        ),
        (json!("broken"), FailureClass::Server),
    ];
    for (error, expected) in cases {
        let script = Script::events(&[
            chunk(&json!({ "content": "Go" })),
            json!({ "error": error }),
        ]);
        assert_eq!(class(script).await, expected);
    }
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let caller = Caller {
        timeout_ms: SHORT_MS,
        ..Caller::default()
    };
    let cases = [
        (Script::mute(), "no whole answer within 400 ms"),
        (
            begun().end(End::Hang),
            "the answer began, and then nothing came for 200 ms",
        ),
    ];
    for (script, expected) in cases {
        let failure = caller
            .call(asked("hello"), script)
            .await
            .result
            .expect_err("a failure");
        assert_eq!(failure.class, FailureClass::Timeout);
        assert!(failure.reason.ends_with(expected), "{}", failure.reason);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_reached() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let model = Caller::default().model_at(&format!("http://ada:pw@{address}/v1"));
    let failure = collect(model.stream(asked("hello")), |_| {})
        .await
        .expect_err("a failure");
    assert_eq!(failure.class, FailureClass::Unreachable);
    let expected = format!("openai-compatible small: http://{address}/v1 can't be reached: ");
    assert!(failure.reason.starts_with(&expected), "{}", failure.reason);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("an unpoisoned lock")).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("an unpoisoned lock")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
