//! Files that go with a message.

use crate::failure::{Exit, Failure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::Path;

/// Most bytes of a file that a server takes.
const BYTES_MAX: u64 = 5_000_000;

/// Endings of names, with the part and the type that they stand for.
const TYPES: [(&str, &str, &str); 11] = [
    ("png", "image", "image/png"),
    ("jpg", "image", "image/jpeg"),
    ("jpeg", "image", "image/jpeg"),
    ("gif", "image", "image/gif"),
    ("webp", "image", "image/webp"),
    ("pdf", "file", "application/pdf"),
    ("json", "file", "application/json"),
    ("csv", "file", "text/csv"),
    ("html", "file", "text/html"),
    ("md", "file", "text/markdown"),
    ("txt", "file", "text/plain"),
];

/// A message of a text, where there is one, and files.
pub(super) fn content(text: Option<&str>, files: &[String]) -> Result<Value, Failure> {
    let text = text.map(|text| json!({"type": "text", "text": text}));
    let files = files.iter().map(|file| part(file));
    let parts = text.map(Ok).into_iter().chain(files);
    parts.collect::<Result<Vec<Value>, _>>().map(Value::Array)
}

fn part(file: &str) -> Result<Value, Failure> {
    let path = Path::new(file);
    let unreadable = |error: std::io::Error| {
        let (exit, code) = match error.kind() {
            std::io::ErrorKind::NotFound => (Exit::Missing, "file.not_found"),
            _ => (Exit::Failed, "file.unreadable"),
        };
        Failure::new(exit, code, format!("cannot read {file}: {error}"))
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > BYTES_MAX {
        let message = format!("{file} has {size} bytes; a file has at most {BYTES_MAX}");
        return Err(Failure::new(Exit::Usage, "attach.too_large", message)
            .hint("put it where a tool of the agent can read it, and say where"));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let (kind, media_type) = kind_of(path, &bytes).ok_or_else(|| {
        let message = format!("{file} is none of the files that a model can be shown");
        Failure::new(Exit::Usage, "attach.unknown_type", message)
            .hint("attach a png, jpeg, gif or webp image, a pdf, or a file of UTF-8 text")
    })?;
    let name = path.file_name().map(std::ffi::OsStr::to_string_lossy);
    Ok(json!({"type": kind, "media_type": media_type, "name": name,
        "data": STANDARD.encode(&bytes)}))
}

/// What a file is, by the end of its name; any other file of text is plain text.
fn kind_of(path: &Path, bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let ending = path.extension().and_then(std::ffi::OsStr::to_str);
    let ending = ending.map(str::to_ascii_lowercase);
    let known = TYPES
        .iter()
        .find(|(known, ..)| ending.as_deref() == Some(known));
    let plain = std::str::from_utf8(bytes).is_ok();
    known
        .map(|(_, kind, media_type)| (*kind, *media_type))
        .or_else(|| plain.then_some(("file", "text/plain")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_shows_at_the_end_of_its_name() {
        let kind = |name: &str, bytes: &[u8]| kind_of(Path::new(name), bytes);
        assert_eq!(kind("a/Chart.PNG", b"\x89"), Some(("image", "image/png")));
        assert_eq!(kind("a.pdf", b"%PDF"), Some(("file", "application/pdf")));
        assert_eq!(kind("notes", b"text"), Some(("file", "text/plain")));
        assert_eq!(kind("main.rs", b"fn"), Some(("file", "text/plain")));
        assert_eq!(kind("a.bin", b"\xff\x00"), None);
    }
}
