//! Modules that others wrote, through the whole library: real processes, real time.
//!
//! `cargo xtask strangers` installs them; `servers/` says which.

mod everything;
mod filesystem;
pub(crate) mod hands;
mod installed;
mod newsroom;
mod python_sdk;
mod survival;
