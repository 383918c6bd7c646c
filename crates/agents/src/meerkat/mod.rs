//! The engine of the Meerkat runtime: one child process that runs the turns of every member whose
//! profile names it.
//!
//! * The process: [`launch`] starts it, [`supervision`] watches over it with its task in [`life`],
//!   [`home`] has its folders and [`config`] what it is told of models.
//! * The conversation: [`connection`] over [`frames`], begun by [`handshake`].
//! * Our mob there: [`counterpart`], with its members ([`members`], [`definition`]), its tools
//!   ([`tools`]) and its own journal ([`structure`]).
//! * A turn: [`turn`] has it run, [`follow`] follows one run to its end, [`run`] folds its events
//!   ([`stream`]) into steps, [`calls`] knows what is recorded, [`history`] what the runtime holds,
//!   [`joining`] the messages that come to it meanwhile.

mod calls;
mod config;
mod connection;
mod counterpart;
mod definition;
mod engine;
mod find;
mod follow;
mod frames;
mod handshake;
mod held;
mod history;
mod home;
mod joining;
mod launch;
mod life;
mod members;
mod receipt;
mod run;
mod stream;
mod structure;
mod supervision;
mod tools;
mod turn;

pub use config::{Config, ConfigError, ModelName};
pub use connection::{Connection, Flooded, HEARD_MAX, Listener};
pub use engine::Meerkat;
pub use find::{NotFound, find};
pub use frames::{LINE_BYTES_MAX, RequestError};
pub use handshake::{HANDSHAKE_PATIENCE, HandshakeError, handshake};
pub use home::Home;
pub use launch::{Child, ChildProcess, Launcher, Program};
pub use supervision::{Attach, Down, Live, Supervision};
