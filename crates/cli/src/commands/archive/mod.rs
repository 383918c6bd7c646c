//! `mobkit export` and `mobkit import`: a state directory as one file, and back.

mod bar;
mod export;
mod import;
mod refused;

pub(crate) use export::{ExportArgs, run as export};
pub(crate) use import::{ImportArgs, run as import};
