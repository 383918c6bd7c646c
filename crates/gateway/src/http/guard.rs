//! What every request passes: where it comes from, to whom it is addressed, and who sends it.

use crate::access::Access;
use crate::gateway::{Caller, Gateway};
use crate::problem::response;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response};
use axum::middleware::Next;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use std::net::SocketAddr;
use std::sync::Arc;

/// Marks every answer of a server whose models are replaced by rehearsal.
const REHEARSAL: HeaderName = HeaderName::from_static("mobkit-rehearsal");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Marks answers as not to be kept by anybody on the way.
pub(super) async fn stamped(request: Request, next: Next) -> Response<Body> {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Checks host, origin and URL of every request.
pub(super) async fn placed(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let placed = gateway
        .access
        .check_place(&parts)
        .and_then(|()| Access::check_url(&parts));
    if let Err(refusal) = placed {
        return refused(&gateway, &parts, &refusal);
    }
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if gateway.engine.is_rehearsal() {
        response
            .headers_mut()
            .insert(REHEARSAL, HeaderValue::from_static("true"));
    }
    response
}

/// Finds out who calls.
pub(super) async fn authenticated(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    match caller(&gateway, &parts) {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(refusal) => refused(&gateway, &parts, &refusal),
    }
}

fn caller(gateway: &Gateway, parts: &Parts) -> Result<Caller, Refusal> {
    let principal = gateway.access.authenticate(parts)?;
    let key = match parts.headers.get(IDEMPOTENCY_KEY) {
        None => None,
        Some(key) => Some(key.to_str().map_err(|_| unreadable_key())?.to_owned()),
    };
    let trace = parts
        .headers
        .get(TRACEPARENT)
        .and_then(|value| trace_id(value.to_str().ok()?));
    Ok(Caller {
        principal,
        trace,
        key,
        remote: remote(parts),
    })
}

fn unreadable_key() -> Refusal {
    let message = "the header Idempotency-Key is not plain ASCII";
    Refusal::new(RefusalKind::Invalid, "key.malformed", message)
}

/// The trace id of a `traceparent` (W3C Trace Context, section 3.2); a malformed one counts as
/// none.
fn trace_id(header: &str) -> Option<String> {
    let mut parts = header.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let well_formed = version.len() == 2 && version != "ff" && trace.len() == 32;
    let zero = trace.bytes().all(|b| b == b'0');
    (well_formed && hex(version) && hex(trace) && !zero).then(|| trace.to_owned())
}

fn remote(parts: &Parts) -> Option<SocketAddr> {
    parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0)
}

fn refused(gateway: &Gateway, parts: &Parts, refusal: &Refusal) -> Response<Body> {
    let path = parts.uri.path();
    gateway
        .denials
        .note(&gateway.engine, path, refusal, remote(parts));
    response(refusal)
}

#[cfg(test)]
mod tests {
    use super::trace_id;

    #[test]
    fn a_trace_id_is_taken_from_a_well_formed_header_only() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(
            trace_id(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(),
            Some(id)
        );
        let zero = "0".repeat(32);
        for bad in [
            "",
            "00",
            id,
            &format!("ff-{id}-00-01"),
            &format!("00-{zero}-00-01"),
        ] {
            assert_eq!(trace_id(bad), None, "{bad:?}");
        }
    }
}
