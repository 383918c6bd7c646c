//! The engine from outside: commands in, a journal out, and everything that can go wrong between.

mod approvals;
mod clock;
mod crash;
mod deliveries;
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
mod outside_crash;
mod readers;
mod recovery;
mod retention;
mod schedule_tick;
mod schedules;
mod shutdown;
mod snapshots;
mod threads;
