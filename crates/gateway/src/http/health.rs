//! Whether the process lives, whether it takes work, and what it is.

use super::api::json;
use crate::gateway::Gateway;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use mobkit_domain::lifecycle::Phase;
use serde_json::json;
use std::sync::Arc;

/// `GET /healthz`: 200 unless the runtime has failed.
pub(super) async fn healthz(State(gateway): State<Arc<Gateway>>) -> Response<Body> {
    let phase = gateway.engine.phase().now();
    answer(phase != Phase::Failed, phase)
}

/// `GET /readyz`: 200 while the runtime takes work.
pub(super) async fn readyz(State(gateway): State<Arc<Gateway>>) -> Response<Body> {
    let phase = gateway.engine.phase().now();
    answer(phase == Phase::Running, phase)
}

fn answer(good: bool, phase: Phase) -> Response<Body> {
    let mut response = json(&json!({ "ok": good, "state": phase }));
    if !good {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

/// `GET /`: what answers here, and where to go on.
pub(super) async fn root(State(gateway): State<Arc<Gateway>>) -> Response<Body> {
    json(&json!({
        "name": "mobkit",
        "version": gateway.engine.version(),
        "api": "/api/v1/<noun>/<verb>",
        "rpc": "/rpc",
        "events": "/api/v1/events",
        "health": ["/healthz", "/readyz"],
        "metrics": "/metrics",
        "openapi": "/openapi.json",
        "openrpc": "/openrpc.json",
    }))
}
