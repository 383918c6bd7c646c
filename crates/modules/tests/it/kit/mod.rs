//! What the tests of this folder share: a mob whose modules are real processes, and questions to
//! the journal and to the machine.

mod host;
mod mob;
mod processes;
mod runner;

pub use host::Host;
pub use mob::{Mob, PROGRAMS, module, module_id};
pub use processes::{children, is_alive, is_stopped, token_of, until, watchdog_of, with_mark};
