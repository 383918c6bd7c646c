//! Files and directories that only their owner may read, and that are there after a loss of power.

use crate::store::StoreError;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Turns an error of the operating system into one that names the path.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.display().to_string();
    move |error| StoreError::Backend {
        action,
        detail: format!("{path}: {error}"),
    }
}

/// Makes the directory and what is missing above it, mode 0700. One that exists stays as it is.
/// Returns whether it was made.
pub(crate) fn directory(path: &Path) -> Result<bool, StoreError> {
    if path.is_dir() {
        return Ok(false);
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(failed("making a directory", path))?;
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        sync_directory(parent)?;
    }
    Ok(true)
}

/// Opens a file for reading and writing, and makes it, mode 0600, where it is missing.
pub(crate) fn file(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(failed("opening a file", path))
}

/// Makes what was created in, moved to or removed from the directory survive a loss of power.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(failed("syncing a directory", path))
}
