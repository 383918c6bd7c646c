//! What the tests of this folder share: a served mob, a runner that does what messages say, and a
//! reader of streams.

mod described;
mod modules;
mod runner;
mod server;
mod stream;
mod talk;
mod trim;

pub use described::holds;
pub use server::{Answer, BASE, MOB, Options, Server, TOKEN, request};
pub use stream::Item;
pub use talk::{Talk, error};
pub use trim::trim;
