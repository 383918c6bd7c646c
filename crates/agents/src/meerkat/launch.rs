//! The seam to whoever can start a process: this crate starts none.

use super::find::NotFound;
use async_trait::async_trait;
use mobkit_domain::definition::Secret;
use mobkit_engine::Engine;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tokio::io::{AsyncRead, AsyncWrite};

/// What is started, and with what.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Where it runs.
    pub folder: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// What of that is secret, and is struck out of its log.
    pub secrets: Vec<String>,
}

/// A process that was started, with the other ends of its streams. What it writes to its standard
/// error is recorded by whoever started it, as `engine.log`.
pub struct Child {
    /// Its standard input.
    pub input: Box<dyn AsyncWrite + Send + Unpin>,
    /// Its standard output.
    pub output: Box<dyn AsyncRead + Send + Unpin>,
    /// The process.
    pub process: Box<dyn ChildProcess>,
}

/// A process that was started. Whoever drops it kills it, and all that it started itself.
#[async_trait]
pub trait ChildProcess: Send + Sync {
    /// Its number.
    fn pid(&self) -> u32;

    /// Waits for its end, and says in words how it ended: `exit status 1`, `signal 9 (SIGKILL)`.
    /// May be asked again, and dropped at any time.
    async fn exited(&mut self) -> String;

    /// Asks it to end.
    fn terminate(&mut self);

    /// Kills it.
    fn kill(&mut self);

    /// A text without the secrets that it was given.
    fn without_secrets(&self, text: String) -> String;

    /// Kills what is left of it and of what it started, and waits until the last of its log is
    /// recorded.
    async fn end(self: Box<Self>);
}

/// Finds and starts the program, with what only the host knows.
#[async_trait]
pub trait Launcher: Send + Sync + 'static {
    /// Where the program of a command line is. A path with a slash starts in the folder of the mob
    /// file, a name is searched in the PATH of the host.
    fn find(&self, program: &str) -> Result<PathBuf, NotFound>;

    /// A variable of the host's environment.
    fn variable(&self, name: &str) -> Option<String>;

    /// The value of a secret. The error names its place, never its value.
    async fn secret(&self, secret: &Secret) -> Result<String, String>;

    /// Starts a process. Dropping the future leaves none.
    async fn launch(&self, program: Program, mob: &Engine) -> Result<Child, String>;
}
