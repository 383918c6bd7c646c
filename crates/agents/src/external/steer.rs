//! Messages that join a turn while an engine runs it.

use super::port::TurnPort;
use super::runner::ExternalEngines;
use super::seam::{EngineError, SteerInput, TurnEngine, TurnInput};
use crate::native::user_item;
use futures::future::BoxFuture;
use mobkit_domain::command::{Command, TurnCommand};
use mobkit_domain::event::Fence;
use mobkit_domain::id::{MemberId, MessageId, TurnId};
use mobkit_engine::Engine;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How long an engine may take to take a message in.
const STEER_TIMEOUT: Duration = Duration::from_secs(30);

/// The place of a turn among those that run, as long as it runs.
struct Place<'e> {
    engines: &'e ExternalEngines,
    turn: TurnId,
    news: Arc<Notify>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut running = self.engines.running();
        if running
            .get(&self.turn)
            .is_some_and(|now| Arc::ptr_eq(now, &self.news))
        {
            running.remove(&self.turn);
        }
    }
}

impl ExternalEngines {
    /// A message waits to join a turn. A turn that has not begun in this process looks by itself.
    pub fn steer(&self, turn: TurnId) {
        if let Some(news) = self.running().get(&turn) {
            news.notify_one();
        }
    }

    /// Runs a turn to its end, and lets messages join it meanwhile.
    pub(super) async fn run(
        &self,
        engine: Arc<dyn TurnEngine>,
        input: TurnInput,
        port: TurnPort,
    ) -> Result<String, EngineError> {
        let (turn, member, fence) = (input.turn, input.member.clone(), input.fence);
        let mob = port.mob().clone();
        let news = Arc::new(Notify::new());
        self.running().insert(turn, Arc::clone(&news));
        let place = Place {
            engines: self,
            turn,
            news,
        };
        let mut run = engine.run_turn(input, port);
        let mut joining: Option<BoxFuture<'_, ()>> = None;
        let mut tried = BTreeSet::new();
        let outcome = loop {
            if joining.is_none()
                && let Some(message) = next(&mob, turn, &tried)
            {
                tried.insert(message);
                let offered = (turn, &member, fence);
                joining = Some(Box::pin(offer(engine.as_ref(), &mob, offered, message)));
            }
            tokio::select! {
                biased;
                outcome = &mut run => break outcome,
                () = place.news.notified() => {}
                () = joined(&mut joining) => joining = None,
            }
        };
        if let Some(joining) = joining {
            // What the engine took in belongs to this turn, so it is recorded before its end.
            joining.await;
        }
        outcome
    }
}

/// The end of the offer that runs; without one, never.
async fn joined(joining: &mut Option<BoxFuture<'_, ()>>) {
    match joining {
        Some(joining) => joining.await,
        None => std::future::pending().await,
    }
}

/// The message that has waited longest to join the turn, of those that were not offered yet.
fn next(mob: &Engine, turn: TurnId, tried: &BTreeSet<MessageId>) -> Option<MessageId> {
    mob.view(|world| {
        let steers = world.state.turns.get(&turn).is_some_and(|turn| {
            let member = world.state.members.get(&turn.member);
            member
                .and_then(|member| member.offers)
                .is_some_and(|offers| offers.steer)
        });
        let mut waiting = world.state.steering(turn).filter(|id| !tried.contains(id));
        waiting.next().filter(|_| steers)
    })
}

/// Gives a message to the engine, and records that the turn has it.
async fn offer(
    engine: &dyn TurnEngine,
    mob: &Engine,
    (turn, member, fence): (TurnId, &MemberId, Fence),
    message: MessageId,
) {
    let said = match user_item(mob, message).await {
        Ok(Some(said)) => said,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(%turn, %message, "a message could not be read: {error}");
            return;
        }
    };
    let input = SteerInput {
        turn,
        member: member.clone(),
        message,
        text: said.text,
        from: said.from,
    };
    let taken = tokio::time::timeout(STEER_TIMEOUT, engine.steer(input)).await;
    match taken {
        Ok(Ok(())) => {
            let command = TurnCommand::EngineSteered {
                turn,
                fence,
                message,
            };
            if let Err(refusal) = mob.submit_internal(Command::Turn(command)).await {
                tracing::debug!(code = refusal.code, "a message joined too late: {refusal}");
            }
        }
        Ok(Err(error)) => tracing::debug!(%turn, %message, "it gets a turn of its own: {error}"),
        Err(_) => tracing::warn!(%turn, %message, "the engine did not take it in in time"),
    }
}
