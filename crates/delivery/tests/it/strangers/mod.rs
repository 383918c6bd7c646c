//! Judged by what others wrote: checks of signatures, a mail server, and TLS that isn't ours.
//!
//! `cargo xtask strangers` installs them.

mod installed;
mod mail;
mod receivers;
mod signatures;
mod trust;
