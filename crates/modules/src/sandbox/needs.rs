//! What a program needs to run at all, found without starting it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What every program may read, where it is there: programs, libraries, settings of the machine,
/// and what the kernel tells. Other processes are shown in `/proc`, but their memory and
/// environment are kept from a sandboxed one by the kernel.
pub(super) const SYSTEM: [&str; 13] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc",
    "/proc",
    "/sys",
    "/nix/store",
    "/gnu/store",
    "/run/current-system",
    "/run/systemd/resolve",
];
/// What every program may read and write.
pub(super) const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// Folders in which programs are kept beside what they need.
const PROGRAM_FOLDERS: [&str; 4] = ["bin", "sbin", "libexec", "shims"];
/// What an interpreter has beside the folder of its programs: never the whole prefix, which may be
/// somebody's home.
const BESIDE: [&str; 11] = [
    "bin",
    "sbin",
    "shims",
    "lib",
    "lib32",
    "lib64",
    "libexec",
    "include",
    "pyvenv.cfg",
    "version",
    "versions",
];
/// How many scripts may name one another as their interpreter.
const SCRIPTS_MAX: usize = 4;

/// Everything that the command needs to be read: the program, what lies beside it, its interpreter
/// where it is a script, and files that are given as arguments.
pub(super) fn needs(command: &[String], folder: &Path, search: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Some((program, arguments)) = command.split_first() else {
        return found;
    };
    let mut next = Some(program.clone());
    for _ in 0..SCRIPTS_MAX {
        let Some(program) = next.take().and_then(|name| locate(&name, folder, search)) else {
            break;
        };
        for path in [Some(program.clone()), program.canonicalize().ok()] {
            found.extend(path.into_iter().flat_map(|path| around(&path)));
        }
        next = interpreter(&program);
    }
    let files = arguments.iter().map(|argument| folder.join(argument));
    found.extend(files.filter(|path| path.is_file()));
    found.sort();
    found.dedup();
    found
}

/// Where a program is: at its path, or on the search path.
fn locate(name: &str, folder: &Path, search: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(folder.join(name));
    }
    let places = search.split(':').filter(|place| !place.is_empty());
    places
        .map(|place| folder.join(place).join(name))
        .find(|path| path.is_file())
}

/// The program and what lies beside it.
fn around(program: &Path) -> Vec<PathBuf> {
    let mut found = vec![program.to_owned()];
    let folder = program.parent();
    let named = folder.and_then(Path::file_name).and_then(OsStr::to_str);
    if named.is_some_and(|name| PROGRAM_FOLDERS.contains(&name))
        && let Some(prefix) = folder.and_then(Path::parent)
    {
        let beside = BESIDE.iter().map(|name| prefix.join(name));
        found.extend(beside.filter(|path| path.exists()));
    }
    found
}

/// What the first line of a script names: `#!/usr/bin/env python3` names `python3`.
fn interpreter(program: &Path) -> Option<String> {
    let mut start = Vec::new();
    let file = File::open(program).ok()?;
    file.take(256).read_to_end(&mut start).ok()?;
    let line = start
        .strip_prefix(b"#!")?
        .split(|byte| *byte == b'\n')
        .next()?;
    let line = String::from_utf8_lossy(line).into_owned();
    let mut words = line.split_ascii_whitespace();
    let program = words.next()?;
    let is_env = Path::new(program).file_name() == Some(OsStr::new("env"));
    let word = if is_env {
        words.find(|word| !word.starts_with('-'))?
    } else {
        program
    };
    Some(word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        let folder = path.parent().expect("it has a folder");
        std::fs::create_dir_all(folder).expect("the folder is made");
        std::fs::write(path, text).expect("the file is written");
    }

    #[test]
    fn a_program_needs_its_interpreter_and_what_lies_beside_it_but_no_more() {
        let place = tempfile::tempdir().expect("a folder");
        let home = place.path();
        write(
            &home.join(".local/bin/snake"),
            "#!/usr/bin/env -S adder -u\n",
        );
        write(&home.join("opt/bin/adder"), "\x7fELF");
        write(&home.join("opt/lib/adder.so"), "");
        write(&home.join(".local/share/keys"), "");
        write(&home.join(".ssh/id"), "");
        write(&home.join("work/modules/search.py"), "");
        let search = format!("{0}/.local/bin:{0}/opt/bin", home.display());
        let command = ["snake", "modules/search.py", "--fast", "absent.txt"].map(str::to_owned);
        let found = needs(&command, &home.join("work"), &search);
        let has = |path: &str| found.contains(&home.join(path));
        assert!(has(".local/bin/snake") && has("opt/bin/adder") && has("opt/lib"));
        assert!(has("work/modules/search.py") && !has("work/absent.txt"));
        let covers = |path: &str| found.iter().any(|found| home.join(path).starts_with(found));
        assert!(!covers(".ssh/id") && !covers(".local/share/keys") && !covers("work/mob.toml"));
    }

    #[test]
    fn a_program_of_the_folder_brings_nothing_along() {
        let place = tempfile::tempdir().expect("a folder");
        write(&place.path().join("modules/search"), "#!/bin/sh\n");
        let found = needs(&["./modules/search".to_owned()], place.path(), "");
        let inside = found.iter().filter(|path| path.starts_with(place.path()));
        assert!(inside.clone().all(|path| path.ends_with("modules/search")));
        assert_ne!(inside.count(), 0);
    }
}
