//! Plan and apply: bringing the mob to what the definition and discovery want.

mod edges;
mod modules;
mod plan;
mod rediscover;
mod roster;
mod routes;
mod run;
mod schedules;

pub use plan::PlanView;
pub use rediscover::RediscoverMode;
pub use run::ApplyOptions;
