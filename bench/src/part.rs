//! The parts of a run, each in a process of its own.

use crate::arguments::Arguments;
use crate::machine;
use crate::noop;
use crate::parts;
use crate::report::{self, Row};
use anyhow::{Context, ensure};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What a part is told.
#[derive(Debug, Clone)]
pub struct Setting {
    /// A folder of its own, empty.
    pub dir: PathBuf,
    /// Whether a tenth of the work is enough.
    pub quick: bool,
}

impl Setting {
    /// So much work, or a tenth of it.
    pub fn work(&self, full: usize) -> usize {
        if self.quick { full / 10 } else { full }
    }
}

/// A part: its name and what it does.
struct Part {
    name: &'static str,
    run: fn(&Setting) -> anyhow::Result<Vec<Row>>,
}

const PARTS: &[Part] = &[
    Part {
        name: "append",
        run: parts::append::run,
    },
    Part {
        name: "intake",
        run: parts::intake::run,
    },
    Part {
        name: "stream",
        run: parts::stream::run,
    },
    Part {
        name: "turn",
        run: parts::turn::run,
    },
    Part {
        name: "call",
        run: parts::call::run,
    },
    Part {
        name: "approval",
        run: parts::approval::run,
    },
    Part {
        name: "lazy",
        run: parts::lazy::run,
    },
    Part {
        name: "schedules",
        run: parts::schedules::run,
    },
    Part {
        name: "deliveries",
        run: parts::deliveries::run,
    },
    Part {
        name: "meerkat",
        run: parts::meerkat::run,
    },
    Part {
        name: "members",
        run: parts::members::run,
    },
    Part {
        name: "boot",
        run: parts::boot::run,
    },
    Part {
        name: "recovery",
        run: parts::recovery::run,
    },
    Part {
        name: "process",
        run: parts::process::run,
    },
];

type Inner = (&'static str, fn(&Setting) -> anyhow::Result<()>);

/// What the processes do that a part starts itself. They are told where, and print what they found.
const INNER: &[Inner] = &[
    (noop::NAME, noop::serve),
    ("lazy-fill", parts::lazy::fill),
    ("lazy-memory", parts::lazy::memory),
    ("members-memory", parts::members::memory),
    ("schedules-look", parts::schedules::sleep),
    ("recovery-fill", parts::recovery::fill),
];

/// Whether there is such a part.
pub fn is_known(name: &str) -> bool {
    PARTS.iter().any(|part| part.name == name)
}

/// The names of all parts.
pub fn names() -> String {
    let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
    names.join(", ")
}

/// Runs the parts that were asked for, and prints the report.
pub fn run_all(arguments: &Arguments) -> anyhow::Result<()> {
    std::fs::create_dir_all(&arguments.dir)
        .with_context(|| format!("{} can't be made", arguments.dir.display()))?;
    println!("{}", machine::describe(&arguments.dir, arguments.quick));
    let mut rows = Vec::new();
    for part in PARTS {
        let wanted = arguments.parts.is_empty() || arguments.parts.iter().any(|p| p == part.name);
        if !wanted {
            continue;
        }
        eprintln!("bench: {} …", part.name);
        let dir = arguments.dir.join(part.name);
        let found = in_process(part.name, &dir, arguments.quick);
        // What is left of it would be the next run's past.
        let _ = std::fs::remove_dir_all(&dir);
        rows.extend(Row::parse_all(&found?));
    }
    // Only where nothing else is in it.
    let _ = std::fs::remove_dir(&arguments.dir);
    print!("{}", report::table(&rows));
    Ok(())
}

/// Does in this process what `name` says, and prints what came of it for the process that asked.
pub fn run_inner(name: &str, arguments: &Arguments) -> anyhow::Result<()> {
    let setting = Setting {
        dir: arguments.dir.clone(),
        quick: arguments.quick,
    };
    if let Some((_, run)) = INNER.iter().find(|(inner, _)| *inner == name) {
        return run(&setting);
    }
    let part = PARTS
        .iter()
        .find(|part| part.name == name)
        .context("no such part")?;
    for row in (part.run)(&setting)? {
        println!("{row}");
    }
    Ok(())
}

/// The command that does `name` in a process of its own.
pub fn command(name: &str, dir: &std::path::Path, quick: bool) -> anyhow::Result<Command> {
    std::fs::create_dir_all(dir).with_context(|| format!("{} can't be made", dir.display()))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--inner").arg(name).arg("--dir").arg(dir);
    if quick {
        command.arg("--quick");
    }
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    Ok(command)
}

/// What a process of its own prints that does `name`.
pub fn in_process(name: &str, dir: &std::path::Path, quick: bool) -> anyhow::Result<String> {
    let output = command(name, dir, quick)?.output()?;
    ensure!(output.status.success(), "{name} failed");
    Ok(String::from_utf8(output.stdout)?)
}
