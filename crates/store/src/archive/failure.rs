//! Why nothing was exported or imported.

use crate::files;
use crate::store::StoreError;
use std::io;
use std::path::Path;

/// Why an export or import changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file to write is there already.
    #[error("{path} exists")]
    Exists {
        /// The file.
        path: String,
    },
    /// The state directory holds no database, so there is nothing to export.
    #[error("{path} holds no state: there is no {file} in it")]
    StateMissing {
        /// The state directory.
        path: String,
        /// The file that makes one.
        file: &'static str,
    },
    /// The directory to import into holds something.
    #[error("{path} is not empty: it holds {holds}")]
    NotEmpty {
        /// The state directory.
        path: String,
        /// The first of what it holds.
        holds: String,
    },
    /// The file is not what an export writes, or was changed since.
    #[error("{path} is damaged: {detail}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A later version wrote the file.
    #[error("{path} has format {found}, this version reads up to {known}")]
    FormatAhead {
        /// The file.
        path: String,
        /// Its format.
        found: u32,
        /// The latest format that is known here.
        known: u32,
    },
    /// What was to be exported, or what came out of the file, does not pass the checks.
    #[error("{path}: {first}{more}", first = .problems.first().map_or("damaged", String::as_str),
        more = if .problems.len() > 1 { format!(", and {} more", .problems.len() - 1) }
               else { String::new() })]
    StateDamaged {
        /// The state directory or the file.
        path: String,
        /// Everything that is wrong, one line each.
        problems: Vec<String>,
    },
    /// Another export to the same file, or import to the same directory, is under way.
    #[error("{path} is being written by another process")]
    Busy {
        /// The file or the state directory.
        path: String,
    },
    /// The disk or the database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Turns an error of the operating system into one that names the path.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let failed = files::failed(action, path);
    move |error| ArchiveError::Store(failed(error))
}
