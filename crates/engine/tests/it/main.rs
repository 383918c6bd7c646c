//! The engine from outside: commands in, a journal out, and everything that can go wrong between.

mod crash;
mod discovery;
mod durability;
mod edges;
mod effects;
mod hooks;
mod kit;
mod lifecycle;
mod messages;
mod recovery;
mod shutdown;
