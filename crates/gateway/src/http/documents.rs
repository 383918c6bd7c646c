//! `GET /openapi.json` and `GET /openrpc.json`: the operations, for programs that write clients.

use super::api::json;
use super::openapi;
use crate::gateway::{Caller, Gateway};
use crate::problem::response;
use crate::rpc;
use crate::stream::admit;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::Response;
use serde_json::Value;
use std::sync::Arc;

/// `GET /openapi.json`.
pub(super) async fn openapi(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
) -> Response<Body> {
    described(&gateway, &caller, "openapi", openapi::document)
}

/// `GET /openrpc.json`.
pub(super) async fn openrpc(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
) -> Response<Body> {
    described(&gateway, &caller, "openrpc", rpc::document)
}

fn described(
    gateway: &Gateway,
    caller: &Caller,
    name: &str,
    document: fn(&str) -> Value,
) -> Response<Body> {
    match admit(gateway, caller, name) {
        Ok(()) => json(&document(gateway.engine.version())),
        Err(refusal) => response(&refusal),
    }
}
