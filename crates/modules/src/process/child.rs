//! A process that runs for a mob: from its start to the end of everything that it started itself.

use super::before_exec::{BeforeExec, arrange};
use super::mark::{MARK_VARIABLE, Mark};
use super::spawner;
use super::sweep::{sweep, sweep_at_once};
use super::watchdog::Watchdog;
use landlock::RulesetCreated;
use mobkit_engine::Tasks;
use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use rustix::process::Signal;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

/// What is started, and how.
pub(crate) struct Launch {
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// Where it runs.
    pub(crate) folder: PathBuf,
    /// Its whole environment but for its mark.
    pub(crate) environment: Vec<(String, String)>,
    /// Its mark.
    pub(crate) mark: Mark,
    /// Its sandbox.
    pub(crate) ruleset: Option<RulesetCreated>,
}

/// Starts a program that is asked for one answer. It ends with this process, and with whoever waits
/// for it.
pub(crate) async fn start_program(command: Command) -> std::io::Result<Box<dyn ChildWrapper>> {
    let mut command = CommandWrap::from(command);
    arrange(command.command_mut(), BeforeExec::program());
    command.wrap(KillOnDrop);
    spawner::spawn(command, std::convert::identity).await
}

/// The other ends of the standard streams of a process.
pub struct Pipes {
    /// Its standard input.
    pub stdin: ChildStdin,
    /// Its standard output.
    pub stdout: ChildStdout,
    /// Its standard error, which has to be read: a full pipe holds the process up.
    pub stderr: ChildStderr,
}

/// A process that runs for a mob, the leader of a process group of its own. Whoever drops it kills
/// the whole of it, and what it started itself.
pub struct Process {
    child: Box<dyn ChildWrapper>,
    group: i32,
    mark: Mark,
    watchdog: Arc<Watchdog>,
    is_over: bool,
}

impl Process {
    /// Starts it. Dropping the future leaves no process.
    pub(crate) async fn start(
        launch: Launch,
        watchdog: Arc<Watchdog>,
    ) -> std::io::Result<(Self, Pipes)> {
        let Launch { command, mark, .. } = &launch;
        let (program, arguments) = command.split_first().ok_or_else(|| {
            std::io::Error::new(std::io::ErrorKind::InvalidInput, "the command is empty")
        })?;
        let mark = mark.clone();
        let mut command = CommandWrap::with_new(program, |command| {
            command
                .args(arguments)
                .current_dir(&launch.folder)
                .env_clear()
                .envs(launch.environment.iter().map(|(name, value)| (name, value)))
                .env(MARK_VARIABLE, mark.value())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
        });
        arrange(command.command_mut(), BeforeExec::module(launch.ruleset)?);
        command.wrap(ProcessGroup::leader()).wrap(KillOnDrop);
        spawner::spawn(command, move |child| Self::own(child, mark, watchdog)).await?
    }

    fn own(
        mut child: Box<dyn ChildWrapper>,
        mark: Mark,
        watchdog: Arc<Watchdog>,
    ) -> std::io::Result<(Self, Pipes)> {
        let group = child.id().and_then(|pid| i32::try_from(pid).ok());
        let pipes = (
            child.stdin().take(),
            child.stdout().take(),
            child.stderr().take(),
        );
        let (Some(group), (Some(stdin), Some(stdout), Some(stderr))) = (group, pipes) else {
            return Err(std::io::Error::other("it has no number or no streams"));
        };
        watchdog.add(group);
        let process = Self {
            child,
            group,
            mark,
            watchdog,
            is_over: false,
        };
        let pipes = Pipes {
            stdin,
            stdout,
            stderr,
        };
        Ok((process, pipes))
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.group.unsigned_abs()
    }

    /// Waits for its end, and may be asked again. What it started may still run.
    pub async fn exited(&mut self) -> std::io::Result<ExitStatus> {
        // Of the child alone: the end of a group that somebody else still lives in can't be
        // awaited.
        self.child.inner_mut().wait().await
    }

    /// Asks the whole group to end.
    pub fn terminate(&self) {
        let _ = self.child.signal(Signal::TERM.as_raw());
    }

    /// Kills the whole group.
    pub fn kill(&mut self) {
        let _ = self.child.start_kill();
    }

    /// Kills all that is left of it and of what it started; returns how many processes that were,
    /// itself not counted where it has ended already.
    pub async fn end(mut self, tasks: &Tasks) -> usize {
        if self.child.id().is_some() {
            self.kill();
            // An error means that it is gone.
            let _ = self.exited().await;
        }
        let left = sweep(tasks, &self.mark, Some(self.group)).await;
        self.watchdog.remove(self.group);
        self.is_over = true;
        left
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        if self.child.id().is_some() {
            self.kill();
        }
        sweep_at_once(&self.mark, Some(self.group));
        self.watchdog.remove(self.group);
    }
}
