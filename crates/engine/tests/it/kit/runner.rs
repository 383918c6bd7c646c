//! A runner that does what messages say, and remembers what it did.

use super::script::{Act, step};
use super::wait::pass_ms;
use async_trait::async_trait;
use mobkit_domain::command::{Command, MemberCommand, StepRef, TurnCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{Event, Fence, Offers, ToolEffect};
use mobkit_domain::id::{CallId, DeliveryId, MemberId, ModuleId, TurnId};
use mobkit_domain::model::{Failure, Reply};
use mobkit_domain::state::Turn;
use mobkit_domain::text::Text;
use mobkit_domain::tool::{ToolSpec, Toolbox, module_of};
use mobkit_engine::{EffectPort, Engine, EngineStopped, ModuleStopped, Runner};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

/// Something that the outside world saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    Model {
        member: MemberId,
        turn: TurnId,
        step: u32,
        attempt: u32,
    },
    /// A tool was called; its effect, if it has one, has happened from here on.
    Tool {
        tool: String,
        call: CallId,
    },
    EngineStart {
        member: MemberId,
        fence: Fence,
    },
    EngineTurn {
        turn: TurnId,
        resumed: bool,
    },
    EngineStop {
        member: MemberId,
    },
    ModuleStart {
        module: ModuleId,
    },
    /// A start was dropped before it came to an end.
    ModuleStartDropped {
        module: ModuleId,
    },
    ModuleStop {
        module: ModuleId,
    },
    /// All modules that are there were told to end.
    ModulesStop,
    /// An attempt reached its receiver.
    Delivery {
        delivery: DeliveryId,
        attempt: u32,
        /// Whether the receiver kept what was sent.
        taken: bool,
    },
}

/// Does what messages say. Shared by all processes of a test, like the outside world.
#[derive(Default)]
pub struct Scripted {
    did: Mutex<Vec<Did>>,
    /// How long stopping it takes.
    pub stop_takes_ms: Mutex<u64>,
    /// Modules that are there.
    modules: Mutex<BTreeSet<ModuleId>>,
}

impl Scripted {
    pub(super) fn note(&self, did: Did) {
        self.did.lock().expect("not poisoned").push(did);
    }

    pub(super) fn modules(&self) -> MutexGuard<'_, BTreeSet<ModuleId>> {
        self.modules.lock().expect("not poisoned")
    }

    /// What was done on modules, in order: `start`, `dropped`, `stop` with the module, `stop all`.
    pub fn on_modules(&self) -> Vec<String> {
        let did = self.did();
        let did = did.iter().filter_map(|did| match did {
            Did::ModuleStart { module } => Some(format!("start {module}")),
            Did::ModuleStartDropped { module } => Some(format!("dropped {module}")),
            Did::ModuleStop { module } => Some(format!("stop {module}")),
            Did::ModulesStop => Some("stop all".to_owned()),
            _ => None,
        });
        did.collect()
    }

    pub fn did(&self) -> Vec<Did> {
        self.did.lock().expect("not poisoned").clone()
    }

    /// The calls of a tool that were made, in order.
    pub fn calls(&self, name: &str) -> Vec<CallId> {
        let did = self.did();
        let calls = did.iter().filter_map(|did| match did {
            Did::Tool { tool, call } if tool == name => Some(*call),
            _ => None,
        });
        calls.collect()
    }

    /// How many model calls were begun.
    pub fn model_calls(&self) -> usize {
        self.did()
            .iter()
            .filter(|did| matches!(did, Did::Model { .. }))
            .count()
    }

    async fn act(&self, act: super::script::Step) -> Result<Reply, Failure> {
        pass_ms(act.after_ms).await;
        match act.act {
            Act::Reply(reply) => Ok(reply),
            Act::Fail(class) => Err(Failure {
                class,
                reason: "on purpose".to_owned(),
                retry_after_ms: None,
            }),
            Act::Never => std::future::pending().await,
            Act::Panic => panic!("a runner that panics on purpose"),
        }
    }

    pub(super) async fn tool(&self, args: &Value) -> Result<Text, String> {
        let flag = |name: &str| args.get(name).is_some_and(|value| value == &json!(true));
        if let Some(ms) = args.get("after_ms").and_then(Value::as_u64) {
            pass_ms(ms).await;
        }
        if flag("never") {
            std::future::pending::<()>().await;
        }
        assert!(!flag("panic"), "a tool that panics on purpose");
        if flag("fail") {
            Err("on purpose".to_owned())
        } else {
            Ok("ok".into())
        }
    }

    async fn model_call(&self, at: StepRef, member: MemberId, engine: &Engine) -> Command {
        let message = message_of(engine, at.turn).await;
        self.note(Did::Model {
            member,
            turn: at.turn,
            step: at.step,
            attempt: at.attempt,
        });
        let latency_ms = 0;
        let acted = self.act(step(&message, at.step, at.attempt)).await;
        Command::Turn(match acted {
            Ok(reply) => TurnCommand::ModelReplied {
                at,
                reply,
                latency_ms,
            },
            Err(failure) => TurnCommand::ModelFailed {
                at,
                failure,
                latency_ms,
            },
        })
    }

    async fn engine_turn(&self, turn: TurnId, fence: Fence, engine: &Engine) -> Command {
        let message = message_of(engine, turn).await;
        let recorded = || engine.view(|w| w.state.turns.get(&turn).map_or(0, |turn| turn.step));
        // After a crash the calls of the last step may be open still.
        let open = |turn: &Turn| turn.calls.iter().map(|call| call.id).collect::<Vec<_>>();
        let open = engine.view(|w| w.state.turns.get(&turn).map(open));
        for call in open.into_iter().flatten() {
            super::journal::call_ended(engine, call).await;
        }
        let outcome = loop {
            match self.act(step(&message, recorded() + 1, 1)).await {
                Err(failure) => break Err(failure.reason),
                Ok(reply) if reply.calls.is_empty() => break Ok(reply.text),
                Ok(reply) => {
                    let calls = (1..).take(reply.calls.len());
                    let original = json!({ "own": "event" });
                    let command = TurnCommand::EngineReplied {
                        turn,
                        fence,
                        reply,
                        original,
                    };
                    let answer = match engine.submit_internal(Command::Turn(command)).await {
                        Ok(answer) => answer,
                        Err(refusal) => break Err(refusal.to_string()),
                    };
                    for index in calls {
                        let call = CallId {
                            reply: answer.seq(),
                            index,
                        };
                        super::journal::call_ended(engine, call).await;
                    }
                }
            }
        };
        Command::Turn(TurnCommand::EngineEnded {
            turn,
            fence,
            outcome,
        })
    }
}

/// What the message says that began a turn.
async fn message_of(engine: &Engine, turn: TurnId) -> String {
    let message = engine.view(|w| w.state.turns.get(&turn).map(|turn| turn.messages[0]));
    let Some(message) = message else {
        return "say late".to_owned();
    };
    let event = engine
        .event(message.0)
        .await
        .expect("readable")
        .expect("kept");
    match &event.envelope.event {
        Event::MessageAccepted(e) => e.text.inline().expect("short").to_owned(),
        other => panic!("{message} is {other:?}"),
    }
}

#[async_trait]
impl Runner for Scripted {
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        match effect {
            Effect::ModelCall { at, member, .. } => {
                Some(self.model_call(at, member, &port.engine).await)
            }
            Effect::ToolCall {
                turn,
                call,
                tool,
                args,
                ..
            } => {
                let of_module = module_of(&tool).is_some();
                self.note(Did::Tool { tool, call });
                let outcome = if of_module {
                    self.module_call((turn, call), &args, &port).await
                } else {
                    self.tool(&args).await.into()
                };
                Some(Command::Turn(TurnCommand::ToolEnded {
                    turn,
                    call,
                    outcome,
                }))
            }
            Effect::EngineTurn {
                turn,
                fence,
                resumed,
                ..
            } => {
                self.note(Did::EngineTurn { turn, resumed });
                Some(self.engine_turn(turn, fence, &port.engine).await)
            }
            Effect::EngineStart { member, fence } => {
                self.note(Did::EngineStart {
                    member: member.clone(),
                    fence,
                });
                let error = member
                    .as_str()
                    .starts_with("bad")
                    .then(|| "no engine".to_owned());
                Some(Command::Member(MemberCommand::EngineStarted {
                    member,
                    fence,
                    offers: Offers::default(),
                    error,
                }))
            }
            // No engine here offers to take messages in.
            Effect::EngineSteer { .. } => None,
            Effect::EngineStop { member } => {
                self.note(Did::EngineStop { member });
                None
            }
            Effect::ModuleStart { module, start } => Some(self.module_start(module, start).await),
            Effect::ModuleStop { module, start } => Some(self.module_stop(module, start).await),
            Effect::DeliveryAttempt { delivery, attempt } => {
                self.delivery_attempt(delivery, attempt, &port).await
            }
            Effect::Abort { .. } => panic!("an abort is never run"),
        }
    }

    async fn stop(&self) -> Vec<EngineStopped> {
        let takes_ms = *self.stop_takes_ms.lock().expect("not poisoned");
        pass_ms(takes_ms).await;
        vec![EngineStopped {
            engine: "scripted".to_owned(),
            result: "stopped".to_owned(),
        }]
    }

    async fn stop_modules(&self) -> Vec<ModuleStopped> {
        self.note(Did::ModulesStop);
        let there: Vec<ModuleId> = self.modules().iter().cloned().collect();
        let ended = there.into_iter().map(|module| self.end_module(module));
        futures::future::join_all(ended)
            .await
            .into_iter()
            .flatten()
            .collect()
    }

    fn processes_left(&self) -> u64 {
        self.modules().len() as u64
    }
}

/// The tools of the host.
pub fn toolbox() -> Toolbox {
    let tools = [
        ("look", ToolEffect::Read),
        ("put", ToolEffect::Idempotent),
        ("pay", ToolEffect::Effect),
    ];
    let spec = |(name, effect): (&str, ToolEffect)| {
        let spec = ToolSpec {
            name: name.to_owned(),
            description: "a tool of the host".to_owned(),
            schema: json!({ "type": "object" }),
            effect,
        };
        (name.to_owned(), spec)
    };
    Toolbox(tools.into_iter().map(spec).collect())
}
