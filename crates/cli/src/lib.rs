//! The command line of mobkit: arguments, output, exit codes.
//!
//! Duty: turn words into calls of a server's HTTP API (most commands), into a running mob
//! (`up`) or into files (`init`, `check`), and say what came of it.
//!
//! Invariants:
//! * stdout holds the result and nothing else; everything else goes to stderr.
//! * every command takes `--json` and then prints one JSON document, or one per line where it
//!   streams. An error is a document too.
//! * the exit code says which class of thing happened: [`failure::Exit`].
//! * the environment, the clock and the system's chance are read in `environment.rs` alone.
//!
//! The commonest change is a command: a file in `commands/` with its arguments and its run, and one
//! line in `arguments.rs` and in `program.rs`.

mod arguments;
mod assignment;
mod client;
mod commands;
mod duration;
mod environment;
mod failure;
mod hex;
mod listen;
mod logging;
mod mobfile;
mod moment;
mod program;
mod serve;
mod state_dir;
mod terminal;
mod up;

pub use arguments::command;
pub use program::main;
