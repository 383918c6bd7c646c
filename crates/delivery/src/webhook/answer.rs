//! What the answer of a receiver means.

use crate::redaction::Redaction;
use crate::retry_after::retry_after_ms;
use crate::sending::{SendFailure, Sent, excerpt};
use futures::StreamExt;
use mobkit_domain::time::Time;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use std::time::Duration;

/// How much of an answer is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// How long reading it may take. The status has said all that matters.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The outcome of an attempt whose answer has begun. That the status arrived is the receipt,
/// whatever becomes of the rest.
pub(super) async fn outcome(
    response: Response,
    host: &str,
    now: Time,
    redaction: &Redaction,
) -> Sent {
    let status = response.status();
    let code = Some(status.as_u16());
    let asked = response.headers().get(RETRY_AFTER).cloned();
    let answer = beginning(response).await;
    let excerpt = excerpt(&String::from_utf8_lossy(&answer), redaction);
    if status.is_success() {
        return Sent::Delivered {
            status: code,
            excerpt,
        };
    }
    let number = status.as_u16();
    let reason = match status {
        StatusCode::GONE => format!("{host} answered 410: it wants nothing more"),
        _ if status.is_redirection() => {
            format!("{host} answered {number}, and redirects are not followed")
        }
        _ => format!("{host} answered {number}"),
    };
    let asked = asked.as_ref().and_then(|value| value.to_str().ok());
    Sent::Failed(SendFailure {
        status: code,
        reason,
        excerpt,
        retry_after_ms: asked.and_then(|value| retry_after_ms(value, now)),
        gone: status == StatusCode::GONE,
        hopeless: false,
    })
}

/// The beginning of an answer; what can't be read any more is left out.
async fn beginning(response: Response) -> Vec<u8> {
    let mut stream = response.bytes_stream();
    let mut read = Vec::new();
    let reading = async {
        while read.len() < ANSWER_BYTES_MAX {
            match stream.next().await {
                Some(Ok(piece)) => read.extend_from_slice(&piece),
                Some(Err(_)) | None => break,
            }
        }
    };
    // What has come so far is enough.
    let _ = tokio::time::timeout(ANSWER_TIMEOUT, reading).await;
    read.truncate(ANSWER_BYTES_MAX);
    read
}
