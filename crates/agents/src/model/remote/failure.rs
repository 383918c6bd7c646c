//! What a failed call was.

use super::retry_after::wait_ms;
use crate::model::key::ApiKey;
use genai::webc::StreamTimeout;
use mobkit_domain::model::{Failure, FailureClass};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::error::Error;
use std::string::FromUtf8Error;

/// Most characters of a provider's own words in a reason.
const WORDS_CHARS_MAX: usize = 300;

/// Tells failures of one provider, without any part of its key.
#[derive(Debug, Clone)]
pub(super) struct Failures {
    /// What answers, for people.
    pub model: String,
    /// Where it lives, for people.
    pub address: String,
    pub key: Option<ApiKey>,
}

impl Failures {
    /// A failure with a reason that may hold words of the provider.
    pub(super) fn fail(&self, class: FailureClass, reason: &str) -> Failure {
        let reason = match &self.key {
            Some(key) => key.redact(reason),
            None => reason.into(),
        };
        // The name of the model is ours, and may well look like a piece of a key.
        Failure {
            class,
            reason: format!("{}: {reason}", self.model),
            retry_after_ms: None,
        }
    }

    /// The failure behind an error of genai.
    pub(super) fn of(&self, error: genai::Error) -> Failure {
        use genai::Error as E;
        match error {
            E::HttpError {
                status,
                body,
                headers,
                ..
            } => self.status(status, &body, &headers),
            E::WebModelCall { webc_error, .. } | E::WebAdapterCall { webc_error, .. } => {
                self.web(&webc_error)
            }
            E::WebStream { error, .. } => self.stream(error),
            E::ChatResponse { body, .. } => self.event(&body),
            E::StreamParse { .. }
            | E::SerdeJson(_)
            | E::JsonValueExt(_)
            | E::InvalidJsonResponseElement { .. }
            | E::NoChatResponse { .. }
            | E::ChatResponseGeneration { .. } => self.garbage(),
            other => {
                let what = format!("the request can't be made: {other}");
                self.fail(FailureClass::Internal, &excerpt(&what))
            }
        }
    }

    pub(super) fn garbage(&self) -> Failure {
        self.fail(
            FailureClass::Garbage,
            "the answer does not follow the protocol",
        )
    }

    fn web(&self, error: &genai::webc::Error) -> Failure {
        use genai::webc::Error as E;
        match error {
            E::ResponseFailedStatus {
                status,
                body,
                headers,
            } => self.status(*status, body, headers),
            E::Reqwest(error) => self.transport(error),
            E::ResponseFailedNotJson { .. }
            | E::ResponseFailedInvalidJson { .. }
            | E::JsonValueExt(_) => self.garbage(),
        }
    }

    /// An error inside a stream, which genai passes on in a box.
    fn stream(&self, error: genai::BoxError) -> Failure {
        let error = match error.downcast::<genai::Error>() {
            Ok(error) => return self.of(*error),
            Err(error) => error,
        };
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            return self.transport(error);
        }
        if let Some(error) = error.downcast_ref::<genai::webc::Error>() {
            return self.web(error);
        }
        if error.is::<StreamTimeout>() {
            return self.fail(FailureClass::Timeout, "no answer in time");
        }
        if error.is::<FromUtf8Error>() || error.is::<std::str::Utf8Error>() {
            return self.garbage();
        }
        self.fail(
            FailureClass::Cut,
            "the connection failed before the answer was whole",
        )
    }

    fn transport(&self, error: &reqwest::Error) -> Failure {
        if let Some(status) = error.status() {
            return self.status(status, "", &HeaderMap::new());
        }
        if error.is_timeout() {
            return self.fail(FailureClass::Timeout, "no answer in time");
        }
        let cause = root_cause(error);
        if error.is_connect() {
            let reason = format!("{} can't be reached: {cause}", self.address);
            return self.fail(FailureClass::Unreachable, &reason);
        }
        if error.is_builder() {
            let reason = format!("the request can't be made: {cause}");
            return self.fail(FailureClass::Internal, &reason);
        }
        let reason = format!("the connection failed before the answer was whole: {cause}");
        self.fail(FailureClass::Cut, &reason)
    }

    /// An answer other than 2xx.
    fn status(&self, status: StatusCode, body: &str, headers: &HeaderMap) -> Failure {
        let number = status.as_u16();
        let told = serde_json::from_str::<Value>(body).unwrap_or_default();
        let class = if names_a_wrong_key(&told) {
            FailureClass::Unauthorized
        } else {
            class_of(number)
        };
        if class == FailureClass::Unauthorized {
            // Nothing of the body: providers repeat keys in it, more or less masked.
            let reason = match &self.key {
                Some(key) => format!("HTTP {number}: the key {} is refused", key.origin()),
                None => format!("HTTP {number}: a key is wanted, and none is set"),
            };
            return Failure {
                class,
                reason: format!("{}: {reason}", self.model),
                retry_after_ms: None,
            };
        }
        let words = words_of(body);
        let reason = match words.as_str() {
            "" => format!("HTTP {number}"),
            words => format!("HTTP {number}: {words}"),
        };
        Failure {
            retry_after_ms: wait_ms(headers).or_else(|| wait_told_ms(&told)),
            ..self.fail(class, &reason)
        }
    }

    /// An error that came as an event of a stream that began well.
    fn event(&self, body: &Value) -> Failure {
        if body.is_null() {
            return self.garbage();
        }
        let whole = body;
        let body = body.get("error").unwrap_or(body);
        let status = ["code", "status", "status_code"]
            .iter()
            .find_map(|key| body[*key].as_u64());
        let status = status.and_then(|status| u16::try_from(status).ok());
        let class = match status.filter(|status| (400..600).contains(status)) {
            Some(status) => class_of(status),
            None => class_named(body),
        };
        if class == FailureClass::Unauthorized || names_a_wrong_key(whole) {
            return self.status(StatusCode::UNAUTHORIZED, "", &HeaderMap::new());
        }
        let reason = format!("the answer broke off with an error: {}", words_in(body));
        Failure {
            retry_after_ms: wait_told_ms(whole),
            ..self.fail(class, &reason)
        }
    }
}

/// What Google's errors say in detail (google.rpc.Status): `field` of the first detail with one.
fn detail<'b>(body: &'b Value, field: &str) -> Option<&'b str> {
    let details = body["error"]["details"].as_array()?;
    details.iter().find_map(|detail| detail[field].as_str())
}

/// Google calls a wrong key a bad request.
fn names_a_wrong_key(body: &Value) -> bool {
    detail(body, "reason") == Some("API_KEY_INVALID")
}

/// Google says in the body how long to wait, as seconds with an `s` behind them.
fn wait_told_ms(body: &Value) -> Option<u64> {
    let seconds = detail(body, "retryDelay")?.strip_suffix('s')?;
    super::retry_after::millis(seconds, 1_000.0)
}

fn class_of(status: u16) -> FailureClass {
    match status {
        401 | 403 => FailureClass::Unauthorized,
        408 => FailureClass::Timeout,
        429 => FailureClass::RateLimited,
        500.. => FailureClass::Server,
        _ => FailureClass::Rejected,
    }
}

/// The class by the code words that the providers document for errors.
fn class_named(body: &Value) -> FailureClass {
    let words = [&body["type"], &body["code"], &body["status"]];
    let is = |names: &[&str]| {
        words
            .iter()
            .any(|w| w.as_str().is_some_and(|w| names.contains(&w)))
    };
    if is(&[
        "rate_limit_error",
        "rate_limit_exceeded",
        "insufficient_quota",
        "RESOURCE_EXHAUSTED",
    ]) {
        FailureClass::RateLimited
    } else if is(&[
        "authentication_error",
        "permission_error",
        "invalid_api_key",
        "UNAUTHENTICATED",
        "PERMISSION_DENIED",
    ]) {
        FailureClass::Unauthorized
    } else if is(&[
        "invalid_request_error",
        "not_found_error",
        "request_too_large",
        "INVALID_ARGUMENT",
        "FAILED_PRECONDITION",
    ]) {
        FailureClass::Rejected
    } else {
        FailureClass::Server
    }
}

/// The provider's own words about a failed call, on one line.
fn words_of(body: &str) -> String {
    match serde_json::from_str::<Value>(body) {
        Ok(body) => words_in(body.get("error").unwrap_or(&body)),
        // A page is nothing for a line.
        Err(_) if body.trim_start().starts_with('<') => String::new(),
        Err(_) => excerpt(body),
    }
}

fn words_in(error: &Value) -> String {
    let message = error
        .get("message")
        .or_else(|| error.get("detail"))
        .unwrap_or(error);
    match message.as_str() {
        Some(message) => excerpt(message),
        None => excerpt(&message.to_string()),
    }
}

fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    mobkit_domain::text::Text::from(line).excerpt(WORDS_CHARS_MAX)
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if cause.is::<reqwest::Error>() {
        // Its text may name the whole URL.
        return "no cause is given".to_owned();
    }
    excerpt(&cause.to_string())
}
