//! A store that counts, can be held, and can die.

use async_trait::async_trait;
use bytes::Bytes;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::{Row, Table};
use mobkit_domain::text::BlobRef;
use mobkit_domain::time::Time;
use mobkit_store::{
    Batch, Bounds, Durability, EventPage, EventQuery, Opened, RowPage, RowQuery, Snapshot, Store,
    StoreError, Verification,
};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// When a store dies: at the append of this number, from 1, before or after it is durable.
#[derive(Debug, Clone, Copy)]
pub enum Death {
    Before(usize),
    After(usize),
}

/// Passes everything on, unless it is held or dead.
pub struct Tap {
    inner: Arc<dyn Store>,
    calls: AtomicUsize,
    appends: Mutex<Vec<usize>>,
    waiting: AtomicUsize,
    held: watch::Sender<bool>,
    death: Mutex<Option<Death>>,
    dead: AtomicBool,
}

impl Tap {
    pub fn over(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            calls: AtomicUsize::new(0),
            appends: Mutex::default(),
            waiting: AtomicUsize::new(0),
            held: watch::Sender::new(false),
            death: Mutex::default(),
            dead: AtomicBool::new(false),
        }
    }

    /// A store that will die.
    pub fn mortal(inner: Arc<dyn Store>, death: Death) -> Self {
        let tap = Self::over(inner);
        tap.dies(death);
        tap
    }

    pub fn dies(&self, death: Death) {
        *self.death.lock().expect("not poisoned") = Some(death);
    }

    /// Refuses everything from here on.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    /// Lets appends wait from here on, or go on.
    pub fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// How often anything was asked of it.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// How many events each append had.
    pub fn appends(&self) -> Vec<usize> {
        self.appends.lock().expect("not poisoned").clone()
    }

    /// How many appends wait since it is held.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    fn alive(&self) -> Result<&dyn Store, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.is_dead() {
            Err(died())
        } else {
            Ok(self.inner.as_ref())
        }
    }
}

fn died() -> StoreError {
    StoreError::Backend {
        action: "appending",
        detail: "the disk died on purpose".to_owned(),
    }
}

#[async_trait]
impl Store for Tap {
    fn durability(&self) -> Durability {
        self.inner.durability()
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn open(&self, mob: &MobId) -> Result<Opened, StoreError> {
        self.alive()?.open(mob).await
    }

    async fn append(
        &self,
        mob: &MobId,
        epoch: u64,
        expected: Seq,
        batch: Batch,
    ) -> Result<(), StoreError> {
        let inner = self.alive()?;
        let number = {
            let mut appends = self.appends.lock().expect("not poisoned");
            appends.push(batch.events.len());
            appends.len()
        };
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut held = self.held.subscribe();
        let released = held.wait_for(|held| !held).await.is_ok();
        assert!(released, "the tap lives as long as its store");
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        let death = *self.death.lock().expect("not poisoned");
        if matches!(death, Some(Death::Before(at)) if at == number) {
            self.dead.store(true, Ordering::SeqCst);
            return Err(died());
        }
        inner.append(mob, epoch, expected, batch).await?;
        if matches!(death, Some(Death::After(at)) if at == number) {
            self.dead.store(true, Ordering::SeqCst);
            return Err(died());
        }
        Ok(())
    }

    async fn events(&self, mob: &MobId, query: EventQuery) -> Result<EventPage, StoreError> {
        self.alive()?.events(mob, query).await
    }

    async fn bounds(&self, mob: &MobId) -> Result<Bounds, StoreError> {
        self.alive()?.bounds(mob).await
    }

    async fn trim(&self, mob: &MobId, oldest: Seq, before: Time) -> Result<Seq, StoreError> {
        self.alive()?.trim(mob, oldest, before).await
    }

    async fn row(&self, mob: &MobId, table: Table, number: Seq) -> Result<Option<Row>, StoreError> {
        self.alive()?.row(mob, table, number).await
    }

    async fn rows(&self, mob: &MobId, query: RowQuery) -> Result<RowPage, StoreError> {
        self.alive()?.rows(mob, query).await
    }

    async fn snapshot_put(&self, mob: &MobId, snapshot: Snapshot) -> Result<(), StoreError> {
        self.alive()?.snapshot_put(mob, snapshot).await
    }

    async fn snapshot(&self, mob: &MobId) -> Result<Option<Snapshot>, StoreError> {
        self.alive()?.snapshot(mob).await
    }

    async fn cursor_put(&self, mob: &MobId, consumer: &str, seq: Seq) -> Result<(), StoreError> {
        self.alive()?.cursor_put(mob, consumer, seq).await
    }

    async fn cursor(&self, mob: &MobId, consumer: &str) -> Result<Option<Seq>, StoreError> {
        self.alive()?.cursor(mob, consumer).await
    }

    async fn blob_put(&self, content: Bytes) -> Result<BlobRef, StoreError> {
        self.alive()?.blob_put(content).await
    }

    async fn blob(&self, blob: &str) -> Result<Option<Bytes>, StoreError> {
        self.alive()?.blob(blob).await
    }

    async fn verify(&self, mob: &MobId) -> Result<Verification, StoreError> {
        self.alive()?.verify(mob).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}
