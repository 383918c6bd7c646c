//! The arguments of `mobkit send`.

use crate::client::ServerArgs;
use crate::failure::{Exit, Failure};
use std::time::Duration;

/// Send a message to a member. The message is safe before the command says so.
///
/// While the server can't be reached the command tries again for 30 seconds, or for --timeout; a
/// message never arrives twice.
#[derive(Debug, clap::Args)]
pub(crate) struct SendArgs {
    /// Who gets it
    pub member: String,
    /// What it says; - reads it from stdin
    #[arg(conflicts_with_all = ["file", "each_line"])]
    pub text: Option<String>,
    /// Send the content of a file
    #[arg(long, value_name = "FILE", conflicts_with = "each_line")]
    pub file: Option<String>,
    /// Send a file with it: an image (png, jpeg, gif, webp), a pdf or a file of UTF-8 text
    ///
    /// It has at most 5 MB. May be given several times.
    #[arg(long, value_name = "FILE", conflicts_with = "each_line")]
    pub attach: Vec<String>,
    /// Send each non-empty line of a file (- is stdin) as a message, in the order of the lines
    ///
    /// Repeating the command, after whatever crash, sends nothing twice: each message has a key
    /// made of the member and the content of the file (or --key), the number of the line and the
    /// line itself.
    #[arg(long, value_name = "FILE")]
    pub each_line: Option<String>,
    /// Idempotency key: the same key is accepted once [default: a random one, or the content]
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Wait for the answer and print it (with --each-line: one JSON document per line)
    #[arg(short, long)]
    pub wait: bool,
    /// Wait, and print the answer while it is being written
    #[arg(long, conflicts_with = "each_line")]
    pub stream: bool,
    /// Go on waiting while somebody decides an approval, instead of ending with exit code 8
    #[arg(long)]
    pub through_approvals: bool,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// How long an outage may last where the user does not say.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

impl SendArgs {
    /// Whether the answer is wanted.
    pub fn waits(&self) -> bool {
        self.wait || self.stream
    }
}

/// A key that no server would take.
pub(super) fn checked_key(key: &str) -> Result<&str, Failure> {
    if key.is_empty() || key.chars().any(char::is_control) {
        let message = "a key is not empty and holds no control characters";
        return Err(Failure::new(Exit::Usage, "key.malformed", message));
    }
    Ok(key)
}
