//! Changes of a module that are answered once it has come to rest.

use crate::context::Context;
use crate::cursor::cursor_refusal;
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::event::{Event, EventFilter};
use mobkit_domain::id::{ModuleId, Seq};
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::ModuleStatus;
use mobkit_engine::{EventReader, Published};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How long a module may take to come to rest before the answer says where it stands by then.
const PATIENCE: Duration = Duration::from_mins(1);
/// Events that are read at a time.
const PAGE_EVENTS: usize = 64;

/// Names a module.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct OfModule {
    /// The module.
    #[serde(alias = "id")]
    pub(super) module: ModuleId,
}

/// A module after a change. Who repeats a request with its key gets the position of the first
/// answer, and the module as it is by then.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct ModuleChanged {
    /// The module.
    module: ModuleId,
    /// Where it stands: at rest, or on its way where that takes longer than a minute. One that
    /// could not be started is `restarting` while its policy tries again.
    state: &'static str,
    /// Why, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Position of the event; of the head where nothing changed.
    seq: Seq,
}

/// Has a command about a module decided, and waits until the module has come to rest.
pub(super) async fn settled(
    cx: &Context,
    module: ModuleId,
    command: ModuleCommand,
) -> Result<ModuleChanged, Refusal> {
    // The reader stands before the command, so it misses nothing that follows.
    let reader = reader(cx, &module).await?;
    let seq = cx.submit(Command::Module(command)).await?.seq();
    // Past the bound the answer says where it stands by then, and the rest goes on by itself.
    if let Ok(rested) = tokio::time::timeout(PATIENCE, rest(cx, &module, reader, seq)).await {
        rested?;
    }
    let found = cx.engine.view(|world| {
        let found = world.state.modules.get(&module);
        found.map(|found| (found.status, found.reason.clone()))
    });
    let (status, reason) = found.unwrap_or((ModuleStatus::Stopped, None));
    Ok(ModuleChanged {
        module,
        state: status.as_str(),
        reason,
        seq,
    })
}

async fn reader(cx: &Context, module: &ModuleId) -> Result<EventReader, Refusal> {
    let filter = EventFilter {
        kinds: vec!["module.*".to_owned()],
        subject: Some(format!("module/{module}")),
        source: None,
    };
    let reader = EventReader::open(&cx.engine, cx.engine.head(), filter).await;
    reader.map_err(|error| cursor_refusal(&error))
}

/// Follows the events of the module until it has come to rest after the command at `seq`.
async fn rest(
    cx: &Context,
    module: &ModuleId,
    mut reader: EventReader,
    seq: Seq,
) -> Result<(), Refusal> {
    while !is_at_rest(cx, module) {
        let passed = reader.next(PAGE_EVENTS).await;
        let passed = passed.map_err(|error| cursor_refusal(&error))?;
        // Without more events the runtime has stopped, and the module with it.
        let Some(passed) = passed else { break };
        let mut since = passed.iter().filter(|event| event.envelope.seq >= seq);
        if since.any(has_failed) {
            break;
        }
    }
    Ok(())
}

fn is_at_rest(cx: &Context, module: &ModuleId) -> bool {
    cx.engine.view(|world| {
        let found = world.state.modules.get(module);
        found.is_none_or(|found| match found.status {
            ModuleStatus::Stopped
            | ModuleStatus::Healthy
            | ModuleStatus::Unhealthy
            | ModuleStatus::Quarantined => true,
            ModuleStatus::Starting | ModuleStatus::Stopping | ModuleStatus::Restarting { .. } => {
                false
            }
        })
    })
}

/// Whether it ended by itself and its policy tries again: that may take as long as it likes.
fn has_failed(event: &Arc<Published>) -> bool {
    match &event.envelope.event {
        Event::ModuleRestarting(e) => e.restarts > 0,
        _ => false,
    }
}
