//! `mobkit import`.

use super::bar::Bar;
use super::refused::refused;
use crate::client::STATE_FOLDER;
use crate::commands::check::counted;
use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use mobkit::archive::import;
use serde_json::json;
use std::path::PathBuf;

/// Make a state directory of an export
///
/// Everything is checked before anything is written, and the state directory appears whole or not
/// at all. It must not exist yet, or be empty.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// A file that `mobkit export` wrote
    file: PathBuf,
    /// State directory to make [default: .mobkit in the current folder]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

pub(crate) fn run(args: &ImportArgs, output: &Output) -> Result<Exit, Failure> {
    let state = args.state.clone();
    let state = state.unwrap_or_else(|| PathBuf::from(STATE_FOLDER));
    if !args.file.exists() {
        let message = format!("there is no file {}", args.file.display());
        return Err(Failure::new(Exit::Missing, "export.not_found", message)
            .hint("name a file that `mobkit export` wrote"));
    }
    let bar = Bar::new(output);
    let read = import(&args.file, &state, &mut |p| bar.show(p));
    drop(bar);
    let manifest = read.map_err(|error| refused(&error))?;
    if output.is_json() {
        output.document(&json!({
            "state": state.display().to_string(),
            "blobs": manifest.blobs(),
            "made": manifest.made,
            "version": manifest.version,
            "mobs": manifest.mobs,
        }))?;
        return Ok(Exit::Done);
    }
    for mob in &manifest.mobs {
        output.line(&format!(
            "imported  {} up to event {}, with {}, into {}",
            mob.mob,
            mob.head,
            counted(manifest.blobs(), "blob"),
            state.display()
        ))?;
    }
    output.notice(
        "start it with `mobkit up` beside its mob file; the mob that was exported must not run on, \
         else both do the work that was open",
    );
    Ok(Exit::Done)
}
