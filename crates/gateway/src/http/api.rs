//! Operations over plain HTTP.

use super::body;
use crate::gateway::{Caller, Gateway, find};
use crate::input::Input;
use crate::operation::Operation;
use crate::problem::{METHOD_NOT_ALLOWED, response};
use crate::strict;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Query, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Response, Uri};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde_json::Value;
use std::sync::Arc;

/// `POST /api/v1/<noun>/<verb>` with the parameters as JSON; `GET` with them in the query.
pub(super) async fn operate(
    State(gateway): State<Arc<Gateway>>,
    path: Result<Path<(String, String)>, PathRejection>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response<Body> {
    // A path that is no text names no operation.
    let name = path.map_or_else(
        |_| String::new(),
        |Path((noun, verb))| format!("{noun}/{verb}"),
    );
    let operation = match find(&name) {
        Ok(operation) => operation,
        Err(refusal) => return response(&refusal),
    };
    let method = request.method().clone();
    let input = if method == Method::POST {
        posted(request, operation.body_bytes_max).await
    } else if operation.is_read() && (method == Method::GET || method == Method::HEAD) {
        queried(request.uri()).map(Input::Query)
    } else {
        return wrong_method(operation, &method);
    };
    let answer = match input {
        Ok(input) => gateway.call(&caller, operation, input).await,
        Err(refusal) => Err(refusal),
    };
    match answer {
        Ok(value) => json(&value),
        Err(refusal) => response(&refusal),
    }
}

/// An answer of JSON.
pub(super) fn json(value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn posted(request: Request, bytes_max: usize) -> Result<Input, Refusal> {
    if request.uri().query().is_some_and(|query| !query.is_empty()) {
        let message = "the parameters of a POST are given in its body, not in the URL";
        return Err(Refusal::new(
            RefusalKind::Invalid,
            "params.in_query",
            message,
        ));
    }
    let bytes = body::read(request.into_body(), bytes_max).await?;
    if bytes.trim_ascii().is_empty() {
        return Input::of_json(Value::Null);
    }
    let value = strict::from_slice(&bytes).map_err(|error| error.refusal("request.malformed"))?;
    Input::of_json(value)
}

/// The pairs of a query string, decoded.
pub(super) fn queried(uri: &Uri) -> Result<Vec<(String, String)>, Refusal> {
    Query::try_from_uri(uri)
        .map(|Query(pairs)| pairs)
        .map_err(|error| {
            let message = format!("the query can't be read: {error}");
            Refusal::new(RefusalKind::Invalid, "request.malformed", message)
        })
}

fn wrong_method(operation: &Operation, method: &Method) -> Response<Body> {
    let allowed = if operation.is_read() {
        "GET, HEAD, POST"
    } else {
        "POST"
    };
    let message = format!("{method} is not a method of {}", operation.name);
    let refusal = Refusal::new(RefusalKind::Invalid, METHOD_NOT_ALLOWED, message)
        .hint(format!("use {allowed}"));
    let mut response = response(&refusal);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
