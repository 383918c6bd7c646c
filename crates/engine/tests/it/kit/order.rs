//! Orders to a mob, and waiting for what is recorded.

use super::mob::ada;
use async_trait::async_trait;
use mobkit_domain::command::{Answer, Command, Submission};
use mobkit_domain::definition::{Definition, NoFiles, parse};
use mobkit_domain::event::{Envelope, EventFilter};
use mobkit_domain::refusal::Refusal;
use mobkit_engine::{DefinitionError, DefinitionSource, Engine, EventReader};
use std::sync::{Arc, Mutex};

/// What an operator orders.
pub async fn order(engine: &Engine, command: Command) -> Result<Answer, Refusal> {
    let submission = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await
}

/// Reads the journal from its beginning until something holds of it.
pub async fn recorded(engine: &Engine, holds: impl Fn(&[Envelope]) -> bool) -> Vec<Envelope> {
    let mut reader = EventReader::open(engine, 0, EventFilter::default())
        .await
        .expect("readable");
    let mut events: Vec<Envelope> = Vec::new();
    while !holds(&events) {
        let next = reader.next(1).await.expect("readable");
        let next = next.unwrap_or_else(|| panic!("it never came to it: {events:#?}"));
        events.extend(next.iter().map(|event| event.envelope.clone()));
    }
    events
}

/// How many events are of a kind.
pub fn count(events: &[Envelope], kind: &str) -> usize {
    events.iter().filter(|e| e.event.kind() == kind).count()
}

/// Reads the journal until so many events of a kind are there.
pub async fn until_kind(engine: &Engine, kind: &str, at_least: usize) -> Vec<Envelope> {
    recorded(engine, |events| count(events, kind) >= at_least).await
}

/// A mob file that changes.
pub struct Changing(Mutex<Definition>);

impl Changing {
    pub fn of(text: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(defined(text))))
    }

    pub fn becomes(&self, text: &str) {
        *self.0.lock().expect("not poisoned") = defined(text);
    }
}

fn defined(text: &str) -> Definition {
    parse("mob.toml", text, &NoFiles)
        .expect("the mob file is right")
        .definition
}

#[async_trait]
impl DefinitionSource for Changing {
    async fn load(&self) -> Result<Definition, DefinitionError> {
        Ok(self.0.lock().expect("not poisoned").clone())
    }
}
