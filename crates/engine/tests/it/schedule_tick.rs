//! Ticks of a host that owns time.

use crate::kit::{BASE, Death, HEAD, Mob, Tap, count, order, sound, until_kind};
use mobkit_domain::command::{Command, MobCommand};
use mobkit_domain::definition::{NoFiles, Schedule, ScheduleTarget, parse};
use mobkit_domain::time::Time;
use mobkit_engine::{Claim, ClaimOutcome, Engine, ScheduleDispatchReport};
use std::sync::Arc;

const MINUTE_MS: u64 = 60_000;

fn text() -> String {
    HEAD.to_owned() + "[[members]]\nid = \"a\"\nprofile = \"worker\"\n"
}

/// A schedule as a host has it.
fn schedule(id: &str, trigger: &str, more: &str) -> Schedule {
    let schedule = format!(
        "[[schedules]]\nid = \"{id}\"\n{trigger}\nto = {{ member = \"a\" }}\n\
         message = \"say {id}\"\n{more}\n"
    );
    let parsed = parse("mob.toml", &(text() + &schedule), &NoFiles).expect("it is right");
    parsed.definition.schedules.into_iter().next().expect("one")
}

fn each_minute() -> Vec<Schedule> {
    vec![schedule(
        "tock",
        "cron = \"* * * * *\"",
        "overlap = \"queue\"",
    )]
}

/// A whole minute, and so many after it.
fn minute(minutes: u64) -> Time {
    let over_ms = BASE.0.rem_euclid(60_000);
    Time(BASE.0 - over_ms + 60_000).plus_ms(minutes * MINUTE_MS)
}

async fn tick(engine: &Engine, at: Time) -> ScheduleDispatchReport {
    let ticked = engine.dispatch_schedule_tick(each_minute(), at).await;
    ticked.expect("ticked")
}

fn keys(claims: &[Claim]) -> Vec<&str> {
    claims
        .iter()
        .map(|claim| claim.claim_key.as_str())
        .collect()
}

fn key(at: Time) -> String {
    format!("tock:{}", at.0)
}

#[tokio::test(start_paused = true)]
async fn a_tick_says_what_it_started_and_the_same_tick_again_what_it_skipped() {
    let mob = Mob::of(&text());
    let engine = mob.up().await;
    let first = tick(&engine, minute(0)).await;
    assert_eq!(keys(&first.dispatched), [key(minute(0))]);
    assert_eq!(first.dispatched[0].outcome, ClaimOutcome::Dispatched);
    assert_eq!((first.due, first.skipped_claims.len()), (1, 0));
    assert_eq!(first.tick, minute(0));
    let again = tick(&engine, minute(0)).await;
    assert_eq!(keys(&again.dispatched), Vec::<&str>::new());
    assert_eq!(again.skipped_claims, [key(minute(0))]);
    assert_eq!(again.due, 1);
    until_kind(&engine, "occurrence.completed", 1).await;
    let next = tick(&engine, minute(1)).await;
    assert_eq!(keys(&next.dispatched), [key(minute(1))]);
    // A host whose clock goes back starts nothing again.
    let back = tick(&engine, minute(0)).await;
    assert_eq!(
        (back.dispatched.len(), back.skipped_claims),
        (0, vec![key(minute(0))])
    );
    let events = until_kind(&engine, "occurrence.completed", 2).await;
    assert_eq!(count(&events, "turn.completed"), 2);
    engine.shutdown().await;
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_first_tick_that_comes_a_little_late_is_skipped_when_it_is_repeated() {
    let mob = Mob::of(&text());
    let engine = mob.up().await;
    let late = minute(0).plus_ms(20_000);
    let first = tick(&engine, late).await;
    assert_eq!(keys(&first.dispatched), [key(minute(0))]);
    let again = tick(&engine, late).await;
    assert_eq!(
        (again.dispatched.len(), again.skipped_claims),
        (0, vec![key(minute(0))])
    );
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn ticks_that_did_not_come_are_made_up_for_as_the_schedule_wants() {
    let mob = Mob::of(&text());
    let engine = mob.up().await;
    tick(&engine, minute(0)).await;
    until_kind(&engine, "occurrence.completed", 1).await;
    let late = tick(&engine, minute(10)).await;
    assert_eq!(keys(&late.dispatched), [key(minute(10))]);
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_tick_that_is_refused_says_why() {
    let mob = Mob::of(&text());
    let engine = mob.up().await;
    let bad = schedule("tock", "cron = \"* * * * *\"", "enabled = false");
    let quiet = engine.dispatch_schedule_tick(vec![bad], minute(0)).await;
    let quiet = quiet.expect("ticked");
    assert_eq!((quiet.due, quiet.dispatched.len()), (0, 0));
    let twice = [each_minute(), each_minute()].concat();
    let refused = engine.dispatch_schedule_tick(twice, minute(0)).await;
    assert_eq!(refused.expect_err("refused").code, "schedule.duplicate");
    let pause = MobCommand::Pause { reason: None };
    order(&engine, Command::Mob(pause)).await.expect("paused");
    let refused = engine
        .dispatch_schedule_tick(each_minute(), minute(1))
        .await;
    assert_eq!(refused.expect_err("refused").code, "schedule.line_stopped");
    let resume = Command::Mob(MobCommand::Resume);
    order(&engine, resume).await.expect("resumed");
    assert_eq!(
        keys(&tick(&engine, minute(1)).await.dispatched),
        [key(minute(1))]
    );
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_can_not_be_started_does_not_hold_up_the_rest_of_the_tick() {
    let mob = Mob::of(&text());
    let engine = mob.up().await;
    let mut gone = schedule("gone", "cron = \"* * * * *\"", "");
    gone.to = ScheduleTarget::Member("nobody".parse().expect("an id"));
    let mut broken = schedule("broken", "cron = \"* * * * *\"", "");
    broken.message = Some("{% if due > '2000' %}{{ nobody }}{% endif %}".to_owned());
    let good = schedule("good", "cron = \"* * * * *\"", "");
    let all = vec![broken, gone, good];
    let report = engine.dispatch_schedule_tick(all, minute(0)).await;
    let report = report.expect("ticked");
    let told = |id: &str| {
        let mut claims = report.dispatched.iter();
        let claim = claims.find(|claim| claim.schedule.as_str() == id);
        claim.unwrap_or_else(|| panic!("{id} was not claimed: {report:?}"))
    };
    assert_eq!(told("good").outcome, ClaimOutcome::Dispatched);
    for id in ["broken", "gone"] {
        assert_ne!(told(id).outcome, ClaimOutcome::Dispatched, "{id}");
        assert!(told(id).error.is_some(), "{id}");
    }
    let events = until_kind(&engine, "occurrence.completed", 1).await;
    assert_eq!(count(&events, "turn.completed"), 1);
    engine.shutdown().await;
}

/// A life in which a host ticks twice; the report of the second tick.
async fn live(mob: &Mob) -> Result<ScheduleDispatchReport, ()> {
    let engine = mob.start().await.map_err(drop)?;
    let work = async {
        let mut report = None;
        for at in [minute(0), minute(1)] {
            let ticked = engine.dispatch_schedule_tick(each_minute(), at).await;
            report = Some(ticked.map_err(drop)?);
        }
        let mut reader = mobkit_engine::EventReader::open(
            &engine,
            0,
            mobkit_domain::event::EventFilter::default(),
        )
        .await
        .map_err(drop)?;
        let mut ended = 0;
        while ended < 2 {
            let events = reader.next(1).await.map_err(drop)?.ok_or(())?;
            let kinds = events.iter().map(|event| event.envelope.event.kind());
            ended += kinds.filter(|kind| *kind == "occurrence.completed").count();
        }
        report.ok_or(())
    };
    let done = work.await;
    let report = engine.shutdown().await;
    if mob.tap.is_dead() || !report.is_orderly() {
        return Err(());
    }
    done
}

#[tokio::test(start_paused = true)]
async fn a_host_that_ticks_again_after_a_crash_starts_nothing_twice() {
    let whole = Mob::of(&text());
    live(&whole).await.expect("it lives");
    let appends = whole.tap.appends().len();
    for at in 1..=appends {
        for death in [Death::Before(at), Death::After(at)] {
            let mut mob = Mob::of(&text());
            mob.tap = Arc::new(Tap::mortal(Arc::new(mob.memory.reopen()), death));
            let lived = live(&mob).await;
            assert!(lived.is_err() || !mob.tap.is_dead());
            mob.again();
            let report = live(&mob).await.unwrap_or_else(|()| panic!("{death:?}"));
            let found = report.dispatched.len() + report.skipped_claims.len();
            assert_eq!(found, 1, "{death:?}: {report:?}");
            let events = sound(&mob.memory).await;
            for kind in [
                "occurrence.claimed",
                "occurrence.dispatched",
                "turn.completed",
            ] {
                assert_eq!(count(&events, kind), 2, "{death:?}: {kind}");
            }
        }
    }
}
