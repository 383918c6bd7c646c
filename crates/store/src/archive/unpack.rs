//! Bringing an export back.

use super::failure::failed;
use super::walk::walk;
use super::{ArchiveError, Manifest, Progress, Watch};
use crate::blob::BLOBS;
use crate::files;
use crate::sqlite::{DATABASE, Look, StateLock, bring_up_to_date};
use crate::store::{Durability, StoreError};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Makes a state directory of what an export holds. `state_dir` is missing or empty.
///
/// Every checksum of the file is looked at before anything is written. The directory is put
/// together under another name beside it (`<name>.importing`), brought to the present schema,
/// checked as a whole, and then renamed. On an error or a crash `state_dir` is as it was, and the
/// next attempt clears what was left.
pub fn import(file: &Path, state_dir: &Path, watch: Watch<'_>) -> Result<Manifest, ArchiveError> {
    check_empty(state_dir)?;
    walk(file, &mut |_| Ok(Box::new(io::sink())), watch)?;
    let staging = staging(state_dir)?;
    files::directory(&staging)?;
    let lock = match StateLock::take(&staging) {
        Err(StoreError::Locked { .. }) => {
            let path = state_dir.display().to_string();
            return Err(ArchiveError::Busy { path });
        }
        taken => taken?,
    };
    clear(&staging)?;
    let filled = fill(file, &staging, watch);
    let manifest = match filled {
        Ok(manifest) => manifest,
        Err(error) => {
            // What stays behind is cleared by the next attempt.
            let _ = fs::remove_dir_all(&staging);
            return Err(error);
        }
    };
    // An empty directory gives way to the renamed one; any other does not.
    fs::rename(&staging, state_dir).map_err(|error| match check_empty(state_dir) {
        Err(filled) => filled,
        Ok(()) => failed("naming the state directory", state_dir)(error),
    })?;
    if let Some(folder) = state_dir.parent().filter(|p| !p.as_os_str().is_empty()) {
        files::sync_directory(folder)?;
    }
    drop(lock);
    Ok(manifest)
}

/// Refuses a directory that holds something, and what is no directory.
fn check_empty(state_dir: &Path) -> Result<(), ArchiveError> {
    let mut entries = match fs::read_dir(state_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("reading a directory", state_dir)(error)),
    };
    match entries.next() {
        None => Ok(()),
        Some(Ok(entry)) => Err(ArchiveError::NotEmpty {
            path: state_dir.display().to_string(),
            holds: entry.file_name().to_string_lossy().into_owned(),
        }),
        Some(Err(error)) => Err(failed("reading a directory", state_dir)(error)),
    }
}

/// Where it is put together: beside the state directory, so that it can be renamed.
fn staging(state_dir: &Path) -> Result<PathBuf, ArchiveError> {
    let whole = std::path::absolute(state_dir);
    let whole = whole.map_err(failed("finding the state directory", state_dir))?;
    let Some(name) = whole.file_name() else {
        let detail = format!("{} has no name", state_dir.display());
        let action = "finding the state directory";
        return Err(StoreError::Backend { action, detail }.into());
    };
    let mut name = name.to_owned();
    name.push(".importing");
    Ok(whole.with_file_name(name))
}

/// Removes what an earlier attempt left behind, but not the lock.
fn clear(staging: &Path) -> Result<(), ArchiveError> {
    let fail = || failed("clearing a directory", staging);
    for entry in fs::read_dir(staging).map_err(fail())? {
        let path = entry.map_err(fail())?.path();
        if path.is_dir() {
            fs::remove_dir_all(&path).map_err(fail())?;
        } else if path.file_name().is_some_and(|name| name != "lock") {
            fs::remove_file(&path).map_err(fail())?;
        }
    }
    Ok(())
}

/// A file that is on the disk when it has been flushed.
struct Synced(File);

impl Write for Synced {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.0.write(content)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

fn fill(file: &Path, staging: &Path, watch: Watch<'_>) -> Result<Manifest, ArchiveError> {
    let blobs = staging.join(BLOBS);
    files::directory(&blobs)?;
    let mut sink = |packed: &super::manifest::Packed| {
        let path = staging.join(&packed.name);
        if let Some(folder) = path.parent() {
            files::directory(folder).map_err(io::Error::other)?;
        }
        let file = files::file(&path).map_err(io::Error::other)?;
        Ok(Box::new(Synced(file)) as Box<dyn Write>)
    };
    let manifest = walk(file, &mut sink, watch)?;
    watch(Progress::Checking);
    let database = staging.join(DATABASE);
    bring_up_to_date(&database, Durability::Power)?;
    let look = Look::of(&database, &blobs)?;
    let mut problems = Vec::new();
    for (_, found) in look.verify()? {
        problems.extend(found.problems);
    }
    if look.heads()? != manifest.mobs {
        problems.push("the journals do not end where the list of contents says".to_owned());
    }
    if !problems.is_empty() {
        let path = file.display().to_string();
        return Err(ArchiveError::StateDamaged { path, problems });
    }
    drop(look);
    for folder in fs::read_dir(&blobs).map_err(failed("reading a directory", &blobs))? {
        let folder = folder.map_err(failed("reading a directory", &blobs))?;
        files::sync_directory(&folder.path())?;
    }
    files::sync_directory(&blobs)?;
    files::sync_directory(staging)?;
    Ok(manifest)
}
