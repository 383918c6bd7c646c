//! A store that remembers when what it wrote was durable.

use async_trait::async_trait;
use bytes::Bytes;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::{Row, Table};
use mobkit_domain::text::BlobRef;
use mobkit_store::{
    Batch, Bounds, Durability, EventPage, EventQuery, Opened, RowPage, RowQuery, Snapshot, Store,
    StoreError, Trim, Verification,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Hands everything to another store.
pub struct Watched {
    inner: Arc<dyn Store>,
    durable: Mutex<HashMap<Seq, Instant>>,
    hides_snapshots: bool,
}

impl Watched {
    /// Remembers for each event when its append returned.
    pub fn of(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            durable: Mutex::default(),
            hides_snapshots: false,
        })
    }

    /// Shows no snapshot, so that the whole journal has to be read.
    pub fn without_snapshots(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            durable: Mutex::default(),
            hides_snapshots: true,
        })
    }

    /// When each event was durable.
    pub fn durable(&self) -> HashMap<Seq, Instant> {
        self.durable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[async_trait]
impl Store for Watched {
    fn durability(&self) -> Durability {
        self.inner.durability()
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn open(&self, mob: &MobId) -> Result<Opened, StoreError> {
        self.inner.open(mob).await
    }

    async fn append(
        &self,
        mob: &MobId,
        epoch: u64,
        expected: Seq,
        batch: Batch,
    ) -> Result<(), StoreError> {
        let next = expected + batch.events.len() as u64;
        self.inner.append(mob, epoch, expected, batch).await?;
        let now = Instant::now();
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        durable.extend((expected..next).map(|seq| (seq, now)));
        Ok(())
    }

    async fn events(&self, mob: &MobId, query: EventQuery) -> Result<EventPage, StoreError> {
        self.inner.events(mob, query).await
    }

    async fn bounds(&self, mob: &MobId) -> Result<Bounds, StoreError> {
        self.inner.bounds(mob).await
    }

    async fn trim(&self, mob: &MobId, trim: Trim) -> Result<Seq, StoreError> {
        self.inner.trim(mob, trim).await
    }

    async fn row(&self, mob: &MobId, table: Table, number: Seq) -> Result<Option<Row>, StoreError> {
        self.inner.row(mob, table, number).await
    }

    async fn rows(&self, mob: &MobId, query: RowQuery) -> Result<RowPage, StoreError> {
        self.inner.rows(mob, query).await
    }

    async fn snapshot_put(&self, mob: &MobId, snapshot: Snapshot) -> Result<(), StoreError> {
        self.inner.snapshot_put(mob, snapshot).await
    }

    async fn snapshot(&self, mob: &MobId) -> Result<Option<Snapshot>, StoreError> {
        if self.hides_snapshots {
            return Ok(None);
        }
        self.inner.snapshot(mob).await
    }

    async fn cursor_put(&self, mob: &MobId, consumer: &str, seq: Seq) -> Result<(), StoreError> {
        self.inner.cursor_put(mob, consumer, seq).await
    }

    async fn cursor(&self, mob: &MobId, consumer: &str) -> Result<Option<Seq>, StoreError> {
        self.inner.cursor(mob, consumer).await
    }

    async fn blob_put(&self, content: Bytes) -> Result<BlobRef, StoreError> {
        self.inner.blob_put(content).await
    }

    async fn blob(&self, blob: &str) -> Result<Option<Bytes>, StoreError> {
        self.inner.blob(blob).await
    }

    async fn blob_sweep(&self) -> Result<u64, StoreError> {
        self.inner.blob_sweep().await
    }

    async fn verify(&self, mob: &MobId) -> Result<Verification, StoreError> {
        self.inner.verify(mob).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}
