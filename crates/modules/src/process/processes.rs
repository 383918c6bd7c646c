//! Processes beside the modules, with the same guarantees.

use super::child::{Launch, Pipes, Process};
use super::mark::Token;
use super::sweep::sweep;
use super::watchdog::Watchdog;
use mobkit_engine::Tasks;
use std::path::PathBuf;
use std::sync::Arc;

/// What is start.
pub struct Start {
    /// What it is known by; one process of a name at a time.
    pub name: &'static str,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Where it runs.
    pub folder: PathBuf,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
}

/// Starts processes that run for a mob and are no modules. None outlives this process, even if that
/// is killed; each has a group of its own and no sandbox.
#[derive(Clone)]
pub struct Processes {
    pub(crate) token: Token,
    pub(crate) watchdog: Arc<Watchdog>,
}

impl Processes {
    /// For processes of no mob. The error says why the operating system gave no chance.
    pub fn new() -> Result<Self, String> {
        let token = Token::draw()?;
        let watchdog = Arc::new(Watchdog::of(token.clone()));
        Ok(Self { token, watchdog })
    }

    /// Starts a process, once nothing is left of an earlier one of its name. Dropping the future
    /// leaves none.
    pub async fn start(&self, start: Start, tasks: &Tasks) -> std::io::Result<(Process, Pipes)> {
        let mark = self.token.other(start.name);
        let left = sweep(tasks, &mark, None).await;
        if left > 0 {
            tracing::warn!(name = start.name, left, "processes were left and killed");
        }
        let launch = Launch {
            command: start.command,
            folder: start.folder,
            environment: start.environment,
            mark,
            ruleset: None,
        };
        Process::start(launch, Arc::clone(&self.watchdog)).await
    }
}
