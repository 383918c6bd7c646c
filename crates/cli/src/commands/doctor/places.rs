//! Whether the state directory can be written, and whether it is free.

use super::finding::Finding;
use mobkit::state_dir_holder;
use std::path::{Path, PathBuf};

const CHECK: &str = "state directory";

/// Looks at the state directory. Nothing in it is changed, and it is not made.
pub(super) fn look(state: &Path) -> Finding {
    let shown = state.display();
    match state_dir_holder(state) {
        Ok(Some(pid)) => {
            let found = format!("{shown} is in use by process {pid}");
            let hint = "that mob runs: `mobkit status` shows it; a second `mobkit up` is refused";
            return Finding::warn(CHECK, found, hint);
        }
        Ok(None) => {}
        Err(error) => return unusable(&error.to_string()),
    }
    let Some((folder, there)) = nearest(state) else {
        return unusable(&format!("nothing of {shown} is there"));
    };
    if !folder.is_dir() {
        return unusable(&format!("{} is no folder", folder.display()));
    }
    match tempfile_in(&folder) {
        Ok(()) if there => Finding::ok(CHECK, format!("{shown} can be written and is free")),
        Ok(()) => Finding::ok(CHECK, format!("{shown} will be made by the first start")),
        Err(error) => unusable(&format!("{} can't be written: {error}", folder.display())),
    }
}

fn unusable(reason: &str) -> Finding {
    Finding::fail(CHECK, reason, "mend that, or name another one with --state")
}

/// The state directory where it is there, else what it would be made in; and whether it is there.
fn nearest(state: &Path) -> Option<(PathBuf, bool)> {
    if state.exists() {
        return Some((state.to_owned(), true));
    }
    let absolute = std::path::absolute(state).ok()?;
    let mut above = absolute.ancestors().skip(1);
    let found = above.find(|folder| folder.exists())?;
    Some((found.to_owned(), false))
}

/// Makes a file and removes it: permissions alone don't tell of a full or read-only disk.
fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(format!(".mobkit-doctor-{}", std::process::id()));
    let made = std::fs::write(&path, b"can it be written?\n");
    let removed = std::fs::remove_file(&path);
    made.and(removed)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_state_directory_is_free_in_use_or_unusable() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("not/there");
        let found = look(&state);
        assert_eq!(found.verdict, Verdict::Ok, "{found:?}");
        assert!(!state.exists(), "looking makes nothing");
        let store = mobkit::SqliteStore::open(folder.path(), mobkit::Durability::Process);
        let store = store.expect("a store");
        let found = look(folder.path());
        assert_eq!(found.verdict, Verdict::Warn, "{found:?}");
        let pid = format!("by process {}", std::process::id());
        assert!(found.found.ends_with(&pid), "{found:?}");
        drop(store);
        let file = folder.path().join("file");
        std::fs::write(&file, "no folder").expect("a file");
        let found = look(&file.join("state"));
        assert_eq!(found.verdict, Verdict::Fail, "{found:?}");
        assert!(found.hint.is_some_and(|hint| hint.contains("--state")));
    }
}
