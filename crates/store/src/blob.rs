//! Blobs: content kept under its own digest.
//!
//! On disk a blob is the file `ab/cdef…` below the directory of blobs, named by the SHA-256 of its
//! content. It is written under another name, synced, and then moved there: a file under a digest
//! is whole.

use crate::files;
use crate::store::{Durability, StoreError};
use bytes::Bytes;
use mobkit_domain::canonical::sha256_hex;
use mobkit_domain::text::BlobRef;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The directory of blobs in the state directory.
pub(crate) const BLOBS: &str = "blobs";
const PREFIX: &str = "sha256:";
/// Holds files that are being written. Digests are hexadecimal, so the name can't be theirs.
const PARTIAL: &str = "partial";
/// Keys whose values are other people's data, in which nothing is a reference of ours.
const FOREIGN: [&str; 4] = ["args", "carry", "context", "engine"];

/// The reference to this content.
pub(crate) fn reference(content: &[u8]) -> BlobRef {
    BlobRef {
        blob: format!("{PREFIX}{}", sha256_hex(content)),
        bytes: content.len() as u64,
    }
}

/// The digest in hex, if this is the name of a blob.
fn digest(blob: &str) -> Option<&str> {
    let hex = blob.strip_prefix(PREFIX)?;
    let well_formed =
        hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    well_formed.then_some(hex)
}

/// Every blob that a stored event or row refers to.
pub(crate) fn references(value: &Value, found: &mut Vec<BlobRef>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(map) => {
            let blob = map
                .get("blob")
                .and_then(Value::as_str)
                .filter(|blob| digest(blob).is_some());
            let bytes = map.get("bytes").and_then(Value::as_u64);
            if let (Some(blob), Some(bytes), 2) = (blob, bytes, map.len()) {
                found.push(BlobRef {
                    blob: blob.to_owned(),
                    bytes,
                });
                return;
            }
            for (key, item) in map {
                if !FOREIGN.contains(&key.as_str()) {
                    references(item, found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds the names of all blobs that stand anywhere in a text, whoever wrote them there.
pub(crate) fn mentions(text: &str, found: &mut BTreeSet<String>) {
    const HEX: usize = 64;
    for (at, _) in text.match_indices(PREFIX) {
        let name = text.get(at..at + PREFIX.len() + HEX);
        if let Some(name) = name.filter(|name| digest(name).is_some()) {
            found.insert(name.to_owned());
        }
    }
}

/// Checks that every blob to which a record refers is there, in its size.
pub(crate) fn check_references(
    what: &str,
    value: &Value,
    size: impl Fn(&str) -> Option<u64>,
    problems: &mut Vec<String>,
) {
    let mut found = Vec::new();
    references(value, &mut found);
    for BlobRef { blob, bytes } in found {
        match size(&blob) {
            None => problems.push(format!("{what}: blob {blob} is missing")),
            Some(size) if size != bytes => {
                problems.push(format!(
                    "{what}: blob {blob} has {size} bytes instead of {bytes}"
                ));
            }
            Some(_) => {}
        }
    }
}

/// Blobs as files below one directory that belongs to this process.
#[derive(Debug)]
pub(crate) struct BlobFiles {
    directory: PathBuf,
    synced: bool,
    written: AtomicU64,
    /// Blobs that nothing referred to at the last sweep, and that nobody has put since.
    idle: Mutex<BTreeSet<String>>,
}

impl BlobFiles {
    /// Opens the directory, made where it is missing, and removes what an earlier process left
    /// half written.
    pub(crate) fn open(directory: &Path, durability: Durability) -> Result<Self, StoreError> {
        let partial = directory.join(PARTIAL);
        if partial.is_dir() {
            fs::remove_dir_all(&partial)
                .map_err(files::failed("clearing a directory", &partial))?;
        }
        files::directory(directory)?;
        files::directory(&partial)?;
        Ok(Self {
            directory: directory.to_owned(),
            synced: durability == Durability::Power,
            written: AtomicU64::new(0),
            idle: Mutex::default(),
        })
    }

    /// Looks at a directory that belongs to another process. Nothing may be put.
    pub(crate) fn look(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            synced: false,
            written: AtomicU64::new(0),
            idle: Mutex::default(),
        }
    }

    /// The directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Keeps the content. When it returns, it is as durable as the store promises.
    pub(crate) fn put(&self, content: &[u8]) -> Result<BlobRef, StoreError> {
        let reference = reference(content);
        // From here on no sweep takes it away: one that does so right now is waited for.
        self.idle().remove(&reference.blob);
        let path = self.path(digest(&reference.blob).expect("a digest was just made"));
        let directory = path
            .parent()
            .expect("a blob lies in a directory of its own");
        files::directory(directory)?;
        let kept = fs::read(&path).is_ok_and(|kept| kept == content);
        if !kept {
            self.write(&path, content)?;
        }
        // Also where it was there already: who put it may not have come this far yet.
        if self.synced {
            files::sync_directory(directory)?;
        }
        Ok(reference)
    }

    fn write(&self, path: &Path, content: &[u8]) -> Result<(), StoreError> {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let partial = self.directory.join(PARTIAL).join(number.to_string());
        let mut file = files::file(&partial)?;
        let written = file.write_all(content).and_then(|()| self.sync(&file));
        let moved = written.and_then(|()| fs::rename(&partial, path));
        moved.map_err(files::failed("writing a blob", path))
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.synced { file.sync_all() } else { Ok(()) }
    }

    fn idle(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the blobs that are not mentioned and were not at the last sweep. Returns how many.
    pub(crate) fn sweep(&self, mentioned: &BTreeSet<String>) -> Result<u64, StoreError> {
        let (blobs, _) = self.list()?;
        let mut dropped = 0;
        let mut unmentioned = BTreeSet::new();
        for blob in blobs.into_iter().filter(|blob| !mentioned.contains(blob)) {
            // Held while the file goes, so that a put of the same content comes before or after.
            let mut idle = self.idle();
            if idle.remove(&blob) {
                let path = self.path(digest(&blob).expect("it was listed as a blob"));
                fs::remove_file(&path).map_err(files::failed("dropping a blob", &path))?;
                dropped += 1;
            } else {
                unmentioned.insert(blob);
            }
        }
        *self.idle() = unmentioned;
        Ok(dropped)
    }

    /// Reads a blob and checks it against its digest.
    pub(crate) fn get(&self, blob: &str) -> Result<Option<Bytes>, StoreError> {
        let Some(hex) = digest(blob) else {
            return Ok(None);
        };
        let path = self.path(hex);
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(files::failed("reading a blob", &path)(error)),
        };
        if sha256_hex(&content) == hex {
            Ok(Some(content.into()))
        } else {
            let detail = "its content does not match its digest".to_owned();
            Err(StoreError::Damaged {
                what: format!("blob {blob}"),
                detail,
            })
        }
    }

    /// The size of a blob in bytes, without reading it; `None` where there is none.
    pub(crate) fn size(&self, blob: &str) -> Option<u64> {
        let meta = fs::metadata(self.path(digest(blob)?)).ok()?;
        meta.is_file().then_some(meta.len())
    }

    /// The names of all blobs, and the paths of files that are none.
    pub(crate) fn list(&self) -> Result<(Vec<String>, Vec<PathBuf>), StoreError> {
        let (mut blobs, mut strays) = (Vec::new(), Vec::new());
        for directory in entries(&self.directory)? {
            if directory.ends_with(PARTIAL) {
                continue;
            }
            if !directory.is_dir() {
                strays.push(directory);
                continue;
            }
            for file in entries(&directory)? {
                let name =
                    |path: &Path| path.file_name().and_then(|n| n.to_str()).map(str::to_owned);
                let parts = name(&directory).zip(name(&file));
                match parts.map(|(head, tail)| format!("{PREFIX}{head}{tail}")) {
                    Some(blob) if digest(&blob).is_some() && file.is_file() => blobs.push(blob),
                    _ => strays.push(file),
                }
            }
        }
        Ok((blobs, strays))
    }

    fn path(&self, hex: &str) -> PathBuf {
        let (head, tail) = hex.split_at(2);
        self.directory.join(head).join(tail)
    }
}

/// What lies in a directory, by name.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed = fs::read_dir(directory).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    let mut paths = listed.map_err(files::failed("listing blobs", directory))?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_found_in_our_own_data_only() {
        let blob = reference(b"long").blob;
        let ours = json!({ "blob": blob, "bytes": 4 });
        let value = json!({
            "data": { "text": ours, "args": { "x": ours }, "parts": [{ "text": ours }],
                "said": format!("{ours}"), "other": { "blob": blob, "bytes": 4, "more": 1 } },
        });
        let mut found = Vec::new();
        references(&value, &mut found);
        assert_eq!(found, vec![BlobRef { blob, bytes: 4 }; 2]);
    }

    #[test]
    fn a_name_that_is_no_digest_names_no_blob() {
        let place = tempfile::tempdir().expect("a directory");
        let blobs = BlobFiles::open(place.path(), Durability::Process).expect("blobs");
        for name in [
            "",
            "sha256:",
            "sha256:../../lock",
            "md5:00",
            &format!("{PREFIX}{:064X}", 171),
        ] {
            assert!(blobs.get(name).expect("no error").is_none(), "{name:?}");
        }
    }

    #[test]
    fn what_was_left_half_written_is_cleared_at_the_next_open() {
        let place = tempfile::tempdir().expect("a directory");
        drop(BlobFiles::open(place.path(), Durability::Process).expect("blobs"));
        let left = place.path().join(PARTIAL).join("7");
        fs::write(&left, b"half").expect("a file");
        let blobs = BlobFiles::open(place.path(), Durability::Process).expect("blobs");
        assert!(!left.exists());
        assert_eq!(blobs.list().expect("a list"), (vec![], vec![]));
    }

    #[test]
    fn a_damaged_blob_is_an_error_and_putting_it_again_mends_it() {
        let place = tempfile::tempdir().expect("a directory");
        let blobs = BlobFiles::open(place.path(), Durability::Power).expect("blobs");
        let put = blobs.put(b"content").expect("put");
        let path = blobs.path(digest(&put.blob).expect("a digest"));
        fs::write(&path, b"c0ntent").expect("damaged");
        assert!(matches!(
            blobs.get(&put.blob),
            Err(StoreError::Damaged { .. })
        ));
        assert_eq!(blobs.put(b"content").expect("put again"), put);
        assert_eq!(
            blobs.get(&put.blob).expect("read").as_deref(),
            Some(&b"content"[..])
        );
    }
}
