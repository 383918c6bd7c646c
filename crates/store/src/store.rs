//! The contract between the engine and a backend.

use async_trait::async_trait;
use bytes::Bytes;
use mobkit_domain::event::{Cut, Envelope, EventFilter};
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::row::{Row, Table};
use mobkit_domain::state::Stretch;
use mobkit_domain::text::BlobRef;
use serde::{Deserialize, Serialize};

/// What an acknowledged append survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// Loss of power: synced to the disk before it is acknowledged.
    Power,
    /// `kill -9`: handed to the operating system before it is acknowledged.
    Process,
    /// Nothing: gone with the process.
    Memory,
}

impl Durability {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Process => "process",
            Self::Memory => "memory",
        }
    }
}

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has taken the mob over since; this writer must stop.
    #[error("epoch {held} was superseded by epoch {current}")]
    EpochStale {
        /// The epoch of the caller.
        held: u64,
        /// The epoch in force.
        current: u64,
    },
    /// The batch does not follow the last event.
    #[error("the batch starts at {given}, but the journal continues at {expected}")]
    SeqMismatch {
        /// Where the batch starts.
        given: Seq,
        /// Where it would have to start.
        expected: Seq,
    },
    /// A stored record does not match its checksum or can't be read.
    #[error("damaged {what}: {detail}")]
    Damaged {
        /// Which record.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The state directory belongs to another process.
    #[error("{path} is in use by process {pid}")]
    Locked {
        /// The state directory.
        path: String,
        /// The process that holds it; 0 where unknown.
        pid: u32,
    },
    /// The database was written by a later version.
    #[error("the database has schema {found}, this version knows up to {known}")]
    SchemaAhead {
        /// Version of the stored schema.
        found: u32,
        /// The latest version that this program knows.
        known: u32,
    },
    /// The backend failed. Nothing of the request is durable unless it says otherwise.
    #[error("{action}: {detail}")]
    Backend {
        /// What was being done.
        action: &'static str,
        /// What the backend said.
        detail: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// What the writer finds when it takes a mob over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The epoch that the caller now holds.
    pub epoch: u64,
    /// The last position; 0 in an empty journal.
    pub head: Seq,
}

/// The first and last position that a journal still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The first position that can be read; `head + 1` in an empty journal.
    pub oldest: Seq,
    /// The last position; 0 in an empty journal.
    pub head: Seq,
}

/// Events and the rows that follow from them: the unit of atomicity.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Consecutive events.
    pub events: Vec<Envelope>,
    /// Rows to write, in order; a later one of the same id wins.
    pub rows: Vec<Row>,
}

/// Which events to read.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
    /// Only events after this position.
    pub after: Seq,
    /// Only events up to this position; 0: up to the end.
    pub until: Seq,
    /// Only events that pass.
    pub filter: EventFilter,
    /// At most so many; a backend may return fewer, never none while there are some.
    pub limit: usize,
    /// Also those below the oldest that were kept for sessions.
    pub kept: bool,
}

/// What is to be forgotten of a journal.
#[derive(Debug, Clone, Default)]
pub struct Trim {
    /// Events, as a prefix: the first one that is not older than the cut ends it.
    pub events: Cut,
    /// Log lines; their events stay.
    pub logs: Cut,
    /// Events below the cut that stay for sessions. No reader sees them but one who asks for
    /// [`EventQuery::kept`].
    pub keep: Vec<Stretch>,
}

/// A page of events in order.
#[derive(Debug, Clone, Default)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Envelope>,
    /// The position up to which the journal was searched: the `after` of the next page.
    pub next_after: Seq,
    /// Whether the search reached the end of the journal (or `until`).
    pub at_end: bool,
}

/// Which rows to read, newest first.
#[derive(Debug, Clone)]
pub struct RowQuery {
    /// The table.
    pub table: Table,
    /// Only rows that belong to this: a member for messages, turns and approvals, a schedule for
    /// occurrences, a route for deliveries.
    pub owner: Option<String>,
    /// Only rows in this state.
    pub state: Option<String>,
    /// Only rows with a number below this; 0: from the newest.
    pub before: Seq,
    /// At most so many.
    pub limit: usize,
}

/// A page of rows, newest first.
#[derive(Debug, Clone, Default)]
pub struct RowPage {
    /// The rows.
    pub rows: Vec<Row>,
    /// The `before` of the next page, where there is one.
    pub next_before: Option<Seq>,
}

/// A saved state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The position whose event is the last that it contains.
    pub seq: Seq,
    /// The state, in the engine's own form.
    pub body: Bytes,
}

/// What a check of the whole store found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Events that were read.
    pub events: u64,
    /// Rows that were read.
    pub rows: u64,
    /// Blobs that were read.
    pub blobs: u64,
    /// Everything that is wrong, one line each; empty: clean.
    pub problems: Vec<String>,
}

/// A place where mobs are kept.
///
/// All methods may be called from any task at once. Dropping a future does not undo what it
/// started.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// What an acknowledged append survives.
    fn durability(&self) -> Durability;

    /// The word for the backend: `sqlite`, `postgres` or `memory`.
    fn kind(&self) -> &'static str;

    /// Takes the mob over: raises its writer epoch by one, creating the mob at the first call.
    /// After a crash the raised epoch stands; every `append` with an earlier one is refused.
    async fn open(&self, mob: &MobId) -> Result<Opened, StoreError>;

    /// Appends a batch whose first event has position `expected`.
    ///
    /// When it returns `Ok`, all of it is durable as [`Store::durability`] says. On an error or a
    /// crash all of it is there, or nothing; after an error the caller must read the journal again.
    async fn append(
        &self,
        mob: &MobId,
        epoch: u64,
        expected: Seq,
        batch: Batch,
    ) -> Result<(), StoreError>;

    /// Reads events in order. Sees only durable ones.
    async fn events(&self, mob: &MobId, query: EventQuery) -> Result<EventPage, StoreError>;

    /// What the journal still holds.
    async fn bounds(&self, mob: &MobId) -> Result<Bounds, StoreError>;

    /// Forgets the beginning of a journal, and the rows whose numbers lie there; what is left has
    /// no gap. Returns the first position that is left. The caller knows what open work and
    /// sessions still need.
    ///
    /// It goes in pieces, so that appends don't wait long. After a crash some of them may be done;
    /// repeating it does the rest.
    async fn trim(&self, mob: &MobId, trim: Trim) -> Result<Seq, StoreError>;

    /// One row by the number of its id.
    async fn row(&self, mob: &MobId, table: Table, number: Seq) -> Result<Option<Row>, StoreError>;

    /// Rows, newest first.
    async fn rows(&self, mob: &MobId, query: RowQuery) -> Result<RowPage, StoreError>;

    /// Saves a state; older ones of the mob may be dropped. Losing it costs time, never data.
    async fn snapshot_put(&self, mob: &MobId, snapshot: Snapshot) -> Result<(), StoreError>;

    /// The newest whole snapshot. A damaged one counts as none.
    async fn snapshot(&self, mob: &MobId) -> Result<Option<Snapshot>, StoreError>;

    /// Sets the position up to which a named consumer has worked. Durable when it returns.
    async fn cursor_put(&self, mob: &MobId, consumer: &str, seq: Seq) -> Result<(), StoreError>;

    /// The position up to which a named consumer has worked; `None`: it never has.
    async fn cursor(&self, mob: &MobId, consumer: &str) -> Result<Option<Seq>, StoreError>;

    /// Keeps a blob under the digest of its content. Durable when it returns; repeating is
    /// harmless.
    async fn blob_put(&self, content: Bytes) -> Result<BlobRef, StoreError>;

    /// A blob by its `sha256:…`; `None` where there is none. A damaged one is an error.
    async fn blob(&self, blob: &str) -> Result<Option<Bytes>, StoreError>;

    /// Drops the blobs to which nothing that is kept refers, and did not at the last sweep of this
    /// process either: one that was put just now has time to be mentioned. Returns how many.
    async fn blob_sweep(&self) -> Result<u64, StoreError>;

    /// Reads everything and checks it: checksums, dense positions, rows and blobs that exist.
    async fn verify(&self, mob: &MobId) -> Result<Verification, StoreError>;

    /// Ends the store: waits for what was accepted, and releases its files. Later calls are
    /// refused; closing again is harmless.
    async fn close(&self) -> Result<(), StoreError>;
}
