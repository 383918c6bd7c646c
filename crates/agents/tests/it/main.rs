//! The models against a server that speaks their protocols.

mod chat_server;
mod model_anthropic;
mod model_faults;
mod model_faults_of_others;
mod model_gemini;
mod model_open_ai;
mod model_pieces;
