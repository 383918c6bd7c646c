//! Readers of events: gap-free, without doubles, from any cursor.

use crate::engine::Engine;
use crate::tail::Published;
use crate::tally::OpenReader;
use mobkit_domain::event::EventFilter;
use mobkit_domain::id::Seq;
use mobkit_store::{EventQuery, StoreError};
use std::sync::Arc;
use tokio::sync::watch;

/// Why a cursor can't be followed.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// The events after it are no longer kept.
    #[error("the journal no longer holds what follows {after}: it begins at {oldest}")]
    Expired {
        /// The cursor.
        after: Seq,
        /// The first position that is kept.
        oldest: Seq,
        /// The last position.
        latest: Seq,
    },
    /// It lies in the future.
    #[error("the cursor {after} lies ahead of the journal, which ends at {latest}")]
    Ahead {
        /// The cursor.
        after: Seq,
        /// The last position.
        latest: Seq,
    },
    /// The journal could not be read.
    #[error("the journal could not be read: {0}")]
    Store(#[from] StoreError),
}

/// Follows the journal from a cursor. Reads from memory while it keeps up, else from the store.
pub struct EventReader {
    engine: Engine,
    after: Seq,
    filter: EventFilter,
    head: watch::Receiver<Seq>,
    _open: OpenReader,
}

impl EventReader {
    /// A reader that continues after `after`; refuses a cursor that is too old or too young.
    pub async fn open(
        engine: &Engine,
        after: Seq,
        filter: EventFilter,
    ) -> Result<Self, CursorError> {
        let reader = Self {
            head: engine.tail().subscribe(),
            _open: engine.shared.tally.reader(),
            engine: engine.clone(),
            after,
            filter,
        };
        let latest = engine.head();
        if after > latest {
            return Err(CursorError::Ahead { after, latest });
        }
        reader.check_kept().await?;
        Ok(reader)
    }

    async fn check_kept(&self) -> Result<(), CursorError> {
        let bounds = self.engine.store().bounds(self.engine.mob()).await?;
        if self.after + 1 < bounds.oldest {
            let (oldest, latest) = (bounds.oldest, bounds.head);
            return Err(CursorError::Expired {
                after: self.after,
                oldest,
                latest,
            });
        }
        Ok(())
    }

    /// The position up to which the reader has searched: its cursor.
    pub fn cursor(&self) -> Seq {
        self.after
    }

    /// The next events that pass, at most `limit` (at least 1), without waiting; empty at the end.
    pub async fn ready(&mut self, limit: usize) -> Result<Vec<Arc<Published>>, CursorError> {
        let limit = limit.max(1);
        while self.after < *self.head.borrow_and_update() {
            let span = (self.after, Seq::MAX);
            let found = match self.engine.tail().read(span, &self.filter, limit) {
                Some((found, searched)) => {
                    self.after = searched;
                    found
                }
                None => self.read_store(limit).await?,
            };
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    async fn read_store(&mut self, limit: usize) -> Result<Vec<Arc<Published>>, CursorError> {
        let query = EventQuery {
            after: self.after,
            until: *self.head.borrow(),
            filter: self.filter.clone(),
            limit,
            kept: false,
        };
        let page = self.engine.store().events(self.engine.mob(), query).await?;
        // Where retention has overtaken the reader, the page begins after a gap.
        self.check_kept().await?;
        self.after = page.next_after.max(self.after);
        Ok(page
            .events
            .into_iter()
            .map(|e| Arc::new(Published::new(e)))
            .collect())
    }

    /// The next events that pass, at most `limit`; waits for some. `None`: the runtime has stopped
    /// and everything was read.
    pub async fn next(&mut self, limit: usize) -> Result<Option<Vec<Arc<Published>>>, CursorError> {
        loop {
            let found = self.ready(limit).await?;
            if !found.is_empty() {
                return Ok(Some(found));
            }
            let closing = self.engine.closing().clone();
            tokio::select! {
                biased;
                changed = self.head.changed() => {
                    if changed.is_err() {
                        return Ok(None);
                    }
                }
                () = closing.cancelled() => {
                    let rest = self.ready(limit).await?;
                    return Ok((!rest.is_empty()).then_some(rest));
                }
            }
        }
    }
}
