//! The binary as its users meet it: run as a process, against a server made for the test.

mod check;
mod each_line;
mod exit_codes;
mod fake;
mod init;
mod json;
mod logs;
mod mob;
mod plan;
mod program;
mod send;
mod streams;
mod up;
