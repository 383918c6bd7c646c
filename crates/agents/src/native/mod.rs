//! The native engine: single model calls of turns that the writer conducts.
//!
//! It keeps nothing that matters: a session is read from the journal, and kept in memory only while
//! its member has work.

mod assemble;
mod compaction;
mod pieces;
mod providers;
mod runner;
mod tool_result;
mod transcript;

pub(crate) use assemble::{instructions, member_tools, tools};
pub use providers::Providers;
pub use runner::NativeEngine;
pub(crate) use runner::kept;
pub(crate) use tool_result::shown;
pub(crate) use transcript::user_item;
pub(crate) use transcript::{NO_RESULT, UNKNOWN};
pub use transcript::{Transcript, TranscriptError};
