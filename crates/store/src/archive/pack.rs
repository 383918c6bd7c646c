//! Writing an export.

use super::failure::failed;
use super::manifest::{self, FORMAT, MobHead, Packed};
use super::{ArchiveError, Manifest, Progress, Watch, digest};
use crate::blob::{BLOBS, BlobFiles};
use crate::files;
use crate::sqlite::{DATABASE, Look};
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};

/// Writes the state directory into `file`, also while a server works in it: the database as it is
/// at one moment, and the blobs. Blocks until it is on the disk; the server is not held up.
///
/// What is written was checked before, so damage is never handed on as a copy. `version` and `made`
/// are noted down in it. On an error or a crash there is no `file`; a half-written `file.part`, and
/// the copy of the database beside it, go with the next attempt.
pub fn export(
    state_dir: &Path,
    file: &Path,
    (version, made): (&str, &str),
    watch: Watch<'_>,
) -> Result<Manifest, ArchiveError> {
    if file.exists() {
        let path = file.display().to_string();
        return Err(ArchiveError::Exists { path });
    }
    let part = beside(file, "part");
    let target = files::file(&part)?;
    if flock(&target, FlockOperation::NonBlockingLockExclusive).is_err() {
        let path = file.display().to_string();
        return Err(ArchiveError::Busy { path });
    }
    let half = Half(vec![part.clone(), beside(file, "part.db")]);
    target
        .set_len(0)
        .map_err(failed("emptying a file", &part))?;
    let copy = &half.0[1];
    watch(Progress::Copying);
    let mobs = copy_database(state_dir, copy, watch)?;
    let blobs = BlobFiles::look(&state_dir.join(BLOBS));
    let manifest = Manifest {
        format: FORMAT,
        version: version.to_owned(),
        made: made.to_owned(),
        mobs,
        files: list(copy, &blobs)?,
    };
    write(&target, &manifest, copy, &blobs, watch).map_err(failed("writing", &part))?;
    target.sync_all().map_err(failed("syncing", &part))?;
    fs::rename(&part, file).map_err(failed("naming", file))?;
    if let Some(folder) = file.parent().filter(|p| !p.as_os_str().is_empty()) {
        files::sync_directory(folder)?;
    }
    Ok(manifest)
}

/// Files that nobody needs once this is gone.
struct Half(Vec<PathBuf>);

impl Drop for Half {
    fn drop(&mut self) {
        for path in &self.0 {
            // Renamed by now, or never made.
            let _ = fs::remove_file(path);
        }
    }
}

/// `file.extension`, whatever extension `file` has itself.
fn beside(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// Copies the database as it is at one moment, and checks the copy against itself and the blobs.
fn copy_database(
    state_dir: &Path,
    copy: &Path,
    watch: Watch<'_>,
) -> Result<Vec<MobHead>, ArchiveError> {
    let Some(source) = Look::open(state_dir)? else {
        let path = state_dir.display().to_string();
        let file = DATABASE;
        return Err(ArchiveError::StateMissing { path, file });
    };
    if copy.exists() {
        fs::remove_file(copy).map_err(failed("removing a copy", copy))?;
    }
    drop(files::file(copy)?);
    source.copy_into(copy)?;
    watch(Progress::Checking);
    let taken = Look::of(copy, &state_dir.join(BLOBS))?;
    let mut problems = Vec::new();
    // A database of an earlier schema is checked when it has been brought up to date.
    if taken.is_current()? {
        for (_, found) in taken.verify()? {
            problems.extend(found.problems);
        }
    }
    if !problems.is_empty() {
        let path = state_dir.display().to_string();
        return Err(ArchiveError::StateDamaged { path, problems });
    }
    Ok(taken.heads()?)
}

/// What the file will hold: the database, then the blobs by name.
fn list(copy: &Path, blobs: &BlobFiles) -> Result<Vec<Packed>, ArchiveError> {
    let mut database = open(copy)?;
    let (bytes, sha256) = digest::copy(&mut database, &mut io::sink(), &mut |_| {})
        .map_err(failed("reading a copy", copy))?;
    let mut files = vec![Packed {
        name: DATABASE.to_owned(),
        bytes,
        sha256,
    }];
    let (names, _) = blobs.list()?;
    for blob in names {
        // One that is no longer there is needed by nothing in the copy, which was checked.
        if let (Some(bytes), Some(hex)) = (blobs.size(&blob), blob.split(':').next_back()) {
            let (head, tail) = hex.split_at(2);
            files.push(Packed {
                name: format!("{BLOBS}/{head}/{tail}"),
                bytes,
                sha256: hex.to_owned(),
            });
        }
    }
    Ok(files)
}

fn write(
    target: &File,
    manifest: &Manifest,
    copy: &Path,
    blobs: &BlobFiles,
    watch: Watch<'_>,
) -> io::Result<()> {
    let mut tar = tar::Builder::new(BufWriter::new(target));
    let body = serde_json::to_vec(manifest).expect("a manifest has string keys only");
    let (_, digest) = digest::copy(&mut body.as_slice(), &mut io::sink(), &mut |_| {})?;
    append(
        &mut tar,
        &manifest::name(&digest),
        body.len() as u64,
        &mut body.as_slice(),
    )?;
    let (mut done, total) = (0, manifest.bytes());
    for file in &manifest.files {
        let mut content = if file.name == DATABASE {
            File::open(copy)?
        } else {
            File::open(
                blobs
                    .directory()
                    .join(file.name.trim_start_matches("blobs/")),
            )?
        };
        append(&mut tar, &file.name, file.bytes, &mut content)?;
        done += file.bytes;
        watch(Progress::Bytes { done, total });
    }
    tar.into_inner()?.into_inner()?;
    Ok(())
}

/// Adds a file of exactly this size.
fn append(
    tar: &mut tar::Builder<BufWriter<&File>>,
    name: &str,
    bytes: u64,
    content: &mut dyn Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    let mut content = content.take(bytes);
    tar.append_data(&mut header, name, &mut content)?;
    if content.limit() > 0 {
        let message = format!("{name} is shorter than it was");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
    }
    Ok(())
}

fn open(path: &Path) -> Result<File, ArchiveError> {
    File::open(path).map_err(failed("opening a file", path))
}
