//! The script that makes a shell ask this program.

use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use clap::ValueEnum;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionArgs {
    /// The shell that reads it
    shell: Shell,
}

/// Shells that can ask.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    fn completer(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &Bash,
            Self::Elvish => &Elvish,
            Self::Fish => &Fish,
            Self::Powershell => &Powershell,
            Self::Zsh => &Zsh,
        }
    }
}

/// The variable by which a shell asks.
const VARIABLE: &str = "COMPLETE";

pub(crate) fn run(args: &CompletionArgs, output: &Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    let shell = args.shell.completer();
    let name = "mobkit";
    let written = shell.write_registration(VARIABLE, name, name, name, &mut script);
    written.expect("memory takes everything");
    let script = String::from_utf8_lossy(&script);
    if output.is_json() {
        output.document(&json!({"shell": shell.name(), "script": script}))?;
    } else {
        output.write(&script)?;
    }
    Ok(Exit::Done)
}
