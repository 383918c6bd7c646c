//! Forgetting the beginning of a journal by hand.

use mobkit_domain::event::Cut;
use mobkit_domain::id::Seq;
use mobkit_domain::time::Time;
use mobkit_store::Trim;

/// Forgets the events below a position that are older than a time.
pub fn trim(below: Seq, before: Time) -> Trim {
    Trim {
        events: Cut { below, before },
        ..Trim::default()
    }
}
