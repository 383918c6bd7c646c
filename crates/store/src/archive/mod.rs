//! A whole state directory as one file, and back.
//!
//! The file is a tar: first a manifest with the SHA-256 of everything, under a name that holds the
//! manifest's own digest; then the database as it was at one moment; then the blobs. Neither tokens
//! nor addresses nor what external engines keep for themselves are in it.
//!
//! Both ways end with the renaming of something that is whole: whatever interrupts them, there is
//! all of it or nothing under the name that was asked for.

mod digest;
mod failure;
mod manifest;
mod pack;
mod progress;
mod unpack;
mod walk;

pub use failure::ArchiveError;
pub use manifest::{Manifest, MobHead};
pub use pack::export;
pub use progress::{Progress, Watch};
pub use unpack::import;
