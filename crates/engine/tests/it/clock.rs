//! A clock that is set while the mob runs.

use crate::kit::{BASE, Mob, ada, member, quiet, send, settle, text_of};
use mobkit_domain::command::{Command, MessageCommand, Submission};
use mobkit_domain::time::Time;
use mobkit_engine::{Clock, Engine, TokioClock};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const HOUR_MS: i64 = 3_600_000;

/// A clock that somebody sets.
struct Settable {
    true_time: TokioClock,
    off_ms: AtomicI64,
}

impl Clock for Settable {
    fn now(&self) -> Time {
        Time(self.true_time.now().0 + self.off_ms.load(Ordering::SeqCst))
    }
}

impl Settable {
    fn set(&self, off_ms: i64) {
        self.off_ms.store(off_ms, Ordering::SeqCst);
    }
}

async fn up() -> (Mob, Arc<Settable>, Engine) {
    let mut mob = Mob::workers(&["a"]);
    let true_time = TokioClock::starting_at(BASE);
    let clock = Arc::new(Settable {
        true_time,
        off_ms: AtomicI64::new(0),
    });
    mob.clock = Arc::clone(&clock) as _;
    let engine = mob.up().await;
    (mob, clock, engine)
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_no_longer_than_any_retry_may_where_the_clock_is_set_back() {
    let (mob, clock, engine) = up().await;
    let message = send(&engine, "a", "after 10 flaky 1 say x").await;
    // Set after it was decided when to try again, and before the wait for it begins.
    mob.tap.hold(true);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(mob.tap.waiting(), 1, "the failure is being recorded");
    clock.set(-10 * HOUR_MS);
    mob.tap.hold(false);
    let answered = tokio::time::timeout(Duration::from_mins(11), settle(&engine, message)).await;
    assert_eq!(text_of(&answered.expect("in time")), "x");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_forward_is_noticed_within_an_hour_and_journals_stay_in_order() {
    let (mob, clock, engine) = up().await;
    send(&engine, "a", "never").await;
    let command = Command::Message(MessageCommand::Send {
        to: member("a"),
        content: "say x".into(),
        mode: None,
        correlation: None,
        expires: Some(engine.now().plus_ms(10 * HOUR_MS.unsigned_abs())),
    });
    let submission = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    let message = match engine.submit(submission).await.expect("accepted") {
        mobkit_domain::command::Answer::Message { message, .. } => message,
        mobkit_domain::command::Answer::Done { .. } => panic!("no message was accepted"),
    };
    quiet().await;
    clock.set(-2 * HOUR_MS);
    tokio::time::sleep(Duration::from_mins(90)).await;
    assert_eq!(engine.view(|world| world.state.messages.len()), 2);
    clock.set(10 * HOUR_MS);
    let outcome = tokio::time::timeout(Duration::from_mins(61), engine.outcome(message)).await;
    outcome.expect("noticed").expect("an outcome");
    crate::kit::sound(&mob.memory).await;
}
