//! Attempts at deliveries: from the journal's words to those of the sinks, and back.

use mobkit_delivery::{Sending, Sent, Settings, Sinks};
use mobkit_domain::command::{AttemptOutcome, Command, DeliveryCommand};
use mobkit_domain::definition::Route;
use mobkit_domain::event::{Event, EventFilter};
use mobkit_domain::id::{DeliveryId, Seq};
use mobkit_engine::{
    CursorError, EffectPort, Engine, EventReader, OnError, OnStop, TaskKind, unstash_value,
};
use std::path::PathBuf;
use std::sync::Arc;

/// Routes of which a reader learns at a time.
const PAGE_EVENTS: usize = 64;
const FORGETTING: TaskKind = TaskKind {
    name: "forgetting sinks",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};

/// Sends what leaves the mob.
pub(crate) struct Deliveries {
    sinks: Arc<Sinks>,
}

impl Deliveries {
    /// Deliveries of a mob whose file is in `folder`.
    pub(crate) fn new(folder: PathBuf, settings: Arc<dyn Settings>) -> Self {
        Self {
            sinks: Arc::new(Sinks::new(folder, settings)),
        }
    }

    /// The sinks, for [`forget_changed`].
    pub(crate) fn sinks(&self) -> Arc<Sinks> {
        Arc::clone(&self.sinks)
    }

    /// Makes one attempt; `None`: it is not wanted any longer.
    pub(crate) async fn attempt(
        &self,
        delivery: DeliveryId,
        attempt: u32,
        port: &EffectPort,
    ) -> Option<Command> {
        let (route, sending) = wanted(delivery, port)?;
        let outcome = match route {
            Some(route) => self.send(&route, sending, port).await,
            // It was removed after the intent was recorded. The attempt needs its end all the same.
            None => unsent("its route is gone".to_owned(), true),
        };
        Some(Command::Delivery(DeliveryCommand::Ended {
            delivery,
            attempt,
            outcome,
        }))
    }

    async fn send(&self, route: &Route, mut sending: Sending, port: &EffectPort) -> AttemptOutcome {
        match unstash_value(port.engine.store().as_ref(), sending.payload).await {
            Ok(payload) => {
                sending.payload = payload;
                let sent = self.sinks.attempt(port.engine.tasks(), route, sending);
                let sent = sent.await;
                // A route that changed after this attempt began was forgotten before it had a sink.
                if !is_current(&port.engine, route) {
                    self.sinks.forget(&route.id);
                }
                outcome(sent)
            }
            Err(error) => unsent(format!("the payload can't be read: {error}"), false),
        }
    }
}

/// Forgets the sink of each route that is removed or defined anew, and the secrets in it, as long
/// as the mob runs. The next attempt makes a new one.
pub(crate) fn forget_changed(engine: &Engine, sinks: Arc<Sinks>) {
    let follow = follow(engine.clone(), engine.head(), sinks);
    engine.tasks().spawn(FORGETTING, async move {
        if let Err(error) = follow.await {
            tracing::warn!(%error, "changes of routes can't be followed; sinks are kept too long");
        }
    });
}

async fn follow(engine: Engine, after: Seq, sinks: Arc<Sinks>) -> Result<(), CursorError> {
    let filter = EventFilter {
        kinds: vec!["route.*".to_owned()],
        ..EventFilter::default()
    };
    let mut reader = EventReader::open(&engine, after, filter).await?;
    while let Some(changes) = reader.next(PAGE_EVENTS).await? {
        for change in changes {
            match &change.envelope.event {
                Event::RouteDefined(e) => sinks.forget(&e.route),
                Event::RouteRemoved(e) => sinks.forget(&e.route),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether this is how the route sends by now.
fn is_current(engine: &Engine, route: &Route) -> bool {
    engine.view(|world| {
        let found = world.state.routes.get(&route.id);
        found.is_some_and(|found| found.spec.sink == route.sink)
    })
}

/// An attempt of which nothing has left the mob.
fn unsent(reason: String, hopeless: bool) -> AttemptOutcome {
    AttemptOutcome::Failed {
        status: None,
        reason,
        excerpt: None,
        retry_after_ms: None,
        gone: false,
        hopeless,
    }
}

/// What is to be sent, and over which route, where that is still there.
fn wanted(delivery: DeliveryId, port: &EffectPort) -> Option<(Option<Route>, Sending)> {
    port.engine.view(|world| {
        let open = world.state.deliveries.get(&delivery)?;
        let routes = &world.state.routes;
        let route = routes
            .iter()
            .find(|(id, _)| id.as_str() == open.queued.route);
        let (mob, since) = (&world.state.mob, open.since.0);
        let sending = Sending {
            // Two mobs of one receiver, and a mob that began anew, have numbers in common.
            id: format!("{delivery}-{mob}-{since}"),
            recipient: open.queued.recipient.clone(),
            channel: open.queued.channel.clone(),
            payload: open.queued.payload.clone(),
            queued: open.since,
            now: port.engine.now(),
            repeated: open.repeated || open.attempts > 1,
        };
        Some((route.map(|(_, route)| route.spec.clone()), sending))
    })
}

fn outcome(sent: Sent) -> AttemptOutcome {
    match sent {
        Sent::Delivered { status, excerpt } => AttemptOutcome::Delivered { status, excerpt },
        Sent::Unknown { reason } => AttemptOutcome::Unknown { reason },
        Sent::Failed(failure) => AttemptOutcome::Failed {
            status: failure.status,
            reason: failure.reason,
            excerpt: failure.excerpt,
            retry_after_ms: failure.retry_after_ms,
            gone: failure.gone,
            hopeless: failure.hopeless,
        },
    }
}
