//! What the library logs, on stderr.

use crate::environment;
use tracing_subscriber::EnvFilter;

/// Starts logging: warnings, more with `verbose`, errors alone with `quiet`. `MOBKIT_LOG` wins.
pub(crate) fn start(verbose: u8, quiet: bool) {
    // What the MCP library calls an error, an unreachable server for one, is a fact of the journal.
    let level = match (quiet, verbose) {
        (true, _) => "error,rmcp=off",
        (false, 0) => "warn,rmcp=off",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let wanted = environment::variable("MOBKIT_LOG");
    let filter = EnvFilter::builder().parse_lossy(wanted.as_deref().unwrap_or(level));
    let format = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second call finds a logger in place, which is as good.
    let _ = format.with_ansi(false).try_init();
}
