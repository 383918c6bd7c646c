//! The clock of a mob: the only place that reads one.

use mobkit_domain::time::Time;

/// Tells the time. Sleeping is tokio's matter, so that paused time works in tests.
pub trait Clock: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> Time;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system"
    )]
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Time(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// A clock that starts at a given time and follows tokio's timer: under paused time it is virtual.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    base: Time,
    started: tokio::time::Instant,
}

impl TokioClock {
    /// A clock that shows `base` now. Must be called inside a runtime.
    #[expect(
        clippy::disallowed_methods,
        reason = "the virtual clock is made of tokio's"
    )]
    pub fn starting_at(base: Time) -> Self {
        Self {
            base,
            started: tokio::time::Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Time {
        let elapsed = self.started.elapsed().as_millis();
        self.base
            .plus_ms(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }
}

/// Measures how long something takes. Nothing is decided by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(tokio::time::Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a span is measured, which the time of day is too coarse for"
    )]
    pub(crate) fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    pub(crate) fn elapsed(self) -> std::time::Duration {
        self.0.elapsed()
    }
}
