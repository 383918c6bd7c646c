//! Host programs that are connected: how whoever runs an effect or makes a plan asks one of them.
//!
//! What they offer is in the journal; here is only the way to those that are there now.

use crate::engine::Engine;
use async_trait::async_trait;
use mobkit_domain::command::{Command, HostCommand, Submission};
use mobkit_domain::id::HostId;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::tool::ToolSpec;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a host program did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostFailure {
    /// It answered with an error, which this says.
    #[error("{0}")]
    Refused(String),
    /// It is not there, and was asked nothing.
    #[error("the program has gone")]
    Away,
    /// It went after it was asked: nobody knows what came of it.
    #[error("the program went before it answered")]
    Lost,
}

/// What comes of a question that is answered in pieces.
pub type HostPieces = tokio::sync::mpsc::Sender<Value>;

/// The way to one host program.
#[async_trait]
pub trait HostLine: Send + Sync + 'static {
    /// Asks it something. Dropping the future tells it that nobody waits any longer. Pieces of the
    /// answer go to `pieces` as they come, where it is given; one that is full is waited for.
    async fn ask(
        &self,
        method: &'static str,
        params: Value,
        pieces: Option<HostPieces>,
    ) -> Result<Value, HostFailure>;
}

#[derive(Default)]
struct Lines {
    /// The program that the mob is run for.
    owner: Option<Arc<dyn HostLine>>,
    by_tool: BTreeMap<String, Arc<dyn HostLine>>,
}

/// The host programs that are connected. Clones share them.
#[derive(Clone, Default)]
pub struct Hosts {
    lines: Arc<Mutex<Lines>>,
}

impl Hosts {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes known, or forgets, the way to the program that the mob is run for.
    pub fn set_owner(&self, line: Option<Arc<dyn HostLine>>) {
        self.lock().owner = line;
    }

    /// Asks the program that the mob is run for.
    pub async fn ask_owner(
        &self,
        method: &'static str,
        params: Value,
        pieces: Option<HostPieces>,
    ) -> Result<Value, HostFailure> {
        let line = self.lock().owner.clone().ok_or(HostFailure::Away)?;
        line.ask(method, params, pieces).await
    }

    /// Calls a tool of the program that offers it now.
    pub async fn call_tool(&self, tool: &str, params: Value) -> Result<Value, HostFailure> {
        let line = self.lock().by_tool.get(tool).cloned();
        let line = line.ok_or(HostFailure::Away)?;
        line.ask("tool/call", params, None).await
    }

    /// Takes the names of tools; none where one of them is taken.
    fn take(&self, tools: &[ToolSpec], line: &Arc<dyn HostLine>) -> Result<(), Refusal> {
        let mut lines = self.lock();
        let taken = tools
            .iter()
            .find(|tool| lines.by_tool.contains_key(&tool.name));
        if let Some(taken) = taken {
            let message = format!("another program offers the tool {} now", taken.name);
            return Err(
                Refusal::new(RefusalKind::Conflict, "host.tool_taken", message)
                    .hint("give the tool another name, or wait until the other program has gone")
                    .data(json!({ "tool": taken.name })),
            );
        }
        for tool in tools {
            lines.by_tool.insert(tool.name.clone(), Arc::clone(line));
        }
        Ok(())
    }

    fn release<'a>(&self, tools: impl Iterator<Item = &'a str>) {
        let mut lines = self.lock();
        for tool in tools {
            lines.by_tool.remove(tool);
        }
    }
}

impl Engine {
    /// The host programs that are connected.
    pub fn hosts(&self) -> &Hosts {
        &self.shared.hooks.hosts
    }

    /// Lets a program offer tools, over `line`, until [`Engine::host_left`]. Allowed while the
    /// runtime starts: the program that the mob is run for comes first. Members may call the tools
    /// as soon as this is durable; after a crash they are there again once somebody registers them.
    pub async fn register_host(
        &self,
        actor: Principal,
        tools: Vec<ToolSpec>,
        line: &Arc<dyn HostLine>,
    ) -> Result<HostId, Refusal> {
        self.hosts().take(&tools, line)?;
        let names: Vec<String> = tools.iter().map(|tool| tool.name.clone()).collect();
        let submission = Submission {
            command: Command::Host(HostCommand::Register { tools }),
            actor,
            key: None,
            trace: None,
        };
        match self.request(submission, true, None).await {
            Ok(answer) => Ok(HostId(answer.seq())),
            Err(refusal) => {
                self.hosts().release(names.iter().map(String::as_str));
                Err(refusal)
            }
        }
    }

    /// Records that a program serves no longer what it had registered. Calls of its tools are
    /// refused from here on.
    pub async fn host_left(&self, host: HostId, reason: String) {
        let names: Vec<String> = self.view(|world| {
            let hosted = world.state.hosted.iter();
            let of_host = hosted.filter(|(_, tool)| tool.host == Some(host));
            of_host.map(|(name, _)| name.clone()).collect()
        });
        self.hosts().release(names.iter().map(String::as_str));
        let command = Command::Host(HostCommand::Leave { host, reason });
        if let Err(refusal) = self.submit_internal(command).await {
            // The next start knows that nobody is connected.
            tracing::debug!(%refusal, "that a host program left could not be recorded");
        }
    }
}
