//! What a session needs of whatever carries it.

use bytes::Bytes;
use std::fmt;
use std::io;

/// Largest message that is taken, in bytes: a request, an answer, or a batch.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// What comes in.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message, at most [`MESSAGE_BYTES_MAX`] long.
    Text(Bytes),
    /// A message that was too large and has been skipped.
    TooLarge,
    /// The other side says nothing any longer.
    Ended,
}

/// Where messages come from.
pub(crate) trait Inlet: Send {
    /// The next one. Loses nothing if it is dropped.
    fn next(&mut self) -> impl Future<Output = Incoming> + Send;
}

/// Where messages go.
pub(crate) trait Outlet: Send {
    /// Sends one message, without a line break in it.
    fn send(&mut self, text: String) -> impl Future<Output = io::Result<()>> + Send;

    /// Shows that this side is still there, where the transport has a word for it.
    fn show_life(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Says why the session ends, where the transport has a word for it, and closes.
    fn close(&mut self, end: &SessionEnd) -> impl Future<Output = ()> + Send;
}

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    /// The other side went.
    ClientGone,
    /// The runtime stopped.
    Stopped,
    /// The other side did not read what it was sent.
    SlowReader,
    /// The transport failed.
    Broken(String),
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientGone => f.write_str("the client went"),
            Self::Stopped => f.write_str("runtime.stopping"),
            Self::SlowReader => f.write_str("the client does not read what it is sent"),
            Self::Broken(why) => write!(f, "the connection failed: {why}"),
        }
    }
}
