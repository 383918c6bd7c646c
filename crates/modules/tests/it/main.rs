//! Modules that are real processes, of which many misbehave.

mod calls;
mod floods;
mod kit;
mod life;
mod lost;
mod mcp;
mod processes;
mod remote;
mod sandbox;
mod secrets;
mod starts;
