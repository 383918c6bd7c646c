//! What can go wrong with a call of Anthropic's or Google's, and what it is called then.

use crate::chat_server::{Caller, End, KEY, ORIGIN, Script, asked};
use mobkit_domain::model::{Failure, FailureClass};
use serde_json::{Value, json};

/// The callers, each with the beginning of an answer of its provider.
fn callers() -> [(Caller, Value); 2] {
    let text = json!({ "type": "content_block_delta", "index": 0,
        "delta": { "type": "text_delta", "text": "Good " } });
    let parts = json!({ "candidates": [{ "content": { "parts": [{ "text": "Good " }] } }] });
    [(Caller::anthropic(), text), (Caller::gemini(), parts)]
}

async fn failure(caller: &Caller, script: Script) -> Failure {
    let outcome = caller.call(asked("hello"), script).await;
    outcome.result.expect_err("a failure")
}

#[tokio::test]
async fn statuses_have_the_same_classes_everywhere() {
    let cases = [
        ("429 Too Many Requests", FailureClass::RateLimited),
        ("500 Internal Server Error", FailureClass::Server),
        ("503 Service Unavailable", FailureClass::Server),
        ("529 Overloaded", FailureClass::Server),
        ("401 Unauthorized", FailureClass::Unauthorized),
        ("403 Forbidden", FailureClass::Unauthorized),
        ("400 Bad Request", FailureClass::Rejected),
        ("404 Not Found", FailureClass::Rejected),
    ];
    for (caller, _) in callers() {
        for (status, class) in cases {
            let body = r#"{"type":"error","error":{"type":"an_error","message":"Sorry"}}"#;
            let script = Script::status(status, body).header("retry-after", "3");
            let failure = failure(&caller, script).await;
            assert_eq!(failure.class, class, "{} {status}", caller.model);
            if class != FailureClass::Unauthorized {
                let said = format!("HTTP {}: Sorry", &status[..3]);
                assert!(failure.reason.ends_with(&said), "{}", failure.reason);
                assert_eq!(failure.retry_after_ms, Some(3_000));
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_named_by_its_origin_and_never_shown() {
    let anthropic = json!({ "type": "error", "error": {
        "type": "authentication_error", "message": format!("invalid x-api-key {KEY}"),
    } });
    // Google calls a wrong key a bad request, and says in its details what it means.
    let gemini = json!({ "error": {
        "code": 400, "status": "INVALID_ARGUMENT",
        "message": format!("API key not valid: {KEY}"),
        "details": [{ "reason": "API_KEY_INVALID", "domain": "googleapis.com" }],
    } });
    let cases = [
        (Caller::anthropic(), "401 Unauthorized", anthropic),
        (Caller::gemini(), "400 Bad Request", gemini),
    ];
    for (caller, status, body) in cases {
        let script = Script::status(status, &body.to_string());
        let failure = failure(&caller, script).await;
        assert_eq!(failure.class, FailureClass::Unauthorized);
        let number = &status[..3];
        let said = format!("HTTP {number}: the key {ORIGIN} is refused");
        assert!(failure.reason.ends_with(&said), "{}", failure.reason);
    }
}

#[tokio::test]
async fn google_says_in_the_body_how_long_to_wait() {
    let body = json!({ "error": {
        "code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Slow down",
        "details": [{ "reason": "RATE" }, { "retryDelay": "7.5s" }],
    } });
    let script = Script::status("429 Too Many Requests", &body.to_string());
    let plain = failure(&Caller::gemini(), script).await;
    let streamed = failure(&Caller::gemini(), Script::events(&[body])).await;
    for failure in [plain, streamed] {
        assert_eq!(failure.class, FailureClass::RateLimited);
        assert_eq!(failure.retry_after_ms, Some(7_500));
        assert!(failure.reason.ends_with(": Slow down"), "{failure:?}");
    }
}

#[tokio::test]
async fn an_error_in_the_middle_of_an_answer_has_the_class_that_it_names() {
    let named =
        |kind: &str| json!({ "type": "error", "error": { "type": kind, "message": "Sorry" } });
    let status = |code: u16, status: &str| json!({ "error": { "code": code, "status": status } });
    let [(anthropic, begun), (gemini, parts)] = callers();
    let cases = [
        (
            &anthropic,
            &begun,
            named("overloaded_error"),
            FailureClass::Server,
        ),
        (
            &anthropic,
            &begun,
            named("rate_limit_error"),
            FailureClass::RateLimited,
        ),
        (
            &anthropic,
            &begun,
            named("invalid_request_error"),
            FailureClass::Rejected,
        ),
        (
            &anthropic,
            &begun,
            named("authentication_error"),
            FailureClass::Unauthorized,
        ),
        (
            &gemini,
            &parts,
            status(503, "UNAVAILABLE"),
            FailureClass::Server,
        ),
        (
            &gemini,
            &parts,
            status(429, "RESOURCE_EXHAUSTED"),
            FailureClass::RateLimited,
        ),
        (
            &gemini,
            &parts,
            status(400, "INVALID_ARGUMENT"),
            FailureClass::Rejected,
        ),
    ];
    for (caller, begun, error, class) in cases {
        let script = Script::named_events(&[begun.clone(), error.clone()]);
        assert_eq!(failure(caller, script).await.class, class, "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_ends_early_was_cut() {
    for (caller, begun) in callers() {
        for end in [End::Clean, End::Drop] {
            let script = Script::named_events(std::slice::from_ref(&begun)).end(end);
            let class = failure(&caller, script).await.class;
            assert_eq!(class, FailureClass::Cut, "{}", caller.model);
        }
        let class = failure(&caller, Script::events(&[])).await.class;
        assert_eq!(class, FailureClass::Cut, "{}", caller.model);
    }
}

#[tokio::test]
async fn an_answer_against_the_protocol_of_others_is_garbage() {
    for (caller, _) in callers() {
        let broken = "event: content_block_start\ndata: {\"candidates\": [\n\n";
        for body in [broken, "<html>login</html>\n"] {
            let class = failure(&caller, Script::body(body)).await.class;
            assert_eq!(class, FailureClass::Garbage, "{} {body}", caller.model);
        }
    }
}

#[tokio::test]
async fn silence_of_others_is_a_timeout() {
    for (caller, begun) in callers() {
        let caller = Caller {
            timeout_ms: 400,
            ..caller
        };
        for script in [
            Script::mute(),
            Script::named_events(std::slice::from_ref(&begun)).end(End::Hang),
        ] {
            let class = failure(&caller, script).await.class;
            assert_eq!(class, FailureClass::Timeout, "{}", caller.model);
        }
    }
}
