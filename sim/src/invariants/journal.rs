//! The journal is whole.

use super::Seen;
use mobkit::event::Event;

/// Positions are dense, what is stored is what was stored, sources fit, and each process began and
/// ended as processes do.
pub(super) fn broken(seen: &Seen) -> Vec<String> {
    let mut broken = seen.verified.problems.clone();
    let mut epoch = 0;
    for (event, place) in seen.events.iter().zip(1..) {
        if event.seq != place {
            broken.push(format!("event {} stands at {place}", event.seq));
        }
        if let Err(error) = event.check_source() {
            broken.push(format!("event {place}: {error}"));
        }
        if let Event::RuntimeStarted(started) = &event.event {
            if started.epoch <= epoch {
                broken.push(format!("epoch {} follows epoch {epoch}", started.epoch));
            }
            epoch = started.epoch;
        }
    }
    broken
}
