//! A runner of modules, and of a model that makes one call.

use async_trait::async_trait;
use mobkit_domain::command::{Command, TurnCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::Event;
use mobkit_domain::id::TurnId;
use mobkit_domain::model::{CallRequest, Finish, Reply, Usage};
use mobkit_engine::{EffectPort, Engine, ModuleStopped, Runner};
use mobkit_modules::Modules;
use std::sync::Arc;

/// Runs modules; its model makes the call that the message names, `<tool> <arguments>`, and then
/// has said everything.
pub struct WithModules(pub Arc<Modules>);

#[async_trait]
impl Runner for WithModules {
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        let Effect::ModelCall { at, .. } = effect else {
            return self.0.run(effect, port).await;
        };
        let reply = match at.step {
            1 => wants_call(&message_of(&port.engine, at.turn).await),
            _ => reply("done", Vec::new()),
        };
        Some(Command::Turn(TurnCommand::ModelReplied {
            at,
            reply,
            latency_ms: 0,
        }))
    }

    async fn stop_modules(&self) -> Vec<ModuleStopped> {
        self.0.stop().await
    }

    fn processes_left(&self) -> u64 {
        self.0.processes_left()
    }
}

async fn message_of(engine: &Engine, turn: TurnId) -> String {
    let message = engine.view(|world| world.state.turns[&turn].messages[0]);
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

fn wants_call(message: &str) -> Reply {
    let (tool, args) = message.split_once(' ').expect("a tool and its arguments");
    let call = CallRequest {
        tool: tool.to_owned(),
        args: serde_json::from_str(args).expect("arguments are JSON"),
        provider_id: None,
    };
    reply("", vec![call])
}

fn reply(text: &str, calls: Vec<CallRequest>) -> Reply {
    let finish = if calls.is_empty() {
        Finish::Stop
    } else {
        Finish::Calls
    };
    Reply {
        text: text.into(),
        calls,
        usage: Usage::default(),
        finish,
        carry: None,
    }
}
