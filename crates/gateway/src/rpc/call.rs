//! Requests of JSON-RPC 2.0, and how answers to them are written.

use crate::problem::{RPC_REQUEST, rpc_error};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde_json::{Map, Value, json};

/// Most requests of a batch.
const BATCH_MAX: usize = 100;

/// A request, or a notification.
pub(crate) struct Call {
    /// What is called.
    pub method: String,
    pub params: Value,
    /// Absent in a notification.
    pub id: Option<Value>,
}

/// Reads a request object; an error comes with the id to answer under.
pub(crate) fn read(request: Value) -> Result<Call, (Refusal, Value)> {
    let Value::Object(mut fields) = request else {
        let refusal = not_a_request("a request is a JSON object".to_owned());
        return Err((refusal, Value::Null));
    };
    let id = fields.remove("id");
    let known_id = match &id {
        Some(id @ (Value::String(_) | Value::Number(_))) => id.clone(),
        _ => Value::Null,
    };
    read_fields(fields, id).map_err(|why| (not_a_request(why.to_owned()), known_id))
}

fn read_fields(mut fields: Map<String, Value>, id: Option<Value>) -> Result<Call, &'static str> {
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err("`jsonrpc` must be \"2.0\"");
    }
    if !matches!(
        id,
        None | Some(Value::Null | Value::String(_) | Value::Number(_))
    ) {
        return Err("`id` must be a text, a number or null");
    }
    let Some(Value::String(method)) = fields.remove("method") else {
        return Err("`method` must be a text");
    };
    let params = match fields.remove("params") {
        None => Value::Null,
        Some(params @ (Value::Object(_) | Value::Array(_))) => params,
        Some(_) => return Err("`params` must be an object or a list"),
    };
    Ok(Call { method, params, id })
}

/// The refusal of JSON that is no request.
pub(crate) fn not_a_request(message: String) -> Refusal {
    Refusal::new(RefusalKind::Invalid, RPC_REQUEST, message)
        .hint("write {\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"mob/status\", \"params\": {}}")
}

/// The answer to a request that was refused.
pub(crate) fn failure(refusal: &Refusal, id: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "error": rpc_error(refusal), "id": id })
}

/// The answer to a request.
pub(crate) fn answered(result: Result<Value, Refusal>, id: &Value) -> Value {
    match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "result": result, "id": id }),
        Err(refusal) => failure(&refusal, id),
    }
}

/// Refuses a batch of a size that is none.
pub(crate) fn check_batch(batch: &[Value]) -> Result<(), Refusal> {
    match batch.len() {
        0 => Err(not_a_request(
            "a batch holds at least one request".to_owned(),
        )),
        1..=BATCH_MAX => Ok(()),
        size => Err(not_a_request(format!(
            "a batch holds at most {BATCH_MAX} requests, not {size}"
        ))),
    }
}
