//! Reading the two files, rehearsing, saying what came of it.

use super::RehearseArgs;
use super::show::show;
use crate::failure::{Exit, Failure};
use crate::mobfile;
use crate::terminal::Output;
use mobkit::definition::{Definition, Scenario, parse_scenario};
use mobkit::rehearse::{RehearseError, rehearse};
use std::path::Path;

pub(crate) fn run(args: &RehearseArgs, output: &Output) -> Result<Exit, Failure> {
    let text = text_of(&args.scenario)?;
    let file = mobfile::read_runnable(&args.mob_path(), output)?;
    let scenario = read(&args.scenario, &text, &file.definition, output)?;
    let rehearsal = rehearse(&file, &scenario, args.seed).map_err(|error| not_held(&error))?;
    if output.is_json() {
        let mut document = serde_json::to_value(&rehearsal).expect("a report is a document");
        document["ok"] = rehearsal.is_as_expected().into();
        output.document(&document)?;
    } else {
        show(&rehearsal, output)?;
    }
    Ok(if rehearsal.is_as_expected() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn text_of(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let path = path.display();
        if error.kind() == std::io::ErrorKind::NotFound {
            let message = format!("there is no scenario {path}");
            return Failure::new(Exit::Missing, "scenario.not_found", message)
                .hint("docs/rehearse.md says how to write one");
        }
        let message = format!("{path} can't be read: {error}");
        Failure::new(Exit::Config, "scenario.unreadable", message)
            .hint("name a TOML file; docs/rehearse.md says how to write one")
    })
}

fn read(
    path: &Path,
    text: &str,
    definition: &Definition,
    output: &Output,
) -> Result<Scenario, Failure> {
    let shown = path.display().to_string();
    parse_scenario(&shown, text, definition).map_err(|diagnostics| {
        mobfile::faulty("scenario.invalid", &shown, text, &diagnostics, output)
            .hint("mend the scenario; docs/rehearse.md says what it may hold")
    })
}

fn not_held(error: &RehearseError) -> Failure {
    let message = error.to_string().replace('\n', "; ");
    match error {
        RehearseError::Rules(_) => Failure::new(Exit::Config, "rehearsal.script_invalid", message)
            .hint("mend the [[rules]] of the scenario"),
        RehearseError::Start(_) => Failure::new(Exit::Failed, "rehearsal.start_failed", message)
            .hint("see whether `mobkit up --rehearse` starts it"),
        RehearseError::Runtime(_) | RehearseError::Store(_) => {
            Failure::new(Exit::Failed, "rehearsal.failed", message)
                .hint("run it again; the same seed gives the same")
        }
    }
}
