//! Nothing is told before it is durable, and nothing goes on where the journal ends.

use crate::kit::{
    Death, Mob, Tap, ada, beside, count, journal, kinds, order, quiet, send, send_as, sound, until,
};
use mobkit_domain::command::{Command, DeliveryCommand, MobCommand, ScheduleCommand, Submission};
use mobkit_domain::definition::schedule_of;
use mobkit_domain::event::{ErrorEvent, EventFilter};
use mobkit_domain::lifecycle::{Phase, Verb};
use mobkit_engine::{Engine, EventReader};
use serde_json::json;
use std::sync::{Arc, Mutex};

async fn pause(engine: &Engine) {
    let command = Command::Mob(MobCommand::Pause { reason: None });
    let submission = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await.expect("paused");
}

#[tokio::test(start_paused = true)]
async fn commands_that_arrive_during_an_append_go_into_one_batch() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    pause(&engine).await;
    let before = mob.tap.appends().len();
    mob.tap.hold(true);
    let client = |n: usize| {
        let engine = engine.clone();
        beside(async move { send(&engine, "a", &format!("say {n}")).await })
    };
    let first = client(0);
    until("an append waits", || mob.tap.waiting() == 1).await;
    let others: Vec<_> = (1..=100).map(client).collect();
    quiet().await;
    mob.tap.hold(false);
    let mut messages = vec![first.await.expect("answered")];
    for other in others {
        messages.push(other.await.expect("answered"));
    }
    assert_eq!(mob.tap.appends()[before..], [1, 100]);
    assert!(
        messages.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0),
        "in order of arrival"
    );
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_sees_anything_before_it_is_durable() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let head = engine.head();
    let mut reader = EventReader::open(&engine, head, EventFilter::default())
        .await
        .expect("a reader");
    mob.tap.hold(true);
    let caller = beside({
        let engine = engine.clone();
        async move { send(&engine, "a", "say x").await }
    });
    until("an append waits", || mob.tap.waiting() == 1).await;
    quiet().await;
    assert!(!caller.is_finished());
    assert!(reader.ready(10).await.expect("readable").is_empty());
    assert_eq!(
        (engine.head(), engine.view(|world| world.state.head)),
        (head, head)
    );
    assert_eq!(mob.runner.model_calls(), 0);
    mob.tap.hold(false);
    let message = caller.await.expect("answered");
    let seen = reader.next(1).await.expect("readable").expect("an event");
    assert_eq!(seen[0].envelope.seq, message.0);
}

#[tokio::test(start_paused = true)]
async fn no_schedule_and_no_delivery_is_answered_before_it_is_durable() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let entry = json!({"id": "s", "every": "1h", "to": {"member": "a"}, "message": "say x"});
    let spec = schedule_of(entry.as_object().expect("an object")).expect("a schedule");
    let commands = [
        Command::Schedule(ScheduleCommand::Put(Box::new(spec))),
        Command::Delivery(DeliveryCommand::Send {
            recipient: "member:a".to_owned(),
            channel: None,
            payload: json!("say x"),
        }),
    ];
    for (command, kind) in commands
        .into_iter()
        .zip(["schedule.defined", "delivery.queued"])
    {
        let head = engine.head();
        mob.tap.hold(true);
        let caller = beside({
            let engine = engine.clone();
            async move { order(&engine, command).await }
        });
        until("an append waits", || mob.tap.waiting() == 1).await;
        quiet().await;
        assert!(!caller.is_finished(), "{kind}");
        let seen = (engine.head(), engine.view(|world| world.state.head));
        assert_eq!(seen, (head, head), "{kind}");
        mob.tap.hold(false);
        let seq = caller.await.expect("it ends").expect("accepted").seq();
        let events = journal(&mob.memory).await;
        let at = events.iter().find(|envelope| envelope.seq == seq);
        assert_eq!(at.map(|envelope| envelope.event.kind()), Some(kind));
    }
    engine.shutdown().await;
    // What was answered is there for the next process.
    let mut again = mob;
    again.again();
    let engine = again.up().await;
    assert!(engine.view(|world| world.state.schedules.len()) == 1);
    let events = journal(&again.memory).await;
    assert_eq!(count(&events, "delivery.queued"), 1);
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_was_told_of_is_in_every_view() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let mut reader = EventReader::open(&engine, engine.head(), EventFilter::default())
        .await
        .expect("a reader");
    let message = send(&engine, "a", "never").await;
    assert!(engine.view(|world| world.state.messages.contains_key(&message)));
    assert!(engine.head() >= message.0);
    let ready = reader.ready(1).await.expect("readable");
    assert_eq!(ready[0].envelope.seq, message.0);
}

#[tokio::test(start_paused = true)]
async fn a_failed_append_ends_the_runtime_and_publishes_nothing() {
    let mut mob = Mob::workers(&["a"]);
    let told: Arc<Mutex<Vec<ErrorEvent>>> = Arc::default();
    let hook = Arc::clone(&told);
    mob.hooks.on_error = Some(Arc::new(move |error| {
        hook.lock().expect("not poisoned").push(error);
        Box::pin(async {})
    }));
    let engine = mob.up().await;
    let stuck = send(&engine, "a", "never").await;
    until("the turn runs", || mob.runner.model_calls() == 1).await;
    let waits = beside({
        let engine = engine.clone();
        async move { engine.outcome(stuck).await }
    });
    let (head, before) = (engine.head(), journal(&mob.memory).await);
    mob.tap.hold(true);
    mob.tap.dies(Death::Before(mob.tap.appends().len() + 1));
    let client = |text: &'static str| {
        let engine = engine.clone();
        beside(async move { send_as(&engine, "a", text, None).await })
    };
    let in_batch = client("say one");
    until("an append waits", || mob.tap.waiting() == 1).await;
    let queued = client("say two");
    quiet().await;
    mob.tap.hold(false);
    let refusal = in_batch.await.expect("answered").expect_err("refused");
    assert_eq!(refusal.code, "journal.failed");
    let refusal = queued.await.expect("answered").expect_err("refused");
    assert_eq!(refusal.code, "runtime.not_running");
    let refusal = send_as(&engine, "a", "say three", None)
        .await
        .expect_err("refused");
    assert_eq!(refusal.code, "runtime.not_running");
    assert_eq!(engine.phase().now(), Phase::Failed);
    assert!(engine.phase().check(Verb::Read).is_ok());
    assert_eq!(
        waits.await.expect("ended").expect_err("no outcome").code,
        "runtime.stopping"
    );
    assert_eq!(
        (engine.head(), engine.view(|world| world.state.head)),
        (head, head)
    );
    assert_eq!(journal(&mob.memory).await, before);
    let report = engine.shutdown().await;
    assert_eq!(
        (report.state, report.drain.timed_out),
        (Phase::Failed, false)
    );
    assert!(!report.is_orderly());
    assert!(
        engine.tasks().live().is_empty(),
        "{:?}",
        engine.tasks().live()
    );
    let told = told.lock().expect("not poisoned").clone();
    assert!(
        matches!(&told[..], [ErrorEvent::JournalFailure { .. }]),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_writer_of_an_earlier_epoch_is_refused_and_stops() {
    let mut mob = Mob::workers(&["a"]);
    let first = mob.up().await;
    mob.again();
    let second = mob.up().await;
    assert!(second.epoch() > first.epoch());
    let refusal = send_as(&first, "a", "say x", None)
        .await
        .expect_err("stale");
    assert_eq!(refusal.code, "journal.failed");
    assert!(refusal.message.contains("epoch"), "{refusal}");
    assert_eq!(first.phase().now(), Phase::Failed);
    let message = send(&second, "a", "say x").await;
    crate::kit::settle(&second, message).await;
    let events = sound(&mob.memory).await;
    assert_eq!(
        kinds(&events)
            .iter()
            .filter(|kind| **kind == "runtime.started")
            .count(),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_finds_the_message_whose_acceptance_was_durable_but_not_told() {
    let mut mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    mob.tap.dies(Death::After(mob.tap.appends().len() + 1));
    let refusal = send_as(&engine, "a", "say x", Some("k"))
        .await
        .expect_err("the disk died");
    assert_eq!(refusal.code, "journal.failed");
    engine.shutdown().await;
    mob.again();
    let engine = mob.up().await;
    let message = send_as(&engine, "a", "say x", Some("k"))
        .await
        .expect("accepted");
    crate::kit::settle(&engine, message).await;
    assert_eq!(crate::kit::ends_of(&sound(&mob.memory).await).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_dies_at_the_start_leaves_nothing_behind() {
    for death in [
        Death::Before(1),
        Death::After(1),
        Death::Before(2),
        Death::After(2),
    ] {
        let mut mob = Mob::workers(&["a"]);
        mob.tap = Arc::new(Tap::mortal(Arc::new(mob.memory.reopen()), death));
        let opened = mob.open().await;
        if let Ok(engine) = opened {
            engine.bring_up().await.expect_err("the disk died");
            assert!(engine.tasks().live().is_empty());
            assert_eq!(engine.phase().now(), Phase::Failed);
        }
        assert!(mob.tap.is_dead());
        mob.again();
        mob.up().await.shutdown().await;
        sound(&mob.memory).await;
    }
}
