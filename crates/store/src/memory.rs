//! A store in memory: the same answers, gone with the process.

use crate::batch::{Standing, check_batch, check_order, unknown_mob};
use crate::blob;
use crate::keep::Keep;
use crate::store::{
    Batch, Bounds, Durability, EventPage, EventQuery, Opened, RowPage, RowQuery, Snapshot, Store,
    StoreError, Trim, Verification,
};
use crate::word;
use async_trait::async_trait;
use bytes::Bytes;
use mobkit_domain::event::Envelope;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::{Row, Table};
use mobkit_domain::text::BlobRef;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store in memory. The same calls in the same order give the same answers, and no call waits.
#[derive(Debug, Default)]
pub struct MemoryStore {
    contents: Arc<Mutex<Contents>>,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct Contents {
    mobs: BTreeMap<MobId, Journal>,
    blobs: BTreeMap<String, Bytes>,
    /// Blobs that nothing mentioned at the last sweep, and that nobody has put since.
    idle: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Journal {
    epoch: u64,
    head: Seq,
    events: VecDeque<Envelope>,
    /// Events below the oldest that were kept for sessions.
    kept: BTreeMap<Seq, Envelope>,
    rows: BTreeMap<(Table, Seq), Row>,
    snapshot: Option<Snapshot>,
    cursors: BTreeMap<String, Seq>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another store over the same memory: what a restart would find. Closing one of them leaves
    /// the other open.
    pub fn reopen(&self) -> Self {
        Self {
            contents: Arc::clone(&self.contents),
            closed: AtomicBool::new(false),
        }
    }

    fn contents(&self) -> Result<MutexGuard<'_, Contents>, StoreError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(StoreError::Closed);
        }
        Ok(self.contents.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Contents {
    fn known(&mut self, action: &'static str, mob: &MobId) -> Result<&mut Journal, StoreError> {
        self.mobs
            .get_mut(mob)
            .ok_or_else(|| unknown_mob(action, mob))
    }
}

impl Journal {
    fn bounds(&self) -> Bounds {
        let oldest = self.events.front().map_or(self.head + 1, |event| event.seq);
        Bounds {
            oldest,
            head: self.head,
        }
    }

    /// The events after a position, up to another.
    fn between(&self, after: Seq, end: Seq) -> impl Iterator<Item = &Envelope> {
        let oldest = self.bounds().oldest;
        let skip = usize::try_from((after + 1).saturating_sub(oldest)).unwrap_or(usize::MAX);
        self.events
            .iter()
            .skip(skip)
            .take_while(move |event| event.seq <= end)
    }

    fn page(&self, query: &EventQuery) -> EventPage {
        let end = if query.until == 0 {
            self.head
        } else {
            query.until.min(self.head)
        };
        let mut page = EventPage {
            next_after: query.after,
            ..EventPage::default()
        };
        let first = self.bounds().oldest;
        let below = query.kept && query.after < end;
        let below = below.then(|| {
            self.kept
                .range(query.after + 1..first.min(end + 1).max(query.after + 1))
        });
        let kept = below.into_iter().flatten().map(|(_, event)| event);
        for event in kept.chain(self.between(query.after, end)) {
            if page.events.len() >= query.limit {
                return page;
            }
            page.next_after = event.seq;
            if query.filter.passes(event) {
                page.events.push(event.clone());
            }
        }
        page.next_after = query.after.max(end);
        page.at_end = true;
        page
    }

    fn rows(&self, query: &RowQuery) -> RowPage {
        let before = if query.before == 0 {
            Seq::MAX
        } else {
            query.before
        };
        let passes = |row: &&Row| {
            query
                .owner
                .as_ref()
                .is_none_or(|owner| row.owner() == owner)
                && query
                    .state
                    .as_ref()
                    .is_none_or(|state| row.state() == state)
        };
        let range = self.rows.range((query.table, 0)..(query.table, before));
        let mut found = range.rev().map(|(_, row)| row).filter(passes);
        let rows: Vec<Row> = found.by_ref().take(query.limit).cloned().collect();
        let next_before = found.next().and(rows.last()).map(Row::number);
        RowPage { rows, next_before }
    }
}

impl Journal {
    fn trim(&mut self, trim: &Trim) {
        let keep = Keep::of(&trim.keep);
        let Trim { events, logs, .. } = trim;
        let forgotten =
            |event: &mut Envelope| event.seq < events.below && event.time < events.before;
        while let Some(event) = self.events.pop_front_if(forgotten) {
            self.kept.insert(event.seq, event);
        }
        let oldest = self.bounds().oldest;
        let rows = &self.rows;
        self.kept.retain(|seq, event| {
            let message = rows.get(&(Table::Message, *seq));
            let taken = message.is_some_and(|row| keep.holds_row(row));
            let accepted = event.event.kind() == "message.accepted";
            keep.holds(&event.subject, *seq) || (accepted && taken)
        });
        self.rows
            .retain(|(_, number), row| *number >= oldest || keep.holds_row(row));
        for event in &mut self.events {
            if event.seq < logs.below && event.time < logs.before {
                event.event.forget_lines();
            }
        }
    }
}

impl Contents {
    fn mentioned(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut mentions = |text: String| blob::mentions(&text, &mut found);
        for journal in self.mobs.values() {
            for event in journal.events.iter().chain(journal.kept.values()) {
                mentions(serde_json::to_string(event).expect("events have string keys only"));
            }
            for row in journal.rows.values() {
                mentions(serde_json::to_string(row).expect("rows have string keys only"));
            }
            if let Some(snapshot) = &journal.snapshot {
                mentions(String::from_utf8_lossy(&snapshot.body).into_owned());
            }
        }
        found
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn open(&self, mob: &MobId) -> Result<Opened, StoreError> {
        let mut contents = self.contents()?;
        let journal = contents.mobs.entry(mob.clone()).or_default();
        journal.epoch += 1;
        Ok(Opened {
            epoch: journal.epoch,
            head: journal.head,
        })
    }

    async fn append(
        &self,
        mob: &MobId,
        epoch: u64,
        expected: Seq,
        batch: Batch,
    ) -> Result<(), StoreError> {
        let mut contents = self.contents()?;
        let now = contents
            .mobs
            .get(mob)
            .map_or(Standing { epoch: 0, head: 0 }, |journal| Standing {
                epoch: journal.epoch,
                head: journal.head,
            });
        check_order(now, epoch, expected)?;
        check_batch(mob, expected, &batch)?;
        let journal = contents.known("appending", mob)?;
        journal.head += batch.events.len() as u64;
        journal.events.extend(batch.events);
        journal.rows.extend(
            batch
                .rows
                .into_iter()
                .map(|row| ((row.table(), row.number()), row)),
        );
        Ok(())
    }

    async fn events(&self, mob: &MobId, query: EventQuery) -> Result<EventPage, StoreError> {
        let contents = self.contents()?;
        Ok(contents.mobs.get(mob).map_or_else(
            || EventPage {
                next_after: query.after,
                at_end: true,
                ..EventPage::default()
            },
            |journal| journal.page(&query),
        ))
    }

    async fn bounds(&self, mob: &MobId) -> Result<Bounds, StoreError> {
        let contents = self.contents()?;
        Ok(contents
            .mobs
            .get(mob)
            .map_or(Bounds { oldest: 1, head: 0 }, Journal::bounds))
    }

    async fn trim(&self, mob: &MobId, trim: Trim) -> Result<Seq, StoreError> {
        let mut contents = self.contents()?;
        let journal = contents.known("trimming", mob)?;
        journal.trim(&trim);
        Ok(journal.bounds().oldest)
    }

    async fn row(&self, mob: &MobId, table: Table, number: Seq) -> Result<Option<Row>, StoreError> {
        let contents = self.contents()?;
        Ok(contents
            .mobs
            .get(mob)
            .and_then(|journal| journal.rows.get(&(table, number)).cloned()))
    }

    async fn rows(&self, mob: &MobId, query: RowQuery) -> Result<RowPage, StoreError> {
        let contents = self.contents()?;
        Ok(contents
            .mobs
            .get(mob)
            .map_or_else(RowPage::default, |journal| journal.rows(&query)))
    }

    async fn snapshot_put(&self, mob: &MobId, snapshot: Snapshot) -> Result<(), StoreError> {
        let mut contents = self.contents()?;
        let kept = &mut contents.known("saving a snapshot", mob)?.snapshot;
        if kept.as_ref().is_none_or(|kept| kept.seq <= snapshot.seq) {
            *kept = Some(snapshot);
        }
        Ok(())
    }

    async fn snapshot(&self, mob: &MobId) -> Result<Option<Snapshot>, StoreError> {
        let contents = self.contents()?;
        Ok(contents
            .mobs
            .get(mob)
            .and_then(|journal| journal.snapshot.clone()))
    }

    async fn cursor_put(&self, mob: &MobId, consumer: &str, seq: Seq) -> Result<(), StoreError> {
        let mut contents = self.contents()?;
        let journal = contents.known("setting a cursor", mob)?;
        journal.cursors.insert(consumer.to_owned(), seq);
        Ok(())
    }

    async fn cursor(&self, mob: &MobId, consumer: &str) -> Result<Option<Seq>, StoreError> {
        let contents = self.contents()?;
        Ok(contents
            .mobs
            .get(mob)
            .and_then(|journal| journal.cursors.get(consumer).copied()))
    }

    async fn blob_put(&self, content: Bytes) -> Result<BlobRef, StoreError> {
        let reference = blob::reference(&content);
        let mut contents = self.contents()?;
        contents.idle.remove(&reference.blob);
        contents.blobs.insert(reference.blob.clone(), content);
        Ok(reference)
    }

    async fn blob(&self, blob: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.contents()?.blobs.get(blob).cloned())
    }

    async fn blob_sweep(&self) -> Result<u64, StoreError> {
        let mut contents = self.contents()?;
        let mentioned = contents.mentioned();
        let before = contents.blobs.len();
        let idle = std::mem::take(&mut contents.idle);
        contents
            .blobs
            .retain(|blob, _| mentioned.contains(blob) || !idle.contains(blob));
        let left = contents
            .blobs
            .keys()
            .filter(|blob| !mentioned.contains(*blob));
        contents.idle = left.cloned().collect();
        Ok((before - contents.blobs.len()) as u64)
    }

    async fn verify(&self, mob: &MobId) -> Result<Verification, StoreError> {
        let contents = self.contents()?;
        let mut found = Verification {
            blobs: contents.blobs.len() as u64,
            ..Default::default()
        };
        let Some(journal) = contents.mobs.get(mob) else {
            return Ok(found);
        };
        found.events = (journal.events.len() + journal.kept.len()) as u64;
        found.rows = journal.rows.len() as u64;
        let size = |blob: &str| contents.blobs.get(blob).map(|content| content.len() as u64);
        for event in journal.kept.values().chain(&journal.events) {
            let value = serde_json::to_value(event).expect("events have string keys only");
            let what = format!("event {}", event.seq);
            blob::check_references(&what, &value, size, &mut found.problems);
        }
        for ((table, number), row) in &journal.rows {
            let value = serde_json::to_value(row).expect("rows have string keys only");
            let what = format!("{} {number}", word::of_row(*table));
            blob::check_references(&what, &value, size, &mut found.problems);
        }
        Ok(found)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.closed.store(true, Ordering::SeqCst);
        Ok(())
    }
}
