//! Ids of the mob that runs here, for a shell that waits for them.

use crate::client::ServerArgs;
use crate::environment;
use crate::terminal::{Output, Show, visible_line};
use clap_complete::CompletionCandidate;
use serde_json::{Value, json};
use std::time::Duration;

/// Somebody has pressed a key and waits.
const PATIENCE: Duration = Duration::from_millis(150);
/// Nobody reads more.
const SHOWN_MAX: u64 = 200;

/// What can be named.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ids {
    Members,
    Modules,
    Routes,
    Approvals,
    Schedules,
    Deliveries,
    Grants,
}

impl Ids {
    /// The operation that lists them, the noun of its answer, and what describes each.
    fn list(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Members => ("member/list", "members", "state"),
            Self::Modules => ("module/list", "modules", "state"),
            Self::Routes => ("route/list", "routes", "sink"),
            Self::Approvals => ("approval/list", "approvals", "tool"),
            Self::Schedules => ("schedule/list", "schedules", "next"),
            Self::Deliveries => ("delivery/list", "deliveries", "state"),
            Self::Grants => ("grant/list", "grants", "tool"),
        }
    }
}

/// What the server has; nothing where none answers at once.
pub(super) fn candidates(ids: Ids) -> Vec<CompletionCandidate> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return Vec::new();
    };
    let listed = runtime.block_on(async { tokio::time::timeout(PATIENCE, listed(ids)).await });
    runtime.shutdown_background();
    listed.ok().flatten().unwrap_or_default()
}

async fn listed(ids: Ids) -> Option<Vec<CompletionCandidate>> {
    let quiet = Show {
        quiet: true,
        ..Show::default()
    };
    let output = Output::new(&quiet, environment::variable);
    let server = ServerArgs {
        url: environment::variable("MOBKIT_URL"),
        token: environment::variable("MOBKIT_TOKEN"),
        ..ServerArgs::default()
    };
    let client = server.client(&output, None, Duration::ZERO).ok()?;
    let (operation, noun, about) = ids.list();
    let answer = client
        .call_once(operation, &json!({"limit": SHOWN_MAX}))
        .await;
    let answer = answer.ok()?;
    let entries = answer[noun].as_array()?.iter();
    Some(
        entries
            .filter_map(|entry| candidate(entry, about))
            .collect(),
    )
}

fn candidate(entry: &Value, about: &str) -> Option<CompletionCandidate> {
    let id = entry["id"].as_str()?;
    let help = entry[about].as_str().map(visible_line);
    Some(CompletionCandidate::new(id).help(help.map(Into::into)))
}
