//! What children write to their standard error, on its way into the journal.

mod lines;
mod plain;
mod record;

pub(crate) use plain::plain_line;
pub use record::record_log;
