//! Who calls, from where, and what they may.

mod denial;
mod permission;
mod place;
mod policy;
mod token;

pub(crate) use denial::Denials;
pub use permission::Permission;
pub(crate) use permission::{permit, roles_of};
pub use policy::Access;
pub(crate) use token::SUBPROTOCOL;
