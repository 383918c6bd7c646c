//! Measures what the specification promises in figures (section 15), in one run, as one table.
//!
//! Duty: figures that anybody can repeat: each says what was done, on which disk, with which
//! durability, and whether the target was reached. Each part runs in a process of its own, so that
//! none inherits the memory or the threads of another.
//!
//! The commonest change is a new part: a file with a `run(&Setting) -> Result<Vec<Row>>`, and one
//! line in [`part::PARTS`].

mod arguments;
mod disk;
mod events;
mod hands;
mod machine;
mod mob;
mod noop;
mod part;
mod parts;
mod report;
mod runtime;
mod samples;
mod sse;
mod watched;

use arguments::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let done = match &arguments.inner {
        Some(name) => part::run_inner(name, &arguments),
        None => part::run_all(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
