//! The pauses between the attempts at a delivery.

use crate::canonical::sha256_hex;
use crate::definition::Backoff;
use crate::id::DeliveryId;

/// Longest time that a receiver can ask to be left alone, in milliseconds: one day.
const RETRY_AFTER_MS_MAX: u64 = 86_400_000;

/// The pause after an attempt that failed, in milliseconds. It doubles from the first to the
/// longest of the route, and up to a quarter is added so that what failed together does not come
/// back together; the same each time it is asked for. `nth` counts attempts from 1, `asked_ms` is
/// how long the receiver asks to be left alone.
pub(super) fn pause_ms(
    backoff: Backoff,
    (delivery, attempt): (DeliveryId, u32),
    nth: u32,
    asked_ms: Option<u64>,
) -> u64 {
    let doubled = 1_u64.checked_shl(nth.saturating_sub(1)).unwrap_or(u64::MAX);
    let pause = backoff.min_ms.saturating_mul(doubled).min(backoff.max_ms);
    let digest = sha256_hex(format!("{delivery}:{attempt}"));
    let number = u64::from_str_radix(&digest[..15], 16).unwrap_or(0);
    let pause = pause.saturating_add(number % (pause / 4 + 1));
    let asked = asked_ms.unwrap_or(0).min(RETRY_AFTER_MS_MAX);
    pause.max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        min_ms: 1_000,
        max_ms: 8_000,
    };

    #[test]
    fn pauses_double_up_to_the_longest_with_a_quarter_at_most_on_top() {
        let wanted = [1_000, 2_000, 4_000, 8_000, 8_000, 8_000];
        for (nth, least) in (1_u32..).zip(wanted) {
            for delivery in 1..200 {
                let pause = pause_ms(BACKOFF, (DeliveryId(delivery), nth), nth, None);
                assert!(
                    (least..=least + least / 4).contains(&pause),
                    "{nth}: {pause}"
                );
            }
        }
        assert!(pause_ms(BACKOFF, (DeliveryId(1), 900), 900, None) >= 8_000);
    }

    #[test]
    fn the_share_on_top_is_the_same_each_time_and_differs_between_deliveries() {
        let of = |delivery| pause_ms(BACKOFF, (DeliveryId(delivery), 1), 1, None);
        assert_eq!(of(7), of(7));
        let pauses: std::collections::BTreeSet<u64> = (1..50).map(of).collect();
        assert!(pauses.len() > 25, "{pauses:?}");
    }

    #[test]
    fn a_receiver_that_asks_for_time_gets_at_least_that_and_a_day_at_most() {
        let asked = |ms| pause_ms(BACKOFF, (DeliveryId(1), 1), 1, Some(ms));
        assert_eq!(asked(60_000), 60_000);
        assert_eq!(asked(1), asked(0));
        assert_eq!(asked(u64::MAX), RETRY_AFTER_MS_MAX);
    }
}
