//! The youngest events in memory, so that readers who keep up need no disk.

use mobkit_domain::event::{Envelope, Event, EventFilter};
use mobkit_domain::id::Seq;
use mobkit_domain::text::Text;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use tokio::sync::watch;

/// How many events the tail holds at most.
pub const TAIL_EVENTS_MAX: usize = 8_192;
/// How many bytes of wire text the tail holds at most, estimated by the events' own size.
pub const TAIL_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A durable event, with its wire form made once for all readers.
#[derive(Debug)]
pub struct Published {
    /// The event.
    pub envelope: Envelope,
    wire: OnceLock<Arc<str>>,
}

impl Published {
    /// Wraps a durable event.
    pub fn new(envelope: Envelope) -> Self {
        Self {
            envelope,
            wire: OnceLock::new(),
        }
    }

    /// The event as clients see it: one line of JSON.
    pub fn wire(&self) -> &Arc<str> {
        self.wire
            .get_or_init(|| Arc::from(self.envelope.to_wire().to_string()))
    }
}

#[derive(Default)]
struct Ring {
    events: VecDeque<(usize, Arc<Published>)>,
    bytes: usize,
}

/// The youngest events, and the position of the last one.
pub(crate) struct Tail {
    ring: RwLock<Ring>,
    head: watch::Sender<Seq>,
}

impl Tail {
    pub(crate) fn new(head: Seq) -> Self {
        Self {
            ring: RwLock::default(),
            head: watch::Sender::new(head),
        }
    }

    pub(crate) fn head(&self) -> Seq {
        *self.head.borrow()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Seq> {
        self.head.subscribe()
    }

    /// Shows durable events to readers.
    pub(crate) fn push(&self, events: &[Arc<Published>]) {
        let Some(last) = events.last() else { return };
        {
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            for event in events {
                let bytes = weight(&event.envelope);
                ring.bytes += bytes;
                ring.events.push_back((bytes, Arc::clone(event)));
            }
            while ring.events.len() > TAIL_EVENTS_MAX || ring.bytes > TAIL_BYTES_MAX {
                let Some((bytes, _)) = ring.events.pop_front() else {
                    break;
                };
                ring.bytes -= bytes;
            }
        }
        self.head.send_replace(last.envelope.seq);
    }

    /// The events after `after` and up to `until` that pass, at most `limit`, and the position that
    /// was searched; `None` where the tail does not reach back so far.
    pub(crate) fn read(
        &self,
        (after, until): (Seq, Seq),
        filter: &EventFilter,
        limit: usize,
    ) -> Option<(Vec<Arc<Published>>, Seq)> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let first = ring.events.front()?.1.envelope.seq;
        let skip = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        let mut found = Vec::new();
        let mut searched = after;
        for (_, event) in ring.events.iter().skip(skip) {
            if found.len() == limit || event.envelope.seq > until {
                break;
            }
            searched = event.envelope.seq;
            if filter.passes(&event.envelope) {
                found.push(Arc::clone(event));
            }
        }
        Some((found, searched))
    }
}

/// A rough size: payloads above 32 KiB are references, so the fixed part dominates.
fn weight(envelope: &Envelope) -> usize {
    let payload = match &envelope.event {
        Event::MessageAccepted(e) => text_size(&e.text) * (1 + usize::from(!e.parts.is_empty())),
        Event::ModelReplied(e) => {
            let calls: usize = e.calls.iter().map(|call| value_size(&call.args)).sum();
            let extras = [&e.carry, &e.engine].into_iter().flatten();
            text_size(&e.text) + calls + extras.map(value_size).sum::<usize>()
        }
        Event::TurnCompleted(e) => text_size(&e.text),
        Event::ToolStarted(e) => value_size(&e.args),
        Event::ToolFinished(e) => text_size(&e.result),
        _ => 0,
    };
    // Twice: as it is, and as its wire form once somebody has read it.
    1_024 + 2 * payload
}

fn text_size(text: &Text) -> usize {
    text.inline().map_or(0, str::len)
}

fn value_size(value: &Value) -> usize {
    const PLAIN: usize = 16;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => PLAIN,
        Value::String(text) => PLAIN + text.len(),
        Value::Array(items) => PLAIN + items.iter().map(value_size).sum::<usize>(),
        Value::Object(fields) => fields
            .iter()
            .fold(PLAIN, |sum, (key, item)| sum + key.len() + value_size(item)),
    }
}
