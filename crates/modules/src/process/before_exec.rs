//! What a child does between fork and exec: the one place with `unsafe`.
//!
//! Only the thread that forked lives on in the child, and any lock of the others may be held for
//! ever. So nothing here allocates, takes a lock or reads the environment: it makes system calls on
//! values that were prepared before the fork.

use landlock::RulesetCreated;
use rustix::fd::{BorrowedFd, RawFd};
use rustix::io::{Errno, FdFlags};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::io;
use tokio::process::Command;

/// How many files a module may have open.
const OPEN_FILES_MAX: u64 = 4_096;
/// What a sandboxed module of a mobkit that runs as root may do beyond any other user: enough for
/// files of several owners, not for what lies beside the sandbox, such as other processes, devices
/// and raw sockets.
const CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::NET_BIND_SERVICE);

/// What is to be done.
pub(super) struct BeforeExec {
    /// Files of the host that it must not keep open: those that an exec would leave so.
    foreign: Vec<RawFd>,
    of: Child,
}

enum Child {
    /// A module: it dies with this process, gains no privileges, and is put into its sandbox.
    Module {
        parent: Pid,
        open_files: Rlimit,
        sandbox: Option<(CapabilitySets, RulesetCreated)>,
    },
    /// A program that is asked for one answer: it dies with this process, and may be anything else.
    Program { parent: Pid },
    /// The watchdog: it lives on when this process dies.
    Watchdog,
}

impl BeforeExec {
    /// For a module.
    pub(super) fn module(ruleset: Option<RulesetCreated>) -> io::Result<Self> {
        let allowed = rustix::process::getrlimit(Resource::Nofile);
        let most = allowed
            .maximum
            .map_or(OPEN_FILES_MAX, |n| n.min(OPEN_FILES_MAX));
        let sandbox = match ruleset {
            Some(ruleset) => {
                let now = rustix::thread::capabilities(None)?;
                let kept = CapabilitySets {
                    effective: now.effective & CAPABILITIES,
                    permitted: now.permitted & CAPABILITIES,
                    inheritable: CapabilitySet::empty(),
                };
                Some((kept, ruleset))
            }
            None => None,
        };
        let of = Child::Module {
            parent: rustix::process::getpid(),
            open_files: Rlimit {
                current: Some(most),
                maximum: Some(most),
            },
            sandbox,
        };
        Ok(Self {
            foreign: foreign(),
            of,
        })
    }

    /// For a program that is asked for one answer.
    pub(super) fn program() -> Self {
        Self {
            foreign: foreign(),
            of: Child::Program {
                parent: rustix::process::getpid(),
            },
        }
    }

    /// For the watchdog.
    pub(super) fn watchdog() -> Self {
        Self {
            foreign: foreign(),
            of: Child::Watchdog,
        }
    }

    fn run(&mut self) -> io::Result<()> {
        for file in &self.foreign {
            close_at_exec(*file);
        }
        match &mut self.of {
            Child::Module {
                parent,
                open_files,
                sandbox,
            } => {
                die_with(*parent)?;
                rustix::process::setrlimit(Resource::Core, NO_CORE)?;
                rustix::process::setrlimit(Resource::Nofile, *open_files)?;
                rustix::thread::set_no_new_privs(true)?;
                if let Some((capabilities, ruleset)) = sandbox.take() {
                    rustix::thread::set_capabilities(None, capabilities)?;
                    // The reason would have to be allocated.
                    ruleset.restrict_self().map_err(|_| Errno::PERM)?;
                }
                Ok(())
            }
            Child::Program { parent } => die_with(*parent),
            Child::Watchdog => {
                rustix::process::setsid()?;
                Ok(())
            }
        }
    }
}

fn die_with(parent: Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have died before it was asked to tell of its death.
    if rustix::process::getppid() != Some(parent) {
        return Err(Errno::SRCH.into());
    }
    Ok(())
}

/// Open files of this process that an exec would not close: its own are closed, but a host may have
/// others, or may have been given some.
fn foreign() -> Vec<RawFd> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    let files = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok());
    files
        .filter(|file| *file > 2 && stays_open(*file))
        .collect()
}

const NO_CORE: Rlimit = Rlimit {
    current: Some(0),
    maximum: Some(0),
};

/// Whether an exec leaves a file open; one that is gone by now is not.
#[expect(
    unsafe_code,
    reason = "a file of the host is known by its number alone"
)]
fn stays_open(file: RawFd) -> bool {
    // SAFETY: the number is used for this one question. If it belongs to another file by now, the
    // answer is about that one, and to mark it is no harm.
    let file = unsafe { BorrowedFd::borrow_raw(file) };
    rustix::io::fcntl_getfd(file).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
}

/// Has a file closed by the exec of the child.
#[expect(
    unsafe_code,
    reason = "a file of the host is known by its number alone"
)]
fn close_at_exec(file: RawFd) {
    // SAFETY: nobody else runs in the child; the number is used for this one mark.
    let file = unsafe { BorrowedFd::borrow_raw(file) };
    // One that is gone by now needs no mark.
    let _ = rustix::io::fcntl_setfd(file, FdFlags::CLOEXEC);
}

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
