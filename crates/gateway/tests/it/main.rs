//! The gateway from outside: requests in, answers and streams out.

mod access;
mod api;
mod approvals;
mod ask;
mod blobs;
mod costs;
mod deliveries;
mod docs;
mod events;
mod health;
mod history;
mod keys;
mod kit;
mod members;
mod messages;
mod mob;
mod modules;
mod panics;
mod phases;
mod resume;
mod routes;
mod rpc;
mod schedules;
mod sessions;
mod table;
mod tools;
