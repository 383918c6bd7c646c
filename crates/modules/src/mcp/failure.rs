//! Failures of a conversation, in one line, without what is secret.

use super::excerpt::excerpt;
use super::lines::LineError;
use super::link::Link;
use crate::client::ClientError;
use crate::redaction::Redaction;
use rmcp::model::{ErrorData, ProtocolVersion};
use rmcp::service::{ClientInitializeError, ServiceError};
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::StreamableHttpError;
use std::error::Error;

/// What rmcp answers for a request that was under way when the server forgot the session. It looks
/// like an answer of the server, yet the request may have been carried out.
const SESSION_LOST: &str = "streamable HTTP session was re-initialized before the response arrived";

type HttpError = StreamableHttpError<reqwest::Error>;

/// Says what went wrong.
#[derive(Clone, Default)]
pub(super) struct Failures {
    redaction: Redaction,
}

impl Failures {
    /// Failures of requests with headers of these values, which appear in no text.
    pub(super) fn without<'h>(headers: impl Iterator<Item = &'h String>) -> Self {
        Self {
            redaction: Redaction::of(headers.cloned()),
        }
    }

    /// `text` on one line, without the secrets.
    pub(super) fn line(&self, text: &str) -> String {
        excerpt(&self.redaction.text(text.to_owned()))
    }

    /// The error without secrets that a server may have quoted in its answer.
    pub(super) fn clean(&self, error: HttpError) -> HttpError {
        match error {
            HttpError::UnexpectedServerResponse(said) => {
                let said = self.redaction.text(said.into_owned());
                HttpError::UnexpectedServerResponse(said.into())
            }
            other => other,
        }
    }

    /// What came of a request that has no result.
    pub(super) fn of_request(&self, error: ServiceError, link: &Link) -> ClientError {
        let lost = |text: &str| {
            let reason = link.reason();
            reason.unwrap_or_else(|| ClientError::Lost(self.line(text)))
        };
        match error {
            ServiceError::McpError(error) if error.message == SESSION_LOST => {
                lost("the server forgot the session before the answer came")
            }
            ServiceError::McpError(error) => ClientError::Refused(self.answered(&error)),
            ServiceError::TransportSend(error) => self.of_transport(&error),
            ServiceError::TransportClosed => lost("the connection broke before the answer came"),
            ServiceError::UnexpectedResponse => {
                ClientError::Failed("the answer has not the form of a result".to_owned())
            }
            other => lost(&other.to_string()),
        }
    }

    /// Why a conversation did not begin.
    pub(super) fn of_opening(&self, error: &ClientInitializeError, link: &Link) -> ClientError {
        let text = match error {
            ClientInitializeError::TransportError { error, .. } => {
                self.of_transport(error).to_string()
            }
            ClientInitializeError::LegacyFallbackFailed { fallback, .. } => {
                return self.of_opening(fallback, link);
            }
            ClientInitializeError::JsonRpcError(error) => {
                format!("it refuses to begin: {}", self.answered(error))
            }
            ClientInitializeError::NoCompatibleProtocolVersion {
                server_supported, ..
            } => {
                let versions = server_supported.iter().map(ProtocolVersion::as_str);
                let versions = versions.collect::<Vec<_>>().join(", ");
                self.line(&format!("it speaks no known version of MCP: {versions}"))
            }
            ClientInitializeError::ConnectionClosed(_) => {
                return link.reason().unwrap_or(ClientError::Closed);
            }
            // The others quote whole messages.
            _ => return ClientError::Broken("its first answer is not MCP".to_owned()),
        };
        ClientError::Refused(text)
    }

    fn answered(&self, error: &ErrorData) -> String {
        let words = super::result::cut(self.redaction.text(error.message.to_string()));
        format!("{words} (code {})", error.code.0)
    }

    /// Why a message did not go out, or was not answered over HTTP.
    fn of_transport(&self, error: &DynamicTransportError) -> ClientError {
        let error = error.error.as_ref();
        if let Some(error) = error.downcast_ref::<HttpError>() {
            return self.of_http(error);
        }
        match error.downcast_ref::<LineError>() {
            Some(LineError::Unread | LineError::Json(_)) => {
                ClientError::Refused(self.line(&error.to_string()))
            }
            Some(LineError::Io(_) | LineError::Closed) | None => {
                ClientError::Broken(self.line(&error.to_string()))
            }
        }
    }

    fn of_http(&self, error: &HttpError) -> ClientError {
        let refused = |text: String| ClientError::Refused(self.line(&text));
        let lost = |text: String| ClientError::Lost(self.line(&text));
        match error {
            HttpError::Client(error) if error.is_connect() => {
                refused(format!("the server can't be reached: {}", cause(error)))
            }
            HttpError::Client(error) => lost(format!("the connection broke: {}", cause(error))),
            HttpError::AuthRequired(_) => {
                refused("the server wants other credentials (HTTP 401)".to_owned())
            }
            HttpError::InsufficientScope(_) => {
                refused("the credentials do not suffice (HTTP 403)".to_owned())
            }
            HttpError::HttpStatus(error) => {
                let text = format!("the server answered HTTP {}", error.status);
                // Too many requests, and none for the moment: not even looked at.
                match error.status {
                    429 | 503 => refused(text),
                    _ => lost(text),
                }
            }
            HttpError::UnexpectedServerResponse(said) => match status(said) {
                Some(400..=499) => refused(format!("the server answered {said}")),
                Some(_) => lost(format!("the server answered {said}")),
                None => lost(format!("the answer of the server is not MCP: {said}")),
            },
            HttpError::UnexpectedContentType(found) => {
                let found = found.as_deref().unwrap_or("no content type");
                lost(format!("the answer of the server is not MCP: {found}"))
            }
            HttpError::ResponseBodyTooLarge { max_size } => {
                let mib = max_size / 1024 / 1024;
                ClientError::Failed(format!("the answer is larger than {mib} MiB"))
            }
            HttpError::SessionExpired
            | HttpError::SessionRecoveryTimeout
            | HttpError::ReinitializationFailed(_) => {
                lost("the server ended the session and began no other".to_owned())
            }
            other => lost(other.to_string()),
        }
    }
}

/// The status in the text that rmcp makes of an answer with an error status: it has no type for it.
fn status(said: &str) -> Option<u16> {
    said.strip_prefix("HTTP ")?.get(..3)?.parse().ok()
}

/// The cause at the bottom: what stands above may name the whole address.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if cause.is::<reqwest::Error>() {
        return "no cause is given".to_owned();
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_quotes_is_clean_before_anybody_sees_it() {
        let header = "Bearer hush-hush-9".to_owned();
        let failures = Failures::without(std::iter::once(&header));
        let said = "HTTP 400 Bad Request: Bearer hush-hush-9 is not hush-hush-8".into();
        let clean = failures.clean(HttpError::UnexpectedServerResponse(said));
        let shown = format!("{clean:?} {clean}");
        assert!(!shown.contains("hush-hush-9"), "{shown}");
        assert!(shown.contains("hush-hush-8"), "{shown}");
    }
}
