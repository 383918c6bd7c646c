//! The task that watches over the process: from its start to its end, and on to the next.

use super::config::Config;
use super::connection::Connection;
use super::handshake::{HandshakeError, handshake};
use super::home::Home;
use super::launch::{Child, ChildProcess, Program};
use super::supervision::{Live, Shared, Standing};
use mobkit_domain::command::{Command, EngineCommand};
use mobkit_domain::definition::{Engine as EngineKind, Secret};
use mobkit_domain::engine::restart_at;
use mobkit_domain::event::StopOutcome;
use mobkit_domain::time::Time;
use mobkit_engine::Engine;
use std::sync::Arc;
use std::time::Duration;

/// How long it may take to be made ready: the first use of a mob brings back all its members.
const ATTACH_PATIENCE: Duration = Duration::from_mins(2);
/// How long it may take to end once it has closed its output.
const EXIT_PATIENCE: Duration = Duration::from_secs(1);
/// How long it has for each step of its end: its input is closed, then it is asked by SIGTERM, then
/// it is killed.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
const TERMINATE_PATIENCE: Duration = Duration::from_secs(1);
/// How many restarts are remembered; more than any policy counts.
const RECENT_MAX: usize = 64;
const LOG_HINT: &str = "what it wrote (`engine.log` in the journal) may say why; mend that";

/// The task that watches over the process.
pub(super) struct Life {
    shared: Arc<Shared>,
    mob: Engine,
    /// When it was started again after an end that nobody wanted.
    recent: Vec<Time>,
}

/// Why a process ended, or never came up.
enum End {
    /// It was told to, since mobkit stops.
    Told { outcome: StopOutcome, seen: String },
    /// It was told to, since it is to be started with other models.
    Outdated { outcome: StopOutcome },
    /// Nobody wanted it; another try may go better.
    Failed(String),
    /// It will fail each time.
    Hopeless(String),
    /// It was to be stopped before there was a process.
    Never,
}

impl End {
    fn reason(&self) -> &str {
        match self {
            Self::Failed(reason) | Self::Hopeless(reason) => reason,
            Self::Outdated { .. } => "the models of the mob file have changed",
            Self::Told { .. } | Self::Never => "shutdown",
        }
    }
}

/// What follows an end.
enum Next {
    /// Another start, not before this time.
    Start(Time),
    /// Nothing, and this is how it stands.
    Rest(Standing),
}

/// What an order asks for.
enum Order {
    Stop,
    Replace,
}

impl Life {
    /// Watches over the process of a mob.
    pub(super) fn of(shared: Arc<Shared>, mob: Engine) -> Self {
        Self {
            shared,
            mob,
            recent: Vec::new(),
        }
    }

    /// Starts the process again and again, until it is stopped or given up.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        // Whatever ends this task, nobody waits for it in vain.
        let mut fate = Fate {
            shared: &shared,
            standing: Standing::Stopped("it ended with mobkit".to_owned()),
        };
        loop {
            let start = self.shared.ended.borrow().0 + 1;
            let end = self.once(start).await;
            let reason = end.reason().to_owned();
            match self.record(end).await {
                Next::Start(not_before) => {
                    self.shared.standing.send_replace(Standing::Starting);
                    self.shared.ended.send_replace((start, reason));
                    self.pause(not_before).await;
                }
                Next::Rest(standing) => {
                    fate.standing = standing;
                    self.shared.ended.send_replace((start, reason));
                    return;
                }
            }
        }
    }

    async fn pause(&self, not_before: Time) {
        let pause = Duration::from_millis(not_before.since_ms(self.mob.now()));
        tokio::select! {
            biased;
            () = self.shared.stopping.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Records an end, and says what follows.
    async fn record(&mut self, end: End) -> Next {
        let now = self.mob.now();
        let reason = end.reason().to_owned();
        let (outcome, restart, next) = match end {
            End::Never => {
                let seen = "it was not running".to_owned();
                return Next::Rest(Standing::Stopped(seen));
            }
            End::Told { outcome, seen } => {
                (Some(outcome), None, Next::Rest(Standing::Stopped(seen)))
            }
            End::Outdated { outcome } => (Some(outcome), Some(now), Next::Start(now)),
            End::Hopeless(reason) => return self.give_up(&reason).await,
            End::Failed(_) => {
                let Some(at) = restart_at(&self.recent, now) else {
                    let reason = format!("it ended too often, at last: {reason}; {LOG_HINT}");
                    return self.give_up(&reason).await;
                };
                self.recent.push(now);
                let many = self.recent.len().saturating_sub(RECENT_MAX);
                self.recent.drain(..many);
                (None, Some(at), Next::Start(at))
            }
        };
        self.submit(EngineCommand::Stopped {
            engine: EngineKind::Meerkat,
            reason,
            outcome,
            restart,
        })
        .await;
        next
    }

    async fn give_up(&self, reason: &str) -> Next {
        let reason = format!("the engine meerkat was given up: {reason}; then respawn its members");
        let gave_up = Some(reason.clone());
        self.submit(EngineCommand::Failed {
            engine: EngineKind::Meerkat,
            reason,
            outcome: None,
        })
        .await;
        Next::Rest(Standing::Down { gave_up })
    }

    /// One process, from its start to its end.
    async fn once(&self, start: u64) -> End {
        let launched = tokio::select! {
            biased;
            () = self.shared.stopping.cancelled() => return End::Never,
            launched = self.launch() => launched,
        };
        let (child, config) = match launched {
            Ok(launched) => launched,
            Err(end) => return end,
        };
        let Child {
            input,
            output,
            mut process,
        } = child;
        let listener = self.shared.attach.listener(start);
        let live = Live {
            connection: Connection::over(input, output, listener, self.mob.tasks()),
            start,
            config: Arc::new(config),
        };
        let end = self.watch(&live, process.as_mut()).await;
        // Nothing is left of it before anybody learns of its end.
        process.end().await;
        live.connection.break_off(end.reason());
        end
    }

    /// Everything that is needed for a start, and the start.
    async fn launch(&self) -> Result<(Child, Config), End> {
        let launcher = &self.shared.launcher;
        let definition = self.mob.view(|world| Arc::clone(&world.definition));
        let spec = definition.engine_spec(EngineKind::Meerkat);
        let mut command = spec.map_or_else(Vec::new, |spec| spec.command).into_iter();
        let program = command.next().unwrap_or_default();
        let path = launcher.find(&program);
        let path = path.map_err(|missing| End::Hopeless(missing.to_string()))?;
        let config = Config::of(&definition).map_err(|e| End::Hopeless(e.to_string()))?;
        let home = Home::of(&self.shared.state_dir, self.mob.mob().as_str());
        home.prepare(&config.text)
            .map_err(|error| End::Failed(format!("its private folders can't be made: {error}")))?;
        let mut environment = home.environment(|name| launcher.variable(name));
        let mut secrets = Vec::new();
        for (name, secret) in &config.keys {
            let value = launcher.secret(secret).await.map_err(|reason| {
                let reason = format!("a key of a model is missing: {reason}");
                match secret {
                    // The environment of this process never changes.
                    Secret::Env(_) => End::Hopeless(reason),
                    Secret::File(_) | Secret::Command(_) => End::Failed(reason),
                }
            })?;
            secrets.push(value.clone());
            environment.insert(name.clone(), value);
        }
        let mut arguments: Vec<String> = command.collect();
        arguments.extend(home.arguments());
        let program = Program {
            path,
            folder: home.folder(),
            arguments,
            environment,
            secrets,
        };
        let child = launcher
            .launch(program, &self.mob)
            .await
            .map_err(End::Failed)?;
        Ok((child, config))
    }

    /// Makes it ready, and waits for its end or for an order to end it.
    async fn watch(&self, live: &Live, process: &mut dyn ChildProcess) -> End {
        let pid = process.pid();
        let ended = tokio::select! {
            biased;
            order = self.order(live.start) => Err(order),
            exit = process.exited() => Ok(End::Failed(exit)),
            end = self.serve(live, pid) => Ok(end),
        };
        match ended {
            Err(order) => self.obey(&order, live, process).await,
            Ok(End::Failed(reason)) => {
                let reason = why(&live.connection, process, reason).await;
                End::Failed(process.without_secrets(reason))
            }
            Ok(other) => other,
        }
    }

    /// Makes it ready, and waits until it speaks no longer.
    async fn serve(&self, live: &Live, pid: u32) -> End {
        let version = match handshake(&live.connection).await {
            Ok(version) => version,
            Err(HandshakeError::Failed(reason)) => return End::Failed(reason),
            Err(HandshakeError::Other(reason)) => return End::Hopeless(reason),
        };
        let attaching = self.shared.attach.attach(live, &self.mob);
        match tokio::time::timeout(ATTACH_PATIENCE, attaching).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => return End::Failed(reason),
            Err(_) => {
                let patience = ATTACH_PATIENCE.as_secs();
                return End::Failed(format!("was not ready within {patience} s"));
            }
        }
        self.submit(EngineCommand::Started {
            engine: EngineKind::Meerkat,
            pid,
            version,
        })
        .await;
        let up = Standing::Up(live.clone());
        self.shared.standing.send_replace(up);
        live.connection.closed().cancelled().await;
        End::Failed(live.connection.reason())
    }

    /// Waits until this process is to be ended.
    async fn order(&self, start: u64) -> Order {
        let mut outdated = self.shared.outdated.subscribe();
        tokio::select! {
            biased;
            () = self.shared.stopping.cancelled() => Order::Stop,
            _ = outdated.wait_for(|last| *last >= start) => Order::Replace,
        }
    }

    /// Ends it in order.
    async fn obey(&self, order: &Order, live: &Live, process: &mut dyn ChildProcess) -> End {
        let began = self.mob.now();
        let outcome = bring_to_end(&live.connection, process).await;
        let took_ms = self.mob.now().since_ms(began);
        match order {
            Order::Replace => End::Outdated { outcome },
            Order::Stop => {
                let how = match outcome {
                    StopOutcome::Exited => "ended by itself",
                    StopOutcome::Terminated => "ended at SIGTERM",
                    StopOutcome::Killed => "had to be killed",
                };
                let seen = format!("process {} {how} after {took_ms} ms", process.pid());
                End::Told { outcome, seen }
            }
        }
    }

    async fn submit(&self, command: EngineCommand) {
        let submitted = self.mob.submit_internal(Command::Engine(command));
        if let Err(refusal) = submitted.await {
            tracing::debug!(code = refusal.code, "not recorded: {refusal}");
        }
    }
}

/// Why a process that speaks no longer ended: how it did says more than that it is silent.
async fn why(connection: &Connection, process: &mut dyn ChildProcess, reason: String) -> String {
    if !connection.closed().is_cancelled() {
        return reason;
    }
    if connection.is_broken() {
        return format!("broken protocol: {}", connection.reason());
    }
    let exited = tokio::time::timeout(EXIT_PATIENCE, process.exited()).await;
    exited.unwrap_or(reason)
}

/// Has a process end by itself, else at SIGTERM, else by force.
async fn bring_to_end(connection: &Connection, process: &mut dyn ChildProcess) -> StopOutcome {
    connection.close_input();
    let by_itself = tokio::time::timeout(CLOSE_PATIENCE, process.exited()).await;
    if by_itself.is_ok() {
        return StopOutcome::Exited;
    }
    process.terminate();
    let asked = tokio::time::timeout(TERMINATE_PATIENCE, process.exited()).await;
    if asked.is_ok() {
        return StopOutcome::Terminated;
    }
    process.kill();
    process.exited().await;
    StopOutcome::Killed
}

/// How it stands once the task has ended, however it did.
struct Fate<'a> {
    shared: &'a Shared,
    standing: Standing,
}

impl Drop for Fate<'_> {
    fn drop(&mut self) {
        self.shared.standing.send_replace(self.standing.clone());
    }
}
