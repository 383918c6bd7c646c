//! The mob file on disk: reading it, and showing what is wrong in it.

use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use mobkit::definition::{Diagnostic, Severity};
use mobkit::{FileError, MobFile};
use serde_json::json;
use std::path::Path;

/// Reads the file at `path`, or the `mob.toml` of the folder at `path`. Errors in it are shown on
/// stderr, or handed over as data with `--json`.
pub(crate) fn read(path: &Path, output: &Output) -> Result<MobFile, Failure> {
    MobFile::read(path).map_err(|error| {
        let message = error.to_string();
        match error {
            FileError::Missing { .. } => Failure::new(Exit::Missing, "mob_file.not_found", message)
                .hint("write one with `mobkit init`, or name the file or its folder"),
            FileError::Unreadable { .. } => {
                Failure::new(Exit::Config, "mob_file.unreadable", message)
            }
            FileError::Script(_) => Failure::new(Exit::Config, "rehearsal.script_invalid", message),
            FileError::Invalid {
                path,
                diagnostics,
                text,
            } => invalid(&path, &text, &diagnostics, output),
        }
    })
}

/// The same for a file that is going to be run: parts that nothing can run are errors.
pub(crate) fn read_runnable(path: &Path, output: &Output) -> Result<MobFile, Failure> {
    let file = read(path, output)?;
    if file.unsupported.is_empty() {
        return Ok(file);
    }
    let path = file.path.display().to_string();
    Err(invalid(&path, &file.text, &file.unsupported, output))
}

/// Shows diagnostics on stderr, in colour where there is colour.
pub(crate) fn show(text: &str, diagnostics: &[Diagnostic], output: &Output) {
    for diagnostic in diagnostics {
        let tone = match diagnostic.severity {
            Severity::Error => Tone::Bad,
            Severity::Warning => Tone::Warning,
        };
        output.finding(&paint(
            &diagnostic.render(text),
            |part, is_caret| output.paint_notice(if is_caret { tone } else { Tone::Faint }, part),
            |head| output.paint_notice(tone, head),
        ));
    }
}

/// The failure that stands for these errors of a mob file.
pub(crate) fn invalid(
    path: &str,
    text: &str,
    diagnostics: &[Diagnostic],
    output: &Output,
) -> Failure {
    faulty("mob_file.invalid", path, text, diagnostics, output)
        .hint("mend the file and run `mobkit check`")
}

/// The failure of this code that stands for these errors of a file.
pub(crate) fn faulty(
    code: &str,
    path: &str,
    text: &str,
    diagnostics: &[Diagnostic],
    output: &Output,
) -> Failure {
    if !output.is_json() {
        show(text, diagnostics, output);
    }
    let is_error =
        |d: &&Diagnostic| d.severity == Severity::Error && d.code != "definition.more_errors";
    let errors = diagnostics.iter().filter(is_error).count();
    let more = if diagnostics.len() > errors {
        " or more"
    } else {
        ""
    };
    let plural = if errors == 1 { "error" } else { "errors" };
    let message = format!("{path} has {errors}{more} {plural}");
    let mut failure =
        Failure::new(Exit::Config, code, message).fact("diagnostics", json!(diagnostics));
    if let Some(first) = diagnostics.first() {
        failure = failure.at(json!({"file": first.file, "line": first.line, "col": first.column}));
    }
    failure
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
