//! Operations on the mob as a whole.

mod apply;
mod pause;
mod plan;
mod reconcile;
mod reconcile_edges;
mod rediscover;
mod reset;
mod resume;
mod status;

pub(super) use apply::Apply;
pub(super) use pause::Pause;
pub(super) use plan::Plan;
pub(super) use reconcile::Reconcile;
pub(super) use reconcile_edges::ReconcileEdges;
pub(super) use rediscover::Rediscover;
pub(super) use reset::Reset;
pub(super) use resume::Resume;
pub(super) use status::Status;
