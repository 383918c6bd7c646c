//! A call of a module's tool.

use super::modules::Modules;
use super::standing::{Order, Running, Standing};
use crate::client::{Call, ClientError};
use mobkit_domain::command::ToolOutcome;
use mobkit_domain::definition::Module;
use mobkit_domain::event::EventFilter;
use mobkit_domain::id::{CallId, ModuleId, TurnId};
use mobkit_domain::state::ModuleStatus;
use mobkit_domain::text::INLINE_BYTES_MAX;
use mobkit_domain::world::World;
use mobkit_engine::{Engine, EventReader, stash_text, unstash_value};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// How long a call waits for a module that is being started.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How long the reason is waited for why a module ended in a call.
const END_PATIENCE: Duration = Duration::from_secs(10);

/// A call that somebody wants.
pub(super) struct Wanted<'a> {
    pub(super) turn: Option<TurnId>,
    pub(super) call: CallId,
    pub(super) module: ModuleId,
    /// Name of the tool within the module.
    pub(super) tool: &'a str,
    pub(super) args: Value,
}

/// What came of the exchange with the module.
enum Exchange {
    Answered(Result<String, ClientError>),
    TimedOut(Duration),
}

impl Modules {
    /// Makes a call. Dropping the future cancels it at the module.
    pub(super) async fn call(&self, wanted: Wanted<'_>, engine: &Engine) -> ToolOutcome {
        let id = wanted.module.clone();
        let running = match self.answering(&id, engine).await {
            Ok(running) => running,
            Err(reason) => return ToolOutcome::Failed(reason),
        };
        let defined = engine.view(|world| defined(world, &id).map(|module| module.timeout_ms));
        let Some(timeout_ms) = defined else {
            return ToolOutcome::Failed(format!("module {id} is no longer part of the mob"));
        };
        let args = match unstash_value(engine.store().as_ref(), wanted.args).await {
            Ok(args) => args,
            Err(error) => {
                return ToolOutcome::Failed(format!("its arguments could not be read: {error}"));
            }
        };
        let call = Call {
            id: wanted.call,
            tool: wanted.tool.to_owned(),
            args,
        };
        let tool = format!("module:{id}/{}", wanted.tool);
        let limit = Duration::from_millis(timeout_ms);
        match exchange(&running, (call, wanted.turn), limit, engine).await {
            Exchange::Answered(answer) => came_of(answer, &id, &running, engine).await,
            Exchange::TimedOut(limit) => {
                let doubt = format!("no answer to {tool} within {limit:?}");
                let reason = format!("module {id} gave no answer within {limit:?}");
                // One that waits already will do.
                let _ = running.orders.try_send(Order::Probe { doubt });
                ToolOutcome::Lost(reason)
            }
        }
    }

    /// The module, as soon as it answers. The error is told to the agent.
    async fn answering(&self, id: &ModuleId, engine: &Engine) -> Result<Arc<Running>, String> {
        let place = self.place(id);
        if let Some(running) = place.running() {
            return Ok(running);
        }
        let mut standing = place.subscribe();
        let filter = EventFilter {
            kinds: vec!["module.*".to_owned()],
            ..EventFilter::default()
        };
        let reader = EventReader::open(engine, engine.head(), filter).await;
        let mut events = reader.map_err(|error| error.to_string())?;
        let patience = tokio::time::sleep(START_PATIENCE);
        tokio::pin!(patience);
        loop {
            if let Standing::Running(running) = &*standing.borrow_and_update() {
                return Ok(Arc::clone(running));
            }
            if let Some(reason) = engine.view(|world| not_coming(world, id)) {
                return Err(reason);
            }
            tokio::select! {
                // Its sender is the place.
                _ = standing.changed() => {}
                event = events.next(64) => match event {
                    Ok(Some(_)) => {}
                    Ok(None) => return Err("mobkit is shutting down".to_owned()),
                    Err(error) => return Err(error.to_string()),
                },
                () = &mut patience => {
                    let patience = START_PATIENCE.as_secs();
                    return Err(format!("module {id} did not answer within {patience} s"));
                }
            }
        }
    }
}

pub(super) fn defined<'w>(world: &'w World, id: &ModuleId) -> Option<&'w Module> {
    world
        .definition
        .modules
        .iter()
        .find(|module| module.id == *id)
}

/// Why it is of no use to wait for a module.
fn not_coming(world: &World, id: &ModuleId) -> Option<String> {
    let Some(module) = world.state.modules.get(id) else {
        return Some(format!("there is no module {id}"));
    };
    match module.status {
        ModuleStatus::Starting
        | ModuleStatus::Restarting { .. }
        | ModuleStatus::Healthy
        | ModuleStatus::Unhealthy => None,
        ModuleStatus::Stopped | ModuleStatus::Stopping | ModuleStatus::Quarantined => {
            let status = module.status.as_str();
            Some(match &module.reason {
                Some(reason) => format!("module {id} is {status}: {reason}"),
                None => format!("module {id} is {status}"),
            })
        }
    }
}

/// Speaks with the module. Its time begins anew whenever it gets on, and stands still while a
/// person is asked.
async fn exchange(
    running: &Running,
    (call, turn): (Call, Option<TurnId>),
    limit: Duration,
    engine: &Engine,
) -> Exchange {
    let mut in_flight = running.calls.begin(call.id, turn, engine.now());
    let answer = running.client.call(call);
    tokio::pin!(answer);
    loop {
        let is_asking = in_flight.pulse.borrow_and_update().waits_for_a_person();
        tokio::select! {
            biased;
            answer = &mut answer => return Exchange::Answered(answer),
            // Its sender is the call itself.
            _ = in_flight.pulse.changed() => {}
            () = tokio::time::sleep(limit), if !is_asking => return Exchange::TimedOut(limit),
        }
    }
}

async fn came_of(
    answer: Result<String, ClientError>,
    id: &ModuleId,
    running: &Running,
    engine: &Engine,
) -> ToolOutcome {
    let redaction = &running.redaction;
    match answer {
        Ok(result) => {
            let result = redaction.text(result);
            match stash_text(engine.store().as_ref(), &result).await {
                Ok(kept) => ToolOutcome::Finished(kept),
                Err(error) => ToolOutcome::Lost(format!("the result could not be kept: {error}")),
            }
        }
        Err(ClientError::Refused(reason) | ClientError::Failed(reason)) => {
            ToolOutcome::Failed(cut(redaction.text(reason)))
        }
        Err(ClientError::Lost(reason)) => {
            let reason = redaction.text(reason);
            ToolOutcome::Lost(cut(format!("module {id} gave no result: {reason}")))
        }
        Err(error @ (ClientError::Closed | ClientError::Broken(_))) => {
            let mut ended = running.ended.clone();
            let reason = tokio::time::timeout(END_PATIENCE, ended.wait_for(Option::is_some)).await;
            let reason = reason.ok().and_then(|ended| ended.ok()?.clone());
            let reason = reason.unwrap_or_else(|| redaction.text(error.to_string()));
            ToolOutcome::Lost(cut(format!("module {id} ended in the call: {reason}")))
        }
    }
}

/// The reason as an event may hold it.
fn cut(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(INLINE_BYTES_MAX));
    reason
}
