//! What codes and kinds of events mean, for whoever meets one.

mod explanation;

pub use explanation::{Explanation, Sort, all, explain};
