//! Cases of forgetting.

use super::fixture::{about_member, events, filled, journal, message, mixed, mob, time, turn};
use crate::store::{Batch, EventQuery, Snapshot, Store, Trim};
use bytes::Bytes;
use mobkit_domain::event::{Cut, Envelope, Event, EventFilter, NewEvent};
use mobkit_domain::id::{MobId, Seq, TurnId};
use mobkit_domain::row::{MessageRow, MessageState, Row, Table, TurnStatus};
use mobkit_domain::state::Stretch;
use mobkit_domain::time::Time;
use serde_json::json;
use std::sync::Arc;

fn below(below: Seq) -> Cut {
    let before = Time(i64::MAX);
    Cut { below, before }
}

/// What `ann` said after a position.
fn of_ann(after: Seq) -> Vec<Stretch> {
    vec![Stretch {
        subject: "member/ann".to_owned(),
        after,
        until: Seq::MAX,
    }]
}

async fn seqs(store: &dyn Store, mob: &MobId, query: EventQuery) -> Vec<Seq> {
    let page = store.events(mob, query).await.expect("a page");
    assert!(page.at_end, "{page:?}");
    page.events.iter().map(|event| event.seq).collect()
}

async fn clean(store: &dyn Store, mob: &MobId) {
    let found = store.verify(mob).await.expect("verified");
    assert_eq!(found.problems, Vec::<String>::new());
}

pub(super) async fn what_sessions_need_stays_for_those_who_ask(store: &dyn Store) {
    let mob = mob("kept");
    filled(store, &mob, 30).await;
    let trim = |events, after| Trim {
        events,
        keep: of_ann(after),
        ..Trim::default()
    };
    let left = store.trim(&mob, trim(below(18), 5)).await.expect("trimmed");
    assert_eq!(left, 18);
    // Every fourth event is about her.
    let all = EventQuery {
        limit: 100,
        ..EventQuery::default()
    };
    let with_kept = EventQuery {
        kept: true,
        ..all.clone()
    };
    let dense: Vec<Seq> = (18..=30).collect();
    assert_eq!(seqs(store, &mob, all.clone()).await, dense);
    let kept: Vec<Seq> = [8, 12, 16].into_iter().chain(18..=30).collect();
    assert_eq!(seqs(store, &mob, with_kept.clone()).await, kept);
    let one = EventQuery {
        after: 11,
        until: 12,
        ..with_kept.clone()
    };
    assert_eq!(seqs(store, &mob, one).await, [12]);
    let of_her = EventFilter {
        subject: Some("member/ann".to_owned()),
        ..EventFilter::default()
    };
    let filtered = |query: &EventQuery| EventQuery {
        filter: of_her.clone(),
        ..query.clone()
    };
    assert_eq!(
        seqs(store, &mob, filtered(&with_kept)).await,
        [8, 12, 16, 20, 24, 28]
    );
    assert_eq!(seqs(store, &mob, filtered(&all)).await, [20, 24, 28]);
    clean(store, &mob).await;
    // Her session was summarised since, and nobody needs the rest.
    let left = store
        .trim(&mob, trim(below(20), 14))
        .await
        .expect("trimmed");
    assert_eq!(left, 20);
    let kept: Vec<Seq> = [16].into_iter().chain(20..=30).collect();
    assert_eq!(seqs(store, &mob, with_kept).await, kept);
    clean(store, &mob).await;
}

/// The row of a message that a turn took.
fn taken(row: Row, turn: Seq) -> Row {
    match row {
        Row::Message(message) => Row::Message(MessageRow {
            turn: Some(TurnId(turn)),
            ..message
        }),
        other => other,
    }
}

fn accepted(seq: Seq, mob: &MobId, to: &str) -> Envelope {
    let accepted: Event = serde_json::from_value(json!({
        "kind": "message.accepted",
        "data": { "message": format!("msg-{seq}"), "from": "app:feed", "to": to, "text": "x",
            "mode": "queue" },
    }))
    .expect("an event");
    NewEvent::of(accepted).at(seq, time(seq), mob)
}

pub(super) async fn rows_go_with_their_events(store: &dyn Store) {
    let mob = mob("rows-go");
    store.open(&mob).await.expect("opened");
    let rows = vec![
        message(2, "bob", MessageState::Delivered),
        taken(message(3, "ann", MessageState::Delivered), 6),
        turn(4, "bob", TurnStatus::Completed),
        message(5, "ann", MessageState::Delivered),
        turn(6, "ann", TurnStatus::Completed),
        message(12, "bob", MessageState::Queued),
    ];
    let mut all = mixed(1, 20, &mob);
    (all[1], all[2]) = (accepted(2, &mob, "bob"), accepted(3, &mob, "ann"));
    let batch = Batch { events: all, rows };
    store.append(&mob, 1, 1, batch).await.expect("appended");
    let trim = Trim {
        events: below(10),
        keep: of_ann(5),
        ..Trim::default()
    };
    store.trim(&mob, trim).await.expect("trimmed");
    for (table, number, left) in [
        (Table::Message, 2, false),
        (Table::Message, 3, true),
        (Table::Turn, 4, false),
        (Table::Message, 5, false),
        (Table::Turn, 6, true),
        (Table::Message, 12, true),
    ] {
        let row: Option<Row> = store.row(&mob, table, number).await.expect("read");
        assert_eq!(row.is_some(), left, "{table:?} {number}");
    }
    // A message stays with the turn that took it.
    let kept = EventQuery {
        until: 9,
        limit: 100,
        kept: true,
        ..EventQuery::default()
    };
    assert_eq!(seqs(store, &mob, kept).await, [3, 8]);
    clean(store, &mob).await;
}

fn log(seq: Seq, mob: &MobId, lines: &[String]) -> Envelope {
    let logged: Event = serde_json::from_value(json!({
        "kind": "module.log",
        "data": { "module": "search", "lines": lines },
    }))
    .expect("an event");
    NewEvent::of(logged).at(seq, time(seq), mob)
}

pub(super) async fn log_lines_are_forgotten_and_their_events_stay(store: &dyn Store) {
    let mob = mob("lines");
    store.open(&mob).await.expect("opened");
    let lines = ["one \"lines\":[] of them".to_owned(), "two".to_owned()];
    let written: Vec<_> = (1..=1_200)
        .map(|seq| match seq % 2 {
            0 => log(seq, &mob, &lines),
            _ => about_member(seq, &mob, "ann"),
        })
        .collect();
    store
        .append(&mob, 1, 1, events(written.clone()))
        .await
        .expect("appended");
    let trim = |logs| Trim {
        logs,
        ..Trim::default()
    };
    let before = time(1_101);
    for cut in [
        below(1),
        Cut {
            below: 1_151,
            before,
        },
        below(1_101),
        below(3),
    ] {
        assert_eq!(store.trim(&mob, trim(cut)).await.expect("trimmed"), 1);
    }
    let left = journal(store, &mob, 500).await;
    assert_eq!(left.len(), written.len());
    for (event, before) in left.iter().zip(&written) {
        let mut expected = before.clone();
        if event.seq < 1_101 {
            expected.event.forget_lines();
        }
        assert_eq!(*event, expected, "event {}", event.seq);
    }
    let Event::ModuleLog(gone) = &left[1].event else {
        panic!("{:?}", left[1]);
    };
    assert_eq!((gone.lines.len(), gone.forgotten), (0, 2));
    clean(store, &mob).await;
}

pub(super) async fn blobs_that_nothing_mentions_are_swept(store: &dyn Store) {
    let mob = mob("sweep");
    store.open(&mob).await.expect("opened");
    let put = async |text: &'static str| store.blob_put(Bytes::from(text)).await.expect("put");
    let (event, row, saved) = (put("event").await, put("row").await, put("saved").await);
    let (mentioned_late, nowhere) = (put("late").await, put("nowhere").await);
    let mut of_row = turn(2, "ann", TurnStatus::Completed);
    if let Row::Turn(turn) = &mut of_row {
        turn.text = Some(mobkit_domain::text::Text::Blob(row.clone()));
    }
    let batch = Batch {
        events: vec![
            log(1, &mob, std::slice::from_ref(&event.blob)),
            about_member(2, &mob, "ann"),
        ],
        rows: vec![of_row],
    };
    store.append(&mob, 1, 1, batch).await.expect("appended");
    let body = Bytes::from(json!({ "spec": { "blob": saved.blob } }).to_string());
    let snapshot = Snapshot { seq: 2, body };
    store.snapshot_put(&mob, snapshot).await.expect("saved");
    let there = async |blob: &str| store.blob(blob).await.expect("read").is_some();
    assert_eq!(store.blob_sweep().await.expect("swept"), 0, "not at once");
    assert!(there(&nowhere.blob).await);
    let late = events(vec![log(
        3,
        &mob,
        std::slice::from_ref(&mentioned_late.blob),
    )]);
    store.append(&mob, 1, 3, late).await.expect("appended");
    let again = put("again").await;
    assert_eq!(store.blob_sweep().await.expect("swept"), 1);
    assert!(!there(&nowhere.blob).await);
    for blob in [&event, &row, &saved, &mentioned_late, &again] {
        assert!(there(&blob.blob).await, "{blob:?}");
    }
    // Put anew, it waits for a whole sweep again.
    assert_eq!(put("again").await, again);
    assert_eq!(store.blob_sweep().await.expect("swept"), 0);
    assert_eq!(store.blob_sweep().await.expect("swept"), 1);
    assert!(!there(&again.blob).await);
    clean(store, &mob).await;
}

pub(super) async fn a_trim_is_there_again(make: impl AsyncFn(&str) -> Arc<dyn Store>) {
    let mob = mob("trim-again");
    let store = make("trim-again").await;
    filled(&*store, &mob, 30).await;
    let trim = Trim {
        events: below(18),
        keep: of_ann(5),
        ..Trim::default()
    };
    store.trim(&mob, trim.clone()).await.expect("trimmed");
    store.close().await.expect("closed");
    let store = make("trim-again").await;
    store.open(&mob).await.expect("opened");
    let bounds = store.bounds(&mob).await.expect("bounds");
    assert_eq!((bounds.oldest, bounds.head), (18, 30));
    assert_eq!(store.trim(&mob, trim).await.expect("again"), 18);
    clean(&*store, &mob).await;
    store.close().await.expect("closed");
}
