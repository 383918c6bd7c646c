//! Readers: gap-free, without doubles, at their own pace.

use crate::kit::{Mob, ada, beside, journal, quiet, send, sound, until};
use mobkit_domain::command::{Command, MobCommand, RuntimeCommand, Submission};
use mobkit_domain::event::{ErrorEvent, EventFilter};
use mobkit_domain::id::Seq;
use mobkit_domain::time::Time;
use mobkit_engine::{CursorError, Engine, EventReader, TAIL_EVENTS_MAX};
use mobkit_store::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

async fn open(engine: &Engine, after: Seq) -> EventReader {
    EventReader::open(engine, after, EventFilter::default())
        .await
        .expect("a reader")
}

async fn raise(engine: &Engine) {
    let error = ErrorEvent::RediscoverFailure {
        error: "x".to_owned(),
    };
    let command = Command::Runtime(RuntimeCommand::Raise(error));
    engine.submit_internal(command).await.expect("recorded");
}

/// Writes so many events, many of them at once.
async fn write(engine: &Engine, count: usize) {
    let chunk = 256;
    for done in (0..count).step_by(chunk) {
        let writes = (done..count.min(done + chunk)).map(|_| raise(engine));
        futures::future::join_all(writes).await;
    }
}

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_and_goes_sees_each_of_many_events_once_and_in_order() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let total = 20_000;
    let writer = beside({
        let engine = engine.clone();
        async move { write(&engine, total).await }
    });
    let (mut chance, mut after, mut seen) = (Chance(7), 0, 0);
    let end = engine.head() + total as u64;
    while after < end {
        let mut reader = open(&engine, after).await;
        for _ in 0..chance.below(12) {
            let limit = usize::try_from(1 + chance.below(400)).expect("small");
            let events = reader
                .next(limit)
                .await
                .expect("readable")
                .expect("goes on");
            assert!(events.len() <= limit);
            for event in events {
                assert_eq!(event.envelope.seq, after + 1);
                after += 1;
                seen += 1;
            }
            if after == end {
                break;
            }
        }
        assert!(reader.cursor() == after || reader.cursor() == 0);
    }
    writer.await.expect("written");
    assert_eq!(seen, end);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_has_fallen_behind_the_memory_reads_from_the_store() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let mut slow = open(&engine, 0).await;
    write(&engine, TAIL_EVENTS_MAX + 500).await;
    let asked = mob.tap.calls();
    let mut after = 0;
    while after < engine.head() {
        for event in slow.ready(1_000).await.expect("readable") {
            assert_eq!(event.envelope.seq, after + 1);
            after += 1;
        }
    }
    let reads = mob.tap.calls() - asked;
    assert!(
        (1..=3).contains(&reads),
        "{reads} reads: only what the memory no longer has"
    );
    assert!(slow.ready(10).await.expect("readable").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reader_sees_what_was_written_by_earlier_processes() {
    let mut mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    write(&engine, 10).await;
    engine.shutdown().await;
    mob.again();
    let engine = mob.up().await;
    let mut reader = open(&engine, 0).await;
    let mut seen = Vec::new();
    while reader.cursor() < engine.head() {
        seen.extend(
            reader
                .ready(3)
                .await
                .expect("readable")
                .iter()
                .map(|e| e.envelope.seq),
        );
    }
    assert_eq!(seen, (1..=engine.head()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_stalled_reader_does_not_slow_the_writer() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let stalled: Vec<EventReader> =
        futures::future::join_all((0..100).map(|_| open(&engine, 0))).await;
    let began = engine.now();
    write(&engine, 5_000).await;
    assert_eq!(engine.now(), began);
    assert!(stalled.iter().all(|reader| reader.cursor() == 0));
}

#[tokio::test(start_paused = true)]
async fn a_cursor_from_the_future_and_one_that_is_too_old_are_refused_with_the_bounds() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    write(&engine, 50).await;
    let head = engine.head();
    let refused = |after| {
        let engine = engine.clone();
        async move {
            EventReader::open(&engine, after, EventFilter::default())
                .await
                .err()
        }
    };
    assert!(refused(head).await.is_none());
    match refused(head + 1).await {
        Some(CursorError::Ahead { after, latest }) => assert_eq!((after, latest), (head + 1, head)),
        other => panic!("{other:?}"),
    }
    mob.memory
        .trim(engine.mob(), crate::kit::trim(20, Time(i64::MAX)))
        .await
        .expect("trimmed");
    for after in [0, 18] {
        match refused(after).await {
            Some(CursorError::Expired {
                after: given,
                oldest,
                latest,
            }) => {
                assert_eq!((given, oldest, latest), (after, 20, head));
            }
            other => panic!("{other:?}"),
        }
    }
    let mut reader = open(&engine, 19).await;
    assert_eq!(reader.ready(1).await.expect("readable")[0].envelope.seq, 20);
}

#[tokio::test(start_paused = true)]
async fn a_reader_whose_place_is_forgotten_while_it_reads_is_told() {
    let mut mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    write(&engine, 50).await;
    engine.shutdown().await;
    mob.again();
    // The memory of this process is younger than the reader's place.
    let engine = mob.up().await;
    let mut reader = open(&engine, 0).await;
    reader.ready(5).await.expect("readable");
    mob.memory
        .trim(engine.mob(), crate::kit::trim(30, Time(i64::MAX)))
        .await
        .expect("trimmed");
    let mut last = reader.cursor();
    let told = loop {
        match reader.ready(5).await {
            Ok(events) if events.is_empty() => break None,
            Ok(events) => {
                assert_eq!(events[0].envelope.seq, last + 1, "no gap without a word");
                last = reader.cursor();
            }
            Err(error) => break Some(error),
        }
    };
    assert!(
        matches!(told, Some(CursorError::Expired { oldest: 30, .. })),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_filter_passes_what_it_names_and_the_cursor_moves_on_all_the_same() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let message = send(&engine, "a", "look; say x").await;
    crate::kit::settle(&engine, message).await;
    let filter = EventFilter::parse(Some("tool.*"), Some("member/a"), None).expect("a filter");
    let mut reader = EventReader::open(&engine, 0, filter)
        .await
        .expect("a reader");
    let found = reader.ready(10).await.expect("readable");
    let kinds: Vec<&str> = found
        .iter()
        .map(|event| event.envelope.event.kind())
        .collect();
    assert_eq!(kinds, ["tool.started", "tool.finished"]);
    assert!(reader.ready(10).await.expect("readable").is_empty());
    assert_eq!(reader.cursor(), engine.head());
}

#[tokio::test(start_paused = true)]
async fn a_reader_waits_for_the_next_event_and_ends_after_the_last() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let mut reader = open(&engine, engine.head()).await;
    let count = Arc::new(AtomicU64::new(0));
    let ended = Arc::new(AtomicBool::new(false));
    let reading = beside({
        let (count, ended) = (Arc::clone(&count), Arc::clone(&ended));
        async move {
            let mut last = "";
            while let Some(events) = reader.next(1).await.expect("readable") {
                last = events[0].envelope.event.kind();
                count.fetch_add(1, Ordering::SeqCst);
            }
            ended.store(true, Ordering::SeqCst);
            last
        }
    });
    quiet().await;
    for n in 1..=3 {
        raise(&engine).await;
        until("it was read", || count.load(Ordering::SeqCst) == n).await;
    }
    quiet().await;
    assert!(!ended.load(Ordering::SeqCst));
    engine.shutdown().await;
    assert_eq!(reading.await.expect("ended"), "runtime.stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_writers_on_several_threads_miss_nothing() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let command = Command::Mob(MobCommand::Pause { reason: None });
    let pause = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(pause).await.expect("paused");
    let total = 3_000;
    let end = engine.head() + 2 * total;
    let readers: Vec<_> = (0..4)
        .map(|n| {
            let engine = engine.clone();
            beside(async move {
                let (mut reader, mut after) = (open(&engine, n).await, n);
                while after < end {
                    let limit = 1 + usize::try_from(n).expect("small") * 50;
                    for event in reader
                        .next(limit)
                        .await
                        .expect("readable")
                        .expect("goes on")
                    {
                        assert_eq!(event.envelope.seq, after + 1);
                        after += 1;
                    }
                }
            })
        })
        .collect();
    let writers: Vec<_> = (0..2)
        .map(|_| {
            let engine = engine.clone();
            beside(async move {
                for _ in 0..total {
                    raise(&engine).await;
                }
            })
        })
        .collect();
    for task in writers.into_iter().chain(readers) {
        task.await.expect("ended");
    }
    assert_eq!(sound(&mob.memory).await.len() as u64, end);
    assert_eq!(journal(&mob.memory).await.len() as u64, engine.head());
}
