//! Modules that answer what the scenario says, and receivers that keep what they get.

use super::chance::Chance;
use super::report::Captured;
use super::weather::Weather;
use async_trait::async_trait;
use mobkit_domain::command::{
    AttemptOutcome, Command, DeliveryCommand, Ended, ModuleCommand, ToolOutcome, TurnCommand,
};
use mobkit_domain::definition::{Definition, ModuleAnswer, RouteFault, Said};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{StopOutcome, ToolDefinition, ToolEffect};
use mobkit_domain::id::{CallId, DeliveryId, ModuleId, Seq};
use mobkit_domain::state::ModuleStatus;
use mobkit_domain::tool::module_of;
use mobkit_engine::{EffectPort, Engine, ModuleStopped, Runner, stash_text, unstash_value};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a call looks whether its module has started, and how long that takes: half a minute.
const START_LOOKS: usize = 600;
const START_LOOK: Duration = Duration::from_millis(50);

/// A module that runs in the process of now.
struct Running {
    start: Seq,
    gone: CancellationToken,
}

/// Everything outside; it outlives the processes of a mob.
pub(super) struct ScriptedOutside {
    seed: u64,
    weather: Arc<Weather>,
    answers: Vec<ModuleAnswer>,
    /// The tools of each module, as far as they can be known without it.
    tools: BTreeMap<ModuleId, BTreeSet<String>>,
    running: Mutex<BTreeMap<ModuleId, Running>>,
    captured: Mutex<Vec<Captured>>,
}

impl ScriptedOutside {
    pub(super) fn of(
        seed: u64,
        weather: Arc<Weather>,
        definition: &Definition,
        answers: Vec<ModuleAnswer>,
    ) -> Self {
        Self {
            seed,
            weather,
            tools: known_tools(definition, &answers),
            answers,
            running: Mutex::default(),
            captured: Mutex::default(),
        }
    }

    fn lock_running(&self) -> MutexGuard<'_, BTreeMap<ModuleId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_captured(&self) -> MutexGuard<'_, Vec<Captured>> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was delivered, in order.
    pub(super) fn captured(&self) -> Vec<Captured> {
        self.lock_captured().clone()
    }

    /// The process is gone, and its modules with it.
    pub(super) fn process_gone(&self) {
        self.lock_running().clear();
    }

    /// Lets a module fail; `false`: it does not run.
    pub(super) async fn crash(&self, module: &ModuleId, engine: &Engine) -> bool {
        let Some(running) = self.lock_running().remove(module) else {
            return false;
        };
        running.gone.cancel();
        let ended = ModuleCommand::Ended {
            module: module.clone(),
            start: running.start,
            reason: "the scenario plays a crash".to_owned(),
            ended: Ended::Failure,
        };
        engine.submit_internal(Command::Module(ended)).await.is_ok()
    }

    async fn wait(&self, what: &str, (low, high): (u64, u64)) {
        let ms = Chance::of(self.seed, what).between(low, high);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    async fn start(&self, module: ModuleId, start: Seq) -> Command {
        self.wait(&format!("start {start}"), (50, 400)).await;
        let gone = CancellationToken::new();
        self.lock_running()
            .insert(module.clone(), Running { start, gone });
        let tools = self.tools.get(&module).into_iter().flatten();
        let tools = tools.map(|name| ToolDefinition {
            name: name.clone(),
            description: "a tool that the scenario plays".to_owned(),
            schema: json!({"type": "object"}),
            output_schema: None,
            hint: ToolEffect::Effect,
            hash: "of the scenario".to_owned(),
        });
        Command::Module(ModuleCommand::Healthy {
            module,
            start,
            pid: None,
            protocol: "rehearsal".to_owned(),
            sandbox: None,
            tools: Some(tools.collect()),
        })
    }

    fn stop(&self, module: ModuleId, start: Seq) -> Command {
        if let Some(running) = self.lock_running().remove(&module) {
            running.gone.cancel();
        }
        Command::Module(ModuleCommand::Stopped {
            module,
            start,
            outcome: StopOutcome::Exited,
            took_ms: 0,
            reason: None,
        })
    }

    async fn call(&self, call: CallId, tool: &str, args: Value, engine: &Engine) -> ToolOutcome {
        let Some((module, name)) = module_of(tool) else {
            return ToolOutcome::Failed(format!("{tool} is no tool of a module"));
        };
        let running = || {
            let running = self.lock_running();
            let mut found = running.iter();
            let found = found.find(|(id, _)| id.as_str() == module);
            found.map(|(_, running)| running.gone.clone())
        };
        let Some(gone) = answering(engine, module, running).await else {
            return ToolOutcome::Failed(format!("the module {module} does not run"));
        };
        let answering = async {
            let store = engine.store().as_ref();
            let args = match unstash_value(store, args).await {
                Ok(args) => args.to_string(),
                Err(error) => return ToolOutcome::Failed(error.to_string()),
            };
            let answer = self.answers.iter().find(|answer| {
                let when = answer.when.as_ref();
                answer.module.as_str() == module
                    && answer.tool == name
                    && when.is_none_or(|when| when.is_match(&args))
            });
            match answer.and_then(|answer| answer.delay_ms) {
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                None => self.wait(&format!("call {call}"), (20, 600)).await,
            }
            let text = match answer.map(|answer| &answer.said) {
                Some(Said::Answer(Value::String(text))) => text.clone(),
                Some(Said::Answer(other)) => other.to_string(),
                Some(Said::Failure(reason)) => return ToolOutcome::Failed(reason.clone()),
                None => return ToolOutcome::Failed(unanswered(tool, &args)),
            };
            match stash_text(store, &text).await {
                Ok(kept) => ToolOutcome::Finished(kept),
                Err(error) => ToolOutcome::Lost(error.to_string()),
            }
        };
        tokio::select! {
            biased;
            () = gone.cancelled() => ToolOutcome::Lost("the module crashed".to_owned()),
            outcome = answering => outcome,
        }
    }

    async fn attempt(&self, id: DeliveryId, attempt: u32, port: &EffectPort) -> Option<Command> {
        self.wait(&format!("{id} {attempt}"), (30, 900)).await;
        let engine = &port.engine;
        let queued = engine.view(|world| {
            let open = world.state.deliveries.get(&id);
            open.map(|open| open.queued.clone())
        })?;
        let now = engine.now();
        let outcome = match self.weather.of_route(&queued.route, now) {
            None => {
                let payload = unstash_value(engine.store().as_ref(), queued.payload).await;
                self.lock_captured().push(Captured {
                    at: now,
                    delivery: id,
                    route: queued.route,
                    recipient: queued.recipient,
                    channel: queued.channel,
                    payload: payload.unwrap_or(Value::Null),
                });
                AttemptOutcome::Delivered {
                    status: Some(200),
                    excerpt: None,
                }
            }
            Some(RouteFault::Unknown) => AttemptOutcome::Unknown {
                reason: "the scenario plays a receiver that falls silent".to_owned(),
            },
            Some(kind @ (RouteFault::Server | RouteFault::Gone)) => AttemptOutcome::Failed {
                status: kind.as_str().parse().ok(),
                reason: format!("the scenario plays a fault of the receiver ({kind})"),
                excerpt: None,
                retry_after_ms: None,
                gone: kind == RouteFault::Gone,
                hopeless: false,
            },
        };
        Some(Command::Delivery(DeliveryCommand::Ended {
            delivery: id,
            attempt,
            outcome,
        }))
    }
}

/// What stands for a module that runs, as soon as it does; `None`: it is not about to. Looks again
/// and again, which costs nothing in virtual time and, unlike a channel with many receivers, wakes
/// all who wait in the same order each time.
pub async fn answering<T>(
    engine: &Engine,
    module: &str,
    running: impl Fn() -> Option<T>,
) -> Option<T> {
    let comes = || {
        engine.view(|world| {
            let mut modules = world.state.modules.iter();
            let found = modules.find(|(id, _)| id.as_str() == module);
            found.is_some_and(|(_, module)| match module.status {
                ModuleStatus::Starting | ModuleStatus::Restarting { .. } => true,
                ModuleStatus::Healthy
                | ModuleStatus::Unhealthy
                | ModuleStatus::Stopping
                | ModuleStatus::Stopped
                | ModuleStatus::Quarantined => false,
            })
        })
    };
    for _ in 0..START_LOOKS {
        if let Some(running) = running() {
            return Some(running);
        }
        if !comes() {
            return None;
        }
        tokio::time::sleep(START_LOOK).await;
    }
    None
}

/// What the model is told of a tool of which the scenario says nothing.
fn unanswered(tool: &str, args: &str) -> String {
    let (module, name) = module_of(tool).unwrap_or((tool, ""));
    format!(
        "the scenario does not say what {tool} answers to {args}; add [[modules]] with \
         module = {module:?}, tool = {name:?} and an answer"
    )
}

/// The tools that the mob file and the scenario name.
fn known_tools(
    definition: &Definition,
    answers: &[ModuleAnswer],
) -> BTreeMap<ModuleId, BTreeSet<String>> {
    let profiles = definition.profiles.values();
    let selected: Vec<String> = profiles
        .flat_map(|profile| &profile.tools)
        .flat_map(mobkit_domain::definition::ToolSelector::patterns)
        .collect();
    let of = |id: &ModuleId| {
        let module = definition.modules.iter().find(|module| module.id == *id);
        let effects = module.into_iter().flat_map(|module| module.effects.keys());
        let selected = selected.iter().filter_map(|pattern| module_of(pattern));
        let selected =
            selected.filter(|(module, name)| *module == id.as_str() && !name.contains('*'));
        let answered = answers.iter().filter(|answer| answer.module == *id);
        let names = effects.cloned();
        let names = names.chain(selected.map(|(_, name)| name.to_owned()));
        names
            .chain(answered.map(|answer| answer.tool.clone()))
            .collect()
    };
    let modules = definition.modules.iter();
    modules
        .map(|module| (module.id.clone(), of(&module.id)))
        .collect()
}

#[async_trait]
impl Runner for ScriptedOutside {
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        match effect {
            Effect::ModuleStart { module, start } => Some(self.start(module, start).await),
            Effect::ModuleStop { module, start } => Some(self.stop(module, start)),
            Effect::ToolCall {
                turn,
                call,
                tool,
                args,
                ..
            } => {
                let outcome = self.call(call, &tool, args, &port.engine).await;
                Some(Command::Turn(TurnCommand::ToolEnded {
                    turn,
                    call,
                    outcome,
                }))
            }
            Effect::DeliveryAttempt { delivery, attempt } => {
                self.attempt(delivery, attempt, &port).await
            }
            Effect::ModelCall { .. }
            | Effect::EngineTurn { .. }
            | Effect::EngineSteer { .. }
            | Effect::EngineStart { .. }
            | Effect::EngineStop { .. }
            | Effect::Abort { .. } => None,
        }
    }

    async fn stop_modules(&self) -> Vec<ModuleStopped> {
        let running = std::mem::take(&mut *self.lock_running());
        let stopped = running.into_iter().map(|(id, running)| {
            running.gone.cancel();
            ModuleStopped {
                id,
                outcome: StopOutcome::Exited,
                took_ms: 0,
            }
        });
        stopped.collect()
    }
}
