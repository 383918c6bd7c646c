//! Conversations with servers that are scripted message by message.

mod begin;
mod calls;
mod end;
mod host;
mod input;
mod peer;
mod remote;
mod sessions;
mod tools;
mod web;
