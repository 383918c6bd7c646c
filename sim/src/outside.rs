//! The world outside: one module with three tools, and receivers of deliveries. It outlives the
//! processes of the mob, and remembers what has really happened.

use async_trait::async_trait;
use mobkit::command::{AttemptOutcome, Command, DeliveryCommand, Ended, ModuleCommand};
use mobkit::command::{ToolOutcome, TurnCommand};
use mobkit::effect::Effect;
use mobkit::event::{StopOutcome, ToolDefinition, ToolEffect};
use mobkit::id::{CallId, DeliveryId, ModuleId, Seq};
use mobkit::rehearse::{Chance, answering};
use mobkit::{EffectPort, Engine, EngineStopped, ModuleStopped, Runner};
use mobkit_domain::tool::module_of;
use mobkit_engine::{OnError, OnStop, TaskKind};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What has really happened, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A tool did what it does.
    Call { call: CallId, tool: String },
    /// A receiver took something.
    Taken { delivery: DeliveryId },
    /// An attempt was begun.
    Attempt { delivery: DeliveryId, attempt: u32 },
}

/// A module that runs in the process of now.
struct Running {
    start: Seq,
    /// Fires when it is gone. Unlike a watch channel, it wakes who waits in order.
    gone: CancellationToken,
}

/// The outside of one seed.
pub(crate) struct Outside {
    seed: u64,
    pub(crate) calm: Arc<AtomicBool>,
    facts: Mutex<Vec<Fact>>,
    running: Mutex<BTreeMap<ModuleId, Running>>,
}

const CRASH: TaskKind = TaskKind {
    name: "module crash",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};

impl Outside {
    pub(crate) fn of(seed: u64, calm: Arc<AtomicBool>) -> Self {
        Self {
            seed,
            calm,
            facts: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// What has happened so far.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        self.lock_facts().clone()
    }

    /// How often a tool did what it does for a call.
    pub(crate) fn happened(&self, wanted: CallId) -> usize {
        let facts = self.lock_facts();
        let of_call = facts.iter().filter(|fact| match fact {
            Fact::Call { call, .. } => *call == wanted,
            Fact::Taken { .. } | Fact::Attempt { .. } => false,
        });
        of_call.count()
    }

    /// The process is gone, and its modules with it.
    pub(crate) fn process_gone(&self) {
        self.lock_running().clear();
    }

    fn lock_facts(&self) -> MutexGuard<'_, Vec<Fact>> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_running(&self) -> MutexGuard<'_, BTreeMap<ModuleId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    async fn start(&self, module: ModuleId, start: Seq, engine: &Engine) -> Command {
        let mut chance = Chance::of(self.seed, &format!("start {start}"));
        pass_ms(chance.between(0, 2_000)).await;
        if !self.is_calm() && chance.percent(10) {
            return Command::Module(ModuleCommand::Ended {
                module,
                start,
                reason: "exit status 3".to_owned(),
                ended: Ended::Failure,
            });
        }
        let gone = CancellationToken::new();
        self.lock_running()
            .insert(module.clone(), Running { start, gone });
        if !self.is_calm() && chance.percent(30) {
            self.crash_later(&module, start, chance.between(0, 3_600_000), engine);
        }
        Command::Module(ModuleCommand::Healthy {
            module,
            start,
            pid: Some(4_711),
            protocol: "json-lines".to_owned(),
            sandbox: None,
            tools: Some(tools()),
        })
    }

    fn crash_later(&self, module: &ModuleId, start: Seq, after_ms: u64, engine: &Engine) {
        let gone = self
            .lock_running()
            .get(module)
            .map(|running| running.gone.clone());
        let (module, calling) = (module.clone(), engine.clone());
        engine.tasks().spawn(CRASH, async move {
            pass_ms(after_ms).await;
            if gone.is_some_and(|gone| fires(&gone)) {
                let success = after_ms.is_multiple_of(2);
                let ended = ModuleCommand::Ended {
                    module,
                    start,
                    reason: "it fell over".to_owned(),
                    ended: if success {
                        Ended::Success
                    } else {
                        Ended::Failure
                    },
                };
                // One that was stopped in the meantime has its end already.
                let _ = calling.submit_internal(Command::Module(ended)).await;
            }
        });
    }

    /// Ends a module; `None`: this start of it does not run.
    async fn end(&self, module: &ModuleId, start: Option<Seq>) -> Option<ModuleStopped> {
        {
            let running = self.lock_running();
            let found = running.get(module)?;
            if start.is_some_and(|start| start != found.start) {
                return None;
            }
        }
        pass_ms(5).await;
        let running = self.lock_running().remove(module)?;
        fires(&running.gone).then(|| ModuleStopped {
            id: module.clone(),
            outcome: StopOutcome::Exited,
            took_ms: 5,
        })
    }

    async fn stop(&self, module: ModuleId, start: Seq) -> Command {
        let stopped = self.end(&module, Some(start)).await;
        Command::Module(ModuleCommand::Stopped {
            module,
            start,
            outcome: StopOutcome::Exited,
            took_ms: stopped.map_or(0, |stopped| stopped.took_ms),
            reason: None,
        })
    }

    async fn call(&self, call: CallId, tool: String, engine: &Engine) -> ToolOutcome {
        let (module, _) = module_of(&tool).expect("others are not asked for");
        let running = || {
            let running = self.lock_running();
            let mut found = running.iter();
            let found = found.find(|(id, _)| id.as_str() == module);
            found.map(|(_, running)| running.gone.clone())
        };
        let gone = answering(engine, module, running).await;
        let Some(gone) = gone.filter(|gone| !gone.is_cancelled()) else {
            return ToolOutcome::Failed("the module does not run".to_owned());
        };
        tokio::select! {
            biased;
            () = gone.cancelled() => ToolOutcome::Lost("it fell over".to_owned()),
            outcome = self.work(call, tool) => outcome,
        }
    }

    async fn work(&self, call: CallId, tool: String) -> ToolOutcome {
        let mut chance = Chance::of(self.seed, &format!("call {call}"));
        let half_ms = chance.between(0, 4_000);
        pass_ms(half_ms).await;
        if chance.percent(10) {
            return ToolOutcome::Failed("on purpose".to_owned());
        }
        self.lock_facts().push(Fact::Call { call, tool });
        pass_ms(half_ms).await;
        if !self.is_calm() && chance.percent(5) {
            return ToolOutcome::Lost("nobody heard the answer".to_owned());
        }
        ToolOutcome::Finished("ok".into())
    }

    async fn attempt(&self, delivery: DeliveryId, attempt: u32) -> Command {
        let mut chance = Chance::of(self.seed, &format!("{delivery} {attempt}"));
        self.lock_facts().push(Fact::Attempt { delivery, attempt });
        let half_ms = chance.between(0, 5_000);
        pass_ms(half_ms).await;
        let what = if self.is_calm() {
            1
        } else {
            chance.between(1, 20)
        };
        let failed = |gone, hopeless, retry_after_ms| AttemptOutcome::Failed {
            status: Some(500),
            reason: "on purpose".to_owned(),
            excerpt: None,
            retry_after_ms,
            gone,
            hopeless,
        };
        let unknown = AttemptOutcome::Unknown {
            reason: "on purpose".to_owned(),
        };
        let (taken, outcome) = match what {
            1..=12 => {
                let status = Some(200);
                (
                    true,
                    AttemptOutcome::Delivered {
                        status,
                        excerpt: None,
                    },
                )
            }
            13..=15 => (false, failed(false, false, None)),
            16 => (false, failed(false, false, Some(half_ms * 10))),
            17 => (false, failed(half_ms.is_multiple_of(4), false, None)),
            18 => (false, failed(false, half_ms.is_multiple_of(4), None)),
            19 => (true, unknown),
            _ => (false, unknown),
        };
        if taken {
            self.lock_facts().push(Fact::Taken { delivery });
        }
        pass_ms(half_ms).await;
        Command::Delivery(DeliveryCommand::Ended {
            delivery,
            attempt,
            outcome,
        })
    }
}

#[async_trait]
impl Runner for Outside {
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        match effect {
            Effect::ModuleStart { module, start } => {
                Some(self.start(module, start, &port.engine).await)
            }
            Effect::ModuleStop { module, start } => Some(self.stop(module, start).await),
            Effect::ToolCall {
                turn, call, tool, ..
            } => {
                let outcome = self.call(call, tool, &port.engine).await;
                Some(Command::Turn(TurnCommand::ToolEnded {
                    turn,
                    call,
                    outcome,
                }))
            }
            Effect::DeliveryAttempt { delivery, attempt } => {
                Some(self.attempt(delivery, attempt).await)
            }
            Effect::ModelCall { .. }
            | Effect::EngineTurn { .. }
            | Effect::EngineSteer { .. }
            | Effect::EngineStart { .. }
            | Effect::EngineStop { .. }
            | Effect::Abort { .. } => None,
        }
    }

    async fn stop(&self) -> Vec<EngineStopped> {
        Vec::new()
    }

    async fn stop_modules(&self) -> Vec<ModuleStopped> {
        let there: Vec<ModuleId> = self.lock_running().keys().cloned().collect();
        let mut ended = Vec::new();
        for module in there {
            ended.extend(self.end(&module, None).await);
        }
        ended
    }

    fn processes_left(&self) -> u64 {
        self.lock_running().len() as u64
    }
}

/// Whether it had not fired before.
fn fires(gone: &CancellationToken) -> bool {
    let first = !gone.is_cancelled();
    gone.cancel();
    first
}

fn tools() -> Vec<ToolDefinition> {
    let tools = [
        ("look", ToolEffect::Read),
        ("put", ToolEffect::Idempotent),
        ("pay", ToolEffect::Effect),
    ];
    let tool = |(name, hint): (&str, ToolEffect)| ToolDefinition {
        name: name.to_owned(),
        description: "A tool.".to_owned(),
        schema: json!({"type": "object"}),
        output_schema: None,
        hint,
        hash: format!("{name} of now"),
    };
    tools.map(tool).into()
}

/// Lets so much of tokio's time pass.
pub(crate) async fn pass_ms(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
