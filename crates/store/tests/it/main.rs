//! The stores from outside.

mod conformance;
mod damage;
mod durability;
mod failure;
mod place;
mod sqlite;
