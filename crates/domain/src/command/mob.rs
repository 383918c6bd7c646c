//! Commands about the mob as a whole.

use crate::event::{MobApplied, MobDefined, MobPlanned, MobTrimmed};

/// Commands about the mob as a whole.
#[derive(Debug, Clone)]
pub enum MobCommand {
    /// A definition comes into force.
    Define(MobDefined),
    /// A plan is about to be applied.
    Planned(MobPlanned),
    /// A plan was applied.
    Applied(MobApplied),
    /// Retire every member at once, to start over; the managed set is forgotten.
    Reset,
    /// Stop the line.
    Pause {
        /// Why.
        reason: Option<String>,
    },
    /// Start the line again.
    Resume,
    /// Forget the beginning of the journal, as far as nothing open needs it.
    Trim(MobTrimmed),
}
