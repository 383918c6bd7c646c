//! Who runs which effect.

use crate::tool::{HostCall, HostTool};
use async_trait::async_trait;
use mobkit_agents::external::ExternalEngines;
use mobkit_agents::native::NativeEngine;
use mobkit_domain::command::{Command, TurnCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::id::{CallId, TurnId};
use mobkit_domain::text::Text;
use mobkit_engine::{EffectPort, EngineStopped, Runner, stash_text};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct Runners {
    pub(crate) native: NativeEngine,
    pub(crate) external: ExternalEngines,
    pub(crate) tools: BTreeMap<String, Arc<dyn HostTool>>,
}

#[async_trait]
impl Runner for Runners {
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        match effect {
            Effect::ModelCall { at, member, .. } => {
                Some(self.native.model_call(at, member, &port).await)
            }
            Effect::ToolCall {
                turn,
                member,
                call,
                tool,
                args,
                ..
            } => {
                let host = HostCall {
                    call,
                    member,
                    turn,
                    args,
                };
                Some(self.tool_call(turn, call, &tool, host, &port).await)
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
}

impl Runners {
    async fn tool_call(
        &self,
        turn: TurnId,
        call: CallId,
        tool: &str,
        host: HostCall,
        port: &EffectPort,
    ) -> Command {
        let outcome: Result<Text, String> = match self.tools.get(tool) {
            None => Err(format!("the host no longer offers {tool}")),
            Some(found) => match found.call(host).await {
                Ok(result) => stash_text(port.engine.store().as_ref(), &result)
                    .await
                    .map_err(|error| format!("the result could not be kept: {error}")),
                Err(reason) => Err(reason),
            },
        };
        Command::Turn(TurnCommand::ToolEnded {
            turn,
            call,
            outcome,
        })
    }
}
