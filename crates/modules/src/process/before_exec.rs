//! What a child does between fork and exec: the one place with `unsafe`.
//!
//! Only the thread that forked lives on in the child, and any lock of the others may be held for
//! ever. So nothing here allocates, takes a lock or reads the environment: it makes system calls on
//! values that were prepared before the fork.

use landlock::RulesetCreated;
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal};
use std::io;
use tokio::process::Command;

/// How many files a module may have open.
const OPEN_FILES_MAX: u64 = 4_096;

/// What is to be done.
pub(super) enum BeforeExec {
    /// A module: it dies with this process, gains no privileges, and is put into its sandbox.
    Module {
        /// This process.
        parent: Pid,
        /// How many files it may have open.
        open_files: Rlimit,
        /// The sandbox.
        ruleset: Option<RulesetCreated>,
    },
    /// The watchdog: it lives on when this process dies.
    Watchdog,
}

impl BeforeExec {
    /// For a module.
    pub(super) fn module(ruleset: Option<RulesetCreated>) -> Self {
        let allowed = rustix::process::getrlimit(Resource::Nofile);
        let least = |limit: Option<u64>| limit.map_or(OPEN_FILES_MAX, |n| n.min(OPEN_FILES_MAX));
        Self::Module {
            parent: rustix::process::getpid(),
            open_files: Rlimit {
                current: Some(least(allowed.maximum)),
                maximum: Some(least(allowed.maximum)),
            },
            ruleset,
        }
    }

    fn run(&mut self) -> io::Result<()> {
        match self {
            Self::Module {
                parent,
                open_files,
                ruleset,
            } => {
                rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
                // It may have died before it was asked to tell of its death.
                if rustix::process::getppid() != Some(*parent) {
                    return Err(Errno::SRCH.into());
                }
                rustix::process::setrlimit(Resource::Core, NO_CORE)?;
                rustix::process::setrlimit(Resource::Nofile, *open_files)?;
                rustix::thread::set_no_new_privs(true)?;
                if let Some(ruleset) = ruleset.take() {
                    // The reason would have to be allocated.
                    ruleset.restrict_self().map_err(|_| Errno::PERM)?;
                }
                Ok(())
            }
            Self::Watchdog => {
                rustix::process::setsid()?;
                Ok(())
            }
        }
    }
}

const NO_CORE: Rlimit = Rlimit {
    current: Some(0),
    maximum: Some(0),
};

/// Has it done by the child of a command.
#[expect(
    unsafe_code,
    reason = "a parent-death signal, resource limits and Landlock are set by the child itself"
)]
pub(super) fn arrange(command: &mut Command, mut before: BeforeExec) {
    // SAFETY: `run` keeps to what may be done between fork and exec, as said at the top: system
    // calls through rustix and landlock on prepared values; errors are numbers, not texts.
    unsafe {
        command.pre_exec(move || before.run());
    }
}
