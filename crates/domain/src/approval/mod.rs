//! Gates and approvals: which tool calls wait for a person, who may decide, and what a decision
//! leads to.

mod decide;
mod elicit;
mod end;
mod gate;
mod grant;
mod request;
mod verdict;

pub(crate) use decide::decide;
pub(crate) use end::{expire, withdraw, withdraw_all, withdraw_elicitations};
pub(crate) use gate::{Passage, passage};
pub(crate) use grant::grant_of;
pub(crate) use request::{Asked, request, version};
