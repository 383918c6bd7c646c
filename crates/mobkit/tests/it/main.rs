//! The library as a host uses it.

mod embed;
mod engines;
mod kit;
mod models;
mod start;
mod stop;
