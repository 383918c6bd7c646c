//! Integration tests of the domain.

mod definition;
