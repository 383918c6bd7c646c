//! Who runs which effect.

use crate::deliveries::Deliveries;
use crate::tool::{HostCall, HostTool};
use async_trait::async_trait;
use mobkit_agents::external::ExternalEngines;
use mobkit_agents::native::NativeEngine;
use mobkit_domain::command::{Command, ToolOutcome, TurnCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::text::INLINE_BYTES_MAX;
use mobkit_domain::tool::module_of;
use mobkit_engine::{EffectPort, EngineStopped, HostFailure, ModuleStopped, Runner, stash_text};
use mobkit_modules::Modules;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct Runners {
    pub(crate) native: NativeEngine,
    pub(crate) external: ExternalEngines,
    /// Modules and sinks.
    pub(crate) outside: Arc<dyn Runner>,
    pub(crate) tools: BTreeMap<String, Arc<dyn HostTool>>,
}

/// The processes of modules and the sinks of deliveries.
pub(crate) struct Outside {
    pub(crate) modules: Modules,
    pub(crate) deliveries: Deliveries,
}

#[async_trait]
impl Runner for Outside {
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        match effect {
            Effect::DeliveryAttempt { delivery, attempt } => {
                self.deliveries.attempt(delivery, attempt, &port).await
            }
            // It knows which are its own.
            effect => self.modules.run(effect, port).await,
        }
    }

    async fn stop_modules(&self) -> Vec<ModuleStopped> {
        self.modules.stop().await
    }

    fn processes_left(&self) -> u64 {
        self.modules.processes_left()
    }
}

#[async_trait]
impl Runner for Runners {
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        match effect {
            Effect::ModelCall { at, member, .. } => {
                Some(self.native.model_call(at, member, &port).await)
            }
            Effect::ToolCall { ref tool, .. } if module_of(tool).is_some() => {
                self.outside.run(effect, port).await
            }
            Effect::ModuleStart { .. }
            | Effect::ModuleStop { .. }
            | Effect::DeliveryAttempt { .. } => self.outside.run(effect, port).await,
            Effect::ToolCall {
                turn,
                member,
                call,
                tool,
                args,
                ..
            } => {
                let outcome = match (turn, member) {
                    (Some(turn), Some(member)) => {
                        let host = HostCall {
                            call,
                            member,
                            turn,
                            args,
                        };
                        self.host_call(&tool, host, &port).await
                    }
                    // The writer lets no such call pass.
                    _ => ToolOutcome::Failed("only modules are called directly".to_owned()),
                };
                Some(Command::Turn(TurnCommand::ToolEnded {
                    turn,
                    call,
                    outcome,
                }))
            }
            Effect::EngineTurn {
                turn,
                member,
                fence,
                resumed,
            } => {
                self.external
                    .turn((turn, member, fence), resumed, port)
                    .await
            }
            Effect::EngineSteer { turn, .. } => {
                self.external.steer(turn);
                None
            }
            Effect::EngineStart { member, fence } => {
                self.external.start(member, fence, &port).await
            }
            Effect::EngineStop { member } => {
                self.external.stop_member(&member).await;
                None
            }
            // The engine handles it and never hands it on.
            Effect::Abort { .. } => None,
        }
    }

    async fn stop(&self) -> Vec<EngineStopped> {
        self.external.stop().await
    }

    async fn stop_modules(&self) -> Vec<ModuleStopped> {
        self.outside.stop_modules().await
    }

    fn processes_left(&self) -> u64 {
        self.outside.processes_left()
    }
}

impl Runners {
    async fn host_call(&self, tool: &str, call: HostCall, port: &EffectPort) -> ToolOutcome {
        let called = match self.tools.get(tool) {
            Some(found) => found.call(call).await,
            None => match session_call(tool, call, port).await {
                Ok(result) => Ok(result),
                Err(lost @ HostFailure::Lost) => return ToolOutcome::Lost(lost.to_string()),
                Err(failure) => Err(failure.to_string()),
            },
        };
        match called {
            Ok(result) => match stash_text(port.engine.store().as_ref(), &result).await {
                Ok(kept) => ToolOutcome::Finished(kept),
                Err(error) => ToolOutcome::Lost(format!("the result could not be kept: {error}")),
            },
            Err(mut reason) => {
                reason.truncate(reason.floor_char_boundary(INLINE_BYTES_MAX));
                ToolOutcome::Failed(reason)
            }
        }
    }
}

/// Calls a tool that a program offers over its session. What it answers is told to the model: text
/// as it is, anything else as JSON.
async fn session_call(
    tool: &str,
    call: HostCall,
    port: &EffectPort,
) -> Result<String, HostFailure> {
    let params = json!({
        "tool": tool,
        "call": call.call,
        "member": call.member,
        "turn": call.turn,
        "args": call.args,
    });
    let mut answer = port.engine.hosts().call_tool(tool, params).await?;
    match answer.get_mut("result").map(Value::take) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Ok(other.to_string()),
        None => {
            let why = "the program answered the call without a `result`";
            Err(HostFailure::Refused(why.to_owned()))
        }
    }
}
