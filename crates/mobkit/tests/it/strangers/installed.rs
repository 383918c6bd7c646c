//! Where the servers that others wrote are.

use std::path::{Path, PathBuf};

/// The folder in which `cargo xtask strangers` installed what is pinned now.
pub(crate) fn installed() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (pins, folder) = (
        root.join("crates/mobkit/tests/it/strangers/servers"),
        root.join("target/strangers"),
    );
    for name in ["package.json", "package-lock.json", "requirements.txt"] {
        let pinned = std::fs::read(pins.join(name)).expect("a file of pins");
        let there = std::fs::read(folder.join("pins").join(name)).unwrap_or_default();
        assert!(
            pinned == there,
            "servers of others are missing: run `cargo xtask strangers` \
             (it needs python3, npm and, once, the network)"
        );
    }
    folder.canonicalize().expect("a folder")
}
