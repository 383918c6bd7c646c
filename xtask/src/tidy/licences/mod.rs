//! Licences and banned crates of everything that this platform's build uses.
//!
//! `deny.toml` says the same for cargo-deny, over every platform; here it holds without cargo-deny
//! and without a network. The workspaces beside the product (`bench`, `fuzz`, `sim`) are not looked
//! at: nothing of them is shipped.

mod check;
mod expression;

pub use check::check;
