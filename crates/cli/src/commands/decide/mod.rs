//! `mobkit approve` and `mobkit deny`: a decision about what somebody has seen.

mod approve;
mod decision;
mod deny;
mod grant;
mod inline;

pub(crate) use approve::{ApproveArgs, approve};
pub(crate) use deny::{DenyArgs, deny};
pub(crate) use inline::inline;
