//! Sinks against receivers that behave and receivers that don't.

mod credentials;
mod email;
mod email_broken;
mod environment;
mod file;
mod guard;
mod kit;
mod strangers;
mod webhook;
mod webhook_broken;
