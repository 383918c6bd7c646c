//! Without a reason nothing happens; with one, it happens when it is due.

use crate::kit::{BASE, Mob, ada, ends_of, journal, kinds, member, quiet, send, settle, sound};
use mobkit_domain::command::{Command, MessageCommand, MobCommand, Submission};
use mobkit_engine::{Engine, EventReader, Outcome};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
/// Twelve days, and a round number for the wheel of tokio's timers: how often it turns by itself
/// depends on where it stands.
const LONG_MS: u64 = 1 << 30;

#[tokio::test(start_paused = true)]
async fn an_idle_mob_sleeps() {
    let mut mob = Mob::workers(&["a", "b"]);
    // The first time the wheel stands still yet.
    a_long_time().await;
    let alone = a_long_time().await;
    let told = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&told);
    mob.hooks.on_error = Some(Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {})
    }));
    let engine = mob.up().await;
    let message = send(&engine, "a", "say x").await;
    settle(&engine, message).await;
    let _reader = EventReader::open(
        &engine,
        engine.head(),
        mobkit_domain::event::EventFilter::default(),
    )
    .await
    .expect("a reader");
    quiet().await;
    let (calls, head) = (mob.tap.calls(), engine.head());
    let woken = a_long_time().await;
    assert_eq!((mob.tap.calls(), engine.head()), (calls, head));
    assert_eq!(engine.now().since_ms(BASE), 3 * LONG_MS);
    assert_eq!(told.load(Ordering::SeqCst), 0);
    assert_eq!(
        woken, alone,
        "with a mob the process wakes as often as without"
    );
}

/// How often the process wakes in a long time.
async fn a_long_time() -> u64 {
    let before = parks();
    tokio::time::sleep(Duration::from_millis(LONG_MS)).await;
    parks() - before
}

/// How often tokio's worker found nothing to do and slept.
fn parks() -> u64 {
    tokio::runtime::Handle::current()
        .metrics()
        .worker_park_count(0)
}

async fn send_expiring(
    engine: &Engine,
    to: &str,
    text: &str,
    in_ms: u64,
) -> mobkit_domain::id::MessageId {
    let command = Command::Message(MessageCommand::Send {
        to: member(to),
        content: text.into(),
        mode: None,
        correlation: None,
        expires: Some(engine.now().plus_ms(in_ms)),
    });
    let submission = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    match engine.submit(submission).await.expect("accepted") {
        mobkit_domain::command::Answer::Message { message, .. } => message,
        mobkit_domain::command::Answer::Done { .. } => panic!("no message was accepted"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_expires_when_its_time_is_over_and_not_before() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    send(&engine, "a", "never").await;
    let late = send_expiring(&engine, "a", "say late", 5_000).await;
    let soon = send_expiring(&engine, "a", "say soon", 3_000).await;
    tokio::time::sleep(Duration::from_millis(2_999)).await;
    assert!(!kinds(&journal(&mob.memory).await).contains(&"message.expired"));
    let outcome = engine.outcome(soon).await.expect("an outcome");
    assert!(matches!(outcome, Outcome::Dropped { .. }));
    assert_eq!(engine.now().since_ms(BASE), 3_000);
    engine.outcome(late).await.expect("an outcome");
    assert_eq!(engine.now().since_ms(BASE), 5_000);
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_expires_far_away_wakes_the_writer_then() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    send(&engine, "a", "never").await;
    let message = send_expiring(&engine, "a", "say x", 3 * 86_400_000).await;
    quiet().await;
    let appends = mob.tap.appends().len();
    tokio::time::sleep(2 * DAY).await;
    assert_eq!(mob.tap.appends().len(), appends);
    tokio::time::sleep(2 * DAY).await;
    assert_eq!(ends_of(&journal(&mob.memory).await)[&message], 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_outlived_its_time_while_nothing_ran_begins_no_turn() {
    let mut mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let pause = Command::Mob(MobCommand::Pause { reason: None });
    engine
        .submit(Submission {
            command: pause,
            actor: ada(),
            key: None,
            trace: None,
        })
        .await
        .expect("paused");
    let message = send_expiring(&engine, "a", "say x", 10_000).await;
    engine.shutdown().await;
    tokio::time::sleep(DAY).await;
    mob.again();
    let engine = mob.open().await.expect("opened");
    engine
        .submit_internal(Command::Mob(MobCommand::Resume))
        .await
        .expect("resumed");
    engine.bring_up().await.expect("brought up");
    let outcome = engine.outcome(message).await.expect("an outcome");
    assert!(matches!(outcome, Outcome::Dropped { .. }));
    assert_eq!(mob.runner.model_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_paused_line_accepts_and_begins_nothing_until_it_goes_on() {
    let mob = Mob::workers(&["a", "b"]);
    let engine = mob.up().await;
    let order = |command| {
        let submission = Submission {
            command: Command::Mob(command),
            actor: ada(),
            key: None,
            trace: None,
        };
        engine.submit(submission)
    };
    order(MobCommand::Pause { reason: None })
        .await
        .expect("paused");
    let messages = [
        send(&engine, "a", "say x").await,
        send(&engine, "b", "say y").await,
    ];
    tokio::time::sleep(DAY).await;
    assert_eq!(mob.runner.model_calls(), 0);
    order(MobCommand::Resume).await.expect("resumed");
    for message in messages {
        settle(&engine, message).await;
    }
}
