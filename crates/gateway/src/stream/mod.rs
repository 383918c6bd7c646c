//! Streams of events: the journal and the lossy lane, for every surface that carries them.

mod deltas;
mod feed;
mod frame;
mod open;

pub(crate) use feed::Feed;
pub(crate) use frame::Form;
pub(crate) use open::{Wanted, admit, open};
