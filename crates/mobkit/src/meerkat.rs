//! The Meerkat runtime as a child of this process: where its program is, and how it is started.

use crate::secrets::{HostEnvironment, Variables};
use async_trait::async_trait;
use mobkit_agents::meerkat::{
    Child, ChildProcess, Connection, Flooded, Home, Launcher, Listener, NotFound, Program, find,
    handshake,
};
use mobkit_domain::command::{Command, EngineCommand};
use mobkit_domain::definition::{Definition, Engine as EngineKind, Secret, Setting};
use mobkit_engine::{Engine, OnError, OnStop, TaskKind, Tasks};
use mobkit_modules::{
    Environment, Pipes, Process, Processes, Redaction, Start, describe, record_log,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// What its processes are known by.
const NAME: &str = "meerkat";
/// How long the last lines of the log are waited for, so that they stand before the end.
const LOG_PATIENCE: Duration = Duration::from_millis(200);
/// How long tasks that only read and write a dead process may take to end.
const TASKS_PATIENCE: Duration = Duration::from_secs(1);

const LOG: TaskKind = TaskKind {
    name: "engine log",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};

/// Starts the runtime as a child of this process.
pub(crate) struct MeerkatLauncher {
    pub(crate) host: Arc<HostEnvironment>,
    /// Absent where the operating system gives no chance, and why.
    pub(crate) processes: Result<Processes, String>,
}

#[async_trait]
impl Launcher for MeerkatLauncher {
    fn find(&self, program: &str) -> Result<PathBuf, NotFound> {
        let search = self.variable("PATH");
        find(program, &self.host.folder, search.as_deref())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.host.variable(name)
    }

    async fn secret(&self, secret: &Secret) -> Result<String, String> {
        let setting = Setting::Secret(secret.clone());
        Environment::setting(self.host.as_ref(), &setting).await
    }

    async fn launch(&self, program: Program, mob: &Engine) -> Result<Child, String> {
        let redaction = Arc::new(Redaction::of(program.secrets.clone()));
        let processes = self.processes.as_ref().map_err(Clone::clone)?;
        let (process, pipes) = started(processes, program, mob.tasks()).await?;
        let Pipes {
            stdin,
            stdout,
            stderr,
        } = pipes;
        let logged = |lines, dropped| {
            let engine = EngineKind::Meerkat;
            Command::Engine(EngineCommand::Logged {
                engine,
                lines,
                dropped,
            })
        };
        let recording = record_log(mob.clone(), logged, Arc::clone(&redaction), stderr);
        let process = Running {
            log: mob.tasks().spawn(LOG, recording),
            process,
            redaction,
            tasks: mob.tasks().clone(),
        };
        Ok(Child {
            input: Box::new(stdin),
            output: Box::new(stdout),
            process: Box::new(process),
        })
    }
}

async fn started(
    processes: &Processes,
    program: Program,
    tasks: &Tasks,
) -> Result<(Process, Pipes), String> {
    let path = program.path.to_string_lossy().into_owned();
    let mut command = vec![path.clone()];
    command.extend(program.arguments);
    let start = Start {
        name: NAME,
        command,
        folder: program.folder,
        environment: program.environment.into_iter().collect(),
    };
    let started = processes.start(start, tasks).await;
    started.map_err(|error| format!("{path} could not be started: {error}"))
}

/// A process of the runtime.
struct Running {
    process: Process,
    log: JoinHandle<Option<()>>,
    redaction: Arc<Redaction>,
    tasks: Tasks,
}

#[async_trait]
impl ChildProcess for Running {
    fn pid(&self) -> u32 {
        self.process.pid()
    }

    async fn exited(&mut self) -> String {
        match self.process.exited().await {
            Ok(status) => describe(status),
            Err(error) => format!("its end could not be observed: {error}"),
        }
    }

    fn terminate(&mut self) {
        self.process.terminate();
    }

    fn kill(&mut self) {
        self.process.kill();
    }

    fn without_secrets(&self, text: String) -> String {
        self.redaction.text(text)
    }

    async fn end(self: Box<Self>) {
        let left = self.process.end(&self.tasks).await;
        if left > 0 {
            tracing::warn!(left, "processes of the engine meerkat were left and killed");
        }
        let _ = tokio::time::timeout(LOG_PATIENCE, self.log).await;
    }
}

/// The program of the Meerkat runtime, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMeerkat {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of its version.
    pub version: String,
}

/// Finds the program of the Meerkat runtime that a definition names, and asks it for its version.
///
/// `folder` is that of the mob file, `variables` the environment, and `scratch` a folder that is
/// made for the time of the question, in which the program may write. The error is one line: what
/// was looked for and where, or what is wrong with what was found, and the next step.
pub async fn find_meerkat(
    definition: &Definition,
    folder: &Path,
    variables: &Variables,
    scratch: &Path,
) -> Result<FoundMeerkat, String> {
    let spec = definition.engine_spec(EngineKind::Meerkat);
    let mut command = spec.map_or_else(Vec::new, |spec| spec.command).into_iter();
    let program = command.next().unwrap_or_default();
    let path = find(&program, folder, variables("PATH").as_deref());
    let path = path.map_err(|missing| missing.to_string())?;
    let home = Home::of(scratch, definition.id.as_str());
    let made = home.prepare("");
    made.map_err(|error| format!("{} can't be used: {error}", scratch.display()))?;
    let mut arguments: Vec<String> = command.collect();
    arguments.extend(home.arguments());
    let program = Program {
        path: path.clone(),
        folder: home.folder(),
        arguments,
        environment: home.environment(|name| variables(name)),
        secrets: Vec::new(),
    };
    let version = asked(program).await;
    // What could not be removed is of no use to anybody, and of no harm.
    let _ = std::fs::remove_dir_all(scratch);
    match version {
        Ok(version) => Ok(FoundMeerkat { path, version }),
        Err(reason) => Err(format!("{} {reason}", path.display())),
    }
}

/// Asks a program for its version.
async fn asked(program: Program) -> Result<String, String> {
    let tasks = Tasks::new();
    let (mut process, pipes) = started(&Processes::new()?, program, &tasks).await?;
    let Pipes {
        stdin,
        stdout,
        mut stderr,
    } = pipes;
    tasks.spawn(LOG, async move {
        // A full pipe would hold it up.
        let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    });
    let connection = Connection::over(stdin, stdout, Arc::new(Deaf), &tasks);
    let version = tokio::select! {
        biased;
        version = handshake(&connection) => version.map_err(|error| error.to_string()),
        exit = process.exited() => Err(match exit {
            Ok(status) => format!("ended before it answered: {}", describe(status)),
            Err(error) => error.to_string(),
        }),
    };
    process.end(&tasks).await;
    tasks.stop(TASKS_PATIENCE).await;
    version
}

/// Hears nothing: a program that is asked for its version has nothing else to say.
struct Deaf;

impl Listener for Deaf {
    fn notification(&self, _: &str, _: Value) -> Result<(), Flooded> {
        Ok(())
    }

    fn call(&self, _: String, _: &str, _: Value) -> Result<(), Flooded> {
        Ok(())
    }

    fn closed(&self, _: &str) {}
}
