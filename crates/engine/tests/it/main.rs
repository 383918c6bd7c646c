//! The engine from outside: commands in, a journal out, and everything that can go wrong between.

mod clock;
mod crash;
mod determinism;
mod discovery;
mod durability;
mod edges;
mod effects;
mod hooks;
mod idle;
mod kit;
mod lifecycle;
mod messages;
mod on_disk;
mod readers;
mod recovery;
mod shutdown;
mod snapshots;
mod threads;
