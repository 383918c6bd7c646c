//! The binary as its users meet it: run as a process, against a server made for the test.

mod approvals;
mod archive;
mod bulletins;
mod check;
mod completion;
mod costs;
mod deliveries;
mod doctor;
mod down;
mod each_line;
mod exit_codes;
mod export;
mod fake;
mod hands;
mod init;
#[path = "../../../mobkit/tests/it/strangers/installed.rs"]
mod installed;
mod json;
mod kill;
mod logs;
mod meerkat;
mod mob;
mod modules;
mod newsroom;
mod outside_kill;
mod plan;
mod program;
mod provider;
mod running;
mod schedules;
mod send;
mod sockets;
mod stdio;
mod streams;
mod tool_kill;
mod up;
