//! When the writer has to wake without being asked.

use mobkit_domain::time::Time;
use std::time::Duration;

/// The longest single sleep: a clock that was set is noticed within this time.
const SLEEP_MAX: Duration = Duration::from_hours(1);

/// Waits until `due`; for ever where nothing is due.
pub(crate) async fn until(due: Option<Time>, now: Time) {
    match due {
        Some(due) => {
            let wait = Duration::from_millis(due.since_ms(now));
            tokio::time::sleep(wait.min(SLEEP_MAX)).await;
        }
        None => std::future::pending().await,
    }
}
