//! Whether the programs of external engines are there, and speak what is spoken here.

use super::finding::Finding;
use mobkit::definition::Engine;
use mobkit::{MobFile, Variables, find_meerkat};
use std::path::Path;

/// Looks for the program of each engine that a profile names, and asks it for its version in
/// `scratch`, a folder that may be used and removed.
pub(super) async fn look(file: &MobFile, variables: &Variables, scratch: &Path) -> Vec<Finding> {
    let definition = &file.definition;
    let mut profiles = definition.profiles.values();
    if !profiles.any(|profile| profile.engine == Engine::Meerkat) {
        return Vec::new();
    }
    let found = find_meerkat(definition, &file.folder, variables, scratch).await;
    let check = "engine meerkat";
    vec![match found {
        Ok(found) => Finding::ok(
            check,
            format!("{}, version {}", found.path.display(), found.version),
        ),
        Err(reason) => Finding::fail(check, reason, HINT),
    }]
}

/// What helps against each of its reasons, which say themselves what exactly is wrong.
const HINT: &str = "members of this engine will be `failed`, the others work; docs/meerkat.md says \
                    how it is installed";
