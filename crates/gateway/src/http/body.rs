//! Reading a body: bounded in size and in time.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use std::time::Duration;

/// Largest body of a request, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The whole body.
pub(super) async fn read(body: Body) -> Result<Bytes, Refusal> {
    let reading = Limited::new(body, BODY_BYTES_MAX).collect();
    let Ok(read) = tokio::time::timeout(BODY_TIMEOUT, reading).await else {
        let message = format!("the body took longer than {} s", BODY_TIMEOUT.as_secs());
        return Err(Refusal::new(
            RefusalKind::Invalid,
            "request.too_slow",
            message,
        ));
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("the body is larger than {BODY_BYTES_MAX} bytes");
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
