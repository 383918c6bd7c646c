//! The commands: one file each, with its arguments and its run.

pub(crate) mod apply;
pub(crate) mod approvals;
pub(crate) mod archive;
pub(crate) mod change;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod decide;
pub(crate) mod deliveries;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod events;
pub(crate) mod grants;
pub(crate) mod init;
pub(crate) mod logs;
pub(crate) mod modules;
pub(crate) mod pause;
pub(crate) mod plan;
pub(crate) mod ps;
pub(crate) mod routes;
pub(crate) mod rpc;
pub(crate) mod schedule;
pub(crate) mod send;
pub(crate) mod status;
pub(crate) mod stdio;
pub(crate) mod tasks;
pub(crate) mod version;
