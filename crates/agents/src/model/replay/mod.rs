//! The replay model: answers as a journal says that it was answered before.
//!
//! The answers of each member come in the order of the journal. What the member is asked is held
//! against what it was asked then, so that an answer is never given to another question.

mod input;
mod provider;
mod recording;
#[cfg(test)]
mod tests;

pub use provider::Replay;
pub use recording::{Recording, RecordingError};
