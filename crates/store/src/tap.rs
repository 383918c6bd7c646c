//! A store between a mob and its store: it counts, can be slow, can be held, and can die.
//!
//! Rehearsals, simulations and tests put it where a disk would be, to see what a crash leaves.

use crate::store::{
    Batch, Bounds, Durability, EventPage, EventQuery, Opened, RowPage, RowQuery, Snapshot, Store,
    StoreError, Trim, Verification,
};
use async_trait::async_trait;
use bytes::Bytes;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::{Row, Table};
use mobkit_domain::text::BlobRef;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// When a store dies: at the append of this number, from 1, before or after it is durable. The
/// caller is told that it failed either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Nothing of the append is kept.
    Before(usize),
    /// All of the append is kept.
    After(usize),
}

/// Passes everything on to another store, unless it is held or dead.
pub struct Tap {
    inner: Arc<dyn Store>,
    calls: AtomicUsize,
    appends: Mutex<Vec<usize>>,
    waiting: AtomicUsize,
    append_takes_ms: AtomicU64,
    held: watch::Sender<bool>,
    death: Mutex<Option<Death>>,
    dead: watch::Sender<bool>,
}

impl Tap {
    /// Over a store, which it leaves as it is.
    pub fn over(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            calls: AtomicUsize::new(0),
            appends: Mutex::default(),
            waiting: AtomicUsize::new(0),
            append_takes_ms: AtomicU64::new(0),
            held: watch::Sender::new(false),
            death: Mutex::default(),
            dead: watch::Sender::new(false),
        }
    }

    /// Over a store, and going to die.
    pub fn mortal(inner: Arc<dyn Store>, death: Death) -> Self {
        let tap = Self::over(inner);
        tap.dies(death);
        tap
    }

    /// Lets it die.
    pub fn dies(&self, death: Death) {
        *self.death.lock().unwrap_or_else(PoisonError::into_inner) = Some(death);
    }

    /// Refuses everything from here on.
    pub fn kill(&self) {
        self.dead.send_replace(true);
    }

    /// Lets appends wait from here on, or go on.
    pub fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Lets each append take so many milliseconds of tokio's time before it is durable.
    pub fn append_takes(&self, ms: u64) {
        self.append_takes_ms.store(ms, Ordering::SeqCst);
    }

    /// How often anything was asked of it.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// How many events each append had.
    pub fn appends(&self) -> Vec<usize> {
        self.lock_appends().clone()
    }

    /// How many appends wait since it is held.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Whether it refuses everything.
    pub fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    /// Waits until it is dead.
    pub async fn died(&self) {
        let mut dead = self.dead.subscribe();
        // Its sender lives as long as this borrow.
        let _ = dead.wait_for(|dead| *dead).await;
    }

    fn lock_appends(&self) -> MutexGuard<'_, Vec<usize>> {
        self.appends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self) -> Result<&dyn Store, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.is_dead() {
            Err(died())
        } else {
            Ok(self.inner.as_ref())
        }
    }

    /// Waits as long as the append has to.
    async fn pause(&self) {
        let takes_ms = self.append_takes_ms.load(Ordering::SeqCst);
        if takes_ms > 0 {
            tokio::time::sleep(Duration::from_millis(takes_ms)).await;
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut held = self.held.subscribe();
        // Its sender lives as long as this borrow.
        let _ = held.wait_for(|held| !held).await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
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
            let mut appends = self.lock_appends();
            appends.push(batch.events.len());
            appends.len()
        };
        self.pause().await;
        let death = *self.death.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(death, Some(Death::Before(at)) if at == number) {
            self.kill();
            return Err(died());
        }
        inner.append(mob, epoch, expected, batch).await?;
        if matches!(death, Some(Death::After(at)) if at == number) {
            self.kill();
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

    async fn trim(&self, mob: &MobId, trim: Trim) -> Result<Seq, StoreError> {
        self.alive()?.trim(mob, trim).await
    }

    async fn blob_sweep(&self) -> Result<u64, StoreError> {
        self.alive()?.blob_sweep().await
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
