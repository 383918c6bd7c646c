//! `mobkit export`.

use super::bar::Bar;
use super::refused::refused;
use crate::client::STATE_FOLDER;
use crate::commands::check::counted;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use mobkit::archive::export;
use serde_json::json;
use std::path::PathBuf;

/// Write everything that is known of the mob into one file, also while it runs
///
/// The file holds the journal, the read tables and the blobs as they are at one moment, each with
/// its checksum; the members work on meanwhile. Tokens and secrets are not in it, nor the mob file,
/// nor what an external engine keeps for itself. `mobkit import` makes a state directory of it.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// The file to write, a tar; it does not exist yet
    file: PathBuf,
    /// State directory of the mob [default: .mobkit in the current folder]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

pub(crate) fn run(args: &ExportArgs, output: &Output) -> Result<Exit, Failure> {
    let state = match &args.state {
        Some(state) => state.clone(),
        None => PathBuf::from(STATE_FOLDER),
    };
    let made = environment::now().to_string();
    let version = env!("CARGO_PKG_VERSION");
    let bar = Bar::new(output);
    let written = export(&state, &args.file, (version, &made), &mut |p| bar.show(p));
    drop(bar);
    let manifest = written.map_err(|error| refused(&error))?;
    let engines = state.join("meerkat").is_dir();
    if output.is_json() {
        output.document(&json!({
            "file": args.file.display().to_string(),
            "bytes": manifest.bytes(),
            "blobs": manifest.blobs(),
            "made": made,
            "mobs": manifest.mobs,
            "complete": !engines,
        }))?;
        return Ok(Exit::Done);
    }
    for mob in &manifest.mobs {
        output.line(&format!(
            "exported  {} up to event {}, with {}, to {}",
            mob.mob,
            mob.head,
            counted(manifest.blobs(), "blob"),
            args.file.display()
        ))?;
    }
    if engines {
        output.notice(
            "left out: what the meerkat engine keeps for itself; its members begin with an empty \
             memory of their own where this is imported",
        );
    }
    output.notice(&format!(
        "bring it back with `mobkit import {}`",
        args.file.display()
    ));
    Ok(Exit::Done)
}
