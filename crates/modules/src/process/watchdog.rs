//! The process that ends what this process can't end any longer: the modules of a mobkit that was
//! killed.
//!
//! A child of this process dies with it by the kernel's own doing, but its children don't. So a
//! small shell waits at the other end of a pipe that only this process holds, and does the rest.

use super::before_exec::{BeforeExec, arrange};
use super::mark::Token;
use super::sweep::sweep_at_once;
use rustix::fs::OFlags;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::process::{Child, Command};

const SHELL: &str = "/bin/sh";
const SCRIPT: &str = include_str!("watchdog.sh");
/// How long it may take to end once it was told that all is done.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// The watchdog of a runtime. Started with the first module; dropping it lets it do its work.
pub(crate) struct Watchdog {
    token: Token,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    shell: Option<(Child, std::fs::File)>,
    groups: BTreeSet<i32>,
    /// Nothing is started any longer.
    closed: bool,
}

impl Watchdog {
    /// One that runs from the first group on.
    pub(crate) fn of(token: Token) -> Self {
        Self {
            token,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a process group. Without a shell on this machine that can't be done, which is said
    /// in the log: processes that leave the group of their module then outlive a kill of mobkit.
    pub(super) fn add(&self, group: i32) {
        let mut state = self.lock();
        state.groups.insert(group);
        if !state.closed && !state.tell(&format!("add {group}\n")) {
            self.start(&mut state);
        }
    }

    /// Watches a process group no longer.
    pub(super) fn remove(&self, group: i32) {
        let mut state = self.lock();
        state.groups.remove(&group);
        if state.shell.is_some() && !state.tell(&format!("remove {group}\n")) {
            self.start(&mut state);
        }
    }

    /// Whether its process is there.
    pub(crate) fn is_there(&self) -> bool {
        let mut state = self.lock();
        let shell = state.shell.as_mut();
        shell.is_some_and(|(shell, _)| matches!(shell.try_wait(), Ok(None)))
    }

    /// Starts the shell, also in place of one that somebody has killed.
    fn start(&self, state: &mut State) {
        if let Some((mut before, _pipe)) = state.shell.take() {
            // Before its pipe closes: it would do its work on modules that run.
            let _ = before.start_kill();
        }
        match shell() {
            Ok(shell) => state.shell = Some(shell),
            Err(error) => {
                tracing::warn!(%error, "no watchdog: {SHELL} can't be started");
                return;
            }
        }
        let mut lines = vec![format!("token {}\n", self.token.as_str())];
        lines.extend(state.groups.iter().map(|group| format!("add {group}\n")));
        if !state.tell(&lines.concat()) {
            tracing::warn!("the watchdog does not read what it is told");
        }
    }

    /// Ends it when all is done, and after it has done the rest where something is left. Waits for
    /// its end, so that nobody counts it among those that are left.
    pub(crate) async fn end(&self) {
        let is_clean = sweep_at_once(&self.token.runtime(), None);
        let shell = {
            let mut state = self.lock();
            state.closed = true;
            if is_clean {
                state.tell("done\n");
            }
            state.shell.take()
        };
        let Some((mut child, pipe)) = shell else {
            return;
        };
        drop(pipe);
        if tokio::time::timeout(END_PATIENCE, child.wait())
            .await
            .is_err()
        {
            tracing::warn!("the watchdog did not end by itself");
            // It has nothing left to do.
            let _ = child.kill().await;
        }
    }
}

impl State {
    /// Writes a line without waiting; `false`: nobody reads it.
    fn tell(&mut self, line: &str) -> bool {
        let pipe = self.shell.as_mut().map(|(_, pipe)| pipe);
        pipe.is_some_and(|pipe| pipe.write_all(line.as_bytes()).is_ok())
    }
}

/// The shell and the end of its pipe.
fn shell() -> std::io::Result<(Child, std::fs::File)> {
    // As whoever lists processes sees it: without its comments.
    let script: Vec<&str> = SCRIPT
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let mut command = Command::new(SHELL);
    command
        .args(["-c", &script.join("\n"), "mobkit-watchdog"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    arrange(&mut command, BeforeExec::watchdog());
    let mut child = command.spawn()?;
    let stdin = child.stdin.take().expect("its input is a pipe");
    let pipe: OwnedFd = stdin.into_owned_fd()?;
    // Whoever tells it something holds a lock, and must not wait for a shell that was stopped.
    rustix::fs::fcntl_setfl(&pipe, OFlags::NONBLOCK)?;
    Ok((child, pipe.into()))
}
