//! The arguments of `mobkit approvals`.

use crate::client::ServerArgs;
use clap::Subcommand;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ApprovalsArgs {
    #[command(subcommand)]
    pub command: Option<ApprovalsCommand>,
    /// One of them, with everything about it
    pub id: Option<String>,
    /// Also those that were decided, the newest first
    #[arg(long, conflicts_with = "id")]
    pub all: bool,
    /// Only those in this state
    #[arg(long = "in", value_name = "STATE", conflicts_with_all = ["id", "all"],
          value_parser = STATES)]
    pub in_state: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// The states of an approval, the one of those that wait first.
pub(super) const STATES: [&str; 6] = [
    PENDING,
    "approved",
    "edited",
    "denied",
    "expired",
    "withdrawn",
];

/// The state of an approval that waits.
pub(super) const PENDING: &str = "pending";

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalsCommand {
    /// One of them, with everything about it
    Show {
        /// Which, e.g. apr-12
        id: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}
