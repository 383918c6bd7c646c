//! What `up` leaves in the state directory for other commands: the operator token and the address.

use crate::environment;
use crate::failure::{Exit, Failure};
use serde_json::json;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The token of the operator, made at the first start and kept: 0600, readable by its owner alone.
pub(crate) fn token(state: &Path) -> Result<(String, PathBuf), Failure> {
    let path = state.join(crate::client::TOKEN_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok((text.trim().to_owned(), path)),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(unusable(&path, &error)),
    }
    let token = format!(
        "mk_{}{}",
        environment::random_key()?,
        environment::random_key()?
    );
    replace(&path, &token).map_err(|error| unusable(&path, &error))?;
    Ok((token, path))
}

/// The file by which other commands find the server; it goes with the value.
pub(crate) struct Announcement(PathBuf);

impl Announcement {
    /// Writes where the server is.
    pub fn publish(state: &Path, url: &str, started: &str) -> Result<Self, Failure> {
        let path = state.join(crate::client::SERVER_FILE);
        let text = json!({ "pid": std::process::id(), "url": url, "started": started });
        replace(&path, &text.to_string()).map_err(|error| unusable(&path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // A file that stays behind names a server that does not answer, and says so when asked.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Writes a whole file or none: a reader never sees half of it.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let half = path.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&half)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&half, path)
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("{} can't be used: {error}", path.display());
    Failure::new(Exit::Failed, "state_dir.unusable", message)
        .hint("name another state directory with --state")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_token_stays_and_is_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, path) = token(folder.path()).expect("a token");
        let (second, _) = token(folder.path()).expect("the same token");
        assert_eq!(first, second);
        assert!(first.len() >= 35, "{}", first.len());
        let mode = std::fs::metadata(path)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_address_goes_with_its_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(crate::client::SERVER_FILE);
        let announced = Announcement::publish(folder.path(), "http://127.0.0.1:1/", "now");
        assert!(announced.is_ok() && path.exists());
        drop(announced);
        assert!(!path.exists());
    }
}
