//! HTTP requests that end with whom they are made for.

use super::failure::Failures;
use futures::StreamExt;
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::common::client_side_sse::BoxedSseResponse;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
    StreamableHttpResponseLimits,
};
use std::collections::HashMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

type Headers = HashMap<HeaderName, HeaderValue>;
type Outcome<T> = Result<T, StreamableHttpError<reqwest::Error>>;

/// rmcp's HTTP client with an end. rmcp itself waits for the answer to its first request as long
/// as the server likes, even when the conversation was given up long ago: the request, its task and
/// its connection would stay. It also logs what a server answers, so that is cleaned here.
#[derive(Clone)]
pub(super) struct Tied {
    pub(super) http: reqwest::Client,
    pub(super) failures: Failures,
    /// Ends every request and every stream.
    pub(super) end: CancellationToken,
}

impl Tied {
    async fn until_end<T>(&self, request: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        tokio::select! {
            biased;
            () = self.end.cancelled() => Err(StreamableHttpError::TransportChannelClosed),
            outcome = request => outcome.map_err(|error| self.failures.clean(error)),
        }
    }

    fn stream_until_end(&self, stream: BoxedSseResponse) -> BoxedSseResponse {
        let end = self.end.clone().cancelled_owned();
        stream.take_until(end).boxed()
    }
}

impl StreamableHttpClient for Tied {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth: Option<String>,
        headers: Headers,
    ) -> Outcome<StreamableHttpPostResponse> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(uri, message, session, auth, headers, limits)
            .await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Outcome<StreamableHttpPostResponse> {
        let request = self
            .http
            .post_message_with_response_limits(uri, message, session, auth, headers, limits);
        Ok(match self.until_end(request).await? {
            StreamableHttpPostResponse::Sse(stream, session) => {
                StreamableHttpPostResponse::Sse(self.stream_until_end(stream), session)
            }
            other => other,
        })
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        auth: Option<String>,
        headers: Headers,
    ) -> Outcome<()> {
        let request = self.http.delete_session(uri, session, auth, headers);
        self.until_end(request).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        auth: Option<String>,
        headers: Headers,
    ) -> Outcome<BoxedSseResponse> {
        let limit = StreamableHttpResponseLimits::default().max_sse_event_size;
        self.get_stream_with_max_sse_event_size(uri, session, last_event, auth, headers, limit)
            .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        auth: Option<String>,
        headers: Headers,
        event_bytes_max: usize,
    ) -> Outcome<BoxedSseResponse> {
        let request = self.http.get_stream_with_max_sse_event_size(
            uri,
            session,
            last_event,
            auth,
            headers,
            event_bytes_max,
        );
        let stream = self.until_end(request).await?;
        Ok(self.stream_until_end(stream))
    }
}
