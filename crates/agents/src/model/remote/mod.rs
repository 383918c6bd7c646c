//! Models behind an API, through genai.
//!
//! genai knows the wire formats. What it can't do is done here:
//! * an answer that ends without the provider's own end mark is told from a whole one, and from
//!   something that was never an answer, by watching the frames of the stream;
//! * silence is told from keep-alives in the same way;
//! * its log is switched off, since it prints error bodies, in which providers repeat keys;
//! * model names are sent as they are written, although genai reads some endings as options.

mod answer;
mod carry;
mod chat;
mod failure;
mod format;
mod frames;
mod names;
mod provider;
mod quiet;
mod retry_after;
mod target;

pub(crate) use chat::heard;
pub(crate) use names::ToolNames;
pub use provider::{RemoteModel, RemoteSettings};
pub use target::RemoteProvider;
