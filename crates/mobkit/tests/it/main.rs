//! The library as a host uses it.

mod embed;
mod engines;
mod kit;
mod models;
mod session;
mod start;
mod stop;
