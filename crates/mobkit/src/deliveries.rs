//! Attempts at deliveries: from the journal's words to those of the sinks, and back.

use mobkit_delivery::{Sending, Sent, Settings, Sinks};
use mobkit_domain::command::{AttemptOutcome, Command, DeliveryCommand};
use mobkit_domain::definition::Route;
use mobkit_domain::id::DeliveryId;
use mobkit_engine::{EffectPort, unstash_value};
use std::path::PathBuf;
use std::sync::Arc;

/// Sends what leaves the mob.
pub(crate) struct Deliveries {
    sinks: Sinks,
}

impl Deliveries {
    /// Deliveries of a mob whose file is in `folder`.
    pub(crate) fn new(folder: PathBuf, settings: Arc<dyn Settings>) -> Self {
        Self {
            sinks: Sinks::new(folder, settings),
        }
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
                outcome(sent.await)
            }
            Err(error) => unsent(format!("the payload can't be read: {error}"), false),
        }
    }
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
