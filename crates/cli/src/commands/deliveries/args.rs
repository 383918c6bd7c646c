//! The arguments of `mobkit deliveries`.

use crate::client::ServerArgs;
use clap::Subcommand;

/// Show the deliveries, the newest first; send one, or send a dead one again
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DeliveriesArgs {
    #[command(subcommand)]
    pub command: Option<DeliveriesCommand>,
    /// Only those in this state
    #[arg(long = "in", value_name = "STATE", value_parser = [
        "queued", "attempting", "delivered", "failed", "unknown", "dead",
    ])]
    pub in_state: Option<String>,
    /// Only those over this route, e.g. ops or member:editor
    #[arg(long, value_name = "ROUTE")]
    pub route: Option<String>,
    /// Only those for this recipient
    #[arg(long, value_name = "RECIPIENT")]
    pub to: Option<String>,
    /// Only the newest N
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u64).range(1..=500))]
    pub limit: u64,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveriesCommand {
    /// One delivery: what it says, and each of its attempts
    Show {
        /// Which, e.g. dlv-12
        id: String,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Send dead or unknown deliveries again, under the same ids
    Replay(ReplayArgs),
    /// Send something over the route that takes it
    Send(SendDeliveryArgs),
}

/// Which ones.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// Which, e.g. dlv-12
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// What is sent.
#[derive(Debug, clap::Args)]
pub(crate) struct SendDeliveryArgs {
    /// For whom, e.g. ops or member:editor
    pub recipient: String,
    /// What it says: a JSON object or list, or else text; - reads stdin
    pub payload: String,
    /// On which channel
    #[arg(long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// Idempotency key: the same key is sent once, however often the command is repeated
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}
