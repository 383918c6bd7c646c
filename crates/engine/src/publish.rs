//! What happens once a batch is durable: readers see it, waiters are told, effects begin.

use crate::dispatch::dispatch;
use crate::engine::Engine;
use crate::recover::snapshot_if_due;
use crate::tail::Published;
use mobkit_domain::definition::Definition;
use mobkit_domain::effect::Effect;
use mobkit_domain::event::Envelope;
use std::sync::{Arc, PoisonError};

pub(crate) fn publish(
    engine: &Engine,
    events: Vec<Envelope>,
    definition: Option<Arc<Definition>>,
    effects: Vec<Effect>,
) {
    let events: Vec<Arc<Published>> = events
        .into_iter()
        .map(|event| Arc::new(Published::new(event)))
        .collect();
    {
        let mut view = engine
            .shared
            .view
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for event in &events {
            view.state.apply(&event.envelope);
        }
        if let Some(definition) = definition {
            view.definition = definition;
        }
    }
    let happened = events.iter().map(|event| &event.envelope.event);
    engine.shared.tally.count(happened);
    engine.tail().push(&events);
    for event in &events {
        engine
            .shared
            .outcomes
            .on_event(event.envelope.seq, &event.envelope.event);
    }
    for effect in effects {
        dispatch(engine, effect);
    }
    snapshot_if_due(engine);
}
