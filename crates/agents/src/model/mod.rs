//! Models: one small seam, and what stands behind it.
//!
//! A [`ModelRequest`] goes in, a stream of [`ModelEvent`]s comes out, and [`collect`] makes a whole
//! reply of it. One call is one attempt: whether and when a failed call is made again is decided by
//! the turn, which knows it from the journal. Nothing here reads a file, a clock or the
//! environment; keys and scripts are handed in.
//!
//! To add a provider of which genai speaks the protocol, add it to [`RemoteProvider`] and say in
//! `remote/target.rs` where it lives. Anything else implements [`ModelProvider`].

mod collect;
mod key;
mod rehearsal;
mod remote;
mod replay;
mod seam;
mod settings;

pub use collect::{REPLY_BYTES_MAX, collect};
pub use key::{ApiKey, KeyError};
pub use rehearsal::{Rehearsal, Script, ScriptError, ScriptProblem};
pub use remote::{RemoteModel, RemoteProvider, RemoteSettings};
pub(crate) use remote::{ToolNames, heard};
pub use replay::{Recording, RecordingError, Replay};
pub use seam::{
    Delta, Item, ModelEvent, ModelEvents, ModelProvider, ModelRequest, Piece, ToolSpec,
};
pub use settings::{ProviderSettings, Resolved, SettingsError, provider_for};
