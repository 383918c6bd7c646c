//! What the tests of this folder share: a mob, a runner that does what messages say, a store that
//! can be held and can die, and questions to a journal.

mod deliveries;
mod journal;
mod mob;
mod modules;
mod order;
mod runner;
mod script;
mod source;
mod trim;
mod wait;

pub use journal::{ends_of, journal, kinds, same_but_errors, sound};
pub use mob::{BASE, HEAD, Mob, ada, member, send, send_as, settle, spec, text_of};
pub use mobkit_store::{Death, Tap};
pub use order::{Changing, count, order, recorded, until_kind};
pub use runner::{Did, Scripted};
pub use source::Source;
pub use trim::trim;
pub use wait::{beside, pass_ms, quiet, until};
