//! The stores from outside.

mod archive;
mod conformance;
mod damage;
mod durability;
mod failure;
mod migrations;
mod place;
mod sqlite;
