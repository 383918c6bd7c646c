//! A crash before and after every append of a mob that works by itself: schedules fire, and what
//! they and others send leaves the mob.

use crate::kit::{Death, HEAD, Mob, Tap, ada, sound};
use mobkit_domain::command::{Command, DeliveryCommand, Submission};
use mobkit_domain::event::{Envelope, Event, EventFilter, KeyUse, Started};
use mobkit_domain::id::{DeliveryId, ScheduleId};
use mobkit_domain::principal::Principal;
use mobkit_domain::time::Time;
use mobkit_engine::{Engine, EventReader};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Occurrences of each schedule that a test waits for.
const OCCURRENCES: usize = 2;

const OUTSIDE: &str = r#"
[[members]]
id = "a"
profile = "worker"
[[schedules]]
id = "work"
every = "10s"
to = { member = "a" }
message = "look; say one"
missed = { policy = "all", within = "1h" }
overlap = "queue"
[[schedules]]
id = "tell"
every = "15s"
to = { route = "hook" }
message = "fail; ok"
missed = { policy = "all", within = "1h" }
overlap = "queue"
[[routes]]
id = "hook"
match = { recipient = "hook" }
sink = { kind = "webhook", url = "https://receiver.example/hook" }
[[routes]]
id = "mail"
match = { recipient = "mail" }
sink = { kind = "email", server = "smtps://mail.example", from = "a@mail.example", to = ["b@mail.example"] }
[[routes]]
id = "desk"
match = { recipient = "desk" }
sink = { kind = "member", member = "a" }
"#;

/// Recipients and payloads: to receivers that know repetitions, that don't, and to a member.
const SENT: [(&str, &str); 5] = [
    ("hook", "ok"),
    ("hook", "later 2000; hopeless"),
    ("mail", "fail; ok"),
    ("mail", "lost"),
    ("desk", "say got it"),
];

fn mob() -> Mob {
    Mob::of(&(HEAD.to_owned() + OUTSIDE))
}

async fn send(engine: &Engine) -> Result<(), ()> {
    for (n, (recipient, payload)) in (1..).zip(SENT) {
        let command = DeliveryCommand::Send {
            recipient: recipient.to_owned(),
            channel: None,
            payload: Value::String(payload.to_owned()),
        };
        let key = KeyUse {
            key: format!("key {n}"),
            digest: payload.to_owned(),
        };
        let submission = Submission {
            command: Command::Delivery(command),
            actor: ada(),
            key: Some(key),
            trace: None,
        };
        engine.submit(submission).await.map_err(drop)?;
    }
    Ok(())
}

/// Waits until every schedule has had its occurrences and nothing that was sent is on its way.
async fn settled(engine: &Engine) -> Result<(), ()> {
    let opened = EventReader::open(engine, 0, EventFilter::default()).await;
    let mut reader = opened.map_err(drop)?;
    let mut completed: BTreeMap<ScheduleId, usize> = BTreeMap::new();
    let (mut queued, mut ended) = (0, 0);
    while completed.len() < 2
        || completed.values().any(|count| *count < OCCURRENCES)
        || queued != ended
    {
        let events = reader.next(1).await.map_err(drop)?.ok_or(())?;
        for event in events {
            match &event.envelope.event {
                Event::OccurrenceCompleted(e) => {
                    *completed.entry(e.schedule.clone()).or_default() += 1;
                }
                Event::DeliveryQueued(_) => queued += 1,
                Event::DeliveryDelivered(_)
                | Event::DeliveryDead(_)
                | Event::DeliveryUnknown(_) => ended += 1,
                _ => {}
            }
        }
    }
    Ok(())
}

/// One process.
async fn live(mob: &Mob) -> Result<(), ()> {
    let engine = mob.start().await.map_err(drop)?;
    let done = async {
        send(&engine).await?;
        settled(&engine).await
    };
    let done = done.await;
    let report = engine.shutdown().await;
    assert!(engine.tasks().live().is_empty());
    if mob.tap.is_dead() || !report.is_orderly() {
        return Err(());
    }
    done
}

/// Claims, dispatches and ends of each occurrence.
type Lives = BTreeMap<(ScheduleId, Time), [usize; 3]>;

fn lives(events: &[Envelope]) -> Lives {
    let mut lives = Lives::new();
    for envelope in events {
        let (schedule, due, part) = match &envelope.event {
            Event::OccurrenceClaimed(e) => (&e.schedule, e.due, 0),
            Event::OccurrenceDispatched(e) => (&e.schedule, e.due, 1),
            Event::OccurrenceCompleted(e) => (&e.schedule, e.due, 2),
            Event::OccurrenceFailed(_)
            | Event::OccurrenceSkipped(_)
            | Event::OccurrenceMissed(_) => panic!("{envelope:?}"),
            _ => continue,
        };
        lives.entry((schedule.clone(), due)).or_default()[part] += 1;
    }
    lives
}

/// Each due time has one occurrence, none is left out, and each has one piece of work.
fn check_occurrences(events: &[Envelope]) {
    let lives = lives(events);
    for (occurrence, [claims, dispatches, ends]) in &lives {
        assert_eq!((*claims, *ends <= *dispatches), (1, true), "{occurrence:?}");
        assert!(*dispatches <= 1 && *ends <= 1, "{occurrence:?}");
    }
    for (schedule, every_ms) in [("work", 10_000), ("tell", 15_000)] {
        let dues = lives.keys().filter(|(id, _)| id.as_str() == schedule);
        let dues: Vec<i64> = dues.map(|(_, due)| due.0).collect();
        assert!(dues.len() >= OCCURRENCES, "{dues:?}");
        let dense = dues.windows(2).all(|two| two[1] - two[0] == every_ms);
        assert!(dense, "{schedule} has a hole: {dues:?}");
    }
    let started = events.iter().filter_map(|event| match &event.event {
        Event::OccurrenceDispatched(e) => Some(e.started),
        _ => None,
    });
    let started: Vec<Started> = started.collect();
    for (n, one) in started.iter().enumerate() {
        assert!(!started[..n].contains(one), "{one:?} is of two occurrences");
    }
    let scheduled = events.iter().filter(|event| match &event.event {
        Event::MessageAccepted(e) => e.from == Principal::Runtime && e.to.as_str() == "a",
        _ => false,
    });
    let messages = started
        .iter()
        .filter(|started| matches!(started, Started::Message(_)));
    let (scheduled, messages) = (scheduled.count(), messages.count());
    assert_eq!(scheduled, messages, "one message for each occurrence");
}

/// What came of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Delivered,
    Dead,
    Unknown,
}

fn ends(events: &[Envelope]) -> BTreeMap<DeliveryId, End> {
    let mut ends = BTreeMap::new();
    for envelope in events {
        let (delivery, end) = match &envelope.event {
            Event::DeliveryDelivered(e) => (e.delivery, End::Delivered),
            Event::DeliveryDead(e) => (e.delivery, End::Dead),
            Event::DeliveryUnknown(e) => (e.delivery, End::Unknown),
            _ => continue,
        };
        assert_eq!(ends.insert(delivery, end), None, "{delivery} ended twice");
    }
    ends
}

/// Every delivery has one end, and receivers have what the journal says.
fn check_deliveries(mob: &Mob, events: &[Envelope]) {
    let ends = ends(events);
    let taken = mob.runner.taken();
    let attempts = mob.runner.attempts();
    let distinct: BTreeSet<_> = attempts.iter().collect();
    assert_eq!(distinct.len(), attempts.len(), "an attempt was made twice");
    let mut by_operator = 0;
    for envelope in events {
        let Event::DeliveryQueued(queued) = &envelope.event else {
            continue;
        };
        let id = queued.delivery;
        let arrived = taken.iter().filter(|taken| **taken == id).count();
        let end = ends.get(&id).copied();
        by_operator += usize::from(queued.from == ada());
        let text = queued.payload.as_str().expect("text");
        match (queued.route.as_str(), end) {
            ("hook", Some(End::Delivered)) => assert!(arrived >= 1, "{id} never arrived"),
            ("hook", Some(End::Dead)) => assert!(text.contains("hopeless"), "{id}: {text}"),
            ("mail", Some(End::Delivered)) => assert_eq!(arrived, 1, "{id}"),
            ("mail", Some(End::Unknown)) => assert!(arrived <= 1, "{id}"),
            // Only what a schedule sent may be on its way, where it was stopped.
            ("hook", None) => assert_eq!(queued.from, Principal::Runtime, "{id}"),
            ("desk", Some(End::Delivered)) => {}
            other => panic!("{id} ended as {other:?}"),
        }
    }
    assert_eq!(by_operator, SENT.len(), "each was queued once");
    let got = events.iter().filter(|event| match &event.event {
        Event::MessageAccepted(e) => e.text.inline() == Some("say got it"),
        _ => false,
    });
    assert_eq!(got.count(), 1, "a member is told once");
}

async fn check(mob: &Mob) {
    let events = sound(&mob.memory).await;
    check_occurrences(&events);
    check_deliveries(mob, &events);
}

async fn survives(deaths: &[Death]) {
    let mut mob = mob();
    for death in deaths {
        mob.tap = Arc::new(Tap::mortal(Arc::new(mob.memory.reopen()), *death));
        let lived = live(&mob).await;
        assert!(lived.is_err() || !mob.tap.is_dead());
        sound(&mob.memory).await;
    }
    mob.again();
    live(&mob)
        .await
        .unwrap_or_else(|()| panic!("{deaths:?}: it does not settle"));
    check(&mob).await;
}

/// How many appends it takes without a crash.
async fn appends() -> usize {
    let mob = mob();
    live(&mob).await.expect("it settles");
    check(&mob).await;
    mob.tap.appends().len()
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_or_after_any_append_fires_nothing_twice_and_sends_nothing_twice() {
    let appends = appends().await;
    assert!(appends > 20, "only {appends} appends");
    for at in 1..=appends {
        survives(&[Death::Before(at)]).await;
        survives(&[Death::After(at)]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_during_the_recovery_from_a_crash_changes_nothing_of_that() {
    let appends = appends().await;
    for first in (6..=appends).step_by(3) {
        for second in 1..=8 {
            survives(&[Death::After(first), Death::Before(second)]).await;
        }
    }
}
