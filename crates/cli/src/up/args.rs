//! The arguments of `mobkit up`.

use crate::listen;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct UpArgs {
    /// The mob file, or a folder that holds mob.toml
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Let a script answer instead of every model: no key, no network
    #[arg(long)]
    pub rehearse: bool,
    /// Start even if this retires more than half of the members
    #[arg(long)]
    pub force: bool,
    /// State directory [default: .mobkit beside the mob file]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Address and port to serve on; port 0 takes a free one [default: what the mob file says]
    #[arg(long, value_name = "ADDRESS", value_parser = listen::parse)]
    pub listen: Option<SocketAddr>,
    /// Say more on stderr; twice: everything (MOBKIT_LOG chooses by module)
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}
