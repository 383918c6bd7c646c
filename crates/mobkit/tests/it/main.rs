//! The library as a host uses it.

mod embed;
mod engines;
mod gates;
mod kit;
mod models;
mod obedient;
mod session;
mod start;
mod stop;
mod strangers;
