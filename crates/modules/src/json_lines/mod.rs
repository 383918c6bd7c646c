//! The protocol of modules that need no library: one JSON document per line.

mod conversation;
mod reader;
mod waiting;
mod wire;

pub(crate) use conversation::JsonLines;

#[cfg(test)]
mod tests;
