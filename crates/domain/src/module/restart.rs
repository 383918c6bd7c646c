//! The restart policy: what follows when a module ends without being told to.

use crate::command::Ended;
use crate::definition::{Restart, RestartPolicy};
use crate::time::Time;

/// What follows from the end of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Consequence {
    /// It stays down.
    Stay,
    /// It is started again.
    Again {
        /// Restarts within the period, this one included.
        restarts: u32,
        /// Not before this time.
        not_before: Time,
    },
    /// It ended too often within the period.
    TooOften {
        /// How often, this end included.
        ends: u32,
    },
    /// It will fail each time.
    Hopeless,
}

/// What follows from the end of a module whose policy restarted it at the times of `recent`. Those
/// older than the period count no longer, so a healthy run of that length forgets them all.
pub(super) fn consequence(
    policy: &Restart,
    recent: &[Time],
    ended: Ended,
    now: Time,
) -> Consequence {
    let again = match (ended, policy.policy) {
        (Ended::Hopeless, _) => return Consequence::Hopeless,
        (_, RestartPolicy::Never) | (Ended::Success, RestartPolicy::OnFailure) => false,
        (Ended::Success | Ended::Failure, RestartPolicy::Always)
        | (Ended::Failure, RestartPolicy::OnFailure) => true,
    };
    if !again {
        return Consequence::Stay;
    }
    let counted = recent.iter();
    let counted = counted.filter(|at| now.since_ms(**at) < policy.period_ms);
    let count = u32::try_from(counted.count()).unwrap_or(u32::MAX);
    let next = count.saturating_add(1);
    if count >= policy.intensity {
        return Consequence::TooOften { ends: next };
    }
    let factor = 1u64.checked_shl(count).unwrap_or(u64::MAX);
    let pause = policy.backoff.min_ms.saturating_mul(factor);
    Consequence::Again {
        restarts: next,
        not_before: now.plus_ms(pause.min(policy.backoff.max_ms)),
    }
}

/// When what has failed is started again; `None`: it ended too often within the period.
pub(crate) fn restart_at(policy: &Restart, recent: &[Time], now: Time) -> Option<Time> {
    match consequence(policy, recent, Ended::Failure, now) {
        Consequence::Again { not_before, .. } => Some(not_before),
        Consequence::Stay | Consequence::TooOften { .. } | Consequence::Hopeless => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Backoff;

    const NOW: Time = Time(1_000_000);

    fn policy(policy: RestartPolicy, intensity: u32) -> Restart {
        Restart {
            policy,
            intensity,
            period_ms: 60_000,
            backoff: Backoff {
                min_ms: 200,
                max_ms: 1_000,
            },
        }
    }

    fn after(intensity: u32, ago_ms: &[i64]) -> Consequence {
        let recent: Vec<Time> = ago_ms.iter().map(|ms| Time(NOW.0 - ms)).collect();
        let policy = policy(RestartPolicy::OnFailure, intensity);
        consequence(&policy, &recent, Ended::Failure, NOW)
    }

    fn again(restarts: u32, pause_ms: u64) -> Consequence {
        Consequence::Again {
            restarts,
            not_before: NOW.plus_ms(pause_ms),
        }
    }

    #[test]
    fn the_policy_says_which_ends_are_followed_by_a_start() {
        use Ended::{Failure, Hopeless, Success};
        use RestartPolicy::{Always, Never, OnFailure};
        let cases = [
            (Always, Success, again(1, 200)),
            (Always, Failure, again(1, 200)),
            (Always, Hopeless, Consequence::Hopeless),
            (OnFailure, Success, Consequence::Stay),
            (OnFailure, Failure, again(1, 200)),
            (OnFailure, Hopeless, Consequence::Hopeless),
            (Never, Success, Consequence::Stay),
            (Never, Failure, Consequence::Stay),
            (Never, Hopeless, Consequence::Hopeless),
        ];
        for (name, ended, expected) in cases {
            let found = consequence(&policy(name, 3), &[], ended, NOW);
            assert_eq!(found, expected, "{name} {ended:?}");
        }
    }

    #[test]
    fn the_pause_doubles_up_to_the_longest() {
        assert_eq!(after(9, &[]), again(1, 200));
        assert_eq!(after(9, &[10]), again(2, 400));
        assert_eq!(after(9, &[20, 10]), again(3, 800));
        assert_eq!(after(9, &[30, 20, 10]), again(4, 1_000));
        assert_eq!(after(200, &[1; 100]), again(101, 1_000));
    }

    #[test]
    fn past_the_intensity_it_is_too_often() {
        assert_eq!(after(0, &[]), Consequence::TooOften { ends: 1 });
        assert_eq!(after(2, &[5]), again(2, 400));
        assert_eq!(after(2, &[9, 5]), Consequence::TooOften { ends: 3 });
    }

    #[test]
    fn what_is_older_than_the_period_is_forgotten() {
        assert_eq!(after(2, &[60_000, 5]), again(2, 400));
        assert_eq!(after(2, &[59_999, 5]), Consequence::TooOften { ends: 3 });
        assert_eq!(after(2, &[90_000, 70_000]), again(1, 200));
        // The clock was set back: a restart in the future counts.
        assert_eq!(after(1, &[-5]), Consequence::TooOften { ends: 2 });
    }
}
