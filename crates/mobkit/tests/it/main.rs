//! The library as a host uses it.

mod delegates;
mod deliveries;
mod embed;
mod engines;
mod gates;
mod kit;
mod meerkat;
mod models;
mod obedient;
mod providers;
mod receiver;
mod session;
mod start;
mod stop;
mod strangers;
mod turns;
