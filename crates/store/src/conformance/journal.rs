//! Cases of reading and trimming the journal.

use super::fixture::{about_member, about_mob, events, filled, journal, mixed, mob, time};
use crate::store::{Bounds, EventQuery, RowQuery, Store, Trim};
use mobkit_domain::event::{Cut, Envelope, EventFilter, Source};
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::Table;
use mobkit_domain::time::Time;

/// Whether the event at a position is expected to pass.
type Passes<'a> = &'a dyn Fn(&Seq) -> bool;

fn seqs(events: &[Envelope]) -> Vec<Seq> {
    events.iter().map(|event| event.seq).collect()
}

pub(super) async fn pages_follow_each_other(store: &dyn Store) {
    let mob = mob("pages");
    filled(store, &mob, 25).await;
    for limit in [1, 7, 25, 100] {
        assert_eq!(
            journal(store, &mob, limit).await,
            mixed(1, 25, &mob),
            "pages of {limit}"
        );
    }
    let query = |after, until, limit| EventQuery {
        after,
        until,
        limit,
        ..EventQuery::default()
    };
    for (asked, found, next_after, at_end) in [
        (query(0, 0, 3), vec![1, 2, 3], 3, false),
        (query(23, 0, 3), vec![24, 25], 25, true),
        (query(3, 6, 2), vec![4, 5], 5, false),
        (query(3, 6, 10), vec![4, 5, 6], 6, true),
        (query(6, 6, 10), vec![], 6, true),
        (query(20, 99, 10), vec![21, 22, 23, 24, 25], 25, true),
        (query(25, 0, 10), vec![], 25, true),
        (query(31, 0, 10), vec![], 31, true),
        (query(4, 0, 0), vec![], 4, false),
    ] {
        let page = store.events(&mob, asked.clone()).await.expect("a page");
        let end = (seqs(&page.events), page.next_after, page.at_end);
        assert_eq!(end, (found, next_after, at_end), "{asked:?}");
    }
}

pub(super) async fn filters_pass_what_they_name(store: &dyn Store) {
    let mob = mob("filters");
    filled(store, &mob, 40).await;
    let filter = |kinds: &str, subject: &str, source: &str| {
        EventFilter::parse(Some(kinds), Some(subject), Some(source)).expect("a filter")
    };
    let odd = |seq: &Seq| seq % 2 == 1;
    let of = |rest: u64| move |seq: &Seq| seq % 4 == rest;
    let cases: [(EventFilter, Passes<'_>); 9] = [
        (filter("mob.paused", "", ""), &of(1)),
        (filter("mob.*", "", ""), &odd),
        (filter("mob.resumed,member.paused", "", ""), &|seq| {
            seq % 4 != 1
        }),
        (filter("", "member/ann", ""), &of(0)),
        (filter("", "member/*", ""), &|seq| seq % 2 == 0),
        (filter("", "mob", ""), &odd),
        (filter("", "", "operator"), &|seq| seq % 2 == 0),
        (filter("mob.*", "member/ann", ""), &|_| false),
        (filter("member.paused", "member/bob", "operator"), &of(2)),
    ];
    for (filter, passes) in cases {
        let expected: Vec<Seq> = (1..=40).filter(|seq| passes(seq)).collect();
        let mut query = EventQuery {
            filter: filter.clone(),
            limit: 3,
            ..EventQuery::default()
        };
        let mut found = Vec::new();
        loop {
            let page = store.events(&mob, query.clone()).await.expect("a page");
            found.extend(seqs(&page.events));
            if page.at_end {
                break;
            }
            assert!(!page.events.is_empty(), "no empty page before the end");
            query.after = page.next_after;
        }
        assert_eq!(found, expected, "{filter:?}");
        let until = EventQuery {
            filter: filter.clone(),
            until: 21,
            limit: 99,
            after: 10,
            kept: false,
        };
        let page = store.events(&mob, until).await.expect("a page");
        let expected: Vec<Seq> = (11..=21).filter(|seq| passes(seq)).collect();
        assert_eq!(
            (seqs(&page.events), page.at_end),
            (expected, true),
            "{filter:?}"
        );
        assert_eq!(page.next_after, 21, "{filter:?}");
    }
    let sources = journal(store, &mob, 40)
        .await
        .into_iter()
        .map(|event| event.source);
    assert_eq!(
        sources.filter(|source| *source == Source::Operator).count(),
        20
    );
}

pub(super) async fn a_rare_event_is_found_behind_many_others(store: &dyn Store) {
    let mob = mob("rare");
    store.open(&mob).await.expect("opened");
    let mut first = 1;
    while first <= 10_000 {
        let batch = (first..first + 1_000)
            .map(|seq| about_mob(seq, &mob))
            .collect();
        store
            .append(&mob, 1, first, events(batch))
            .await
            .expect("appended");
        first += 1_000;
    }
    let rare = about_member(first, &mob, "ann");
    store
        .append(&mob, 1, first, events(vec![rare.clone()]))
        .await
        .expect("appended");
    let filter = EventFilter::parse(Some("member.*"), None, None).expect("a filter");
    let query = EventQuery {
        filter,
        limit: 10,
        ..EventQuery::default()
    };
    let page = store.events(&mob, query).await.expect("a page");
    assert_eq!((page.events, page.next_after), (vec![rare], first));
}

pub(super) async fn an_unknown_mob_is_empty(store: &dyn Store) {
    let mob = mob("nobody");
    let query = EventQuery {
        after: 3,
        limit: 5,
        ..EventQuery::default()
    };
    let page = store.events(&mob, query).await.expect("a page");
    assert_eq!(
        (page.events, page.next_after, page.at_end),
        (vec![], 3, true)
    );
    assert_eq!(
        store.bounds(&mob).await.expect("bounds"),
        Bounds { oldest: 1, head: 0 }
    );
    let table = Table::Turn;
    let query = RowQuery {
        table,
        owner: None,
        state: None,
        before: 0,
        limit: 5,
    };
    let page = store.rows(&mob, query).await.expect("a page");
    assert_eq!((page.rows, page.next_before), (vec![], None));
    assert_eq!(store.row(&mob, table, 1).await.expect("no row"), None);
    assert_eq!(store.snapshot(&mob).await.expect("no snapshot"), None);
    assert_eq!(
        store.cursor(&mob, "console").await.expect("no cursor"),
        None
    );
    assert!(
        store.cursor_put(&mob, "console", 1).await.is_err(),
        "nobody opened it"
    );
}

async fn check_left(store: &dyn Store, mob: &MobId, oldest: Seq, head: Seq) {
    assert_eq!(
        store.bounds(mob).await.expect("bounds"),
        Bounds { oldest, head }
    );
    assert_eq!(
        journal(store, mob, 7).await,
        mixed(oldest, head + 1 - oldest, mob)
    );
    assert_eq!(
        store.verify(mob).await.expect("verified").problems,
        Vec::<String>::new()
    );
}

fn cut(below: Seq, before: Time) -> Trim {
    Trim {
        events: Cut { below, before },
        ..Trim::default()
    }
}

pub(super) async fn trimming_forgets_a_prefix(store: &dyn Store) {
    let (mob, beside) = (mob("trim"), mob("trim-beside"));
    filled(store, &mob, 30).await;
    filled(store, &beside, 30).await;
    let end = Time(i64::MAX);
    for (oldest, before, left) in [
        (0, end, 1),
        (5, time(0), 1),
        (5, end, 5),
        (3, end, 5),
        (20, time(9), 9),
        (12, time(30), 12),
    ] {
        let trimmed = store
            .trim(&mob, cut(oldest, before))
            .await
            .expect("trimmed");
        assert_eq!(trimmed, left, "below {oldest}, before {before}");
        check_left(store, &mob, left, 30).await;
    }
    check_left(store, &beside, 1, 30).await;
    let query = EventQuery {
        after: 2,
        limit: 3,
        ..EventQuery::default()
    };
    let page = store.events(&mob, query).await.expect("a page");
    assert_eq!(
        seqs(&page.events),
        [12, 13, 14],
        "reading from before begins with the oldest"
    );
}

pub(super) async fn a_journal_goes_on_after_all_of_it_was_forgotten(store: &dyn Store) {
    let mob = mob("trim-all");
    filled(store, &mob, 5_000).await;
    assert_eq!(
        store
            .trim(&mob, cut(99_999, Time(i64::MAX)))
            .await
            .expect("trimmed"),
        5_001
    );
    check_left(store, &mob, 5_001, 5_000).await;
    let opened = store.open(&mob).await.expect("opened");
    assert_eq!(opened.head, 5_000);
    let batch = events(mixed(5_001, 2, &mob));
    store
        .append(&mob, opened.epoch, 5_001, batch)
        .await
        .expect("appended");
    check_left(store, &mob, 5_001, 5_002).await;
}
