//! JSON-RPC 2.0, whatever carries it.

mod call;
mod openrpc;

pub(crate) use call::{Call, answered, check_batch, failure, not_a_request, read};
pub(crate) use openrpc::document;
