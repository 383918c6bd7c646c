//! JSON-RPC 2.0 over HTTP.

use super::api::json;
use super::body;
use crate::gateway::{Caller, Gateway, find};
use crate::input::Input;
use crate::problem::{RPC_PARSE, RPC_REQUEST, response, rpc_error};
use crate::strict;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{Response, StatusCode};
use futures::future::join_all;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Most requests of a batch.
const BATCH_MAX: usize = 100;

/// `POST /rpc`. The requests of a batch run side by side; the answers stand in their order.
/// Notifications get no answer, and where nothing is to be answered the status is 204.
pub(super) async fn rpc(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response<Body> {
    let bytes = match body::read(request.into_body()).await {
        Ok(bytes) => bytes,
        Err(refusal) => return response(&refusal),
    };
    let answer = match strict::from_slice(&bytes) {
        Ok(Value::Array(batch)) => answer_batch(&gateway, &caller, batch).await,
        Ok(single) => answer(&gateway, &caller, single).await,
        // Nobody can say which request of a batch is meant, nor what its id is.
        Err(error) => Some(failure(&error.refusal(RPC_PARSE), &Value::Null)),
    };
    if let Some(answer) = answer {
        return json(&answer);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

async fn answer_batch(gateway: &Gateway, caller: &Caller, batch: Vec<Value>) -> Option<Value> {
    let wrong = if batch.is_empty() {
        Some("a batch holds at least one request".to_owned())
    } else if batch.len() > BATCH_MAX {
        Some(format!(
            "a batch holds at most {BATCH_MAX} requests, not {}",
            batch.len()
        ))
    } else if caller.key.is_some() {
        Some("an Idempotency-Key can't stand for a batch; give each request a `key`".to_owned())
    } else {
        None
    };
    if let Some(message) = wrong {
        return Some(failure(&not_a_request(message), &Value::Null));
    }
    let answers = join_all(batch.into_iter().map(|one| answer(gateway, caller, one))).await;
    let answers: Vec<Value> = answers.into_iter().flatten().collect();
    (!answers.is_empty()).then_some(Value::Array(answers))
}

/// The answer to one request; `None` for a notification.
async fn answer(gateway: &Gateway, caller: &Caller, request: Value) -> Option<Value> {
    let call = match read(request) {
        Ok(call) => call,
        Err((refusal, id)) => return Some(failure(&refusal, &id)),
    };
    let result = async {
        let operation = find(&call.method)?;
        let input = Input::of_json(call.params)?;
        gateway.call(caller, operation, input).await
    };
    let result = result.await;
    let id = call.id?;
    Some(match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "result": result, "id": id }),
        Err(refusal) => failure(&refusal, &id),
    })
}

struct Call {
    method: String,
    params: Value,
    /// Absent in a notification.
    id: Option<Value>,
}

/// Reads a request object; an error comes with the id to answer under.
fn read(request: Value) -> Result<Call, (Refusal, Value)> {
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

fn not_a_request(message: String) -> Refusal {
    Refusal::new(RefusalKind::Invalid, RPC_REQUEST, message)
        .hint("write {\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"mob/status\", \"params\": {}}")
}

fn failure(refusal: &Refusal, id: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "error": rpc_error(refusal), "id": id })
}
