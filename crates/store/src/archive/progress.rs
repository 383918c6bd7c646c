//! How far it is.

/// How far an export or import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The database is being copied.
    Copying,
    /// Everything is being read and checked.
    Checking,
    /// So many of these bytes were written or checked.
    Bytes {
        /// So many are done.
        done: u64,
        /// So many there are.
        total: u64,
    },
}

/// Hears how far it is.
pub type Watch<'a> = &'a mut dyn FnMut(Progress);
