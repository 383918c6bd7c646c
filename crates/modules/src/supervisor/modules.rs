//! The modules of a mob: one process for each, whoever calls it.

use super::call::{Wanted, defined};
use super::environment::Environment;
use super::standing::{Order, Place, Running, Stopped, Taken};
use super::start::{Ground, NotStarted, Started, start};
use super::voice::record_voice;
use super::watch::Watch;
use crate::process::{Processes, Token, Watchdog, processes};
use crate::sandbox::kernel;
use mobkit_domain::command::{Command, ModuleCommand, TurnCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::StopOutcome;
use mobkit_domain::id::{ModuleId, Seq};
use mobkit_domain::tool::module_of;
use mobkit_engine::{EffectPort, Engine, ModuleStopped, OnError, OnStop, TaskKind};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// How long a module may take to say which tools it has.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How many orders may wait for the task that watches a module.
const ORDERS_MAX: usize = 8;

const WATCH: TaskKind = TaskKind {
    name: "module watch",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};
const VOICE: TaskKind = TaskKind {
    name: "module voice",
    ..WATCH
};

/// The modules of a mob.
pub struct Modules {
    /// Absent where the operating system gives no chance, and why.
    ground: Result<Ground, String>,
    places: Mutex<BTreeMap<ModuleId, Arc<Place>>>,
    /// Fires when nothing is started any longer.
    stopping: CancellationToken,
}

impl Modules {
    /// Modules that run in `folder`, the place of the mob file. None is started yet.
    pub fn new(folder: PathBuf, environment: Arc<dyn Environment>) -> Self {
        let ground = Token::draw().map(|token| Ground {
            folder,
            environment,
            watchdog: Arc::new(Watchdog::of(token.clone())),
            token,
            kernel: kernel(),
        });
        Self {
            ground,
            places: Mutex::default(),
            stopping: CancellationToken::new(),
        }
    }

    /// How others start processes that are counted and ended like those of modules. The error says
    /// why the operating system gives no chance.
    pub fn processes(&self) -> Result<Processes, String> {
        let ground = self.ground.as_ref().map_err(Clone::clone)?;
        Ok(Processes {
            token: ground.token.clone(),
            watchdog: Arc::clone(&ground.watchdog),
        })
    }

    pub(super) fn place(&self, id: &ModuleId) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(id.clone()).or_default())
    }

    /// Runs the effects that concern modules: their start and stop, and the calls of their tools.
    /// Others are none of its business, and `None`.
    pub async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        match effect {
            Effect::ModuleStart { module, start } => self.start(module, start, &port.engine).await,
            Effect::ModuleStop { module, start } => Some(self.stop_one(module, start).await),
            Effect::ToolCall {
                turn,
                call,
                tool,
                args,
                ..
            } => {
                let (module, name) = module_of(&tool)?;
                let wanted = Wanted {
                    turn,
                    call,
                    module: ModuleId::parse(module).ok()?,
                    tool: name,
                    args,
                };
                let outcome = self.call(wanted, &port.engine).await;
                Some(Command::Turn(TurnCommand::ToolEnded {
                    turn,
                    call,
                    outcome,
                }))
            }
            Effect::ModelCall { .. }
            | Effect::EngineTurn { .. }
            | Effect::EngineSteer { .. }
            | Effect::EngineStart { .. }
            | Effect::EngineStop { .. }
            | Effect::DeliveryAttempt { .. }
            | Effect::Abort { .. } => None,
        }
    }

    async fn start(&self, module: ModuleId, seq: Seq, engine: &Engine) -> Option<Command> {
        let place = self.place(&module);
        let taking = async {
            // Of an earlier start nothing should be left; if it is, its time is over.
            if let Some(earlier) = place.running() {
                stop(&earlier).await;
            }
            place.take(seq).await
        };
        let taken = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return None,
            taken = taking => taken,
        };
        // Declared after the place is taken: what it holds is gone before the place is free.
        let starting = tokio::time::timeout(START_TIMEOUT, self.bring_up(&module, engine));
        let started = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return None,
            started = starting => started.unwrap_or_else(|_| {
                let patience = START_TIMEOUT.as_secs();
                Err(NotStarted::failed(format!("did not answer within {patience} s")))
            }),
        };
        Some(match started {
            Ok(started) => keep(started, (module, seq), taken, engine),
            Err(NotStarted { reason, ended }) => Command::Module(ModuleCommand::Ended {
                module,
                start: seq,
                reason,
                ended,
            }),
        })
    }

    async fn bring_up(&self, id: &ModuleId, engine: &Engine) -> Result<Started, NotStarted> {
        let ground = self.ground.as_ref();
        let ground = ground.map_err(|error| NotStarted::failed(error.as_str()))?;
        let module = engine.view(|world| defined(world, id).cloned());
        let module = module.ok_or_else(|| NotStarted::hopeless("the mob has no such module"))?;
        start(ground, engine, &module).await
    }

    async fn stop_one(&self, module: ModuleId, start: Seq) -> Command {
        let place = self.place(&module);
        let running = place.running();
        let is_later = running.as_ref().is_some_and(|now| now.start > start);
        let stopped = match running {
            Some(running) if !is_later => stop(&running).await,
            Some(_) | None => None,
        };
        if !is_later {
            // One that was starting was told to end by the end of its effect.
            place.is_free().await;
        }
        let stopped = stopped.unwrap_or(Stopped {
            outcome: if place.gave_up(start) {
                StopOutcome::Killed
            } else {
                StopOutcome::Exited
            },
            took_ms: 0,
        });
        Command::Module(ModuleCommand::Stopped {
            module,
            start,
            outcome: stopped.outcome,
            took_ms: stopped.took_ms,
            reason: None,
        })
    }

    /// Stops every module in order and side by side: its input is closed, then SIGTERM, then
    /// SIGKILL for its whole process group. The figures are what was observed. Nothing of any
    /// module is left afterwards, and none is started again.
    pub async fn stop(&self) -> Vec<ModuleStopped> {
        self.stopping.cancel();
        let places = self
            .places
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let all = places.into_iter().map(async |(id, place)| {
            let stopped = match place.running() {
                Some(running) => stop(&running).await,
                None => None,
            };
            place.is_free().await;
            stopped.map(|stopped| ModuleStopped {
                id,
                outcome: stopped.outcome,
                took_ms: stopped.took_ms,
            })
        });
        let stopped = futures::future::join_all(all).await;
        if let Ok(ground) = &self.ground {
            ground.watchdog.end().await;
        }
        stopped.into_iter().flatten().collect()
    }

    /// How many processes of modules are there, with what they started themselves and whatever
    /// watches them; 0 after [`stop`](Self::stop).
    pub fn processes_left(&self) -> u64 {
        let ground = self.ground.as_ref();
        ground.map_or(0, |ground| {
            processes(&ground.token) + u64::from(ground.watchdog.is_there())
        })
    }
}

/// Tells a module to end; `None`: it was faster.
async fn stop(running: &Running) -> Option<Stopped> {
    let (tell, stopped) = oneshot::channel();
    running
        .orders
        .send(Order::Stop { stopped: tell })
        .await
        .ok()?;
    stopped.await.ok()
}

/// Lets a module that answers be watched, and says that it does.
fn keep(
    started: Started,
    (module, start): (ModuleId, Seq),
    mut taken: Taken,
    engine: &Engine,
) -> Command {
    let (orders, received) = mpsc::channel(ORDERS_MAX);
    let (ended, end) = watch::channel(None);
    let redaction = started.redaction;
    let running = Arc::new(Running {
        start,
        pid: started.process.as_ref().map(crate::process::Process::pid),
        sandbox: started.sandbox,
        client: started.client,
        calls: started.calls,
        redaction: Arc::clone(&redaction),
        orders,
        ended: end,
    });
    let tools = started.tools.into_iter().map(|tool| redaction.tool(tool));
    let healthy = running.healthy(&module, Some(tools.collect()));
    taken.answers(Arc::clone(&running));
    let voice = record_voice(
        engine.clone(),
        module.clone(),
        Arc::clone(&running),
        started.voice,
    );
    engine.tasks().spawn(VOICE, voice);
    let watch = Watch {
        engine: engine.clone(),
        module,
        running,
        process: started.process,
        orders: received,
        log: started.log,
        ended,
        taken: Some(taken),
    };
    engine.tasks().spawn(WATCH, watch.run());
    healthy
}
