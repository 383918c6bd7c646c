//! Waiting for what other tasks do.

use std::time::Duration;
use tokio::task::JoinHandle;

/// Runs something beside the test.
#[expect(clippy::disallowed_methods, reason = "a client is no task of the mob")]
pub fn beside<T: Send + 'static>(
    client: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::spawn(client)
}

/// Lets everybody else run until something holds; time stands still meanwhile.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came to: {what}");
}

/// Lets everybody else do what can be done without time.
pub async fn quiet() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Lets so much time pass. Whoever uses it has paused the clock, so nobody really waits.
pub async fn pass_ms(ms: u64) {
    if ms > 0 {
        let nothing = std::future::pending::<()>();
        let passed = tokio::time::timeout(Duration::from_millis(ms), nothing).await;
        assert!(passed.is_err(), "nothing never comes");
    }
}
