//! On what the figures were measured.

use std::fs;
use std::path::Path;

/// Everything that a reader of the figures has to know, as Markdown.
pub fn describe(dir: &Path, quick: bool) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let extent = if quick {
        "quick: figures of little weight"
    } else {
        "full"
    };
    format!(
        "* processor: {} ({cores} cores), memory: {}\n\
         * kernel: Linux {}\n\
         * load before the run: {} (processes that others run on the same cores)\n\
         * disk: {}\n\
         * build: release, rustc {}, without link-time optimisation\n\
         * extent: {extent}\n",
        processor(),
        memory(),
        read_line("/proc/sys/kernel/osrelease"),
        load(),
        disk(dir),
        env!("CARGO_PKG_RUST_VERSION"),
    )
}

fn read_line(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// The value of the first line of `path` that begins with `name`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn processor() -> String {
    field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned())
}

fn load() -> String {
    let text = read_line("/proc/loadavg");
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn memory() -> String {
    let kib = field("/proc/meminfo", "MemTotal").and_then(|text| {
        let number = text.split_whitespace().next()?;
        number.parse::<u64>().ok()
    });
    kib.map_or_else(
        || "unknown".to_owned(),
        |kib| format!("{} GiB", kib / 1024 / 1024),
    )
}

/// The file system that holds `dir`: the mount with the longest path above it.
fn disk(dir: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let holding = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (device, place, kind) = (words.next()?, words.next()?, words.next()?);
        dir.starts_with(place)
            .then(|| (place.len(), format!("{kind} on {device}")))
    });
    let found = holding.max_by_key(|(length, _)| *length);
    found.map_or_else(|| "unknown".to_owned(), |(_, text)| text)
}

/// Memory of a process that is in use, in KiB; `None` where there is no such process.
pub fn resident_kib(process: &str) -> Option<u64> {
    let text = field(&format!("/proc/{process}/status"), "VmRSS")?;
    text.split_whitespace().next()?.parse().ok()
}

/// Processor time that a process has used, in clock ticks of 10 ms.
pub fn ticks(process: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program may hold blanks; what follows it does not.
    let words: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(words.get(11)?.parse::<u64>().ok()? + words.get(12)?.parse::<u64>().ok()?)
}
