//! Starting a module that is a child process.

use super::calls::CallsInFlight;
use super::host::ModuleHost;
use super::start::{Ground, NotStarted, Started};
use super::voice::record_last_words;
use super::watch::EXIT_PATIENCE;
use crate::client::{Client, ClientError, Host, Limits};
use crate::json_lines::JsonLines;
use crate::log::record_log;
use crate::mcp::{ConnectError, Opening, connect_stdio};
use crate::process::{Launch, Pipes, Process, describe, sweep};
use crate::redaction::Redaction;
use crate::sandbox::{Needs, prepare};
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::definition::{Module, Transport};
use mobkit_domain::event::{ModuleLog, ToolDefinition};
use mobkit_engine::{Engine, OnError, OnStop, TaskKind, Tasks};
use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::task::JoinHandle;

/// Where programs are searched if the module has no PATH.
const SEARCH: &str = "/usr/bin:/bin";
/// How long the last lines of the log are waited for, so that they stand before the failure.
const LOG_PATIENCE: Duration = Duration::from_millis(200);

const LOG: TaskKind = TaskKind {
    name: "module log",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};

/// How a child speaks, and begins to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speech {
    JsonLines,
    Mcp(Opening),
}

impl Speech {
    pub(super) fn of(transport: &Transport) -> Self {
        match transport {
            Transport::JsonLines { .. } => Self::JsonLines,
            Transport::McpStdio { .. } | Transport::McpHttp { .. } => Self::Mcp(Opening::Discover),
        }
    }
}

/// What a child is started from.
pub(super) struct Local<'a> {
    pub(super) ground: &'a Ground,
    pub(super) engine: &'a Engine,
    pub(super) module: &'a Module,
    pub(super) command: &'a [String],
    pub(super) environment: BTreeMap<String, String>,
    pub(super) redaction: &'a Arc<Redaction>,
}

type Words = (Arc<dyn Client>, Vec<ToolDefinition>);

/// Why a child did not come to answer.
enum Unanswered {
    Exit(std::io::Result<ExitStatus>),
    Words(ConnectError),
}

/// What is to be done about it.
enum Next {
    /// It may answer to an older way to begin.
    OlderWay,
    GiveUp(NotStarted),
}

impl From<NotStarted> for Next {
    fn from(error: NotStarted) -> Self {
        Self::GiveUp(error)
    }
}

impl Local<'_> {
    pub(super) async fn start(&self, speech: Speech) -> Result<Started, NotStarted> {
        match self.attempt(speech).await {
            Ok(started) => return Ok(started),
            Err(Next::GiveUp(error)) => return Err(error),
            Err(Next::OlderWay) => {}
        }
        let again = self.attempt(Speech::Mcp(Opening::Initialize)).await;
        again.map_err(|next| match next {
            Next::GiveUp(error) => error,
            Next::OlderWay => NotStarted::failed("it knows no way to begin"),
        })
    }

    /// Starts a process and lets it say which tools it has. Its end before that is noticed at once.
    async fn attempt(&self, speech: Speech) -> Result<Started, Next> {
        let (mut process, pipes, sandbox) = self.launch().await?;
        let Pipes {
            stdin,
            stdout,
            stderr,
        } = pipes;
        let (engine, tasks) = (self.engine, self.engine.tasks());
        let (module, redaction) = (self.module.id.clone(), Arc::clone(self.redaction));
        let logged = move |lines, dropped| {
            Command::Module(ModuleCommand::Logged(ModuleLog {
                module: module.clone(),
                lines,
                dropped,
                forgotten: 0,
            }))
        };
        let log = tasks.spawn(LOG, record_log(engine.clone(), logged, redaction, stderr));
        let calls = Arc::new(CallsInFlight::default());
        let redaction = Arc::clone(self.redaction);
        let (host, voice) = ModuleHost::new(engine.clone(), redaction, Arc::clone(&calls));
        let answered = tokio::select! {
            biased;
            words = first_words((stdin, stdout), Arc::new(host), tasks, speech) => {
                words.map_err(Unanswered::Words)
            }
            exit = process.exited() => Err(Unanswered::Exit(exit)),
        };
        match answered {
            Ok((client, tools)) => Ok(Started {
                process: Some(process),
                client,
                tools,
                sandbox,
                calls,
                redaction: Arc::clone(self.redaction),
                voice,
                log: Some(log),
            }),
            Err(why) => {
                let next = self.unanswered((process, log), speech, why).await;
                record_last_words(engine, &self.module.id, self.redaction, voice).await;
                Err(next)
            }
        }
    }

    async fn launch(&self) -> Result<(Process, Pipes, Option<String>), NotStarted> {
        let mark = self.ground.token.module(&self.module.id);
        // What an earlier process of the module left behind; there should be nothing.
        let left = sweep(self.engine.tasks(), &mark, None).await;
        if left > 0 {
            tracing::warn!(module = %self.module.id, left, "processes were left and killed");
        }
        let needs = Needs {
            command: self.command,
            folder: &self.ground.folder,
            search: self.environment.get("PATH").map_or(SEARCH, String::as_str),
        };
        let (ruleset, sandbox) = match &self.module.sandbox {
            Some(sandbox) => {
                let prepared = prepare(sandbox, self.ground.kernel, needs);
                let (ruleset, line) = prepared.map_err(NotStarted::hopeless)?;
                (ruleset, Some(line))
            }
            None => (None, None),
        };
        let launch = Launch {
            command: self.command.to_vec(),
            folder: self.ground.folder.clone(),
            environment: self.environment.clone().into_iter().collect(),
            mark,
            ruleset,
        };
        let started = Process::start(launch, Arc::clone(&self.ground.watchdog)).await;
        let (process, pipes) = started.map_err(|error| {
            let program = self.command.first().map_or("", String::as_str);
            NotStarted::failed(format!("{program} could not be started: {error}"))
        })?;
        Ok((process, pipes, sandbox))
    }

    /// Leaves nothing of a process that did not answer, and says why it did not.
    async fn unanswered(
        &self,
        (mut process, log): (Process, JoinHandle<Option<()>>),
        speech: Speech,
        why: Unanswered,
    ) -> Next {
        let exit = match &why {
            Unanswered::Words(ConnectError::Failed(ClientError::Closed)) => {
                let exit = tokio::time::timeout(EXIT_PATIENCE, process.exited()).await;
                exit.ok().and_then(Result::ok)
            }
            Unanswered::Exit(Ok(status)) => Some(*status),
            Unanswered::Exit(Err(_)) | Unanswered::Words(_) => None,
        };
        process.end(self.engine.tasks()).await;
        let _ = tokio::time::timeout(LOG_PATIENCE, log).await;
        let discovering = speech == Speech::Mcp(Opening::Discover);
        match (exit, why) {
            // Some servers of old end where they don't know the first word.
            (_, Unanswered::Words(ConnectError::Undiscovered(_)) | Unanswered::Exit(_))
                if discovering =>
            {
                Next::OlderWay
            }
            (Some(status), _) if status.success() => {
                NotStarted::failed("exit status 0 before it answered").into()
            }
            (Some(status), _) => NotStarted::failed(describe(status)).into(),
            (None, Unanswered::Exit(error)) => {
                let error = error.err().map(|error| error.to_string());
                NotStarted::failed(error.unwrap_or_default()).into()
            }
            (None, Unanswered::Words(error)) => NotStarted::from(ClientError::from(error)).into(),
        }
    }
}

/// The conversation, and the tools.
async fn first_words(
    (stdin, stdout): (ChildStdin, ChildStdout),
    host: Arc<dyn Host>,
    tasks: &Tasks,
    speech: Speech,
) -> Result<Words, ConnectError> {
    let limits = Limits::default();
    let client: Arc<dyn Client> = match speech {
        Speech::JsonLines => Arc::new(JsonLines::connect(stdin, stdout, host, limits, tasks)),
        Speech::Mcp(opening) => connect_stdio(stdin, stdout, host, limits, tasks, opening).await?,
    };
    let tools = client.tools().await.map_err(ConnectError::Failed)?;
    Ok((client, tools))
}
