//! Recording what a module says without being asked, and listing its tools again.

use super::host::{Said, Voice};
use super::standing::Running;
use crate::client::STRAY_BYTES_MAX;
use crate::log::plain_line;
use crate::rate::Rate;
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::event::{ModuleEvent, ModuleLog};
use mobkit_domain::id::ModuleId;
use mobkit_domain::text::INLINE_BYTES_MAX;
use mobkit_engine::{Engine, stash_text};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Events recorded a second over time, and at once after a pause.
const EVENTS_PER_SECOND: u64 = 10;
const EVENTS_BURST: u64 = 100;
/// The least time between two listings of the tools of a module that keeps saying they changed.
const LISTING_PAUSE: Duration = Duration::from_secs(1);

/// Records what `voice` hears, until the conversation is over.
pub(super) async fn record_voice(
    engine: Engine,
    module: ModuleId,
    running: Arc<Running>,
    mut voice: Voice,
) {
    let mut rate = Rate::new(EVENTS_PER_SECOND, EVENTS_BURST, engine.now());
    let mut may_list = Box::pin(tokio::time::sleep(Duration::ZERO));
    let listing = Arc::clone(&voice.tools_changed);
    loop {
        let wants_listing = async {
            may_list.as_mut().await;
            listing.notified().await;
        };
        let command = tokio::select! {
            said = voice.said.recv() => {
                let Some(said) = said else { return };
                let dropped = &voice.dropped;
                if !rate.admits(engine.now()) {
                    dropped.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let dropped = dropped.swap(0, Ordering::Relaxed);
                heard(&engine, &module, &running, said, dropped).await
            }
            () = wants_listing => {
                may_list.set(tokio::time::sleep(LISTING_PAUSE));
                listed(&module, &running).await
            }
            _ = running.client.closed() => return,
        };
        let Some(command) = command else { continue };
        if let Err(refusal) = engine.submit_internal(command).await {
            tracing::debug!(code = refusal.code, %module, "not recorded: {refusal}");
        }
    }
}

async fn heard(
    engine: &Engine,
    module: &ModuleId,
    running: &Running,
    said: Said,
    dropped: u64,
) -> Option<Command> {
    let module = module.clone();
    Some(Command::Module(match said {
        Said::Event(event) => {
            let event = kept(engine, running.redaction.value(event)).await?;
            ModuleCommand::Said(ModuleEvent {
                module,
                event,
                dropped,
            })
        }
        Said::Stray(line) => {
            let is_whole = line.len() < STRAY_BYTES_MAX;
            let line = plain_line(&running.redaction, line.as_bytes(), is_whole);
            let lines = vec![format!("on its standard output, no part of its protocol: {line}")];
            ModuleCommand::Logged(ModuleLog {
                module,
                lines,
                dropped,
            })
        }
    }))
}

/// The event as the journal may hold it: one that is too long is kept beside it as text.
async fn kept(engine: &Engine, event: Value) -> Option<Value> {
    let text = event.to_string();
    if text.len() <= INLINE_BYTES_MAX {
        return Some(event);
    }
    match stash_text(engine.store().as_ref(), &text).await {
        Ok(text) => serde_json::to_value(text).ok(),
        Err(error) => {
            tracing::warn!(%error, "an event of a module could not be kept");
            None
        }
    }
}

async fn listed(module: &ModuleId, running: &Running) -> Option<Command> {
    match running.client.tools().await {
        Ok(tools) => {
            let tools = tools.into_iter().map(|tool| running.redaction.tool(tool));
            Some(running.healthy(module, Some(tools.collect())))
        }
        Err(error) => {
            tracing::debug!(%module, %error, "its changed tools could not be listed");
            None
        }
    }
}
