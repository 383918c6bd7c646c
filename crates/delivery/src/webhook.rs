//! Webhooks: a signed request for each attempt (Standard Webhooks).

mod answer;
mod fault;

use crate::guard::{Guard, Lookup};
use crate::redaction::Redaction;
use crate::sending::{SendFailure, Sending, Sent};
use crate::signature::Keys;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to come about, the look-up of the name included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an attempt may take up to the head of the answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// Headers that are ours, or that say where a request ends.
const RESERVED: [&str; 10] = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "connection",
    "content-length",
    "expect",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Parts of a URL from this length on may be tokens.
const TOKEN_LEN_MIN: usize = 16;

/// Where a webhook is sent, with its secrets.
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) keys: Option<Keys>,
    /// Names, values, and whether the value is a secret.
    pub(crate) headers: Vec<(String, String, bool)>,
    pub(crate) allow_private: bool,
}

/// A sink that sends webhooks.
pub(crate) struct WebhookSink {
    client: Client,
    url: Url,
    host: String,
    keys: Option<Keys>,
    headers: HeaderMap,
    guard: Guard,
    redaction: Redaction,
}

impl WebhookSink {
    /// A sink for one route. The failure says what is wrong with its settings, never a value.
    pub(crate) fn new(webhook: Webhook, lookup: Arc<dyn Lookup>) -> Result<Self, SendFailure> {
        let guard = Guard::new(lookup, webhook.allow_private);
        let client = Client::builder()
            .dns_resolver(Arc::new(guard.clone()))
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            // Every attempt looks its host up and leaves no connection behind.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("mobkit/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                let cause = fault::cause(&error);
                SendFailure::of(format!("the HTTP client can't be made: {cause}"))
            })?;
        let no_url = |reason: &str| SendFailure::hopeless(format!("the URL is none: {reason}"));
        let url = Url::parse(&webhook.url).map_err(|error| no_url(&error.to_string()))?;
        let host = url
            .host_str()
            .ok_or_else(|| no_url("it has no host"))?
            .to_owned();
        let secrets = webhook
            .headers
            .iter()
            .filter(|(_, _, is_secret)| *is_secret);
        let secrets = secrets.map(|(_, value, _)| value.clone());
        Ok(Self {
            client,
            redaction: Redaction::of(secrets.chain(tokens(&url))),
            headers: header_map(&webhook.headers)?,
            url,
            host,
            keys: webhook.keys,
            guard,
        })
    }

    /// Whether the receiver knows the sender no more, so that its keys should be read again.
    pub(crate) fn refuses_credentials(sent: &Sent) -> bool {
        matches!(sent, Sent::Failed(failure) if matches!(failure.status, Some(401 | 403)))
    }

    /// Makes one attempt. The receiver knows a repetition by its `webhook-id`, so one that was cut
    /// short may be made again.
    pub(crate) async fn send(&self, sending: &Sending) -> Sent {
        // An address in the URL itself is looked up by nobody, so it is checked here.
        let literal = Guard::literal(&self.host);
        if let Some(Err(error)) = literal.map(|address| self.guard.check(&self.host, address)) {
            return Sent::Failed(SendFailure::hopeless(error.to_string()));
        }
        let request = match self.request(sending) {
            Ok(request) => request,
            Err(failure) => return Sent::Failed(failure),
        };
        match tokio::time::timeout(ATTEMPT_TIMEOUT, request.send()).await {
            Ok(Ok(response)) => {
                answer::outcome(response, &self.host, sending.now, &self.redaction).await
            }
            Ok(Err(error)) => {
                let reason = fault::reason(&error, &self.host);
                Sent::Failed(SendFailure::of(self.redaction.text(&reason)))
            }
            Err(_) => {
                let limit_s = ATTEMPT_TIMEOUT.as_secs();
                let reason = format!("{} did not answer within {limit_s} s", self.host);
                Sent::Failed(SendFailure::of(reason))
            }
        }
    }

    fn request(&self, sending: &Sending) -> Result<RequestBuilder, SendFailure> {
        let body = serde_json::to_vec(&sending.payload).map_err(|error| {
            SendFailure::hopeless(format!("the payload can't be written: {error}"))
        })?;
        let id = HeaderValue::from_str(&sending.id)
            .map_err(|_| SendFailure::hopeless("the id of the delivery can't be a header"))?;
        let timestamp_s = sending.now.0.div_euclid(1_000);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        headers.insert("webhook-id", id);
        headers.insert("webhook-timestamp", HeaderValue::from(timestamp_s));
        if let Some(keys) = &self.keys {
            let signature = keys.sign(&sending.id, timestamp_s, &body);
            let signature = HeaderValue::from_str(&signature).expect("base64 is visible ASCII");
            headers.insert("webhook-signature", signature);
        }
        Ok(self
            .client
            .post(self.url.clone())
            .headers(headers)
            .body(body))
    }
}

fn header_map(headers: &[(String, String, bool)]) -> Result<HeaderMap, SendFailure> {
    let mut map = HeaderMap::new();
    for (name, value, _) in headers {
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            let reason = format!("the header {name} is set by mobkit; take it out of the route");
            return Err(SendFailure::hopeless(reason));
        }
        let bad = || SendFailure::of(format!("the header {name} can't be sent as it is"));
        let name: HeaderName = name.parse().map_err(|_| bad())?;
        let mut value: HeaderValue = value.parse().map_err(|_| bad())?;
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}

/// What of a URL may be a token: the path, the query, and the longer parts of both. Receivers like
/// to say which path they don't know.
fn tokens(url: &Url) -> Vec<String> {
    let (path, query) = (url.path(), url.query().unwrap_or_default());
    let parts = path.split('/').chain(query.split(['&', '=']));
    let long = [path, query].into_iter().chain(parts);
    long.filter(|part| part.len() >= TOKEN_LEN_MIN)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
