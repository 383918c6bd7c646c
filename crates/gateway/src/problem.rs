//! How a refusal looks on each surface: the one table from kinds to HTTP and JSON-RPC.

use crate::schema::answered;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde_json::{Map, Value, json};

/// Every kind, in the order of the documentation.
pub(crate) const KINDS: [RefusalKind; 9] = [
    RefusalKind::Invalid,
    RefusalKind::Unauthenticated,
    RefusalKind::Denied,
    RefusalKind::Missing,
    RefusalKind::Conflict,
    RefusalKind::Gone,
    RefusalKind::Busy,
    RefusalKind::Unavailable,
    RefusalKind::Internal,
];

/// The HTTP status and the JSON-RPC code of a kind.
pub(crate) fn codes(kind: RefusalKind) -> (StatusCode, i64) {
    match kind {
        RefusalKind::Invalid => (StatusCode::BAD_REQUEST, -32602),
        RefusalKind::Unauthenticated => (StatusCode::UNAUTHORIZED, -32001),
        RefusalKind::Denied => (StatusCode::FORBIDDEN, -32003),
        RefusalKind::Missing => (StatusCode::NOT_FOUND, -32004),
        RefusalKind::Conflict => (StatusCode::CONFLICT, -32009),
        RefusalKind::Gone => (StatusCode::GONE, -32010),
        RefusalKind::Busy => (StatusCode::SERVICE_UNAVAILABLE, -32011),
        RefusalKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, -32012),
        RefusalKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, -32603),
    }
}

/// Refusals for which HTTP has a word of its own.
const OWN_STATUS: [(&str, StatusCode); 6] = [
    // One member is the limit, not the server.
    ("member.busy", StatusCode::TOO_MANY_REQUESTS),
    ("ask.timed_out", StatusCode::GATEWAY_TIMEOUT),
    (TOO_LARGE, StatusCode::PAYLOAD_TOO_LARGE),
    ("request.too_slow", StatusCode::REQUEST_TIMEOUT),
    ("request.not_acceptable", StatusCode::NOT_ACCEPTABLE),
    (METHOD_NOT_ALLOWED, StatusCode::METHOD_NOT_ALLOWED),
];

/// The code of a request with a method that its path does not take.
pub(crate) const METHOD_NOT_ALLOWED: &str = "request.method";

/// The HTTP status of a refusal.
pub(crate) fn status(refusal: &Refusal) -> StatusCode {
    let own = OWN_STATUS.iter().find(|(code, _)| *code == refusal.code);
    own.map_or_else(|| codes(refusal.kind).0, |(_, status)| *status)
}

/// What a program is told beside code and message, the facts of the refusal among it.
fn facts(refusal: &Refusal) -> Map<String, Value> {
    let mut facts = match &refusal.data {
        Value::Object(facts) => facts.clone(),
        Value::Null => Map::new(),
        other => Map::from_iter([("data".to_owned(), other.clone())]),
    };
    facts.insert("code".to_owned(), json!(refusal.code));
    facts.insert("kind".to_owned(), json!(refusal.kind));
    if let Some(hint) = &refusal.hint {
        facts.insert("hint".to_owned(), json!(hint));
    }
    if let Some(ms) = refusal.retry_after_ms {
        facts.insert("retry_after_ms".to_owned(), json!(ms));
    }
    facts
}

/// The document of a refusal (RFC 9457).
pub(crate) fn problem(refusal: &Refusal) -> Value {
    let status = status(refusal);
    let mut problem = facts(refusal);
    problem.insert("type".to_owned(), json!("about:blank"));
    problem.insert("title".to_owned(), json!(status.canonical_reason()));
    problem.insert("status".to_owned(), json!(status.as_u16()));
    problem.insert("detail".to_owned(), json!(refusal.message));
    Value::Object(problem)
}

/// The schema of what a program is told beside code and message.
pub(crate) fn facts_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "code": {
                "description": "Stable code, `<noun>.<reason>`; `mobkit explain` says more.",
                "type": "string",
            },
            "kind": answered::<RefusalKind>(),
            "hint": { "description": "The next step.", "type": "string" },
            "retry_after_ms": {
                "description": "After how many milliseconds a retry makes sense.",
                "type": "integer",
                "minimum": 0,
            },
        },
        "required": ["code", "kind"],
    })
}

/// The schema of the document of a refusal.
pub(crate) fn problem_schema() -> Value {
    let mut schema = facts_schema();
    schema["properties"]["type"] = json!({ "type": "string" });
    schema["properties"]["title"] = json!({ "type": ["string", "null"] });
    schema["properties"]["status"] = json!({ "type": "integer" });
    schema["properties"]["detail"] = json!({
        "description": "One line for a person: what and why.",
        "type": "string",
    });
    schema["required"] = json!(["type", "title", "status", "detail", "code", "kind"]);
    schema
}

/// The answer of HTTP to a refused request.
pub(crate) fn response(refusal: &Refusal) -> Response<Body> {
    let status = status(refusal);
    if status.is_server_error() && refusal.kind == RefusalKind::Internal {
        tracing::error!(code = refusal.code, "{refusal}");
    }
    let mut response = Response::new(Body::from(problem(refusal).to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(ms) = refusal.retry_after_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000).max(1)));
    }
    if refusal.kind == RefusalKind::Unauthenticated {
        let challenge = if refusal.code == "access.token_invalid" {
            r#"Bearer realm="mobkit", error="invalid_token""#
        } else {
            r#"Bearer realm="mobkit""#
        };
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

/// The `error` of JSON-RPC for a refusal.
pub(crate) fn rpc_error(refusal: &Refusal) -> Value {
    let code = match refusal.code.as_str() {
        OPERATION_NOT_FOUND => -32601,
        RPC_PARSE => -32700,
        RPC_REQUEST | TOO_LARGE => -32600,
        _ => codes(refusal.kind).1,
    };
    if code == -32603 {
        tracing::error!(code = refusal.code, "{refusal}");
    }
    json!({ "code": code, "message": refusal.message, "data": facts(refusal) })
}

/// The code of a request that is larger than any may be.
pub(crate) const TOO_LARGE: &str = "request.too_large";
/// The code of a call of an operation that does not exist.
pub(crate) const OPERATION_NOT_FOUND: &str = "operation.not_found";
/// The code of a JSON-RPC text that is no JSON.
pub(crate) const RPC_PARSE: &str = "rpc.parse";
/// The code of JSON that is no request of JSON-RPC.
pub(crate) const RPC_REQUEST: &str = "rpc.request";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_status_and_its_code() {
        let table = [
            (RefusalKind::Invalid, 400, -32602),
            (RefusalKind::Unauthenticated, 401, -32001),
            (RefusalKind::Denied, 403, -32003),
            (RefusalKind::Missing, 404, -32004),
            (RefusalKind::Conflict, 409, -32009),
            (RefusalKind::Gone, 410, -32010),
            (RefusalKind::Busy, 503, -32011),
            (RefusalKind::Unavailable, 503, -32012),
            (RefusalKind::Internal, 500, -32603),
        ];
        for (kind, expected_status, code) in table {
            let refusal = Refusal::new(kind, "noun.reason", "why");
            assert_eq!(status(&refusal).as_u16(), expected_status);
            assert_eq!(rpc_error(&refusal)["code"], code);
        }
    }

    #[test]
    fn no_kind_is_left_out() {
        let schema = answered::<RefusalKind>().to_string();
        let named = schema.matches(r#""const":"#).count();
        assert_eq!(named, KINDS.len(), "{schema}");
    }

    #[test]
    fn facts_never_hide_what_the_standard_names() {
        let refusal = Refusal::new(RefusalKind::Gone, "cursor_expired", "too old")
            .retry_after_ms(1_500)
            .data(json!({ "oldest": 5, "status": "x", "code": "y" }));
        let problem = problem(&refusal);
        assert_eq!(problem["status"], 410);
        assert_eq!(problem["code"], "cursor_expired");
        assert_eq!(problem["oldest"], 5);
        assert_eq!(response(&refusal).headers()[RETRY_AFTER], "2");
    }
}
