//! Databases of earlier versions open, with everything in them.

use crate::place::{self, mob, open, outside};
use mobkit_domain::event::Event;
use mobkit_domain::id::TurnId;
use mobkit_domain::row::{Row, Table, TurnStatus};
use mobkit_domain::state::State;
use mobkit_store::{EventQuery, RowQuery, Store};

/// What each version left, by the number of its schema.
const LEFT: [(u32, &str); 1] = [(1, include_str!("schema_1.sql"))];

#[tokio::test]
async fn what_earlier_versions_left_opens_and_is_whole() {
    for (schema, left) in LEFT {
        let place = place::directory();
        outside(place.path()).execute_batch(left).expect("written");
        let store = open(place.path());
        let found = store.verify(&mob()).await.expect("verified");
        assert_eq!(found.problems, Vec::<String>::new(), "schema {schema}");
        let query = EventQuery {
            limit: 1_000,
            ..EventQuery::default()
        };
        let page = store.events(&mob(), query).await.expect("readable");
        assert_eq!(page.events.len(), 45);
        let mut state = State::of(mob());
        for event in &page.events {
            state.apply(event);
        }
        assert_eq!(
            state.turns.keys().collect::<Vec<_>>(),
            [&TurnId(38), &TurnId(41)]
        );
        let row = store.row(&mob(), Table::Turn, 11).await.expect("a row");
        assert!(
            matches!(row, Some(Row::Turn(row)) if row.status == TurnStatus::Completed
            && row.profile.is_some() && row.model.is_some())
        );
        let replies = page.events.iter().filter_map(|event| match &event.event {
            Event::ModelReplied(e) => Some((event.seq, e.turn, e.usage, e.cost_usd)),
            _ => None,
        });
        let query = RowQuery {
            table: Table::Cost,
            owner: None,
            state: None,
            before: 0,
            limit: 100,
        };
        let costs = store.rows(&mob(), query).await.expect("a page");
        let mut costs: Vec<_> = costs.rows.into_iter().collect();
        costs.reverse();
        let costs = costs.into_iter().map(|row| match row {
            Row::Cost(row) => (row.number, row.turn, row.usage, row.cost_usd),
            other => panic!("{other:?} is no cost"),
        });
        let costs: Vec<_> = costs.collect();
        assert!(costs.len() > 2);
        assert_eq!(costs, replies.collect::<Vec<_>>());
        for (table, rows) in [(Table::Message, 5), (Table::Turn, 5), (Table::Approval, 0)] {
            let query = RowQuery {
                table,
                owner: None,
                state: None,
                before: 0,
                limit: 100,
            };
            let page = store.rows(&mob(), query).await.expect("a page");
            assert_eq!(page.rows.len(), rows, "{table:?}");
        }
        assert!(store.snapshot(&mob()).await.expect("read").is_some());
        // The next process goes on from here.
        let opened = store.open(&mob()).await.expect("taken over");
        assert_eq!((opened.epoch, opened.head), (4, 45));
        let copy = place.path().join(format!("mobkit.db.schema-{schema}"));
        assert!(copy.exists(), "the database as it was lies beside it");
    }
}
