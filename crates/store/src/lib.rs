//! Where a mob is kept: the journal, the read tables that follow it, snapshots, cursors and blobs.
//!
//! Duty: make what the writer decided durable in one transaction, and read it back in order. The
//! only crate that speaks SQL.
//!
//! Invariants:
//! * `append` is the unit of atomicity: events and rows are both there or both not.
//! * `seq` is dense per mob; a gap or a writer of an earlier epoch is refused.
//! * a reader sees an event only after it is durable.
//! * one conformance suite ([`conformance`]) runs over every backend.
//!
//! The commonest change is a new read table: a [`mobkit_domain::row::Row`] variant, a step in
//! `sqlite/migrations/`, the statements where the compiler asks for them, and its case in
//! `conformance/tables.rs`. A new backend is a folder beside `sqlite/` and a line in
//! `tests/it/conformance.rs`.

pub mod archive;
mod batch;
mod blob;
pub mod conformance;
mod files;
mod keep;
mod memory;
mod sqlite;
mod store;
mod tap;
mod word;

pub use memory::MemoryStore;
pub use sqlite::{SqliteStore, state_dir_holder, verify_state_dir};
pub use store::{
    Batch, Bounds, Durability, EventPage, EventQuery, Opened, RowPage, RowQuery, Snapshot, Store,
    StoreError, Trim, Verification,
};
pub use tap::{Death, Tap};
