//! Recording what a module says without being asked, and listing its tools again.

use super::host::{Said, Voice};
use super::standing::Running;
use crate::client::STRAY_BYTES_MAX;
use crate::log::plain_line;
use crate::rate::Rate;
use crate::redaction::Redaction;
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
/// How long a listing may take; the next change is another chance.
const LISTING_PATIENCE: Duration = Duration::from_secs(30);

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
            // What it said before it ended is recorded first.
            biased;
            said = voice.said.recv() => {
                let Some(said) = said else { return };
                let dropped = &voice.dropped;
                if !rate.admits(engine.now()) {
                    dropped.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let dropped = dropped.swap(0, Ordering::Relaxed);
                heard(&engine, &module, &running.redaction, said, dropped).await
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

/// Records the lines of a module that did not come to answer: they may say why.
pub(super) async fn record_last_words(
    engine: &Engine,
    module: &ModuleId,
    redaction: &Redaction,
    mut voice: Voice,
) {
    let mut lines = Vec::new();
    while let Ok(said) = voice.said.try_recv() {
        if let Said::Stray(line) = said {
            lines.push(stray(redaction, &line));
        }
    }
    let dropped = voice.dropped.load(Ordering::Relaxed);
    if !lines.is_empty() {
        let module = module.clone();
        let logged = ModuleCommand::Logged(ModuleLog {
            module,
            lines,
            dropped,
            forgotten: 0,
        });
        if let Err(refusal) = engine.submit_internal(Command::Module(logged)).await {
            tracing::debug!(
                code = refusal.code,
                "last words were not recorded: {refusal}"
            );
        }
    }
}

fn stray(redaction: &Redaction, line: &str) -> String {
    let is_whole = line.len() < STRAY_BYTES_MAX;
    let line = plain_line(redaction, line.as_bytes(), is_whole);
    format!("on its standard output, no part of its protocol: {line}")
}

async fn heard(
    engine: &Engine,
    module: &ModuleId,
    redaction: &Redaction,
    said: Said,
    dropped: u64,
) -> Option<Command> {
    let module = module.clone();
    Some(Command::Module(match said {
        Said::Event(event) => {
            let event = kept(engine, redaction.value(event)).await?;
            ModuleCommand::Said(ModuleEvent {
                module,
                event,
                dropped,
            })
        }
        Said::Stray(line) => ModuleCommand::Logged(ModuleLog {
            module,
            lines: vec![stray(redaction, &line)],
            dropped,
            forgotten: 0,
        }),
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
    let listing = tokio::time::timeout(LISTING_PATIENCE, running.client.tools());
    match listing.await {
        Ok(Ok(tools)) => {
            let tools = tools.into_iter().map(|tool| running.redaction.tool(tool));
            Some(running.healthy(module, Some(tools.collect())))
        }
        Ok(Err(error)) => {
            tracing::warn!(%module, %error, "its changed tools could not be listed");
            None
        }
        Err(_) => {
            tracing::warn!(%module, "it does not list its changed tools");
            None
        }
    }
}
