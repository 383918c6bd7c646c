//! Looking things up in the journal: from memory where the tail reaches, else from the store.

use crate::engine::Engine;
use crate::tail::Published;
use mobkit_domain::event::EventFilter;
use mobkit_domain::id::Seq;
use mobkit_store::{EventQuery, StoreError};
use std::sync::Arc;

const PAGE_EVENTS: usize = 1_024;

impl Engine {
    /// The event at a position; `None` where the journal has none there (any longer).
    pub async fn event(&self, seq: Seq) -> Result<Option<Arc<Published>>, StoreError> {
        let after = seq.saturating_sub(1);
        let found = self
            .events_between(after, seq, &EventFilter::default())
            .await?;
        Ok(found.into_iter().next())
    }

    /// The events after `after` and up to `until` that pass, in order. Bounded by what lies
    /// between: for a look at a stretch of known size, such as a session or a turn. Finds also what
    /// retention has left for sessions only.
    pub async fn events_between(
        &self,
        after: Seq,
        until: Seq,
        filter: &EventFilter,
    ) -> Result<Vec<Arc<Published>>, StoreError> {
        let until = until.min(self.head());
        if after >= until {
            return Ok(Vec::new());
        }
        if let Some((found, _)) = self.tail().read((after, until), filter, usize::MAX) {
            return Ok(found);
        }
        let mut found = Vec::new();
        let mut after = after;
        while after < until {
            let query = EventQuery {
                after,
                until,
                filter: filter.clone(),
                limit: PAGE_EVENTS,
                kept: true,
            };
            let page = self.store().events(self.mob(), query).await?;
            found.extend(page.events.into_iter().map(|e| Arc::new(Published::new(e))));
            if page.next_after <= after {
                break;
            }
            after = page.next_after;
        }
        Ok(found)
    }
}
