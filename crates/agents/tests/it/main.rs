//! The models against a server that speaks their protocols.

mod chat_server;
mod model_faults;
mod model_open_ai;
mod model_others;
