//! Cases of the read tables.

use super::fixture::{approval, filled, message, mob, turn};
use crate::store::{Batch, RowQuery, Store};
use mobkit_domain::id::Seq;
use mobkit_domain::row::{ApprovalState, MessageState, Row, Table, TurnStatus};

fn query(table: Table) -> RowQuery {
    RowQuery {
        table,
        owner: None,
        state: None,
        before: 0,
        limit: 100,
    }
}

fn numbers(rows: &[Row]) -> Vec<Seq> {
    rows.iter().map(Row::number).collect()
}

/// Writes rows after a journal of thirty events, in two mobs.
async fn keep(store: &dyn Store, rows: &[Row]) -> mobkit_domain::id::MobId {
    for id in ["tables", "tables-beside"] {
        let mob = mob(id);
        filled(store, &mob, 30).await;
        let batch = Batch {
            events: Vec::new(),
            rows: rows.to_vec(),
        };
        store.append(&mob, 1, 31, batch).await.expect("appended");
    }
    mob("tables")
}

/// Twenty messages and some turns: odd messages for ann, even ones for bob; every third waits.
fn rows() -> Vec<Row> {
    let message = |number: Seq| {
        let to = if number % 2 == 1 { "ann" } else { "bob" };
        let waits = number.is_multiple_of(3);
        message(
            number,
            to,
            if waits {
                MessageState::Queued
            } else {
                MessageState::Delivered
            },
        )
    };
    let turns = [3, 9, 27].map(|number| turn(number, "ann", TurnStatus::Completed));
    (1..=20).map(message).chain(turns).collect()
}

pub(super) async fn rows_are_listed_newest_first(store: &dyn Store) {
    let mob = keep(store, &rows()).await;
    for limit in [1, 3, 19, 20, 21] {
        let mut query = RowQuery {
            limit,
            ..query(Table::Message)
        };
        let mut found = Vec::new();
        loop {
            let page = store.rows(&mob, query.clone()).await.expect("a page");
            assert!(page.rows.len() <= limit);
            found.extend(numbers(&page.rows));
            let Some(before) = page.next_before else {
                break;
            };
            assert_eq!(
                Some(&before),
                found.last(),
                "the next page begins below the last row"
            );
            query.before = before;
        }
        assert_eq!(
            found,
            (1..=20).rev().collect::<Vec<_>>(),
            "pages of {limit}"
        );
    }
    let page = store.rows(&mob, query(Table::Turn)).await.expect("a page");
    assert_eq!(
        (numbers(&page.rows), page.next_before),
        (vec![27, 9, 3], None)
    );
    assert_eq!(page.rows[0], turn(27, "ann", TurnStatus::Completed));
}

pub(super) async fn rows_are_found_by_member_and_state(store: &dyn Store) {
    let mob = keep(store, &rows()).await;
    let ask = |of: Option<&str>, state: Option<&str>, before, limit| RowQuery {
        owner: of.map(str::to_owned),
        state: state.map(str::to_owned),
        before,
        limit,
        ..query(Table::Message)
    };
    for (asked, found, next_before) in [
        (ask(Some("ann"), None, 0, 3), vec![19, 17, 15], Some(15)),
        (ask(Some("ann"), None, 5, 3), vec![3, 1], None),
        (
            ask(None, Some("queued"), 0, 9),
            vec![18, 15, 12, 9, 6, 3],
            None,
        ),
        (ask(None, Some("queued"), 10, 2), vec![9, 6], Some(6)),
        (
            ask(Some("bob"), Some("queued"), 0, 9),
            vec![18, 12, 6],
            None,
        ),
        (
            ask(Some("bob"), Some("queued"), 0, 2),
            vec![18, 12],
            Some(12),
        ),
        (
            ask(Some("bob"), Some("queued"), 0, 3),
            vec![18, 12, 6],
            None,
        ),
        (ask(Some("eve"), None, 0, 9), vec![], None),
        (ask(None, Some("lost"), 0, 9), vec![], None),
    ] {
        let page = store.rows(&mob, asked.clone()).await.expect("a page");
        assert_eq!(
            (numbers(&page.rows), page.next_before),
            (found, next_before),
            "{asked:?}"
        );
    }
}

pub(super) async fn the_latest_row_of_a_number_wins(store: &dyn Store) {
    let mob = keep(store, &rows()).await;
    let moved = message(3, "bob", MessageState::Cancelled);
    let batch = Batch {
        events: Vec::new(),
        rows: vec![moved.clone()],
    };
    store.append(&mob, 1, 31, batch).await.expect("appended");
    assert_eq!(
        store.row(&mob, Table::Message, 3).await.expect("a row"),
        Some(moved)
    );
    for (of, state, there) in [
        (Some("ann"), None, false),
        (None, Some("queued"), false),
        (Some("bob"), None, true),
        (None, Some("cancelled"), true),
    ] {
        let asked = RowQuery {
            owner: of.map(str::to_owned),
            state: state.map(str::to_owned),
            ..query(Table::Message)
        };
        let page = store.rows(&mob, asked).await.expect("a page");
        assert_eq!(numbers(&page.rows).contains(&3), there, "{of:?} {state:?}");
    }
    assert_eq!(
        store.verify(&mob).await.expect("verified").problems,
        Vec::<String>::new()
    );
}

pub(super) async fn approvals_are_kept_as_they_were_and_found_by_state(store: &dyn Store) {
    let states = [
        ApprovalState::Pending,
        ApprovalState::Approved,
        ApprovalState::Edited,
        ApprovalState::Denied,
        ApprovalState::Expired,
        ApprovalState::Withdrawn,
    ];
    let approvals: Vec<Row> = (5..)
        .zip(states)
        .map(|(number, state)| approval(number, "ann", state))
        .collect();
    let beside = [message(5, "bob", MessageState::Queued)];
    let mob = keep(store, &[&approvals[..], &beside[..]].concat()).await;
    for row in &approvals {
        let found = store.row(&mob, Table::Approval, row.number()).await;
        assert_eq!(found.expect("a row").as_ref(), Some(row));
        let asked = RowQuery {
            owner: Some("ann".to_owned()),
            state: Some(row.state().to_owned()),
            ..query(Table::Approval)
        };
        let page = store.rows(&mob, asked).await.expect("a page");
        assert_eq!(page.rows, std::slice::from_ref(row));
    }
    let page = store.rows(&mob, query(Table::Approval)).await;
    let listed = numbers(&page.expect("a page").rows);
    assert_eq!(listed, [10, 9, 8, 7, 6, 5], "newest first, of its table");
    let decided = approval(5, "ann", ApprovalState::Denied);
    let batch = Batch {
        events: Vec::new(),
        rows: vec![decided.clone()],
    };
    store.append(&mob, 1, 31, batch).await.expect("appended");
    let asked = RowQuery {
        state: Some("pending".to_owned()),
        ..query(Table::Approval)
    };
    let page = store.rows(&mob, asked).await.expect("a page");
    assert_eq!(page.rows, []);
    let found = store.row(&mob, Table::Approval, 5).await.expect("a row");
    assert_eq!(found, Some(decided));
    let verified = store.verify(&mob).await.expect("verified");
    assert_eq!(verified.problems, Vec::<String>::new());
}
