//! The files that tidy looks at.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

use super::rust::Source;

/// A text file of the workspace.
pub struct File {
    /// Path from the root, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// For `.rs` files.
    pub rust: Option<Source>,
}

impl File {
    /// The part after the last `/`.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the whole file is test code.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
            || self.path.starts_with("tests/")
    }
}

/// All text files of the workspace, by path.
pub struct Tree {
    files: BTreeMap<String, File>,
}

impl Tree {
    /// A tree of these paths and texts.
    pub fn of<P: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        let files = files.into_iter().map(|(path, text)| {
            let (path, text) = (path.into(), text.into());
            let rust = Path::new(&path)
                .extension()
                .is_some_and(|ending| ending == "rs")
                .then(|| Source::read(&text));
            (path.clone(), File { path, text, rust })
        });
        Self {
            files: files.collect(),
        }
    }

    /// The files of `root` that git tracks or would track; without git, all but hidden folders and
    /// build output. Files that are not UTF-8 are left out.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let paths = match tracked(root) {
            Some(paths) => paths,
            None => walked(root)?,
        };
        let mut files = Vec::new();
        for path in paths {
            let full = root.join(&path);
            // A link, or a file that is gone but still in the index, has no text of its own.
            if !full.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                continue;
            }
            let bytes = std::fs::read(&full).with_context(|| path.clone())?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push((path, text));
            }
        }
        Ok(Self::of(files))
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Every file, by path.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    /// Every Rust file with its source, by path.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files()
            .filter_map(|file| file.rust.as_ref().map(|source| (file, source)))
    }
}

fn tracked(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(
        text.split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

fn walked(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(root.join(&folder)).with_context(|| folder.clone())?;
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            let kind = entry.file_type()?;
            if kind.is_file() {
                found.push(path);
            } else if kind.is_dir() && !["target", "node_modules", ".git"].contains(&&*name) {
                folders.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn without_git_the_folder_is_walked_and_build_output_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in [
            ("a/src/lib.rs", "mod b;"),
            ("target/x.rs", ""),
            (".ci/run", "x"),
            ("blob.md", "é"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        std::fs::write(folder.path().join("binary"), [0xff, 0xfe]).expect("a file");
        let tree = Tree::read(folder.path()).expect("a tree");
        let paths: Vec<_> = tree.files().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, [".ci/run", "a/src/lib.rs", "blob.md"]);
        assert_eq!(tree.rust().count(), 1);
    }
}
