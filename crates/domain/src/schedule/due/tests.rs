use super::*;
use crate::definition::Trigger;

const MINUTE_MS: i64 = 60_000;

fn id() -> ScheduleId {
    ScheduleId::parse("daily").expect("an id")
}

fn minutely() -> Calendar {
    Calendar::of(&Trigger::EveryMs(60_000), "UTC", Time(0)).expect("a calendar")
}

fn look(policy: MissedPolicy, within_ms: u64, after: i64, since: i64, now: i64) -> Due {
    let id = id();
    Look {
        id: &id,
        jitter_ms: 0,
        missed: Missed { policy, within_ms },
        after: Time(after),
        since: Time(since),
        now: Time(now),
    }
    .due(&minutely())
}

const HOUR_MS: u64 = 3_600_000;

#[test]
fn what_is_on_time_runs_under_every_policy() {
    for policy in [MissedPolicy::Skip, MissedPolicy::Latest, MissedPolicy::All] {
        let due = look(policy, HOUR_MS, 0, 0, MINUTE_MS + 20);
        assert_eq!(due.run, [(Time(MINUTE_MS), false)]);
        assert!(due.dropped.is_empty());
        assert_eq!(due.upto, Some(Time(MINUTE_MS)));
    }
    assert_eq!(
        look(MissedPolicy::All, HOUR_MS, 0, 0, MINUTE_MS - 1),
        Due::default()
    );
}

#[test]
fn after_a_downtime_the_policy_decides_and_everything_dropped_is_counted() {
    // Ten minutes away; back at 10:30 min.
    let (now, since) = (10 * MINUTE_MS + 30_000, 10 * MINUTE_MS + 29_000);
    let skip = look(MissedPolicy::Skip, HOUR_MS, 0, since, now);
    assert!(skip.run.is_empty());
    assert_eq!(skip.dropped.iter().map(|d| d.count).sum::<u64>(), 10);
    let latest = look(MissedPolicy::Latest, HOUR_MS, 0, since, now);
    assert_eq!(latest.run, [(Time(10 * MINUTE_MS), true)]);
    assert_eq!(latest.dropped.len(), 1);
    assert_eq!(
        (latest.dropped[0].count, latest.dropped[0].last),
        (9, Time(9 * MINUTE_MS))
    );
    let all = look(MissedPolicy::All, 3 * 60_000, 0, since, now);
    let times: Vec<i64> = all.run.iter().map(|(time, _)| time.0 / MINUTE_MS).collect();
    assert_eq!(times, [8, 9, 10]);
    assert_eq!(all.dropped[0].count, 7);
    let stale = look(MissedPolicy::Latest, 10_000, 0, since, now);
    assert!(stale.run.is_empty());
    assert_eq!(stale.dropped.iter().map(|d| d.count).sum::<u64>(), 10);
}

#[test]
fn a_long_downtime_is_not_counted_to_the_end_and_its_latest_is_found() {
    let year = 365 * 1_440;
    let (now, since) = (year * MINUTE_MS + 5_000, year * MINUTE_MS + 4_000);
    let latest = look(MissedPolicy::Latest, HOUR_MS, 0, since, now);
    assert_eq!(latest.run, [(Time(year * MINUTE_MS), true)]);
    assert!(latest.dropped.iter().all(|dropped| !dropped.counted));
    assert!(latest.dropped.iter().map(|d| d.count).sum::<u64>() >= COUNTED_MAX);
    assert_eq!(latest.upto, Some(Time(year * MINUTE_MS)));
}

#[test]
fn after_a_long_downtime_the_latest_are_made_up_for_and_all_others_are_told_of() {
    let minutes = 20 * 1_440;
    let (now, since) = (minutes * MINUTE_MS + 5_000, minutes * MINUTE_MS + 4_000);
    let made_up = i64::try_from(MADE_UP_MAX).expect("it is small");
    for (policy, kept) in [
        (MissedPolicy::Skip, 0),
        (MissedPolicy::Latest, 1),
        (MissedPolicy::All, made_up),
    ] {
        let due = look(policy, 1_000 * HOUR_MS, 0, since, now);
        let wanted = (minutes - kept + 1..=minutes).map(|minute| (Time(minute * MINUTE_MS), true));
        assert_eq!(due.run, wanted.collect::<Vec<_>>(), "{policy:?}");
        let [dropped] = due.dropped.as_slice() else {
            panic!("{policy:?}: {:?}", due.dropped);
        };
        assert_eq!(dropped.first, Time(MINUTE_MS));
        assert_eq!(dropped.last, Time((minutes - kept) * MINUTE_MS));
        assert!(!dropped.counted && dropped.count >= COUNTED_MAX);
        assert_eq!(due.upto, Some(Time(minutes * MINUTE_MS)));
    }
}

#[test]
fn a_downtime_with_few_more_than_are_counted_is_counted_to_the_end() {
    let minutes = i64::try_from(COUNTED_MAX).expect("it is small") + 500;
    let (now, since) = (minutes * MINUTE_MS + 5_000, minutes * MINUTE_MS + 4_000);
    let due = look(MissedPolicy::Latest, HOUR_MS, 0, since, now);
    let dropped: u64 = due.dropped.iter().map(|dropped| dropped.count).sum();
    assert_eq!(dropped, COUNTED_MAX + 499);
    assert!(due.dropped.iter().all(|dropped| dropped.counted));
    assert_eq!(due.run, [(Time(minutes * MINUTE_MS), true)]);
}

#[test]
fn after_a_long_downtime_nothing_fires_before_its_jitter_is_over() {
    let id = id();
    let now = 20 * 1_440 * MINUTE_MS + 5_000;
    let jitter_ms = HOUR_MS;
    let calendar = minutely();
    let (policy, within_ms) = (MissedPolicy::All, 1_000 * HOUR_MS);
    let due = Look {
        id: &id,
        jitter_ms,
        missed: Missed { policy, within_ms },
        after: Time(0),
        since: Time(now - 1_000),
        now: Time(now),
    }
    .due(&calendar);
    for (time, _) in &due.run {
        assert!(fires(&id, *time, jitter_ms) <= Time(now), "{time}");
    }
    let next = calendar
        .next(due.upto.expect("some were due"))
        .expect("it goes on");
    assert!(fires(&id, next, jitter_ms) > Time(now));
}

#[test]
fn jitter_is_the_same_each_time_and_inside_its_bound() {
    let shares: Vec<u64> = (0..1_000)
        .map(|n| fires(&id(), Time(n * MINUTE_MS), 30_000).since_ms(Time(n * MINUTE_MS)))
        .collect();
    assert!(shares.iter().all(|share| *share <= 30_000));
    assert!(
        shares.iter().any(|share| *share > 20_000) && shares.iter().any(|share| *share < 10_000)
    );
    assert_eq!(fires(&id(), Time(7), 30_000), fires(&id(), Time(7), 30_000));
    assert_eq!(fires(&id(), Time(7), 0), Time(7));
}
