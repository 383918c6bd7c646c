//! Everything that a mob has left, and every look at it.

use super::{approvals, calls, deliveries, journal, messages, money, occurrences, state};
use crate::run::Run;
use mobkit::event::Envelope;
use mobkit::id::MobId;
use mobkit::row::{Row, Table};
use mobkit::{Store, Tap, Verification};
use mobkit_store::{EventQuery, RowQuery, Snapshot};
use std::collections::BTreeMap;

/// Everything that a mob has left.
pub(crate) struct Seen {
    pub(crate) events: Vec<Envelope>,
    pub(crate) rows: BTreeMap<(Table, u64), Row>,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) verified: Verification,
}

const TABLES: [Table; 6] = [
    Table::Message,
    Table::Turn,
    Table::Approval,
    Table::Occurrence,
    Table::Delivery,
    Table::Cost,
];
const ALL: usize = 1_000_000;

/// Reads everything.
pub(crate) async fn read(store: &Tap) -> Seen {
    let mob = MobId::parse("sim").expect("an id of a mob");
    let query = EventQuery {
        limit: ALL,
        ..EventQuery::default()
    };
    let events = store.events(&mob, query).await.expect("memory is readable");
    let mut rows = BTreeMap::new();
    for table in TABLES {
        let query = RowQuery {
            table,
            owner: None,
            state: None,
            before: 0,
            limit: ALL,
        };
        let page = store.rows(&mob, query).await.expect("memory is readable");
        rows.extend(
            page.rows
                .into_iter()
                .map(|row| ((table, row.number()), row)),
        );
    }
    Seen {
        events: events.events,
        rows,
        snapshot: store.snapshot(&mob).await.expect("memory is readable"),
        verified: store.verify(&mob).await.expect("memory is readable"),
    }
}

/// Everything that does not hold, one line each.
pub(crate) fn all(seen: &Seen, run: &Run) -> Vec<String> {
    let mut broken = journal::broken(seen);
    broken.extend(messages::broken(seen, run));
    broken.extend(calls::broken(seen, run));
    broken.extend(approvals::broken(seen));
    broken.extend(occurrences::broken(seen));
    broken.extend(deliveries::broken(seen, run));
    broken.extend(money::broken(seen));
    broken.extend(state::broken(seen, run));
    broken
}
