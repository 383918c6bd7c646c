//! Where the program of the runtime is, and what to do where it is not.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// How the program is installed, in the version that this engine was made for.
pub(super) fn install() -> &'static str {
    "`cargo install meerkat-rpc --version 0.9.8`"
}

/// A program that is not there; its text says where it was looked for, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{program} was not found {place}; install it ({}), or say where it is: \
     `[engines.meerkat] command = [\"/path/to/rkat-rpc\"]`",
    install()
)]
pub struct NotFound {
    /// As the mob file says it.
    pub program: String,
    /// Where it was looked for.
    pub place: String,
}

/// Where a program is. A path with a slash starts in `folder`, a name is searched in `search`, the
/// value of PATH.
pub fn find(program: &str, folder: &Path, search: Option<&str>) -> Result<PathBuf, NotFound> {
    let missing = |place: String| NotFound {
        program: program.to_owned(),
        place,
    };
    if program.contains('/') {
        let path = folder.join(program);
        return if is_program(&path) {
            Ok(absolute(path))
        } else if path.exists() {
            Err(missing(format!("as a program at {}", path.display())))
        } else {
            Err(missing(format!("at {}", path.display())))
        };
    }
    let Some(search) = search.filter(|search| !search.is_empty()) else {
        return Err(missing("since PATH is not set".to_owned()));
    };
    let search_in = OsString::from(search);
    let folders = std::env::split_paths(&search_in);
    let mut found = folders.map(|place| folder.join(place).join(program));
    found
        .find(|path| is_program(path))
        .map(absolute)
        .ok_or_else(|| missing(format!("in PATH ({search})")))
}

/// It is started in another folder, and a relative path would lead elsewhere there.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let found = std::fs::metadata(path);
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_path_starts_at_the_mob_file_and_a_name_is_searched_in_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("bin/tool");
        std::fs::create_dir(folder.path().join("bin")).expect("made");
        std::fs::write(&program, "").expect("written");
        let search = format!("/nowhere:{}", folder.path().join("bin").display());
        let found = || find("bin/tool", folder.path(), None);
        let error = found().expect_err("it is no program").to_string();
        assert!(
            error.starts_with("bin/tool was not found as a program at"),
            "{error}"
        );
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, runs).expect("set");
        assert_eq!(found(), Ok(program.clone()));
        assert_eq!(find("tool", Path::new("/"), Some(&search)), Ok(program));
        for (name, search) in [("tool", Some("/nowhere")), ("tool", None), ("./tool", None)] {
            assert!(find(name, Path::new("/"), search).is_err());
        }
    }
}
