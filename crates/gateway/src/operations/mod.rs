//! The operations, one per file, and the table from which every surface is derived.

mod approval;
mod blob;
mod cost;
mod delivery;
mod edge;
mod engine;
mod event;
mod grant;
mod member;
mod message;
mod mob;
mod module;
mod route;
mod schedule;
mod system;
mod task;
mod tool;
mod turn;

use crate::operation::Operation;

/// Every operation, by noun, in the order of the documentation.
pub static OPERATIONS: &[Operation] = &[
    Operation::of::<mob::Status>(),
    Operation::of::<mob::Plan>(),
    Operation::of::<mob::Apply>(),
    Operation::of::<mob::Reconcile>(),
    Operation::of::<mob::ReconcileEdges>(),
    Operation::of::<mob::Rediscover>(),
    Operation::of::<mob::Reset>(),
    Operation::of::<mob::Pause>(),
    Operation::of::<mob::Resume>(),
    Operation::of::<member::Spawn>(),
    Operation::of::<member::Ensure>(),
    Operation::of::<member::List>(),
    Operation::of::<member::Get>(),
    Operation::of::<member::Retire>(),
    Operation::of::<member::Respawn>(),
    Operation::of::<member::Reset>(),
    Operation::of::<member::Delete>(),
    Operation::of::<member::Pause>(),
    Operation::of::<member::Resume>(),
    Operation::of::<member::Cancel>(),
    Operation::of::<member::History>(),
    Operation::of::<member::Send>(),
    Operation::of::<member::Ask>(),
    Operation::of::<edge::List>(),
    Operation::of::<edge::Wire>(),
    Operation::of::<edge::Unwire>(),
    Operation::of::<message::Get>(),
    Operation::of::<message::List>(),
    Operation::of::<message::Cancel>(),
    Operation::of::<turn::Get>(),
    Operation::of::<turn::List>(),
    Operation::of::<turn::Cancel>(),
    Operation::of::<tool::Resolve>(),
    Operation::of::<approval::List>(),
    Operation::of::<approval::Get>(),
    Operation::of::<approval::Decide>(),
    Operation::of::<grant::List>(),
    Operation::of::<grant::Revoke>(),
    Operation::of::<engine::List>(),
    Operation::of::<module::List>(),
    Operation::of::<module::Get>(),
    Operation::of::<module::Start>(),
    Operation::of::<module::Stop>(),
    Operation::of::<module::Restart>(),
    Operation::of::<module::Call>(),
    Operation::of::<module::Log>(),
    Operation::of::<module::Tools>(),
    Operation::of::<schedule::Put>(),
    Operation::of::<schedule::Get>(),
    Operation::of::<schedule::List>(),
    Operation::of::<schedule::Remove>(),
    Operation::of::<schedule::Pause>(),
    Operation::of::<schedule::Resume>(),
    Operation::of::<schedule::Trigger>(),
    Operation::of::<schedule::Preview>(),
    Operation::of::<schedule::Occurrences>(),
    Operation::of::<schedule::Backfill>(),
    Operation::of::<route::List>(),
    Operation::of::<route::Get>(),
    Operation::of::<route::Put>(),
    Operation::of::<route::Enable>(),
    Operation::of::<route::Remove>(),
    Operation::of::<route::Resolve>(),
    Operation::of::<delivery::Send>(),
    Operation::of::<delivery::List>(),
    Operation::of::<delivery::Get>(),
    Operation::of::<delivery::Replay>(),
    Operation::of::<task::List>(),
    Operation::of::<cost::Summary>(),
    Operation::of::<event::Query>(),
    Operation::of::<blob::Get>(),
    Operation::of::<system::Info>(),
    Operation::of::<system::Shutdown>(),
];
