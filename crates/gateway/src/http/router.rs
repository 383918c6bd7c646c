//! The routes.

use super::{api, documents, events, guard, health, metrics, rpc, socket};
use crate::access::Access;
use crate::gateway::Gateway;
use crate::problem::{METHOD_NOT_ALLOWED, response};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_engine::Engine;
use std::any::Any;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// The HTTP surface of a mob, to be served or nested in any axum server.
///
/// * `POST /rpc`: JSON-RPC 2.0 over all operations, single or in batches.
/// * `GET /rpc/ws`: the same over a WebSocket, with subscriptions and callbacks.
/// * `POST /api/v1/<noun>/<verb>`, for operations that only look also `GET`.
/// * `GET /api/v1/events`: the journal as a stream, as server-sent events or as lines of JSON.
/// * `GET /metrics`: counts and levels, in the text format of OpenMetrics.
/// * `GET /openapi.json`, `GET /openrpc.json`: all of this for programs that write clients.
/// * `GET /healthz`, `GET /readyz`, `GET /`: open to everybody who may name the host.
///
/// Streams end by themselves when the mob stops; nothing here has to be polled or pumped.
pub fn router(engine: Engine, access: Access) -> Router {
    let gateway = Arc::new(Gateway::new(engine, access));
    let open = Router::new()
        .route("/", get(health::root))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .method_not_allowed_fallback(method_not_allowed);
    let guarded = Router::new()
        .route("/rpc", post(rpc::rpc))
        .route("/rpc/ws", get(socket::socket))
        .route("/api/v1/events", get(events::events))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(documents::openapi))
        .route("/openrpc.json", get(documents::openrpc))
        .route("/api/v1/{noun}/{verb}", any(api::operate))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(from_fn_with_state(
            Arc::clone(&gateway),
            guard::authenticated,
        ));
    open.merge(guarded)
        .layer(from_fn_with_state(Arc::clone(&gateway), guard::placed))
        .layer(from_fn(guard::stamped))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(gateway)
}

async fn not_found(request: Request) -> Response<Body> {
    let message = format!("there is nothing at {}", request.uri().path());
    response(
        &Refusal::new(RefusalKind::Missing, "path.not_found", message)
            .hint("operations are at /api/v1/<noun>/<verb>, events at /api/v1/events"),
    )
}

async fn method_not_allowed(request: Request) -> Response<Body> {
    let message = format!(
        "{} is not a method of {}",
        request.method(),
        request.uri().path()
    );
    response(&Refusal::new(
        RefusalKind::Invalid,
        METHOD_NOT_ALLOWED,
        message,
    ))
}

fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    let message = "the request failed on a defect of mobkit";
    response(
        &Refusal::new(RefusalKind::Internal, "internal.panic", message)
            .hint("the log of the process says where; please report it"),
    )
}
