//! The arguments of `mobkit config`.

use std::path::PathBuf;

/// Show the values of the mob file as they are in force, defaults included
///
/// Nothing is started and no server is asked: `mobkit plan` compares with a mob that runs. Secrets
/// are shown as references. `schema` prints the JSON Schema of mob files.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub command: Option<ConfigCommand>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ConfigCommand {
    /// Every value with the line that sets it, or that it is a default
    Show {
        /// Only what is below this, e.g. profiles.writer
        below: Option<String>,
        /// The mob file, or a folder that holds mob.toml
        #[arg(long, value_name = "PATH", default_value = ".")]
        file: PathBuf,
    },
    /// One value, e.g. models.main.provider
    Get {
        /// Its name, as `show` has it
        key: String,
        /// The mob file, or a folder that holds mob.toml
        #[arg(long, value_name = "PATH", default_value = ".")]
        file: PathBuf,
    },
    /// The JSON Schema of mob files, by which editors complete and check them
    ///
    /// Put `#:schema ./mob.schema.json` on the first line of a mob file, and this output in that
    /// file.
    Schema,
}
