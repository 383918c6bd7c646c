//! The JSON Schema of the mob file, for editors.
//!
//! It says which keys there are, of which sort their values are, what holds without them and which
//! words a choice has. What only the whole file can say (references, cycles, cron, zones), and
//! which keys belong together, is left to the check of the file. That it knows what the readers
//! know is tested with every golden mob file, and with wrong values for each key.

mod member;
mod module;
mod route;
mod rule;
mod schedule;
mod server;
mod whole;

pub use whole::schema;
