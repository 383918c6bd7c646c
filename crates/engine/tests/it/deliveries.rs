//! Deliveries over the life of processes: attempts, crashes, slow receivers, drains and replays.

use crate::kit::{HEAD, Mob, ada, count, order, pass_ms, quiet, sound, until, until_kind};
use mobkit_domain::command::{Command, DeliveryCommand, MobCommand};
use mobkit_domain::event::{Envelope, Event};
use mobkit_domain::id::DeliveryId;
use mobkit_domain::row::{Row, Table};
use mobkit_engine::Engine;
use serde_json::Value;
use std::collections::BTreeSet;

const ROUTES: &str = r#"
[[members]]
id = "a"
profile = "worker"
[[routes]]
id = "hook"
match = { recipient = "hook" }
sink = { kind = "webhook", url = "https://receiver.example/hook" }
[[routes]]
id = "other"
match = { recipient = "other" }
sink = { kind = "webhook", url = "https://other.example/hook" }
[[routes]]
id = "mail"
match = { recipient = "mail" }
sink = { kind = "email", server = "smtps://mail.example", from = "a@mail.example", to = ["b@mail.example"] }
[[routes]]
id = "slow"
match = { recipient = "slow" }
sink = { kind = "webhook", url = "https://slow.example/hook" }
rate = { per_minute = 2 }
"#;

fn mob() -> Mob {
    Mob::of(&(HEAD.to_owned() + ROUTES))
}

/// Sends, and returns the delivery.
async fn send(engine: &Engine, recipient: &str, payload: &str) -> DeliveryId {
    let command = DeliveryCommand::Send {
        recipient: recipient.to_owned(),
        channel: None,
        payload: Value::String(payload.to_owned()),
    };
    let answer = order(engine, Command::Delivery(command)).await;
    DeliveryId(answer.expect("queued").seq())
}

async fn stop(engine: &Engine) {
    engine.shutdown().await;
    assert!(engine.tasks().live().is_empty());
}

fn pauses(events: &[Envelope]) -> Vec<u64> {
    let failed = events.iter().filter_map(|event| match &event.event {
        Event::DeliveryFailed(e) => Some(e.retry_at.since_ms(event.time)),
        _ => None,
    });
    failed.collect()
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_after_longer_and_longer_pauses_until_it_arrives() {
    let mob = mob();
    let engine = mob.up().await;
    let id = send(&engine, "hook", "fail; fail; fail; ok").await;
    let events = until_kind(&engine, "delivery.delivered", 1).await;
    let pauses = pauses(&events);
    assert_eq!(pauses.len(), 3);
    assert!(pauses.windows(2).all(|two| two[0] < two[1]), "{pauses:?}");
    assert_eq!(mob.runner.taken(), [id]);
    let attempts: Vec<u32> = mob.runner.attempts().iter().map(|(_, n)| *n).collect();
    assert_eq!(attempts, [1, 2, 3, 4]);
    stop(&engine).await;
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_asks_for_a_pause_gets_it() {
    let mob = mob();
    let engine = mob.up().await;
    send(&engine, "hook", "later 90000; ok").await;
    let events = until_kind(&engine, "delivery.delivered", 1).await;
    assert!(pauses(&events)[0] >= 90_000);
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_gone_puts_its_route_out_of_use_and_no_other() {
    let mob = mob();
    let engine = mob.up().await;
    send(&engine, "hook", "gone").await;
    until_kind(&engine, "delivery.dead", 1).await;
    let events = until_kind(&engine, "route.defined", 5).await;
    let disabled: Vec<&str> = events
        .iter()
        .filter_map(|event| match &event.event {
            Event::RouteDefined(e) if e.disabled.is_some() => Some(e.route.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(disabled, ["hook"]);
    let command = DeliveryCommand::Send {
        recipient: "hook".to_owned(),
        channel: None,
        payload: Value::Null,
    };
    let refused = order(&engine, Command::Delivery(command)).await;
    assert_eq!(refused.expect_err("refused").code, "route.disabled");
    send(&engine, "other", "ok").await;
    until_kind(&engine, "delivery.delivered", 1).await;
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_delays_nobody_else() {
    let mob = mob();
    let engine = mob.up().await;
    for _ in 0..20 {
        send(&engine, "hook", "never").await;
    }
    until("the route is full", || mob.runner.attempts().len() == 8).await;
    let id = send(&engine, "other", "ok").await;
    let events = until_kind(&engine, "delivery.delivered", 1).await;
    assert_eq!(mob.runner.attempts().len(), 9);
    assert!(mob.runner.taken().contains(&id));
    assert_eq!(count(&events, "delivery.failed"), 0);
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn a_route_sends_no_more_of_a_minute_than_it_may() {
    let mob = mob();
    let engine = mob.up().await;
    for _ in 0..5 {
        send(&engine, "slow", "ok").await;
    }
    let events = until_kind(&engine, "delivery.delivered", 5).await;
    let times = events.iter().filter_map(|event| match &event.event {
        Event::DeliveryAttempted(_) => Some(event.time),
        _ => None,
    });
    let times: Vec<_> = times.collect();
    assert_eq!(times.len(), 5);
    assert!(
        times
            .windows(3)
            .all(|three| three[2].since_ms(three[0]) >= 60_000)
    );
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn an_attempt_in_flight_at_a_crash_is_repeated_only_where_the_receiver_knows_repetitions() {
    let mut mob = mob();
    let engine = mob.up().await;
    // Each arrives, and its answer is lost with the process.
    let hook = send(&engine, "hook", "never; ok").await;
    let mail = send(&engine, "mail", "never; ok").await;
    until("both have arrived", || mob.runner.taken().len() == 2).await;
    mob.tap.kill();
    stop(&engine).await;
    mob.again();
    let engine = mob.up().await;
    let events = until_kind(&engine, "delivery.delivered", 1).await;
    assert_eq!(
        mob.runner.taken().iter().filter(|id| **id == hook).count(),
        2
    );
    assert_eq!(
        mob.runner.taken().iter().filter(|id| **id == mail).count(),
        1
    );
    let repeated = events.iter().filter_map(|event| match &event.event {
        Event::DeliveryAttempted(e) if e.repeated => Some(e.delivery),
        _ => None,
    });
    assert_eq!(repeated.collect::<Vec<_>>(), [hook]);
    let unknown = events.iter().filter_map(|event| match &event.event {
        Event::DeliveryUnknown(e) => Some(e.delivery),
        _ => None,
    });
    assert_eq!(unknown.collect::<Vec<_>>(), [mail]);
    pass_ms(3_600_000).await;
    quiet().await;
    assert_eq!(
        mob.runner.taken().len(),
        3,
        "nothing is repeated later either"
    );

    // Somebody looks, and has it sent again.
    let row = engine
        .store()
        .row(engine.mob(), Table::Delivery, mail.0)
        .await;
    let Some(Row::Delivery(row)) = row.expect("readable") else {
        panic!("{mail} has no row")
    };
    let replay = DeliveryCommand::Replay(row);
    order(&engine, Command::Delivery(replay))
        .await
        .expect("replayed");
    until("it arrives again", || mob.runner.taken().len() == 4).await;
    assert_eq!(mob.runner.taken()[3], mail, "under the same id");
    stop(&engine).await;
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_another_attempt_waits_over_a_restart_too() {
    let mut mob = mob();
    let engine = mob.up().await;
    let id = send(&engine, "hook", "later 60000; ok").await;
    until_kind(&engine, "delivery.failed", 1).await;
    stop(&engine).await;
    mob.again();
    let engine = mob.up().await;
    quiet().await;
    assert_eq!(mob.runner.attempts().len(), 1, "its time has not come");
    let events = until_kind(&engine, "delivery.delivered", 1).await;
    assert_eq!(mob.runner.taken(), [id]);
    assert_eq!(count(&events, "delivery.attempted"), 2);
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_hears_the_end_of_attempts_and_begins_none() {
    let mut mob = mob();
    mob.drain_timeout_ms = 60_000;
    let engine = mob.up().await;
    send(&engine, "hook", "after 20000 ok").await;
    send(&engine, "mail", "after 20000 ok").await;
    send(&engine, "other", "later 5000; ok").await;
    until_kind(&engine, "delivery.failed", 1).await;
    let report = engine.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    let events = sound(&mob.memory).await;
    assert_eq!(count(&events, "delivery.delivered"), 2, "{report:?}");
    assert_eq!(count(&events, "delivery.attempted"), 3, "none was begun");
    mob.again();
    let engine = mob.up().await;
    let events = until_kind(&engine, "delivery.delivered", 3).await;
    let distinct: BTreeSet<_> = mob.runner.taken().into_iter().collect();
    assert_eq!(distinct.len(), 3);
    assert_eq!(count(&events, "delivery.unknown"), 0);
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_mob_keeps_what_is_sent_until_it_is_resumed() {
    let mob = mob();
    let engine = mob.up().await;
    let pause = MobCommand::Pause { reason: None };
    order(&engine, Command::Mob(pause)).await.expect("paused");
    let id = send(&engine, "hook", "ok").await;
    pass_ms(60_000).await;
    quiet().await;
    assert_eq!(mob.runner.attempts(), []);
    order(&engine, Command::Mob(MobCommand::Resume))
        .await
        .expect("resumed");
    let events = until_kind(&engine, "delivery.delivered", 1).await;
    assert_eq!(mob.runner.taken(), [id]);
    let from = events.iter().find_map(|event| match &event.event {
        Event::DeliveryQueued(e) => Some(e.from.clone()),
        _ => None,
    });
    assert_eq!(from, Some(ada()));
    stop(&engine).await;
}
