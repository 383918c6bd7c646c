//! `GET /api/v1/events`.

use super::api::queried;
use super::negotiate::Format;
use crate::gateway::{Caller, Gateway};
use crate::input::Input;
use crate::problem::response;
use crate::schema::{taken, with_surface};
use crate::stream::{Feed, Wanted, admit, open};
use crate::words::Words;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response};
use futures::stream::unfold;
use mobkit_domain::id::Seq;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;

const NAME: &str = "events";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Only events after this position. Without it a stream that follows begins with what is still
    /// to come, and one that ends begins with the oldest event that is kept.
    after: Option<Seq>,
    /// Kinds, each whole or by noun (`turn.*`), with commas.
    kinds: Option<Words>,
    /// Subject, whole or by noun (`member/*`).
    subject: Option<String>,
    /// Source.
    source: Option<String>,
    /// Whether to wait for what is still to come: by default in server-sent events only.
    follow: Option<bool>,
    /// Whether to carry text as it is written: by default in server-sent events only.
    deltas: Option<bool>,
}

/// The JSON Schema of what a query may say.
pub(super) fn params_schema() -> Value {
    with_surface(taken::<Params>(), false)
}

/// The journal as a stream.
pub(super) async fn events(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response<Body> {
    let (parts, _) = request.into_parts();
    match opened(&gateway, &caller, &parts).await {
        Ok((feed, format)) => stream(feed, format),
        Err(refusal) => response(&refusal),
    }
}

async fn opened(
    gateway: &Gateway,
    caller: &Caller,
    request: &Parts,
) -> Result<(Feed, Format), Refusal> {
    admit(gateway, caller, NAME)?;
    let mut input = Input::Query(queried(&request.uri)?);
    gateway.check_mob(input.take_text("mob")?)?;
    let params: Params = input.parse(NAME)?;
    let format = Format::of(&request.headers)?;
    let wanted = Wanted {
        after: last_event_id(&request.headers)?.or(params.after),
        kinds: params.kinds.as_ref(),
        subject: params.subject.as_deref(),
        source: params.source.as_deref(),
        follow: params.follow.unwrap_or(format == Format::Sse),
        deltas: params.deltas.unwrap_or(format == Format::Sse),
    };
    let feed = open(&gateway.engine, format.into(), wanted).await?;
    Ok((feed, format))
}

/// Where a browser goes on that lost its stream; wins over `after`, which it repeats unchanged.
fn last_event_id(headers: &HeaderMap) -> Result<Option<Seq>, Refusal> {
    let Some(header) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let text = header.to_str().unwrap_or("?").trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let message = "the header Last-Event-ID is not a position of this journal";
        Refusal::new(RefusalKind::Invalid, "cursor.malformed", message)
            .data(json!({ "field": "Last-Event-ID" }))
    })
}

fn stream(feed: Feed, format: Format) -> Response<Body> {
    let media_type = format.media_type();
    let chunks = unfold(feed, async |mut feed| {
        let chunk = feed.next().await?;
        Some((Ok::<_, Infallible>(chunk), feed))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
