//! How much of what a module says is recorded.

use mobkit_domain::time::Time;

/// Lets so many pass a second, and a burst after a pause. Time is told to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rate {
    per_second: u64,
    burst: u64,
    /// What may pass, in thousandths.
    left_milli: u64,
    since: Time,
}

impl Rate {
    /// A rate that begins with a full burst.
    pub(crate) fn new(per_second: u64, burst: u64, now: Time) -> Self {
        Self {
            per_second,
            burst,
            left_milli: burst * 1_000,
            since: now,
        }
    }

    /// Whether one more may pass.
    pub(crate) fn admits(&mut self, now: Time) -> bool {
        let gained = now.since_ms(self.since).saturating_mul(self.per_second);
        self.left_milli = self
            .left_milli
            .saturating_add(gained)
            .min(self.burst * 1_000);
        // A clock that was set back gains nothing, and goes on from there.
        self.since = now;
        let passes = self.left_milli >= 1_000;
        if passes {
            self.left_milli -= 1_000;
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut rate = Rate::new(100, 5, Time(0));
        let passed = |rate: &mut Rate, at: i64| (0..10).filter(|_| rate.admits(Time(at))).count();
        assert_eq!(passed(&mut rate, 0), 5);
        assert_eq!(passed(&mut rate, 9), 0);
        assert_eq!(passed(&mut rate, 10), 1);
        assert_eq!(passed(&mut rate, -60_000), 0);
        assert_eq!(passed(&mut rate, -59_970), 3);
        assert_eq!(passed(&mut rate, i64::MAX), 5);
    }
}
