//! The engine from outside: commands in, a journal out, and everything that can go wrong between.

mod approvals;
mod clock;
mod crash;
mod determinism;
mod direct_calls;
mod discovery;
mod durability;
mod edges;
mod effects;
mod hooks;
mod idle;
mod kit;
mod lifecycle;
mod messages;
mod modules;
mod on_disk;
mod readers;
mod recovery;
mod shutdown;
mod snapshots;
mod threads;
