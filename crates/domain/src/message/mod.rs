//! Messages: accepting them, withdrawing them, and telling an asker what came of one.

mod decide;
mod mode;

pub(crate) use decide::{
    accept, accept_delivered, accept_scheduled, accept_task, answer_asker, cancel, decide, origin,
};
pub(crate) use mode::{expire, join, led_to};
