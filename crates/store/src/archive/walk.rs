//! Reading an export from its beginning to its end, and checking every byte of it.

use super::failure::failed;
use super::manifest::{self, FORMAT, Packed};
use super::{ArchiveError, Manifest, Progress, Watch, digest};
use crate::blob::BLOBS;
use crate::sqlite::DATABASE;
use serde::Deserialize;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

/// A manifest is not longer than this: a million blobs need about 150 MiB.
const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// Gives each file to `sink`, which says where its content goes. Whatever is not as the manifest
/// says is an error, and so is a manifest that is not as its name says.
pub(super) fn walk(
    path: &Path,
    sink: &mut dyn FnMut(&Packed) -> io::Result<Box<dyn Write>>,
    watch: Watch<'_>,
) -> Result<Manifest, ArchiveError> {
    let damaged = |detail: String| ArchiveError::Damaged {
        path: path.display().to_string(),
        detail,
    };
    let file = File::open(path).map_err(failed("opening a file", path))?;
    let mut tar = tar::Archive::new(BufReader::new(file));
    let mut entries = tar.entries().map_err(|e| damaged(e.to_string()))?;
    let mut next = || match entries.next() {
        None => Err(damaged("it ends too early".to_owned())),
        Some(entry) => entry.map_err(|error| damaged(unlike(&error))),
    };
    let manifest = {
        let mut first = next()?;
        let name = name_of(&first).map_err(|e| damaged(unlike(&e)))?;
        let expected = manifest::digest_of(&name)
            .ok_or_else(|| damaged("it is not an export of mobkit".to_owned()))?;
        let mut body = Vec::new();
        let mut content = first.by_ref().take(MANIFEST_BYTES_MAX);
        let read = digest::copy(&mut content, &mut body, &mut |_| {});
        let (_, found) = read.map_err(|error| damaged(unlike(&error)))?;
        if found != expected {
            return Err(damaged("its list of contents was changed".to_owned()));
        }
        parse(path, &body)?
    };
    let (mut done, total) = (0, manifest.bytes());
    for file in &manifest.files {
        let mut entry = next()?;
        let name = name_of(&entry).map_err(|e| damaged(unlike(&e)))?;
        if name != file.name || !is_ours(file) || !entry.header().entry_type().is_file() {
            return Err(damaged(format!("{name} is not what follows in it")));
        }
        let mut to = sink(file).map_err(failed("writing", Path::new(&file.name)))?;
        let mut each = |bytes| {
            done += bytes;
            watch(Progress::Bytes { done, total });
        };
        let copied = digest::copy(&mut entry, &mut *to, &mut each);
        let copied = copied.map_err(|error| damaged(format!("{name}: {error}")))?;
        if copied != (file.bytes, file.sha256.clone()) {
            return Err(damaged(format!("{name} does not match its checksum")));
        }
        to.flush()
            .map_err(failed("writing", Path::new(&file.name)))?;
    }
    match entries.next() {
        None => Ok(manifest),
        Some(_) => Err(damaged(
            "it holds more than its list of contents".to_owned(),
        )),
    }
}

/// What reading a tar that is none comes to.
fn unlike(error: &io::Error) -> String {
    format!("it can't be read as an export: {error}")
}

fn name_of(entry: &tar::Entry<'_, impl Read>) -> io::Result<String> {
    Ok(entry.path()?.to_string_lossy().into_owned())
}

/// Reads the format before the rest, which may be of another one.
fn parse(path: &Path, body: &[u8]) -> Result<Manifest, ArchiveError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let damaged = |error: serde_json::Error| ArchiveError::Damaged {
        path: path.display().to_string(),
        detail: format!("its list of contents can't be read: {error}"),
    };
    let Format { format: found } = serde_json::from_slice(body).map_err(damaged)?;
    if found > FORMAT {
        return Err(ArchiveError::FormatAhead {
            path: path.display().to_string(),
            found,
            known: FORMAT,
        });
    }
    serde_json::from_slice(body).map_err(damaged)
}

/// Whether the name is one of those that an export has: nothing else is ever written.
fn is_ours(file: &Packed) -> bool {
    if file.name == DATABASE {
        return true;
    }
    let hex = &file.sha256;
    let is_hex = hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_hex && file.name == format!("{BLOBS}/{}/{}", &hex[..2], &hex[2..])
}
