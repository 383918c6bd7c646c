//! Lines as they are written and read: one JSON-RPC 2.0 object each.

use serde_json::{Value, json};

/// How long a line may be, in bytes, without its end; the runtime holds itself to the same.
pub const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How much of a broken line is quoted, in characters.
const QUOTED_CHARS_MAX: usize = 200;
/// The code of an answer that says that a call failed.
const CALL_FAILED: i64 = -32_000;

/// Why a request has no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// The connection has ended; nobody can say whether the request was carried out.
    #[error("{0}")]
    Closed(String),
    /// The runtime refused it.
    #[error("{message} ({code})")]
    Refused {
        /// The code of JSON-RPC, or one of the runtime's own.
        code: i64,
        /// Why, for a person.
        message: String,
        /// What it says of it for a program.
        data: Option<Value>,
    },
}

/// A line that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Frame {
    /// The answer to a request; `None`: its id is not one that was ever given here.
    Answer {
        id: Option<u64>,
        outcome: Result<Value, RequestError>,
    },
    /// It says something.
    Notification { method: String, params: Value },
    /// It wants an answer.
    Call {
        id: String,
        method: String,
        params: Value,
    },
}

/// Reads a line; the error says what is wrong with it, and quotes its beginning.
pub(super) fn read(line: &[u8]) -> Result<Frame, String> {
    let broken = |what: &str| format!("{what}: {}", quoted(line));
    let value: Value =
        serde_json::from_slice(line).map_err(|_| broken("wrote a line that is not JSON"))?;
    let Value::Object(mut fields) = value else {
        return Err(broken("wrote a line that is no JSON object"));
    };
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(broken("wrote a line that is not JSON-RPC 2.0"));
    }
    let id = fields.remove("id");
    let Some(method) = fields.remove("method") else {
        let id = id.ok_or_else(|| broken("wrote a line with neither id nor method"))?;
        let outcome = match (fields.remove("result"), fields.remove("error")) {
            (Some(result), None) => Ok(result),
            (None, Some(error)) => Err(refused(error)),
            _ => return Err(broken("wrote an answer that has not one result or error")),
        };
        if let (Value::Null, Err(error)) = (&id, &outcome) {
            return Err(format!("could not read what it was sent: {error}"));
        }
        let id = id.as_u64();
        return Ok(Frame::Answer { id, outcome });
    };
    let Value::String(method) = method else {
        return Err(broken("wrote a method that is no text"));
    };
    let params = fields.remove("params").unwrap_or_default();
    match id {
        None => Ok(Frame::Notification { method, params }),
        Some(Value::String(id)) => Ok(Frame::Call { id, method, params }),
        Some(_) => Err(broken("asks under an id that is no text")),
    }
}

fn refused(error: Value) -> RequestError {
    let Value::Object(mut error) = error else {
        return RequestError::Refused {
            code: 0,
            message: error.to_string(),
            data: None,
        };
    };
    let message = match error.remove("message") {
        Some(Value::String(message)) => message,
        _ => "it does not say why".to_owned(),
    };
    RequestError::Refused {
        code: error.get("code").and_then(Value::as_i64).unwrap_or(0),
        message,
        data: error.remove("data").filter(|data| !data.is_null()),
    }
}

/// The beginning of a line, for a message.
fn quoted(line: &[u8]) -> String {
    // A character has at most four bytes.
    let begin = &line[..line.len().min(4 * QUOTED_CHARS_MAX)];
    let text = String::from_utf8_lossy(begin);
    let shown: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    let more = if shown.len() < line.len() {
        " […]"
    } else {
        ""
    };
    format!("{shown:?}{more}")
}

pub(super) fn request(id: u64, method: &str, params: &Value) -> String {
    line(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
}

pub(super) fn notification(method: &str, params: &Value) -> String {
    line(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
}

pub(super) fn answer(id: &str, outcome: Result<Value, String>) -> String {
    line(&match outcome {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(message) => {
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": CALL_FAILED, "message": message}})
        }
    })
}

fn line(value: &Value) -> String {
    let mut line = value.to_string();
    line.push('\n');
    line
}
