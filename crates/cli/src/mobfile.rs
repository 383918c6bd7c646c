//! The mob file on disk: finding it, reading it, and showing what is wrong in it.

use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use mobkit_domain::definition::{self, Diagnostic, Files, Severity};
use serde_json::json;
use std::path::{Path, PathBuf};

pub(crate) use definition::{Definition, Provider, Secret};

const FILE_NAME: &str = "mob.toml";

/// Where a mob file is.
#[derive(Debug, Clone)]
pub(crate) struct MobFile {
    /// The file, as people call it.
    pub path: PathBuf,
    /// Its folder: relative paths in the file start there.
    pub folder: PathBuf,
    text: String,
}

/// A mob file that is right.
pub(crate) struct ValidMobFile {
    pub file: MobFile,
    pub definition: Definition,
    /// What it probably does not mean.
    pub warnings: Vec<Diagnostic>,
    /// Parts that this version cannot run.
    pub unsupported: Vec<Diagnostic>,
}

impl MobFile {
    /// Reads the file at `path`, or the `mob.toml` of the folder at `path`.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let path = if path.is_dir() {
            path.join(FILE_NAME)
        } else {
            path.to_owned()
        };
        let path = path.strip_prefix(".").map_or(path.clone(), Path::to_owned);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                let message = format!("there is no mob file {}", path.display());
                return Failure::new(Exit::Missing, "mob_file.not_found", message)
                    .hint("write one with `mobkit init`, or name the file or its folder");
            }
            let message = format!("cannot read {}: {error}", path.display());
            Failure::new(Exit::Config, "mob_file.unreadable", message)
        })?;
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok(Self { path, folder, text })
    }

    /// Parses and validates. Errors are shown on stderr, or handed over as data with `--json`.
    pub fn validate(self, output: &Output) -> Result<ValidMobFile, Failure> {
        let name = self.path.display().to_string();
        match definition::parse(&name, &self.text, &FolderFiles(&self.folder)) {
            Ok(parsed) => Ok(ValidMobFile {
                file: self,
                definition: parsed.definition,
                warnings: parsed.warnings,
                unsupported: parsed.unsupported,
            }),
            Err(diagnostics) => Err(self.invalid(&diagnostics, output)),
        }
    }

    /// Shows diagnostics on stderr, in colour where there is colour.
    pub fn show(&self, diagnostics: &[Diagnostic], output: &Output) {
        for diagnostic in diagnostics {
            let tone = match diagnostic.severity {
                Severity::Error => Tone::Bad,
                Severity::Warning => Tone::Warning,
            };
            let text = diagnostic.render(&self.text);
            output.finding(&paint(
                &text,
                |part, is_caret| {
                    output.paint_notice(if is_caret { tone } else { Tone::Faint }, part)
                },
                |head| output.paint_notice(tone, head),
            ));
        }
    }

    /// The failure that stands for these errors.
    pub fn invalid(&self, diagnostics: &[Diagnostic], output: &Output) -> Failure {
        if !output.is_json() {
            self.show(diagnostics, output);
        }
        let errors = diagnostics
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .count();
        let plural = if errors == 1 { "error" } else { "errors" };
        let message = format!("{} has {errors} {plural}", self.path.display());
        let mut failure = Failure::new(Exit::Config, "mob_file.invalid", message)
            .hint("mend the file and run `mobkit check`")
            .fact("diagnostics", json!(diagnostics));
        if let Some(first) = diagnostics.first() {
            failure = failure.at(json!(
                {"file": first.file, "line": first.line, "col": first.column}
            ));
        }
        failure
    }
}

/// Colours a rendered diagnostic: the head up to its colon, the gutter, and the line of the caret.
fn paint(text: &str, side: impl Fn(&str, bool) -> String, head: impl Fn(&str) -> String) -> String {
    let mut lines = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if i == 0
            && let Some(end) = line.find("]:")
        {
            lines.push(format!("{}{}", head(&line[..end + 2]), &line[end + 2..]));
        } else if let Some((gutter, rest)) = line.split_once('|') {
            let is_caret = gutter.trim().is_empty() && rest.trim_start().starts_with('^');
            let rest = if is_caret {
                side(rest, true)
            } else {
                rest.to_owned()
            };
            lines.push(format!("{}{rest}", side(&format!("{gutter}|"), false)));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Files that a mob file names, from its folder.
struct FolderFiles<'a>(&'a Path);

impl Files for FolderFiles<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(self.0.join(path)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_changes_no_letter() {
        let text = "error[a.b]: x\n --> m:1:2\n  |\n1 | a = |b|\n  |     ^^^ c\n  = hint: d\n";
        let plain = paint(text, |part, _| part.to_owned(), str::to_owned);
        assert_eq!(plain, text);
        let marked = paint(
            text,
            |part, caret| format!("<{caret}{part}>"),
            |h| format!("[{h}]"),
        );
        assert!(marked.starts_with("[error[a.b]:] x\n"), "{marked}");
        assert!(
            marked.contains("<false1 |> a = |b|\n<false  |><true     ^^^ c>\n"),
            "{marked}"
        );
    }
}
