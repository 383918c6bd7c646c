//! Trying again while an outage lasts.

use super::api::SERVER_GONE;
use crate::duration;
use crate::failure::Failure;
use crate::terminal::Output;
use std::time::Duration;

const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Repeats `attempt` while its failures may pass by themselves, for at most `longest` after the
/// first. Says on stderr that it does and that it helped, once for all requests of the process.
pub(super) async fn persist<T>(
    output: &Output,
    longest: Duration,
    mut attempt: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut last = match attempt().await {
        Err(failure) if failure.is_passing() && !longest.is_zero() => failure,
        Ok(found) => {
            output.server_answers();
            return Ok(found);
        }
        Err(failure) => return Err(failure),
    };
    let what = if last.code() == SERVER_GONE {
        "waiting for a new one"
    } else {
        "trying again"
    };
    output.server_away(&format!(
        "{last}; {what} for up to {}",
        duration::show(longest)
    ));
    let trying = async {
        let mut pause = PAUSE_FIRST;
        loop {
            // What the server asks for counts, but a restarted server should be found soon.
            let wanted = last.retry_after().unwrap_or(pause).min(PAUSE_MAX);
            tokio::time::sleep(wanted.max(PAUSE_FIRST)).await;
            pause = (pause * 2).min(PAUSE_MAX);
            match attempt().await {
                Err(failure) if failure.is_passing() => last = failure,
                result => return result,
            }
        }
    };
    let tried = tokio::time::timeout(longest, trying).await;
    match tried {
        Ok(result) => {
            if result.is_ok() {
                output.server_answers();
            }
            result
        }
        Err(_) => Err(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;
    use crate::terminal::Show;

    fn quiet() -> Output {
        Output::new(
            &Show {
                quiet: true,
                ..Show::default()
            },
            |_| None,
        )
    }

    fn outage() -> Failure {
        Failure::new(Exit::Unreachable, "server.unreachable", "no").passing(None)
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_that_ends_in_time_is_invisible() {
        let mut attempts = 0;
        let output = quiet();
        let result = persist(&output, Duration::from_secs(30), async || {
            attempts += 1;
            if attempts < 10 {
                Err(outage())
            } else {
                Ok(attempts)
            }
        });
        assert_eq!(result.await.ok(), Some(10));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_that_lasts_is_reported_as_it_was_last() {
        let mut attempts = 0;
        let output = quiet();
        let result = persist(&output, Duration::from_secs(30), async || {
            attempts += 1;
            Err::<(), _>(outage())
        });
        assert_eq!(
            result.await.expect_err("an outage").exit(),
            Exit::Unreachable
        );
        assert!((10..40).contains(&attempts), "{attempts}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_repeated() {
        let mut attempts = 0;
        let output = quiet();
        let result = persist(&output, Duration::from_secs(30), async || {
            attempts += 1;
            Err::<(), _>(Failure::new(Exit::Missing, "member.not_found", "no"))
        });
        assert_eq!(result.await.expect_err("a refusal").exit(), Exit::Missing);
        assert_eq!(attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn without_patience_there_is_one_attempt() {
        let mut attempts = 0;
        let output = quiet();
        let result = persist(&output, Duration::ZERO, async || {
            attempts += 1;
            Err::<(), _>(outage())
        });
        assert!(result.await.is_err());
        assert_eq!(attempts, 1);
    }
}
