//! Starting a module: its settings, its sandbox, its process, the first words with it.

use super::calls::CallsInFlight;
use super::environment::{Environment, Settings};
use super::host::{ModuleHost, Voice};
use super::local::{Local, Speech};
use crate::client::{Client, ClientError, Limits};
use crate::mcp::connect_http;
use crate::process::{Process, Token, Watchdog};
use crate::redaction::Redaction;
use crate::sandbox::Kernel;
use mobkit_domain::command::Ended;
use mobkit_domain::definition::{Module, Setting, Transport};
use mobkit_domain::event::ToolDefinition;
use mobkit_engine::Engine;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// What every start of a runtime has in common.
pub(super) struct Ground {
    /// Where modules run.
    pub(super) folder: PathBuf,
    /// What they get of the host.
    pub(super) environment: Arc<dyn Environment>,
    /// What their processes are known by.
    pub(super) token: Token,
    /// What ends them when nobody else can.
    pub(super) watchdog: Arc<Watchdog>,
    /// What the kernel offers for sandboxes.
    pub(super) kernel: Kernel,
}

/// A module that has said which tools it has.
pub(super) struct Started {
    /// First, so that it is gone when the rest is.
    pub(super) process: Option<Process>,
    pub(super) client: Arc<dyn Client>,
    pub(super) tools: Vec<ToolDefinition>,
    pub(super) sandbox: Option<String>,
    pub(super) calls: Arc<CallsInFlight>,
    pub(super) redaction: Arc<Redaction>,
    pub(super) voice: Voice,
    pub(super) log: Option<JoinHandle<Option<()>>>,
}

/// Why a module could not be started.
#[derive(Debug)]
pub(super) struct NotStarted {
    pub(super) reason: String,
    pub(super) ended: Ended,
}

impl NotStarted {
    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ended: Ended::Failure,
        }
    }

    pub(super) fn hopeless(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ended: Ended::Hopeless,
        }
    }
}

impl From<ClientError> for NotStarted {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Broken(text) => Self::failed(format!("broken protocol: {text}")),
            other => Self::failed(other.to_string()),
        }
    }
}

/// Starts a module. Dropping the future leaves no process.
pub(super) async fn start(
    ground: &Ground,
    engine: &Engine,
    module: &Module,
) -> Result<Started, NotStarted> {
    let settings = match &module.transport {
        Transport::McpHttp { headers, .. } => resolve(headers, ground).await?,
        Transport::McpStdio { .. } | Transport::JsonLines { .. } => {
            resolve(&module.env, ground).await?
        }
    };
    let redaction = Arc::new(settings.redaction());
    let started = match &module.transport {
        Transport::McpHttp { url, .. } => remote(engine, url, settings.values, &redaction).await,
        Transport::McpStdio { command } | Transport::JsonLines { command } => {
            let local = Local {
                ground,
                engine,
                module,
                command,
                environment: settings.environment(ground.environment.as_ref()),
                redaction: &redaction,
            };
            local.start(Speech::of(&module.transport)).await
        }
    };
    started.map_err(|error| NotStarted {
        reason: redaction.text(error.reason),
        ended: error.ended,
    })
}

async fn resolve(
    settings: &BTreeMap<String, Setting>,
    ground: &Ground,
) -> Result<Settings, NotStarted> {
    let found = Settings::resolve(settings, ground.environment.as_ref()).await;
    found.map_err(|missing| NotStarted {
        reason: missing.to_string(),
        ended: missing.ended(),
    })
}

async fn remote(
    engine: &Engine,
    url: &str,
    headers: BTreeMap<String, String>,
    redaction: &Arc<Redaction>,
) -> Result<Started, NotStarted> {
    let calls = Arc::new(CallsInFlight::default());
    let (host, voice) = ModuleHost::new(engine.clone(), Arc::clone(redaction), Arc::clone(&calls));
    let client = connect_http(
        url,
        headers,
        Arc::new(host),
        Limits::default(),
        engine.tasks(),
    );
    let client = client.await?;
    Ok(Started {
        tools: client.tools().await?,
        process: None,
        client,
        sandbox: None,
        calls,
        redaction: Arc::clone(redaction),
        voice,
        log: None,
    })
}
