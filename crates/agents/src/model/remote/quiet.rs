//! Running genai without its log.

use std::future::{Future, poll_fn};
use std::pin::pin;
use tracing::Dispatch;
use tracing::dispatcher::with_default;

/// Runs `work` with every log line of it dropped. genai logs the bodies of error answers, and
/// providers repeat in them what they took for the key.
pub(super) async fn quietly<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let nobody = Dispatch::none();
    poll_fn(|cx| with_default(&nobody, || work.as_mut().poll(cx))).await
}
