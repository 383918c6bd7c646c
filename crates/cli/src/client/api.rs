//! Calls of operations.

use super::locate::{Locator, Server};
use super::patience::persist;
use super::problem::failure_of_http;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::{Map, Value};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that is silent for longer than this has lost the request.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);
/// Without this a peer that vanished from the network would never be missed.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// A server takes no larger body, and may hang up while a larger one is still being sent.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Entries of one page of a list.
const PAGE: u64 = 500;
/// The code of the failure that the process of the server is no more.
pub(super) const SERVER_GONE: &str = "server.gone";

/// Talks to one server, wherever it is at the moment.
pub(crate) struct Client<'a> {
    pub output: &'a Output,
    locator: Locator,
    patience: Duration,
    plain: reqwest::Client,
    encrypted: std::cell::OnceCell<reqwest::Client>,
}

impl<'a> Client<'a> {
    /// `patience` is how long an outage may last before it is a failure.
    pub fn new(output: &'a Output, locator: Locator, patience: Duration) -> Result<Self, Failure> {
        // Plain HTTP is for this machine and its neighbours: no certificates, which a small
        // container lacks, and no proxy.
        let plain = build(reqwest::Client::builder().tls_certs_only([]).no_proxy())?;
        Ok(Self {
            output,
            locator,
            patience,
            plain,
            encrypted: std::cell::OnceCell::new(),
        })
    }

    /// The process of the server, where the state directory names it.
    pub fn pid(&self) -> Option<i32> {
        self.locator.locate().ok()?.pid
    }

    /// Calls an operation that may be repeated: a read, or a change that a repetition leaves as it
    /// is.
    pub async fn call(&self, operation: &str, params: &Value) -> Result<Value, Failure> {
        persist(self.output, self.patience, async || {
            self.call_once(operation, params).await
        })
        .await
    }

    /// Reads a whole list, page by page; `noun` names it in the answers.
    pub async fn pages(
        &self,
        operation: &str,
        mut params: Map<String, Value>,
        noun: &str,
    ) -> Result<Vec<Value>, Failure> {
        params.insert("limit".to_owned(), PAGE.into());
        let mut entries = Vec::new();
        loop {
            let mut page = self.call(operation, &Value::Object(params.clone())).await?;
            if let Value::Array(page) = page[noun].take() {
                entries.extend(page);
            }
            match page["next_cursor"].take() {
                Value::Null => return Ok(entries),
                cursor if params.get("cursor") == Some(&cursor) => return Ok(entries),
                cursor => params.insert("cursor".to_owned(), cursor),
            };
        }
    }

    /// Calls an operation once.
    pub async fn call_once(&self, operation: &str, params: &Value) -> Result<Value, Failure> {
        self.post(&format!("api/v1/{operation}"), params, Some(ANSWER_TIMEOUT))
            .await
    }

    /// Posts a document and reads the one that comes back.
    pub async fn post(
        &self,
        path: &str,
        body: &Value,
        timeout: Option<Duration>,
    ) -> Result<Value, Failure> {
        let (server, request) = self.request(Method::POST, path)?;
        let body = body.to_string();
        let bytes = body.len();
        let mut request = request.body(body).header(CONTENT_TYPE, "application/json");
        request = request.header(ACCEPT, "application/json");
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        let sent = request.send().await;
        if let Err(error) = &sent
            && bytes > BODY_BYTES_MAX
            && !error.is_connect()
            && !error.is_timeout()
        {
            return Err(too_large(bytes));
        }
        let response = accepted(&server, sent).await?;
        let text = response
            .text()
            .await
            .map_err(|error| lost(&server, &error))?;
        serde_json::from_str(&text).map_err(|error| not_ours(&server, &error.to_string()))
    }

    /// Opens a stream.
    pub async fn open(&self, path: &str, accept: &'static str) -> Result<Response, Failure> {
        let (server, request) = self.request(Method::GET, path)?;
        accepted(&server, request.header(ACCEPT, accept).send().await).await
    }

    fn request(&self, method: Method, path: &str) -> Result<(Server, RequestBuilder), Failure> {
        let server = self.locator.locate()?;
        let http = if server.url.scheme() == "https" {
            self.encrypted()?
        } else {
            &self.plain
        };
        let mut request = http.request(method, join(&server.url, path)?);
        if let Some(token) = &server.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        Ok((server, request))
    }

    fn encrypted(&self) -> Result<&reqwest::Client, Failure> {
        if let Some(client) = self.encrypted.get() {
            return Ok(client);
        }
        let client = build(reqwest::Client::builder())?;
        Ok(self.encrypted.get_or_init(|| client))
    }

    /// Repeats `attempt` through an outage.
    pub async fn persist<T>(
        &self,
        attempt: impl AsyncFnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        persist(self.output, self.patience, attempt).await
    }
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Failure> {
    builder
        // The token must not follow a redirection to somewhere else.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(KEEPALIVE)
        .user_agent(concat!("mobkit/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| {
            let message = format!("cannot set up HTTP: {}", cause(&error));
            Failure::new(Exit::Failed, "http.setup", message)
        })
}

/// The address of `path` under the server's own, which may have a path itself.
fn join(base: &Url, path: &str) -> Result<Url, Failure> {
    let whole = format!("{}/{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&whole).map_err(|error| {
        Failure::new(
            Exit::Usage,
            "url.malformed",
            format!("{whole} is no address: {error}"),
        )
    })
}

/// The response, where it is a success.
async fn accepted(
    server: &Server,
    sent: Result<Response, reqwest::Error>,
) -> Result<Response, Failure> {
    let response = sent.map_err(|error| unreachable(server, &error))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let header = response.headers().get(RETRY_AFTER);
    let retry_after = header
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = response.text().await.unwrap_or_default();
    Err(failure_of_http(
        status.as_u16(),
        retry_after.as_deref(),
        &body,
    ))
}

fn too_large(bytes: usize) -> Failure {
    let message = format!(
        "the server hung up on a request of {bytes} bytes; it takes at most {BODY_BYTES_MAX}"
    );
    Failure::new(Exit::Usage, "request.too_large", message)
        .hint("send less at once, or put the text where a tool of the agent can read it")
}

fn unreachable(server: &Server, error: &reqwest::Error) -> Failure {
    if let Some(pid) = server.pid.filter(|pid| environment::is_gone(*pid)) {
        let message = format!("the server of pid {pid} is gone");
        return Failure::new(Exit::Unreachable, SERVER_GONE, message).passing(None);
    }
    let message = format!("cannot reach {}: {}", shown(&server.url), cause(error));
    Failure::new(Exit::Unreachable, "server.unreachable", message).passing(None)
}

fn lost(server: &Server, error: &reqwest::Error) -> Failure {
    let message = format!(
        "lost {} in the middle of its answer: {}",
        shown(&server.url),
        cause(error)
    );
    Failure::new(Exit::Unreachable, "server.lost", message).passing(None)
}

fn not_ours(server: &Server, why: &str) -> Failure {
    let message = format!(
        "{} does not answer as mobkit does: {why}",
        shown(&server.url)
    );
    Failure::new(Exit::Failed, "server.foreign", message)
        .hint("check the address: something else may listen there")
}

/// The address without the slash at its end.
fn shown(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

/// The innermost cause, which is the one that a person can act on.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.downcast_ref::<std::io::Error>() {
        Some(io) if io.raw_os_error().is_some() => io.kind().to_string(),
        _ => innermost.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_live_under_a_path() {
        for (base, joined) in [
            ("http://h:1", "http://h:1/api/v1/mob/status"),
            ("http://h:1/", "http://h:1/api/v1/mob/status"),
            ("https://h/team", "https://h/team/api/v1/mob/status"),
        ] {
            let base = Url::parse(base).expect("an address");
            assert_eq!(
                join(&base, "api/v1/mob/status").expect("joined").as_str(),
                joined
            );
        }
    }
}
