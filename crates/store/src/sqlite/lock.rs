//! The lock of a state directory: one process at a time.

use crate::files;
use crate::store::StoreError;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

const FILE: &str = "lock";

/// Held while this is alive. The operating system lets go of it when the process ends, however it
/// ends; the file stays.
#[derive(Debug)]
pub(crate) struct StateLock {
    file: File,
}

impl StateLock {
    /// Takes the lock and writes the pid of this process beside it, or says at once who holds it.
    pub(crate) fn take(state_dir: &Path) -> Result<Self, StoreError> {
        let path = state_dir.join(FILE);
        let mut file = files::file(&path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let pid = holder(&mut file);
                return Err(StoreError::Locked {
                    path: state_dir.display().to_string(),
                    pid,
                });
            }
            Err(error) => return Err(files::failed("locking", &path)(error.into())),
        }
        let pid = std::process::id().to_string();
        let written = file
            .set_len(0)
            .and_then(|()| file.write_all(pid.as_bytes()));
        written.map_err(files::failed("writing a lock", &path))?;
        Ok(Self { file })
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // Nobody reads the pid without meeting the lock first; an error here harms nobody.
        let _unread = self.file.set_len(0);
    }
}

/// The process that holds the state directory: its pid, 0 where that can't be read; `None` where
/// nobody does. Nothing is written, and a directory that is not there is held by nobody.
pub fn state_dir_holder(state_dir: &Path) -> Result<Option<u32>, StoreError> {
    let path = state_dir.join(FILE);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(files::failed("reading a lock", &path)(error)),
    };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(None),
        Err(Errno::WOULDBLOCK) => Ok(Some(holder(&mut file))),
        Err(error) => Err(files::failed("locking", &path)(error.into())),
    }
}

/// The pid in a lock file; 0 where it can't be read.
fn holder(file: &mut File) -> u32 {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    read.ok()
        .and_then(|_| text.trim().parse().ok())
        .unwrap_or(0)
}
