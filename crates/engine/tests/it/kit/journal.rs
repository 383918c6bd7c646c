//! Questions to a journal.

use mobkit_domain::event::{Envelope, Event, EventFilter};
use mobkit_domain::id::{CallId, MessageId, MobId};
use mobkit_engine::{Engine, end_of_call};
use mobkit_store::{EventQuery, Store};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is durable.
pub async fn journal(store: &dyn Store) -> Vec<Envelope> {
    let mob = MobId::parse("desk").expect("a mob id");
    let query = EventQuery {
        limit: 1_000_000,
        ..EventQuery::default()
    };
    store.events(&mob, query).await.expect("readable").events
}

pub fn kinds(events: &[Envelope]) -> Vec<&'static str> {
    events.iter().map(|event| event.event.kind()).collect()
}

/// Whether nothing was added but errors.
pub fn same_but_errors(before: &[Envelope], after: &[Envelope]) -> bool {
    after.starts_with(before)
        && after[before.len()..]
            .iter()
            .all(|event| event.event.kind() == "error.raised")
}

/// How often each message was brought to an end: by the end of its turn, or withdrawn.
pub fn ends_of(events: &[Envelope]) -> BTreeMap<MessageId, usize> {
    let mut ends = BTreeMap::new();
    for envelope in events {
        let ended = match &envelope.event {
            Event::MessageAccepted(e) => {
                ends.entry(e.message).or_insert(0);
                continue;
            }
            Event::TurnCompleted(e) => e.messages.clone(),
            Event::TurnFailed(e) => e.messages.clone(),
            Event::TurnCancelled(e) => e.messages.clone(),
            Event::MessageCancelled(e) => vec![e.message],
            Event::MessageExpired(e) => vec![e.message],
            _ => continue,
        };
        for message in ended {
            *ends.entry(message).or_insert(0) += 1;
        }
    }
    ends
}

/// What must hold of every journal, whatever happened to its processes.
pub async fn sound(store: &dyn Store) -> Vec<Envelope> {
    let events = journal(store).await;
    for (event, place) in events.iter().zip(1..) {
        assert_eq!(event.seq, place, "positions are dense");
    }
    let (mut replies, mut results, mut turns) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for envelope in &events {
        match &envelope.event {
            Event::ModelReplied(e) => {
                assert!(
                    replies.insert((e.turn, e.step)),
                    "{} has two replies of a step",
                    e.turn
                );
            }
            Event::ToolFinished(e) => assert!(results.insert(e.call), "{} ended twice", e.call),
            Event::ToolFailed(e) => assert!(results.insert(e.call), "{} ended twice", e.call),
            Event::ToolRefused(e) => assert!(results.insert(e.call), "{} ended twice", e.call),
            Event::TurnStarted(e) => {
                for message in &e.messages {
                    assert!(turns.insert(*message), "{message} has two turns");
                }
            }
            _ => {}
        }
    }
    for (message, ends) in ends_of(&events) {
        assert!(ends <= 1, "{message} ended {ends} times");
    }
    let mob = MobId::parse("desk").expect("a mob id");
    let found = store.verify(&mob).await.expect("verified");
    assert_eq!(found.problems, Vec::<String>::new());
    events
}

/// Waits for the end of a call, whether it is recorded already or still to come.
pub async fn call_ended(engine: &Engine, call: CallId) {
    let waiting = engine.call_outcome(call);
    let filter = EventFilter::default();
    let found = engine
        .events_between(call.reply, engine.head(), &filter)
        .await
        .expect("readable");
    let ended = found
        .iter()
        .any(|event| end_of_call(&event.envelope.event).is_some_and(|(ended, _)| ended == call));
    if !ended {
        // A failure is told to the model as well; only the end matters here.
        let _ = waiting.await;
    }
}
