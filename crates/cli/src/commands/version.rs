//! `mobkit version`.

use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use serde_json::json;

/// The version of this binary.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn run(output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.document(&json!({"version": VERSION}))?;
    } else {
        output.line(&format!("mobkit {VERSION}"))?;
    }
    Ok(Exit::Done)
}
