//! The lossy lane of a stream: text as it is written, and how far tool calls are.

use mobkit_domain::event::{Envelope, Event, EventFilter, Source};
use mobkit_domain::id::Seq;
use mobkit_engine::{Delta, Engine};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// Deltas that are held back at most; what comes beyond waits in the lane, and may be lost there.
const HELD_MAX: usize = 256;

/// The lossy lane of one stream. What its reader is too slow for is gone.
///
/// Deltas travel beside the journal, so they may be seen before the events that they follow. They
/// are held back until the stream has come to the start of their turn.
pub(super) struct Deltas {
    receiver: Receiver<Delta>,
    filter: EventFilter,
    held: Vec<Delta>,
}

impl Deltas {
    /// From here on; `filter` is that of the stream, in which kinds say nothing about deltas.
    pub fn of(engine: &Engine, filter: &EventFilter) -> Self {
        let filter = EventFilter {
            kinds: Vec::new(),
            ..filter.clone()
        };
        Self {
            receiver: engine.deltas(),
            filter,
            held: Vec::new(),
        }
    }

    fn wants(&self, delta: &Delta) -> bool {
        self.filter
            .matches("delta", &format!("member/{}", delta.member), Source::Agent)
    }

    /// Whether some are held back.
    pub fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Waits for one and holds it; for ever where none can come. Loses nothing if it is dropped.
    pub async fn arrive(&mut self) {
        loop {
            match self.receiver.recv().await {
                Ok(delta) if self.wants(&delta) => return self.held.push(delta),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }

    /// Holds what has come, without waiting.
    pub fn fill(&mut self) {
        while self.held.len() < HELD_MAX {
            match self.receiver.try_recv() {
                Ok(delta) if self.wants(&delta) => self.held.push(delta),
                Ok(_) | Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// Lets go of what was said before `event` recorded it.
    pub fn before(&mut self, event: &Envelope) -> Vec<Delta> {
        let recorded = |delta: &mut Delta| records(event, delta);
        self.held.extract_if(.., recorded).collect()
    }

    /// Lets go of what belongs to turns that began, and calls that were asked for, at or before
    /// `cursor`.
    pub fn until(&mut self, cursor: Seq) -> Vec<Delta> {
        let of = |delta: &Delta| delta.call.map_or(delta.turn.0, |call| call.reply);
        let begun = |delta: &mut Delta| of(delta) <= cursor;
        self.held.extract_if(.., begun).collect()
    }
}

/// Whether the event ends what the delta is a piece of.
fn records(event: &Envelope, delta: &Delta) -> bool {
    let said = (delta.step, delta.attempt);
    let of_model = delta.call.is_none();
    event.turn == Some(delta.turn)
        && match &event.event {
            Event::ModelReplied(e) => of_model && said <= (e.step, e.attempt),
            Event::ModelFailed(e) => of_model && said <= (e.step, e.attempt),
            Event::ToolFinished(e) => delta.call == Some(e.call),
            Event::ToolFailed(e) => delta.call == Some(e.call),
            Event::ToolUnknown(e) => delta.call == Some(e.call),
            Event::TurnCompleted(_)
            | Event::TurnFailed(_)
            | Event::TurnCancelled(_)
            | Event::TurnCheckpointed(_) => true,
            _ => false,
        }
}
