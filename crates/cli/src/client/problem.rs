//! What a server's refusal means for the exit code: the one table from kinds to codes.

use super::hint::in_commands;
use crate::failure::{Exit, Failure};
use mobkit::definition::Diagnostic;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The exit code of a kind of refusal.
fn exit_of_kind(kind: &str) -> Option<Exit> {
    Some(match kind {
        "invalid" => Exit::Usage,
        "unauthenticated" | "denied" => Exit::Denied,
        "missing" | "gone" => Exit::Missing,
        "conflict" => Exit::Conflict,
        "unavailable" => Exit::Unreachable,
        "busy" | "internal" => Exit::Failed,
        _ => return None,
    })
}

/// The code of an ask whose answer did not come in time; the turn goes on.
const ASK_TIMED_OUT: &str = "ask.timed_out";

/// The codes of a tool call that gave no result: the server is there, the tool or its module has
/// failed.
const CALL_FAILED: [&str; 3] = ["tool.failed", "tool.unknown", "module.unavailable"];

/// What helps where a server does not know what every server of this version knows.
const OTHER_VERSION: &str = "the server is of another version: compare `mobkit version` with \
                             `mobkit status`, and use the same for both";

/// What the codes of an invalid mob file begin with.
const DEFINITION: &str = "definition.";

/// The exit code of a refusal that says its code or its kind.
fn exit_of(code: Option<&str>, kind: Option<&str>) -> Option<Exit> {
    if code == Some(ASK_TIMED_OUT) {
        return Some(Exit::TimedOut);
    }
    if code.is_some_and(|code| CALL_FAILED.contains(&code)) {
        return Some(Exit::Failed);
    }
    if kind == Some("invalid") && code.is_some_and(|code| code.starts_with(DEFINITION)) {
        return Some(Exit::Config);
    }
    kind.and_then(exit_of_kind)
}

/// The exit code of an answer that is not in our shape, e.g. of a proxy.
fn exit_of_status(status: u16) -> Exit {
    match status {
        400 | 405 | 406 | 413 | 414 | 415 | 422 => Exit::Usage,
        401 | 403 | 407 => Exit::Denied,
        404 | 410 => Exit::Missing,
        408 | 504 => Exit::TimedOut,
        409 | 412 => Exit::Conflict,
        502 | 503 => Exit::Unreachable,
        _ => Exit::Failed,
    }
}

/// The exit code of a JSON-RPC error without a kind.
fn exit_of_rpc(code: i64) -> Exit {
    match code {
        -32_700 | -32_602..=-32_600 => Exit::Usage,
        -32_001 | -32_003 => Exit::Denied,
        -32_004 | -32_010 => Exit::Missing,
        -32_009 => Exit::Conflict,
        -32_012 => Exit::Unreachable,
        _ => Exit::Failed,
    }
}

/// Reads an HTTP answer that is not a success (RFC 9457, or anything else).
pub(super) fn failure_of_http(status: u16, retry_after: Option<&str>, body: &str) -> Failure {
    let problem: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| problem.get(name).and_then(Value::as_str);
    let exit = exit_of(text("code"), text("kind")).unwrap_or_else(|| exit_of_status(status));
    let message = text("detail").or_else(|| text("title")).map_or_else(
        || format!("the server answered with HTTP status {status}"),
        str::to_owned,
    );
    let code = text("code").map_or_else(|| format!("http.{status}"), str::to_owned);
    let mut failure = Failure::new(exit, code, message);
    if matches!(text("code"), Some("operation.not_found" | "path.not_found")) {
        // What this program calls exists in its own version.
        failure = failure.hint(OTHER_VERSION);
    } else if let Some(hint) = text("hint") {
        failure = failure.hint(in_commands(hint));
    }
    if matches!(status, 429 | 502 | 503) || matches!(text("kind"), Some("busy" | "unavailable")) {
        failure = failure.passing(pause(&problem, retry_after));
    }
    facts(failure, &problem)
}

/// Reads the `error` of a JSON-RPC response.
pub(crate) fn failure_of_rpc(error: &Value) -> Failure {
    let number = error["code"].as_i64().unwrap_or_default();
    let data = error["data"].as_object().cloned().unwrap_or_default();
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let exit = exit_of(text("code"), text("kind")).unwrap_or_else(|| exit_of_rpc(number));
    let code = text("code").map_or_else(|| format!("rpc.{number}"), str::to_owned);
    let message = error["message"]
        .as_str()
        .unwrap_or("the server refused and does not say why");
    let mut failure = Failure::new(exit, code, message);
    if let Some(hint) = text("hint") {
        failure = failure.hint(hint);
    }
    facts(failure, &data)
}

/// Keeps what else the problem says, without the members that have a place already.
fn facts(mut failure: Failure, problem: &Map<String, Value>) -> Failure {
    const PLACED: [&str; 9] = [
        "type",
        "title",
        "status",
        "detail",
        "code",
        "hint",
        "message",
        "error",
        "retry_after_ms",
    ];
    for (name, value) in problem {
        if !PLACED.contains(&name.as_str()) {
            failure = failure.fact(name, value.clone());
        }
    }
    let diagnostics = problem.get("diagnostics").cloned().unwrap_or_default();
    let diagnostics: Vec<Diagnostic> = serde_json::from_value(diagnostics).unwrap_or_default();
    if let Some(first) = diagnostics.first() {
        failure = failure.at(json!({"file": first.file, "line": first.line, "col": first.column}));
    }
    diagnostics.iter().map(told).fold(failure, Failure::finding)
}

/// A diagnostic of a file that only the server has.
fn told(diagnostic: &Diagnostic) -> String {
    let Diagnostic {
        severity,
        code,
        message,
        file,
        line,
        column,
        ..
    } = diagnostic;
    let head = format!(
        "{}[{code}]: {message}\n --> {file}:{line}:{column}",
        severity.as_str()
    );
    match &diagnostic.hint {
        Some(hint) => format!("{head}\n  = hint: {hint}\n"),
        None => format!("{head}\n"),
    }
}

fn pause(problem: &Map<String, Value>, retry_after: Option<&str>) -> Option<Duration> {
    let ms = problem
        .get("retry_after_ms")
        .and_then(Value::as_u64)
        .map(Duration::from_millis);
    ms.or_else(|| retry_after?.trim().parse().ok().map(Duration::from_secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_decides_and_the_status_stands_in_for_it() {
        for (status, body, exit, passing) in [
            (400, json!({"kind": "invalid"}), Exit::Usage, false),
            (401, json!({"kind": "unauthenticated"}), Exit::Denied, false),
            (403, json!({"kind": "denied"}), Exit::Denied, false),
            (404, json!({"kind": "missing"}), Exit::Missing, false),
            (409, json!({"kind": "conflict"}), Exit::Conflict, false),
            (410, json!({"kind": "gone"}), Exit::Missing, false),
            (503, json!({"kind": "busy"}), Exit::Failed, true),
            (503, json!({"kind": "unavailable"}), Exit::Unreachable, true),
            (
                503,
                json!({"kind": "unavailable", "code": "tool.failed"}),
                Exit::Failed,
                true,
            ),
            (500, json!({"kind": "internal"}), Exit::Failed, false),
            (404, json!("plain"), Exit::Missing, false),
            (502, json!(null), Exit::Unreachable, true),
            (418, json!({}), Exit::Failed, false),
        ] {
            let failure = failure_of_http(status, None, &body.to_string());
            assert_eq!(
                (failure.exit(), failure.is_passing()),
                (exit, passing),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_problem_keeps_its_code_detail_hint_and_facts() {
        let body = json!({
            "type": "about:blank", "title": "Gone", "status": 410, "detail": "too old",
            "code": "cursor_expired", "kind": "gone", "hint": "start at 5", "oldest": 5,
        });
        let failure = failure_of_http(410, None, &body.to_string());
        assert_eq!(
            (failure.code(), failure.message()),
            ("cursor_expired", "too old")
        );
        assert_eq!(failure.next_step(), "start at 5");
        assert_eq!(failure.get("oldest"), Some(&json!(5)));
    }

    #[test]
    fn the_server_may_say_when_to_come_back() {
        let body = json!({"kind": "busy", "retry_after_ms": 250}).to_string();
        let after = |header, body: &str| failure_of_http(503, header, body).retry_after();
        assert_eq!(after(Some("1"), &body), Some(Duration::from_millis(250)));
        assert_eq!(after(Some("3"), ""), Some(Duration::from_secs(3)));
        assert_eq!(after(Some("Wed, 21 Oct 2026 07:28:00 GMT"), ""), None);
    }

    #[test]
    fn rpc_errors_mean_the_same() {
        for (error, exit) in [
            (json!({"code": -32602, "message": "m"}), Exit::Usage),
            (json!({"code": -32601, "message": "m"}), Exit::Usage),
            (json!({"code": -32001, "message": "m"}), Exit::Denied),
            (json!({"code": -32003, "message": "m"}), Exit::Denied),
            (json!({"code": -32004, "message": "m"}), Exit::Missing),
            (json!({"code": -32009, "message": "m"}), Exit::Conflict),
            (json!({"code": -32010, "message": "m"}), Exit::Missing),
            (json!({"code": -32011, "message": "m"}), Exit::Failed),
            (json!({"code": -32012, "message": "m"}), Exit::Unreachable),
            (json!({"code": -32603, "message": "m"}), Exit::Failed),
            (
                json!({"code": 1, "message": "m", "data": {"kind": "conflict"}}),
                Exit::Conflict,
            ),
        ] {
            assert_eq!(failure_of_rpc(&error).exit(), exit, "{error}");
        }
        let error =
            json!({"code": -32004, "message": "no x", "data": {"code": "member.not_found"}});
        assert_eq!(failure_of_rpc(&error).code(), "member.not_found");
    }
}
