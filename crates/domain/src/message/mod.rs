//! Messages: accepting them, withdrawing them, and telling an asker what came of one.

mod decide;

pub(crate) use decide::{
    accept, accept_delivered, accept_scheduled, answer_asker, cancel, decide, origin,
};
