//! The private folders of the runtime, and how its program is called: nothing of a user's own
//! Meerkat is read or written.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The label of this process within the realm.
const INSTANCE: &str = "mobkit";
/// How long the name of a realm may be, in bytes.
const REALM_BYTES_MAX: usize = 64;
/// What the program gets of the host's environment.
const PASSED_ON: [&str; 4] = ["PATH", "LANG", "TZ", "TMPDIR"];
/// Read and write for the owner alone.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_FOLDER: u32 = 0o700;

/// The folders of the runtime below the state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
    realm: String,
}

impl Home {
    /// Those of a mob. Nothing is made yet.
    pub fn of(state_dir: &Path, mob: &str) -> Self {
        let root = state_dir.join("meerkat");
        Self {
            // It runs elsewhere, and a relative path would lead elsewhere too.
            root: std::path::absolute(&root).unwrap_or(root),
            realm: realm(mob),
        }
    }

    /// Makes the folders and writes the configuration. What was there of the state stays.
    pub fn prepare(&self, config: &str) -> io::Result<()> {
        for folder in ["state", "user/.rkat", "home", "context"] {
            let mut made = std::fs::DirBuilder::new();
            made.recursive(true).mode(PRIVATE_FOLDER);
            made.create(self.root.join(folder))?;
        }
        write_private(&self.root.join("user/.rkat/config.toml"), config)
    }

    /// Where the program runs: a folder that is empty but for what its tools put there.
    pub fn folder(&self) -> PathBuf {
        self.root.join("context")
    }

    /// The arguments that the program gets.
    pub fn arguments(&self) -> Vec<String> {
        let folder = |name: &str| self.root.join(name).to_string_lossy().into_owned();
        let flags = [
            ("--realm", self.realm.clone()),
            ("--instance", INSTANCE.to_owned()),
            ("--state-root", folder("state")),
            ("--user-config-root", folder("user")),
            ("--context-root", folder("context")),
        ];
        let flags = flags.into_iter();
        flags
            .flat_map(|(flag, value)| [flag.to_owned(), value])
            .collect()
    }

    /// The environment that the program gets, but for keys of models.
    pub fn environment(&self, host: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
        let home = self.root.join("home").to_string_lossy().into_owned();
        let passed_on = PASSED_ON.iter();
        let passed_on = passed_on.filter_map(|name| Some(((*name).to_owned(), host(name)?)));
        let mut environment: BTreeMap<String, String> = passed_on.collect();
        environment.insert("HOME".to_owned(), home.clone());
        environment.insert("XDG_CONFIG_HOME".to_owned(), home);
        environment.insert("RUST_LOG".to_owned(), "warn".to_owned());
        environment
    }

    /// The token that was given for a mob of the runtime: whoever has it may take the calls of its
    /// tools over. It is worth something to a process on these private folders only.
    pub fn claim(&self, mob: &str) -> io::Result<Option<String>> {
        let text = match std::fs::read_to_string(self.claim_file()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut claims = text.lines().filter_map(|line| line.split_once(' '));
        let claim = claims.find(|(of, _)| *of == mob);
        Ok(claim.map(|(_, token)| token.to_owned()))
    }

    /// Keeps the token of a mob of the runtime, for its owner alone; those of others stay.
    pub fn keep_claim(&self, mob: &str, token: &str) -> io::Result<()> {
        let before = match std::fs::read_to_string(self.claim_file()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let others = before.lines();
        let others = others.filter(|line| line.split_once(' ').is_some_and(|(of, _)| of != mob));
        let mut lines: Vec<String> = others.map(str::to_owned).collect();
        lines.push(format!("{mob} {token}"));
        write_private(&self.claim_file(), &(lines.join("\n") + "\n"))
    }

    fn claim_file(&self) -> PathBuf {
        self.root.join("claim")
    }
}

/// The realm of a mob: the runtime takes letters, digits, `_` and `-`, and not too many.
fn realm(mob: &str) -> String {
    let word = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            c
        } else {
            '-'
        }
    };
    let mut realm: String = "mobkit-".chars().chain(mob.chars().map(word)).collect();
    // All of it is ASCII by now.
    realm.truncate(REALM_BYTES_MAX);
    realm
}

/// Writes a file for its owner alone, so that it is there as it was or as it shall be.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE_FILE);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_realm_has_a_name_that_the_runtime_takes() {
        assert_eq!(realm("desk-1"), "mobkit-desk-1");
        assert_eq!(realm("a.b/c"), "mobkit-a-b-c");
        assert_eq!(realm(&"x".repeat(100)).len(), REALM_BYTES_MAX);
    }

    #[test]
    fn the_folders_are_of_the_owner_alone_and_are_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::of(folder.path(), "desk");
        home.prepare("a = 1\n").expect("made");
        home.prepare("a = 2\n").expect("made again");
        let root = folder.path().join("meerkat");
        let config = root.join("user/.rkat/config.toml");
        assert_eq!(
            std::fs::read_to_string(&config).expect("written"),
            "a = 2\n"
        );
        let mode = |path: &Path| {
            let found = std::fs::metadata(path).expect("it is there");
            found.permissions().mode() & 0o777
        };
        assert_eq!((mode(&root.join("home")), mode(&config)), (0o700, 0o600));
    }

    #[test]
    fn the_token_of_each_mob_is_kept_for_the_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::of(folder.path(), "desk");
        home.prepare("").expect("made");
        assert_eq!(home.claim("desk-a").expect("readable"), None);
        for (mob, token) in [
            ("desk-a", "mct_1"),
            ("desk-b", "mct_2"),
            ("desk-a", "mct_3"),
        ] {
            home.keep_claim(mob, token).expect("kept");
        }
        assert_eq!(
            home.claim("desk-a").expect("readable").as_deref(),
            Some("mct_3")
        );
        assert_eq!(
            home.claim("desk-b").expect("readable").as_deref(),
            Some("mct_2")
        );
        let found = std::fs::metadata(folder.path().join("meerkat/claim")).expect("it is there");
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
    }
}
