//! Files: each delivery is a line of JSON at the end of one.

use crate::sending::{SendFailure, Sending, Sent};
use mobkit_engine::Tasks;
use serde::Serialize;
use serde_json::Value;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How far back an attempt looks for its own line, in bytes: one before it may have written the
/// line and failed afterwards.
const LOOK_BACK_BYTES: u64 = 64 * 1024;
/// How far back a repetition looks: many lines may have come since.
const LOOK_BACK_REPEATED_BYTES: u64 = 64 * 1024 * 1024;
/// How often a file that somebody else has locked is tried, and how long apart.
const LOCK_TRIES_MAX: usize = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// One line.
#[derive(Debug, Serialize)]
struct Line<'s> {
    id: &'s str,
    time: String,
    recipient: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'s str>,
    payload: &'s Value,
}

/// A sink that appends to a file. A line is on the disk when the attempt has succeeded; a line that
/// a crash left torn is ended before the next one.
pub(crate) struct FileSink {
    path: Arc<Path>,
    /// Deliveries of one route follow one another, so that they don't meet at the lock of the file.
    turn: tokio::sync::Mutex<()>,
}

/// What one attempt at the file has come to.
enum Appended {
    Done,
    /// Another process, or another route, writes to it.
    Locked,
}

impl FileSink {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path: path.into(),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Appends the line, unless it is there from an attempt that nobody knows the end of.
    pub(crate) async fn send(&self, tasks: &Tasks, sending: Sending) -> Sent {
        let _turn = self.turn.lock().await;
        let sending = Arc::new(sending);
        for _ in 0..LOCK_TRIES_MAX {
            let (path, line) = (Arc::clone(&self.path), Arc::clone(&sending));
            let appended = tasks
                .compute("delivery file", move || append(&path, &line))
                .await;
            match appended {
                Some(Ok(Appended::Done)) => {
                    return Sent::Delivered {
                        status: None,
                        excerpt: None,
                    };
                }
                Some(Ok(Appended::Locked)) => tokio::time::sleep(LOCK_PAUSE).await,
                Some(Err(error)) => return self.failed(&error.to_string()),
                None => return self.failed("writing it has panicked"),
            }
        }
        self.failed("somebody else has locked it")
    }

    fn failed(&self, why: &str) -> Sent {
        Sent::Failed(SendFailure::of(format!("{}: {why}", self.path.display())))
    }
}

fn append(path: &Path, sending: &Sending) -> io::Result<Appended> {
    let before = match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is no file")),
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(path)?;
    match file.try_lock() {
        // A file system without locks is written to as it is.
        Ok(()) | Err(TryLockError::Error(_)) => {}
        Err(TryLockError::WouldBlock) => return Ok(Appended::Locked),
    }
    let look_back_bytes = if sending.repeated {
        LOOK_BACK_REPEATED_BYTES
    } else {
        LOOK_BACK_BYTES
    };
    if !holds(&mut file, &sending.id, look_back_bytes)? {
        write(&mut file, sending)?;
    }
    file.sync_data()?;
    // The name of a young file may be less durable than what is in it.
    let is_young = before.is_none_or(|metadata| metadata.len() <= LOOK_BACK_BYTES);
    if is_young {
        sync_folder(path)?;
    }
    Ok(Appended::Done)
}

/// Makes the name of a file durable. A folder that may not be read can't be asked for that.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.canonicalize()?.parent().map(File::open) {
        Some(Ok(folder)) => folder.sync_all(),
        Some(Err(_)) | None => Ok(()),
    }
}

fn write(file: &mut File, sending: &Sending) -> io::Result<()> {
    let line = Line {
        id: &sending.id,
        time: sending.queued.to_string(),
        recipient: &sending.recipient,
        channel: sending.channel.as_deref(),
        payload: &sending.payload,
    };
    let mut text = Vec::new();
    if is_torn(file)? {
        text.push(b'\n');
    }
    serde_json::to_writer(&mut text, &line)?;
    text.push(b'\n');
    file.write_all(&text)
}

/// Whether the last line has no end.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Whether a whole line of this delivery is near the end.
fn holds(file: &mut File, id: &str, look_back_bytes: u64) -> io::Result<bool> {
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(look_back_bytes)))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if line.ends_with(b"\n") && is_of(&line, id) {
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}

/// Whether a line is that of a delivery.
fn is_of(line: &[u8], id: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Written<'l> {
        #[serde(borrow)]
        id: std::borrow::Cow<'l, str>,
    }
    serde_json::from_slice::<Written<'_>>(line).is_ok_and(|written| written.id == id)
}
