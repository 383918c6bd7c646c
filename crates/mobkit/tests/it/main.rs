//! The library as a host uses it.

mod deliveries;
mod embed;
mod engines;
mod gates;
mod kit;
mod meerkat;
mod models;
mod obedient;
mod receiver;
mod session;
mod start;
mod stop;
mod strangers;
