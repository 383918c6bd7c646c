//! The mob file on disk.

use crate::models::{ModelError, check_scripts};
use async_trait::async_trait;
use mobkit_domain::definition::{Definition, Diagnostic, Files, parse};
use mobkit_engine::{DefinitionError, DefinitionSource};
use std::path::{Path, PathBuf};

/// A valid mob file, and where it lies.
#[derive(Debug, Clone)]
pub struct MobFile {
    /// The file.
    pub path: PathBuf,
    /// Where its relative paths start.
    pub folder: PathBuf,
    /// Its text, to show the places of warnings.
    pub text: String,
    /// What it says.
    pub definition: Definition,
    /// What is odd but works.
    pub warnings: Vec<Diagnostic>,
    /// Parts that nothing can run yet; a start refuses them.
    pub unsupported: Vec<Diagnostic>,
}

/// Why a mob file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is none.
    #[error("there is no mob file {path}")]
    Missing {
        /// The file.
        path: String,
    },
    /// It can't be read.
    #[error("{path} can't be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// It is not valid.
    #[error("{path} has {} errors", .diagnostics.len())]
    Invalid {
        /// The file.
        path: String,
        /// Everything that is wrong with it.
        diagnostics: Vec<Diagnostic>,
        /// Its text, to show the places.
        text: String,
    },
    /// The script of a rehearsal model can't be followed.
    #[error(transparent)]
    Script(#[from] ModelError),
}

struct Folder(PathBuf);

impl Files for Folder {
    fn read(&self, relative_path: &str) -> Result<String, String> {
        let path = self.0.join(relative_path);
        std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        })
    }
}

impl MobFile {
    /// Reads a mob file, or the `mob.toml` of a folder.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let path = if path.is_dir() {
            path.join("mob.toml")
        } else {
            path.to_owned()
        };
        let path = path.strip_prefix(".").map_or(path.clone(), Path::to_owned);
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => FileError::Missing {
                path: shown.clone(),
            },
            _ => FileError::Unreadable {
                path: shown.clone(),
                reason: error.to_string(),
            },
        })?;
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        match parse(&shown, &text, &Folder(folder.clone())) {
            Ok(parsed) => {
                check_scripts(&parsed.definition)?;
                Ok(Self {
                    path,
                    folder,
                    text,
                    definition: parsed.definition,
                    warnings: parsed.warnings,
                    unsupported: parsed.unsupported,
                })
            }
            Err(diagnostics) => Err(FileError::Invalid {
                path: shown,
                diagnostics,
                text,
            }),
        }
    }
}

/// Reads the mob file again whenever a plan is made.
pub(crate) struct Reread(pub(crate) PathBuf);

#[async_trait]
impl DefinitionSource for Reread {
    async fn load(&self) -> Result<Definition, DefinitionError> {
        let file = MobFile::read(&self.0).map_err(|error| {
            let message = error.to_string();
            match error {
                FileError::Invalid { diagnostics, .. } => DefinitionError {
                    message,
                    diagnostics,
                },
                FileError::Missing { .. } | FileError::Unreadable { .. } | FileError::Script(_) => {
                    DefinitionError {
                        message,
                        diagnostics: Vec::new(),
                    }
                }
            }
        })?;
        if file.unsupported.is_empty() {
            return Ok(file.definition);
        }
        let parts: Vec<&str> = file
            .unsupported
            .iter()
            .map(|d| d.message.as_str())
            .collect();
        let message = parts.join("; ");
        Err(DefinitionError {
            message,
            diagnostics: file.unsupported,
        })
    }
}
