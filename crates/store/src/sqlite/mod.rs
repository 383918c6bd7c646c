//! The store in one SQLite file.
//!
//! One thread owns the connection that writes, and commits what waits for it as one transaction. A
//! few threads with connections of their own read, and see what is committed. Nothing else in the
//! process touches the file; no other process can, while the lock of the state directory is held.

mod agreement;
mod append;
mod change;
mod database;
mod events;
mod keep;
mod ledger;
mod lines;
mod lock;
mod look;
mod migrations;
mod readers;
mod record;
mod rows;
mod store;
mod trim;
mod verify;
mod writer;

pub(crate) use database::FILE as DATABASE;
pub(crate) use lock::StateLock;
pub use lock::state_dir_holder;
pub use look::verify_state_dir;
pub(crate) use look::{Look, bring_up_to_date};
pub use store::SqliteStore;
