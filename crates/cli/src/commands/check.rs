//! `mobkit check`.

use crate::failure::{Exit, Failure};
use crate::mobfile;
use crate::terminal::{Output, Tone};
use mobkit::definition::Severity;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The mob file, or a folder that holds mob.toml
    #[arg(default_value = ".")]
    path: PathBuf,
}

pub(crate) fn run(args: &CheckArgs, output: &Output) -> Result<Exit, Failure> {
    let mut valid = mobfile::read(&args.path, output)?;
    // Only who runs the file is held up by what can't be run.
    for diagnostic in &mut valid.unsupported {
        diagnostic.severity = Severity::Warning;
    }
    let definition = &valid.definition;
    if output.is_json() {
        let diagnostics = [valid.warnings.as_slice(), valid.unsupported.as_slice()].concat();
        output.document(&json!({
            "valid": true,
            "runnable": valid.unsupported.is_empty(),
            "file": valid.path.display().to_string(),
            "mob": definition.id,
            "digest": definition.digest(),
            "members": definition.members.len(),
            "profiles": definition.profiles.len(),
            "modules": definition.modules.len(),
            "gates": definition.gates.len(),
            "diagnostics": diagnostics,
        }))?;
        return Ok(Exit::Done);
    }
    mobfile::show(&valid.text, &valid.warnings, output);
    mobfile::show(&valid.text, &valid.unsupported, output);
    let (word, but) = if valid.unsupported.is_empty() {
        (output.paint(Tone::Good, "ok"), "")
    } else {
        (
            output.paint(Tone::Warning, "valid"),
            "; but `mobkit up` refuses it, see the warnings",
        )
    };
    let parts = [
        (definition.members.len(), "member"),
        (definition.profiles.len(), "profile"),
        (definition.modules.len(), "module"),
        (definition.gates.len(), "gate"),
    ];
    let parts = parts.iter().enumerate();
    // What a mob need not have is named where it has some.
    let named = parts.filter(|(i, (count, _))| *i < 2 || *count > 0);
    let parts: Vec<String> = named
        .map(|(_, (count, noun))| counted(*count, noun))
        .collect();
    let line = format!(
        "{word} {}: mob {}, {}{but}",
        valid.path.display(),
        definition.id,
        parts.join(", "),
    );
    output.line(&line)?;
    Ok(Exit::Done)
}

/// A number with its noun.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
