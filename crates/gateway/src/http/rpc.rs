//! JSON-RPC 2.0 over HTTP.

use super::api::json;
use super::body;
use crate::gateway::{Caller, Gateway, find};
use crate::input::Input;
use crate::operation::BODY_BYTES_MAX;
use crate::problem::{RPC_PARSE, response};
use crate::rpc::{answered, check_batch, failure, not_a_request, read};
use crate::strict;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{Response, StatusCode};
use futures::future::join_all;
use serde_json::Value;
use std::sync::Arc;

/// `POST /rpc`. The requests of a batch run side by side; the answers stand in their order.
/// Notifications get no answer, and where nothing is to be answered the status is 204.
pub(super) async fn rpc(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response<Body> {
    let bytes = match body::read(request.into_body(), BODY_BYTES_MAX).await {
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
    let checked = check_batch(&batch).and_then(|()| match &caller.key {
        Some(_) => Err(not_a_request(
            "an Idempotency-Key can't stand for a batch; give each request a `key`".to_owned(),
        )),
        None => Ok(()),
    });
    if let Err(refusal) = checked {
        return Some(failure(&refusal, &Value::Null));
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
    Some(answered(result, &call.id?))
}
