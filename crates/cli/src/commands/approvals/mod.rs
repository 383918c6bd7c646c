//! `mobkit approvals`: what waits for a decision, and one of them in full.

mod approval;
mod args;
mod card;
mod facts;
mod list;
mod long;
mod run;
mod unknown;

pub(crate) use approval::Approval;
pub(crate) use args::ApprovalsArgs;
pub(crate) use card::card;
pub(crate) use long::{LongText, long_texts};
pub(crate) use run::run;
