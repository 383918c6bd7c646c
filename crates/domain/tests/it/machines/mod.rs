//! The state machines: given events, when a command comes, then these events follow.

mod asks;
mod calls;
mod edges;
mod engines;
mod harness;
mod host_tools;
mod leaving;
mod ledger;
mod members;
mod messages;
mod mob;
mod models;
mod ops;
mod properties;
mod recovery;
mod rows;
mod turns;
