//! Processes of this machine, as a test counts them.

use std::time::Duration;

/// The processes that carry a text in their environment and have not ended.
pub fn with_mark(mark: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("there is /proc");
    let pids = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| {
            let entry = String::from_utf8_lossy(entry);
            entry.starts_with("MOBKIT_MODULE=") && entry.contains(mark)
        })
    })
    .collect()
}

fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Whether a process is there and has not ended.
pub fn is_alive(pid: u32) -> bool {
    state_of(pid).is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Whether a process stands still.
pub fn is_stopped(pid: u32) -> bool {
    state_of(pid) == Some('T')
}

/// The mark of the runtime that a process belongs to.
pub fn token_of(pid: u32) -> String {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("it is there");
    let entry = environment.split(|byte| *byte == 0).find_map(|entry| {
        let entry = String::from_utf8_lossy(entry).into_owned();
        let value = entry.strip_prefix("MOBKIT_MODULE=")?;
        Some(value.split_once('/')?.0.to_owned())
    });
    entry.expect("it carries a mark")
}

/// The watchdog of a host.
pub fn watchdog_of(host: u32) -> u32 {
    let entries = std::fs::read_dir("/proc").expect("there is /proc");
    let pids = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let found = pids.into_iter().find(|pid| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat
            .rsplit_once(") ")
            .map(|(_, rest)| rest.split(' ').nth(1));
        let parent = fields.flatten().and_then(|parent| parent.parse().ok());
        parent == Some(host) && command.ends_with(b"\0mobkit-watchdog\0")
    });
    found.expect("the host has a watchdog")
}

/// The children of this process, by the name of their program.
pub fn children() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("there is /proc");
    let lists = tasks
        .filter_map(Result::ok)
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let pids: Vec<String> = lists
        .flat_map(|list| {
            list.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    pids.iter()
        .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}

/// Waits until something about processes holds: nobody tells of that, so it is looked at again and
/// again.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let mut pause = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..6_000 {
        if holds() {
            return;
        }
        pause.tick().await;
    }
    panic!("it never came to: {what}");
}
