//! Reading a body: bounded in size and in time.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use std::time::Duration;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a body that is too large is read all the same, in bytes. A client that still writes
/// when the connection closes sees a broken connection and not the answer.
const DRAINED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// The whole body, if it has at most so many bytes.
pub(super) async fn read(mut body: Body, bytes_max: usize) -> Result<Bytes, Refusal> {
    let Ok(read) = tokio::time::timeout(BODY_TIMEOUT, kept(&mut body, bytes_max)).await else {
        let message = format!("the body took longer than {} s", BODY_TIMEOUT.as_secs());
        return Err(Refusal::new(
            RefusalKind::Invalid,
            "request.too_slow",
            message,
        ));
    };
    match read {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => {
            // A body that does not end in time is cut off; the answer is the same.
            let _ = tokio::time::timeout(DRAIN_TIMEOUT, drain(body)).await;
            let message = format!("the body is larger than {bytes_max} bytes");
            Err(
                Refusal::new(RefusalKind::Invalid, "request.too_large", message).hint(
                    "send less at once, or put the text where a tool of the agent can read it",
                ),
            )
        }
        Err(error) => {
            let message = format!("the body could not be read: {error}");
            Err(Refusal::new(RefusalKind::Invalid, "request.cut", message))
        }
    }
}

/// The body, if it is not too large.
async fn kept(body: &mut Body, bytes_max: usize) -> Result<Option<Bytes>, axum::Error> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > bytes_max {
            return Ok(None);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Some(bytes.freeze()))
}

/// Reads what is left and forgets it.
async fn drain(mut body: Body) {
    let mut drained = 0;
    while drained < DRAINED_BYTES_MAX {
        match body.frame().await {
            Some(Ok(frame)) => drained += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => return,
        }
    }
}
