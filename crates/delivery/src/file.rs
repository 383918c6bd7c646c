//! Files: each delivery is a line of JSON at the end of one.

use crate::sending::{SendFailure, Sending, Sent};
use serde::Serialize;
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How far back a repetition looks for its own line, in bytes.
const LOOK_BACK_BYTES: u64 = 4 * 1024 * 1024;

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
    path: PathBuf,
}

impl FileSink {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Appends the line, unless it is there from an attempt that nobody knows the end of. Blocks.
    pub(crate) fn send(&self, sending: &Sending) -> Sent {
        match append(&self.path, sending) {
            Ok(()) => Sent::Delivered {
                status: None,
                excerpt: None,
            },
            Err(error) => {
                let reason = format!("{}: {error}", self.path.display());
                Sent::Failed(SendFailure::of(reason))
            }
        }
    }
}

fn append(path: &Path, sending: &Sending) -> io::Result<()> {
    let is_there = path.exists();
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(path)?;
    if sending.repeated && holds(&mut file, &sending.id)? {
        return file.sync_data();
    }
    let line = Line {
        id: &sending.id,
        time: sending.queued.to_string(),
        recipient: &sending.recipient,
        channel: sending.channel.as_deref(),
        payload: &sending.payload,
    };
    let mut text = Vec::new();
    if is_torn(&mut file)? {
        text.push(b'\n');
    }
    serde_json::to_writer(&mut text, &line)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_data()?;
    if !is_there && let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
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
fn holds(file: &mut File, id: &str) -> io::Result<bool> {
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(LOOK_BACK_BYTES)))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let read = serde_json::from_slice::<Value>(&line);
        if line.ends_with(b"\n") && read.is_ok_and(|value| value["id"] == id) {
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mobkit_domain::time::Time;
    use serde_json::json;

    fn sending(id: &str, repeated: bool) -> Sending {
        Sending {
            id: id.to_owned(),
            recipient: "archive".to_owned(),
            channel: None,
            payload: json!({"n": 1}),
            queued: Time(0),
            now: Time(0),
            repeated,
        }
    }

    #[test]
    fn a_repetition_adds_nothing_and_a_torn_line_is_ended() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("out.jsonl");
        let sink = FileSink::new(path.clone());
        let ids = |text: &str| -> Vec<String> {
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.map(|line| line["id"].as_str().expect("an id").to_owned()).collect()
        };
        assert!(matches!(sink.send(&sending("a", false)), Sent::Delivered { .. }));
        assert!(matches!(sink.send(&sending("a", true)), Sent::Delivered { .. }));
        let mut file = OpenOptions::new().append(true).open(&path).expect("the file");
        file.write_all(br#"{"id":"b","ti"#).expect("torn");
        assert!(matches!(sink.send(&sending("b", true)), Sent::Delivered { .. }));
        let text = std::fs::read_to_string(&path).expect("the file");
        assert_eq!(ids(&text), ["a", "b"]);
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_failure_that_names_it() {
        let sink = FileSink::new(PathBuf::from("/nowhere/at/all.jsonl"));
        let Sent::Failed(failure) = sink.send(&sending("a", false)) else {
            panic!("it can't be written");
        };
        assert!(failure.reason.contains("/nowhere/at/all.jsonl"));
    }
}
