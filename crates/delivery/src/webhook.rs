//! Webhooks: a signed request for each attempt (Standard Webhooks).

use crate::guard::{Guard, Lookup, is_public};
use crate::retry_after::retry_after_ms;
use crate::sending::{SendFailure, Sending, Sent, excerpt};
use crate::signature::Keys;
use futures::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use std::error::Error;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an attempt may take in all.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of an answer is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Where a webhook is sent, with its secrets.
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) keys: Option<Keys>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) allow_private: bool,
}

/// A sink that sends webhooks.
pub(crate) struct WebhookSink {
    client: Client,
    url: Url,
    keys: Option<Keys>,
    headers: HeaderMap,
    allow_private: bool,
}

impl WebhookSink {
    /// A sink for one route. The error names what is wrong with its settings, never a value.
    pub(crate) fn new(webhook: Webhook, lookup: Arc<dyn Lookup>) -> Result<Self, String> {
        let guard = Guard::new(lookup, webhook.allow_private);
        let client = Client::builder()
            .dns_resolver(Arc::new(guard))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ATTEMPT_TIMEOUT)
            .user_agent(concat!("mobkit/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("the HTTP client can't be made: {}", chain(&error)))?;
        let url = Url::parse(&webhook.url).map_err(|error| format!("the URL is none: {error}"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &webhook.headers {
            let bad = || format!("the header {name} can't be sent");
            let name: HeaderName = name.parse().map_err(|_| bad())?;
            let mut value: HeaderValue = value.parse().map_err(|_| bad())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(Self {
            client,
            url,
            keys: webhook.keys,
            headers,
            allow_private: webhook.allow_private,
        })
    }

    /// Makes one attempt. The receiver knows a repetition by its `webhook-id`, so one that was cut
    /// short may be made again.
    pub(crate) async fn send(&self, sending: &Sending) -> Sent {
        if let Some(refused) = self.inner_literal() {
            return Sent::Failed(refused);
        }
        let body = match serde_json::to_vec(&sending.payload) {
            Ok(body) => body,
            Err(error) => {
                return Sent::Failed(SendFailure {
                    hopeless: true,
                    ..SendFailure::of(format!("the payload can't be written: {error}"))
                });
            }
        };
        let timestamp_s = sending.now.0.div_euclid(1_000);
        let mut request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &sending.id)
            .header("webhook-timestamp", timestamp_s);
        if let Some(keys) = &self.keys {
            let signature = keys.sign(&sending.id, timestamp_s, &body);
            request = request.header("webhook-signature", signature);
        }
        match request.body(body).send().await {
            Ok(response) => answered(response, sending).await,
            Err(error) => Sent::Failed(SendFailure::of(chain(&error.without_url()))),
        }
    }

    /// An address in the URL itself is looked up by nobody, so it is checked here.
    fn inner_literal(&self) -> Option<SendFailure> {
        let host = self.url.host_str()?;
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        let address: IpAddr = literal.parse().ok()?;
        if self.allow_private || is_public(address) {
            return None;
        }
        let reason = format!("{address} is not public; allow_private = true lets it pass");
        Some(SendFailure {
            hopeless: true,
            ..SendFailure::of(reason)
        })
    }
}

async fn answered(response: Response, sending: &Sending) -> Sent {
    let status = response.status();
    let code = Some(status.as_u16());
    let asked = response.headers().get(RETRY_AFTER).cloned();
    let excerpt = excerpt(&beginning(response).await);
    if status.is_success() {
        return Sent::Delivered {
            status: code,
            excerpt,
        };
    }
    let reason = match status {
        StatusCode::GONE => "the receiver answered 410: it wants nothing more".to_owned(),
        _ if status.is_redirection() => {
            format!("the receiver answered {status}; redirects are not followed")
        }
        _ => format!("the receiver answered {status}"),
    };
    let asked = asked.as_ref().and_then(|value| value.to_str().ok());
    Sent::Failed(SendFailure {
        status: code,
        reason,
        excerpt,
        retry_after_ms: asked.and_then(|value| retry_after_ms(value, sending.now)),
        gone: status == StatusCode::GONE,
        hopeless: false,
    })
}

/// The beginning of an answer; what can't be read any more is left out.
async fn beginning(response: Response) -> Vec<u8> {
    let mut stream = response.bytes_stream();
    let mut read = Vec::new();
    while read.len() < ANSWER_BYTES_MAX {
        match stream.next().await {
            Some(Ok(piece)) => read.extend_from_slice(&piece),
            Some(Err(_)) | None => break,
        }
    }
    read.truncate(ANSWER_BYTES_MAX);
    read
}

/// An error with everything that led to it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.ends_with(&text) {
            // Writing to a string can't fail.
            let _ = write!(line, ": {text}");
        }
        source = cause.source();
    }
    line
}
