//! A remote server.

use super::failure::Failures;
use super::tied::Tied;
use crate::client::ClientError;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Most redirects of one request.
const REDIRECTS_MAX: usize = 5;
/// Most requests whose answers have not begun.
const REQUESTS_MAX: usize = 256;
/// How often and how long apart a stream that broke off is taken up again.
const RESUMES_MAX: usize = 8;
const RESUME_PAUSE_MAX: Duration = Duration::from_secs(30);

/// Headers that are the protocol's own.
const OWN_HEADERS: [&str; 5] = [
    "accept",
    "content-type",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
];

/// A server at an address, with the headers that each request carries.
pub(super) struct Remote {
    client: reqwest::Client,
    config: StreamableHttpClientTransportConfig,
    pub(super) failures: Failures,
}

impl Remote {
    /// Prepares requests; none is made. The error names a header, never its value.
    pub(super) fn new(url: &str, headers: &BTreeMap<String, String>) -> Result<Self, ClientError> {
        let failures = Failures::without(headers.values());
        let refused = |text: String| ClientError::Refused(failures.line(&text));
        let address = Url::parse(url).map_err(|error| refused(format!("the address: {error}")))?;
        let mut custom = HashMap::new();
        for (name, value) in headers {
            let (name, value) = header(name, value).map_err(refused)?;
            custom.insert(name, value);
        }
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("mobkit/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            // A request on a connection that the server has just closed is lost, and nobody can
            // say whether it was carried out.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::custom(redirect));
        if is_local(&address) {
            http = http.no_proxy();
        }
        let client = http.build();
        let client = client.map_err(|error| refused(format!("TLS can't be set up: {error}")))?;
        let mut resume = ExponentialBackoff::default();
        resume.max_times = Some(RESUMES_MAX);
        resume.max_delay = Some(RESUME_PAUSE_MAX);
        let mut config = StreamableHttpClientTransportConfig::with_uri(url)
            .max_concurrent_requests(REQUESTS_MAX)
            .custom_headers(custom);
        config.retry_config = Arc::new(resume);
        Ok(Self {
            client,
            config,
            failures,
        })
    }

    /// A conversation that has not begun. Every request of it ends when `end` fires.
    pub(super) fn transport(&self, end: CancellationToken) -> StreamableHttpClientTransport<Tied> {
        let tied = Tied {
            http: self.client.clone(),
            failures: self.failures.clone(),
            end,
        };
        StreamableHttpClientTransport::with_client(tied, self.config.clone())
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let parsed = HeaderName::try_from(name);
    let parsed = parsed.map_err(|_| format!("`{name}` is no name of a header"))?;
    if OWN_HEADERS.contains(&parsed.as_str()) {
        return Err(format!("the header `{name}` belongs to the protocol"));
    }
    let value = HeaderValue::try_from(value);
    let mut value = value.map_err(|_| format!("the value of the header `{name}` can't be sent"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// Follows a redirect that keeps the message and stays with the server: any other would lose the
/// message, or give the headers away.
fn redirect(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let keeps_message = matches!(attempt.status().as_u16(), 307 | 308);
    let first = attempt.previous().first();
    let stays = first.is_some_and(|first| first.origin() == attempt.url().origin());
    if keeps_message && stays && attempt.previous().len() <= REDIRECTS_MAX {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// Whether the server runs on this machine: no proxy leads there.
fn is_local(address: &Url) -> bool {
    let host = address.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let ip = host.parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}
