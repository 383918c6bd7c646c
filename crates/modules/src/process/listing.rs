//! The processes of this machine, as `/proc` lists them.

use super::mark::Mark;
use rustix::process::{Pid, PidfdFlags, Signal};
use std::collections::BTreeSet;
use std::path::Path;

/// A process, as far as it is of use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    /// It has ended, and its parent has not asked how.
    pub(super) ended: bool,
    /// When it began, in ticks since the machine did: with the number it names a process for good.
    pub(super) began: u64,
}

impl Listed {
    /// Reads the line of `/proc/<pid>/stat`. The name of the program, in brackets, may hold
    /// anything, brackets included.
    fn parse(line: &str) -> Option<Self> {
        let (start, rest) = line.rsplit_once(')')?;
        let (pid, _) = start.split_once('(')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Self {
            pid: pid.trim().parse().ok()?,
            ended: matches!(*fields.first()?, "Z" | "X"),
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            began: fields.get(19)?.parse().ok()?,
        })
    }

    fn read(pid: &str) -> Option<Self> {
        let line = std::fs::read(Path::new("/proc").join(pid).join("stat")).ok()?;
        Self::parse(&String::from_utf8_lossy(&line))
    }

    fn carries(&self, mark: &Mark) -> bool {
        // Of processes of other users nothing is read; a module can't become another user.
        let environment = std::fs::read(format!("/proc/{}/environ", self.pid));
        environment.is_ok_and(|environment| mark.is_in(&environment))
    }

    /// Kills it, unless its number belongs to another process by now.
    pub(super) fn kill(&self) {
        let Some(pid) = Pid::from_raw(self.pid) else {
            return;
        };
        // Bound to the process that has the number at this moment, whoever gets it later.
        let Ok(bound) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else {
            return;
        };
        if self.is_still_there() {
            // It may be gone, which is what is wanted.
            let _ = rustix::process::pidfd_send_signal(&bound, Signal::KILL);
        }
    }

    /// Takes note of its end, where this process became its parent: as the first process of a
    /// container it does, and nobody else would.
    pub(super) fn bury(&self) {
        let now = Self::read(&self.pid.to_string());
        let ours = |now: &Self| {
            now.began == self.began
                && now.ended
                && now.parent == rustix::process::getpid().as_raw_nonzero().get()
        };
        if now.as_ref().is_some_and(ours) {
            let pid = Pid::from_raw(self.pid);
            let _ = rustix::process::waitpid(pid, rustix::process::WaitOptions::NOHANG);
        }
    }

    fn is_still_there(&self) -> bool {
        Self::read(&self.pid.to_string()).is_some_and(|now| now.began == self.began)
    }
}

/// All processes, ended ones included.
fn list() -> Vec<Listed> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|pid| Listed::read(&pid))
        .collect()
}

/// The processes that carry the mark, belong to the group, or descend from one that does, and have
/// not ended.
pub(super) fn belonging(mark: &Mark, group: Option<i32>) -> Vec<Listed> {
    let all = list();
    let direct = |process: &Listed| Some(process.group) == group || process.carries(mark);
    let this = rustix::process::getpid().as_raw_nonzero().get();
    let live = |process: &&Listed| !process.ended && process.pid != this && process.pid != 1;
    let found = all.iter().filter(live).filter(|process| direct(process));
    let mut found: BTreeSet<i32> = found.map(|process| process.pid).collect();
    loop {
        let before = found.len();
        let born: Vec<i32> = all
            .iter()
            .filter(live)
            .filter(|process| found.contains(&process.parent))
            .map(|process| process.pid)
            .collect();
        found.extend(born);
        if found.len() == before {
            break;
        }
    }
    all.into_iter()
        .filter(|process| found.contains(&process.pid))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_have_any_name() {
        let fields = "S 7 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 123456 0 0";
        let read = Listed::parse(&format!("42 (a) b (c)) {fields}")).expect("read");
        assert_eq!((read.pid, read.parent, read.group), (42, 7, 42));
        assert_eq!((read.began, read.ended), (123_456, false));
        assert_eq!(Listed::parse("42 (x) S 7"), None);
    }

    #[test]
    fn this_process_is_listed_and_never_belongs_to_a_module() {
        let this = rustix::process::getpid().as_raw_nonzero().get();
        assert!(list().iter().any(|process| process.pid == this));
        let group = rustix::process::getpgrp().as_raw_nonzero().get();
        let mark = Mark::Runtime("nobody has this".to_owned());
        let found = belonging(&mark, Some(group));
        assert!(found.iter().all(|process| process.pid != this));
    }
}
