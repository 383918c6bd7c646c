//! The words of `mobkit rehearse`.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct RehearseArgs {
    /// The scenario: a TOML file
    pub(super) scenario: PathBuf,
    /// The mob file, or a folder that holds mob.toml; without it, the folder of the scenario
    #[arg(long, value_name = "FILE")]
    pub(super) mob: Option<PathBuf>,
    /// Decides how long models, modules and receivers take; the same number gives the same journal
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
}

impl RehearseArgs {
    /// Where the mob file is.
    pub(super) fn mob_path(&self) -> PathBuf {
        if let Some(path) = &self.mob {
            return path.clone();
        }
        match self.scenario.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        }
    }
}
