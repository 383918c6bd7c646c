//! The arguments of `mobkit modules`.

use crate::client::ServerArgs;
use clap::Subcommand;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ModulesArgs {
    #[command(subcommand)]
    pub command: Option<ModulesCommand>,
    #[command(flatten)]
    pub server: ServerArgs,
}

impl ModulesArgs {
    /// Whether Ctrl-C is the way to leave it.
    pub fn streams(&self) -> bool {
        matches!(&self.command, Some(ModulesCommand::Log(args)) if args.follow)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModulesCommand {
    /// Everything about one module
    Show(OrderArgs),
    /// Start a module that was stopped or quarantined
    Start(OrderArgs),
    /// End a module; it stays so until somebody starts it
    Stop(OrderArgs),
    /// End a module and start it again
    Restart(OrderArgs),
    /// Call a tool of a module, as an operator: no gate stops it, and it is recorded
    Call(CallArgs),
    /// Show what a module wrote to its standard error
    Log(LogArgs),
    /// Show the tools that modules offer
    Tools(ToolsArgs),
}

/// One module.
#[derive(Debug, clap::Args)]
pub(crate) struct OrderArgs {
    /// The module
    pub module: String,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// One call.
#[derive(Debug, clap::Args)]
pub(crate) struct CallArgs {
    /// The module
    pub module: String,
    /// The tool, by its name within the module
    pub tool: String,
    /// Its arguments: one JSON object, or NAME=VALUE with a value as JSON or text
    #[arg(value_name = "ARGUMENT")]
    pub args: Vec<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Which lines.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// The module
    pub module: String,
    /// Go on with what is still to come
    #[arg(short, long)]
    pub follow: bool,
    /// Only the last N lines of what there is already
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u64).range(0..=1_000))]
    pub limit: u64,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Whose tools.
#[derive(Debug, clap::Args)]
pub(crate) struct ToolsArgs {
    /// Only those of this module
    pub module: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}
