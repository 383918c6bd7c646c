//! What an export holds, said at its beginning.

use mobkit_domain::id::Seq;
use serde::{Deserialize, Serialize};

/// The format that is written, and the latest that is read.
pub(super) const FORMAT: u32 = 1;

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format of the file.
    pub format: u32,
    /// Version of the program that wrote it.
    pub version: String,
    /// When it was written, RFC 3339.
    pub made: String,
    /// The mobs in it, as they stood.
    pub mobs: Vec<MobHead>,
    /// Every file in it, in the order in which they follow.
    pub files: Vec<Packed>,
}

/// Where a mob stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MobHead {
    /// The id of the mob.
    pub mob: String,
    /// The first position that its journal held.
    pub oldest: Seq,
    /// The last position of its journal.
    pub head: Seq,
}

/// A file in an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// Its path in the state directory.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
}

impl Manifest {
    /// The sizes of all files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// How many blobs it holds.
    pub fn blobs(&self) -> usize {
        self.files.len().saturating_sub(1)
    }
}

/// The name of a manifest with this digest.
pub(super) fn name(digest: &str) -> String {
    format!("manifest.{digest}.json")
}

/// The digest in the name of a manifest.
pub(super) fn digest_of(name: &str) -> Option<&str> {
    name.strip_prefix("manifest.")?.strip_suffix(".json")
}
