//! The store as its users see it.

use super::append::{Append, Open};
use super::change::{Change, Pending};
use super::database::{self, FILE, open_writer};
use super::keep::{self, PutCursor, PutSnapshot};
use super::lines::Forget;
use super::lock::StateLock;
use super::readers::Readers;
use super::record::{EventRecord, RowRecord};
use super::writer::{Order, QUEUE_MAX, Writer};
use super::{events, ledger, lines, rows, trim, verify};
use crate::batch::check_batch;
use crate::blob::{BLOBS, BlobFiles};
use crate::files;
use crate::keep::Keep;
use crate::store::{
    Batch, Bounds, Durability, EventPage, EventQuery, Opened, RowPage, RowQuery, Snapshot, Store,
    StoreError, Trim, Verification,
};
use async_trait::async_trait;
use bytes::Bytes;
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::{Row, Table};
use mobkit_domain::text::BlobRef;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};

/// A store in a state directory: `mobkit.db`, `blobs/` and `lock`.
///
/// Dropping it waits for what was accepted, like [`Store::close`], but on the calling thread.
pub struct SqliteStore {
    durability: Durability,
    blobs: Arc<BlobFiles>,
    lanes: Mutex<Option<Lanes>>,
    writer: Mutex<Option<WriterThread>>,
}

/// The ways to the threads.
#[derive(Clone)]
struct Lanes {
    writer: mpsc::Sender<Order>,
    readers: Readers,
}

/// The writing thread, which ends last, and how its end came about.
struct WriterThread {
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<Result<(), StoreError>>,
}

impl SqliteStore {
    /// Opens the state directory, made where it is missing, and holds it until the store is closed
    /// or dropped. Blocks while files are opened and the schema is brought up to date.
    ///
    /// Errors: `Locked` where another process, or another store of this one, holds the directory;
    /// `SchemaAhead` and `Damaged` where the database can't be used; `Backend` for everything else,
    /// also for [`Durability::Memory`], which this store can't promise to be.
    pub fn open(state_dir: &Path, durability: Durability) -> Result<Self, StoreError> {
        if durability == Durability::Memory {
            let detail = "sqlite offers the durability power or process".to_owned();
            return Err(StoreError::Backend {
                action: "opening the store",
                detail,
            });
        }
        files::directory(state_dir)?;
        let lock = StateLock::take(state_dir)?;
        let blobs = BlobFiles::open(&state_dir.join(BLOBS), durability)?;
        let file = state_dir.join(FILE);
        let connection = open_writer(&file, durability)?;
        let writer = Writer::new(connection).map_err(database::failed("opening the database"))?;
        let (readers, reading) = Readers::start(&file)?;
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let writing = Writing {
            writer,
            orders: receiver,
            reading,
            lock,
        };
        Ok(Self {
            durability,
            blobs: Arc::new(blobs),
            lanes: Mutex::new(Some(Lanes {
                writer: sender,
                readers,
            })),
            writer: Mutex::new(Some(writing.start()?)),
        })
    }

    /// The ids of all mobs that the database holds, in their order.
    pub async fn mobs(&self) -> Result<Vec<String>, StoreError> {
        self.read(ledger::mobs).await
    }

    fn lanes(&self) -> Result<Lanes, StoreError> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.clone().ok_or(StoreError::Closed)
    }

    async fn write<C: Change>(&self, change: C) -> Result<C::Answer, StoreError> {
        let (pending, answer) = Pending::new(change);
        let lanes = self.lanes()?;
        let sent = lanes.writer.send(Order::Do(Box::new(pending))).await;
        drop(lanes);
        sent.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.lanes()?.readers.ask(question).await
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Without the ways to them the threads end when they have done what was asked.
        self.lanes
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let writer = self
            .writer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if writer.is_some_and(|writer| writer.thread.join().is_err()) {
            tracing::error!("the writing thread panicked");
        }
    }
}

/// What the writing thread owns.
struct Writing {
    writer: Writer,
    orders: mpsc::Receiver<Order>,
    reading: Vec<JoinHandle<()>>,
    lock: StateLock,
}

impl Writing {
    fn start(self) -> Result<WriterThread, StoreError> {
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let result = self.work();
                let _unheard = end.send(result);
            });
        let thread = thread.map_err(|error| StoreError::Backend {
            action: "starting the writer",
            detail: error.to_string(),
        })?;
        Ok(WriterThread { thread, ended })
    }

    fn work(mut self) -> Result<(), StoreError> {
        let ledger = self.writer.run(&mut self.orders);
        // Nobody gets an answer to what is sent from here on.
        drop(self.orders);
        for reader in self.reading {
            if reader.join().is_err() {
                tracing::error!("a reading thread panicked");
            }
        }
        // The last connection moves the log into the database and removes it.
        let closed = ledger.connection.close();
        let closed = closed.map_err(|(_, e)| database::failed("closing the database")(e));
        drop(self.lock);
        closed
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn durability(&self) -> Durability {
        self.durability
    }

    fn kind(&self) -> &'static str {
        "sqlite"
    }

    async fn open(&self, mob: &MobId) -> Result<Opened, StoreError> {
        self.write(Open { mob: mob.clone() }).await
    }

    async fn append(
        &self,
        mob: &MobId,
        epoch: u64,
        expected: Seq,
        batch: Batch,
    ) -> Result<(), StoreError> {
        check_batch(mob, expected, &batch)?;
        let rows = batch.rows.iter().map(RowRecord::of).collect();
        let events = batch.events.into_iter().map(EventRecord::of).collect();
        self.write(Append {
            mob: mob.clone(),
            epoch,
            expected,
            events,
            rows,
        })
        .await
    }

    async fn events(&self, mob: &MobId, mut query: EventQuery) -> Result<EventPage, StoreError> {
        let limit = query.limit;
        loop {
            let (mob, asked) = (mob.clone(), query.clone());
            let page = self.read(move |db| events::page(db, &mob, &asked)).await?;
            if page.at_end || limit == 0 || !page.events.is_empty() {
                return Ok(page);
            }
            query.after = page.next_after;
        }
    }

    async fn bounds(&self, mob: &MobId) -> Result<Bounds, StoreError> {
        let mob = mob.clone();
        self.read(move |db| events::bounds(db, &mob)).await
    }

    async fn trim(&self, mob: &MobId, trim: Trim) -> Result<Seq, StoreError> {
        let keep = Arc::new(Keep::of(&trim.keep));
        let mut from = 0;
        let oldest = loop {
            let piece = trim::Piece {
                mob: mob.clone(),
                cut: trim.events,
                keep: Arc::clone(&keep),
                from,
            };
            let trimmed = self.write(piece).await?;
            match trimmed.next {
                Some(next) => from = next,
                None => break trimmed.oldest,
            }
        };
        let mut from = oldest;
        loop {
            let (asked, cut) = (mob.clone(), trim.logs);
            let found = self.read(move |db| lines::find(db, &asked, cut, from));
            let places = found.await?;
            let Some(last) = places.last().copied() else {
                return Ok(oldest);
            };
            from = database::seq_of(last) + 1;
            self.write(Forget { places }).await?;
        }
    }

    async fn row(&self, mob: &MobId, table: Table, number: Seq) -> Result<Option<Row>, StoreError> {
        let mob = mob.clone();
        self.read(move |db| rows::row(db, &mob, table, number))
            .await
    }

    async fn rows(&self, mob: &MobId, mut query: RowQuery) -> Result<RowPage, StoreError> {
        loop {
            let (mob, asked) = (mob.clone(), query.clone());
            let page = self.read(move |db| rows::page(db, &mob, &asked)).await?;
            match page.next_before {
                Some(before) if page.rows.is_empty() => query.before = before,
                _ => return Ok(page),
            }
        }
    }

    async fn snapshot_put(&self, mob: &MobId, snapshot: Snapshot) -> Result<(), StoreError> {
        self.write(PutSnapshot {
            mob: mob.clone(),
            snapshot,
        })
        .await
    }

    async fn snapshot(&self, mob: &MobId) -> Result<Option<Snapshot>, StoreError> {
        let mob = mob.clone();
        self.read(move |db| keep::snapshot(db, &mob)).await
    }

    async fn cursor_put(&self, mob: &MobId, consumer: &str, seq: Seq) -> Result<(), StoreError> {
        let consumer = consumer.to_owned();
        self.write(PutCursor {
            mob: mob.clone(),
            consumer,
            seq,
        })
        .await
    }

    async fn cursor(&self, mob: &MobId, consumer: &str) -> Result<Option<Seq>, StoreError> {
        let (mob, consumer) = (mob.clone(), consumer.to_owned());
        self.read(move |db| keep::cursor(db, &mob, &consumer)).await
    }

    async fn blob_put(&self, content: Bytes) -> Result<BlobRef, StoreError> {
        let blobs = Arc::clone(&self.blobs);
        self.read(move |_| blobs.put(&content)).await
    }

    async fn blob(&self, blob: &str) -> Result<Option<Bytes>, StoreError> {
        let (blobs, blob) = (Arc::clone(&self.blobs), blob.to_owned());
        self.read(move |_| blobs.get(&blob)).await
    }

    async fn blob_sweep(&self) -> Result<u64, StoreError> {
        let blobs = Arc::clone(&self.blobs);
        self.read(move |db| blobs.sweep(&verify::mentioned(db)?))
            .await
    }

    async fn verify(&self, mob: &MobId) -> Result<Verification, StoreError> {
        let (blobs, mob) = (Arc::clone(&self.blobs), mob.clone());
        self.read(move |db| verify::verify(db, &blobs, &mob)).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        let lanes = self
            .lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(lanes) = lanes else { return Ok(()) };
        lanes.readers.end().await;
        // The send fails where the writer has ended already.
        let _ended = lanes.writer.send(Order::End).await;
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(writer) = writer else { return Ok(()) };
        let result = writer.ended.await.map_err(|_| StoreError::Closed)?;
        if writer.thread.join().is_err() {
            tracing::error!("the writing thread panicked");
        }
        result
    }
}
