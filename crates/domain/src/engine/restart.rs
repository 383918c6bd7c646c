//! When an engine whose process ended is started again.

use crate::definition::MODULE_RESTART;
use crate::time::Time;

/// When an engine is started again that was restarted at the times of `recent`; `None`: it ended
/// too often and is given up. The rule is that of a module without a policy of its own.
pub fn restart_at(recent: &[Time], now: Time) -> Option<Time> {
    crate::module::restart_at(&MODULE_RESTART, recent, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_end_within_a_minute_is_one_too_many() {
        let now = Time(1_000_000);
        let mut recent = Vec::new();
        for pause_ms in [200, 400, 800, 1_600, 3_200] {
            assert_eq!(restart_at(&recent, now), Some(now.plus_ms(pause_ms)));
            recent.push(now);
        }
        assert_eq!(restart_at(&recent, now), None);
        let later = now.plus_ms(60_000);
        assert_eq!(
            restart_at(&recent, later),
            Some(later.plus_ms(200)),
            "what is older than a minute is forgotten"
        );
    }
}
