//! The arguments of `mobkit routes`.

use crate::client::ServerArgs;
use clap::Subcommand;

/// Show the routes of deliveries, those that are out of use first
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RoutesArgs {
    #[command(subcommand)]
    pub command: Option<RoutesCommand>,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoutesCommand {
    /// Say which route would take a delivery; nothing is sent
    Resolve(ResolveArgs),
    /// Use a route again whose receiver answered that it wants nothing more
    Enable(EnableArgs),
}

/// A route that is out of use.
#[derive(Debug, clap::Args)]
pub(crate) struct EnableArgs {
    /// The route
    pub route: String,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// A delivery that might be.
#[derive(Debug, clap::Args)]
pub(crate) struct ResolveArgs {
    /// For whom, e.g. ops or member:editor
    pub recipient: String,
    /// On which channel
    #[arg(long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}
