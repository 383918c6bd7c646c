//! Integration tests of the domain.

mod definition;
mod event;
mod machines;
mod scenario;
mod schema;
