//! Modules that speak MCP, the Model Context Protocol, in both of its eras: since 2026-07-28 each
//! request stands for itself, before that a conversation begins with `initialize`.
//!
//! The protocol itself is rmcp's, the official library. What is here: which era to speak, the pipes
//! of a child process, what of a conversation concerns mobkit, and what the model is told.

mod calls;
mod connect;
mod conversation;
mod definition;
mod elicit;
mod excerpt;
mod failure;
mod handler;
mod http;
mod keep;
mod lines;
mod link;
mod listen;
mod reader;
mod result;
mod tied;
mod watched;

#[cfg(test)]
mod tests;

pub(crate) use connect::{ConnectError, Opening, connect_http, connect_stdio};
