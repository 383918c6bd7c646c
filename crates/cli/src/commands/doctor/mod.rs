//! `mobkit doctor`: whether what a start needs is there, without starting anything.

mod engine;
mod finding;
mod places;
mod run;
mod secrets;
mod verify;

pub(crate) use run::{DoctorArgs, run};
