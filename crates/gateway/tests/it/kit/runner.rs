//! A runner that does what the first word of a message says.

use super::modules::Modules;
use async_trait::async_trait;
use mobkit_domain::command::{
    AttemptOutcome, Command, DeliveryCommand, StepRef, ToolOutcome, TurnCommand,
};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{Event, EventFilter};
use mobkit_domain::id::DeliveryId;
use mobkit_domain::model::{CallRequest, Failure, FailureClass, Finish, Reply, Usage};
use mobkit_domain::tool::module_of;
use mobkit_engine::{Delta, DeltaKind, EffectPort, Engine, Runner, stash_text};
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::sync::Notify;

/// Answers at once, unless the message says otherwise.
pub struct Scripted {
    /// Lets one message that says `gate` go on.
    pub gate: Notify,
    /// The modules.
    pub modules: Modules,
    /// Whether payments come to an end.
    pays: bool,
    /// The arguments of the payments that were made.
    paid: Mutex<Vec<Value>>,
}

impl Scripted {
    pub fn of(pays: bool) -> Self {
        Self {
            gate: Notify::new(),
            modules: Modules::default(),
            pays,
            paid: Mutex::default(),
        }
    }

    /// The arguments of the payments that were made.
    pub fn paid(&self) -> Vec<Value> {
        self.paid.lock().expect("not poisoned").clone()
    }

    async fn pay(&self, args: Value) -> ToolOutcome {
        if !self.pays {
            // Nobody knows whether the payment happened.
            return std::future::pending().await;
        }
        let told = format!("paid {}", args["amount"]);
        self.paid.lock().expect("not poisoned").push(args);
        ToolOutcome::Finished(told.into())
    }

    async fn model(&self, at: StepRef, engine: &Engine) -> Result<Reply, Failure> {
        let text = said(engine, at).await;
        let word = text.split(' ').next().unwrap_or_default();
        match word {
            "hang" => std::future::pending().await,
            "panic" => panic!("a runner that panics on purpose"),
            "gate" => {
                self.gate.notified().await;
                Ok(reply(engine, "gone through").await)
            }
            "fail" => Err(Failure {
                class: FailureClass::Rejected,
                reason: "on purpose".to_owned(),
                retry_after_ms: None,
            }),
            "pay" if at.step == 1 => {
                let amounts: Vec<u64> = text.split(' ').filter_map(|n| n.parse().ok()).collect();
                let amounts = if amounts.is_empty() { vec![3] } else { amounts };
                let args = amounts.iter().map(|amount| json!({"amount": amount}));
                let calls = args.map(|args| call("pay", args)).collect();
                Ok(calling(engine, "I pay.", calls).await)
            }
            "consult" if at.step == 1 => {
                let args = json!({"to": "bob", "content": "gate"});
                Ok(calling(engine, "", vec![call("ask_peer", args)]).await)
            }
            "use" if at.step == 1 => {
                let tool = text.split(' ').nth(1).unwrap_or_default();
                let calls = vec![call(tool, json!({"q": "x"}))];
                Ok(calling(engine, "", calls).await)
            }
            "stream" => {
                for piece in ["one ", "two ", "three"] {
                    speak(engine, at, piece);
                }
                Ok(reply(engine, "one two three").await)
            }
            "cut" => Ok(Reply {
                finish: Finish::Length,
                ..reply(engine, "one two").await
            }),
            "long" => Ok(reply(engine, &"x".repeat(100_000)).await),
            _ => Ok(reply(engine, &format!("echo: {text}")).await),
        }
    }
}

#[async_trait]
impl Runner for Scripted {
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        match effect {
            Effect::ModelCall { at, .. } => {
                let outcome = self.model(at, &port.engine).await;
                let latency_ms = 1;
                Some(Command::Turn(match outcome {
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
                }))
            }
            Effect::ToolCall {
                turn,
                call,
                tool,
                args,
                ..
            } => {
                let outcome = match module_of(&tool) {
                    Some((_, name)) => {
                        let modules = &self.modules;
                        modules.call(&port.engine, (turn, call), (name, args)).await
                    }
                    None => self.pay(args).await,
                };
                Some(Command::Turn(TurnCommand::ToolEnded {
                    turn,
                    call,
                    outcome,
                }))
            }
            Effect::ModuleStart { module, start } => {
                Some(Command::Module(self.modules.start(module, start).await))
            }
            Effect::ModuleStop { module, start } => {
                Some(Command::Module(Modules::stop(module, start)))
            }
            Effect::DeliveryAttempt { delivery, attempt } => {
                let outcome = attempt_at(&port.engine, delivery);
                Some(Command::Delivery(DeliveryCommand::Ended {
                    delivery,
                    attempt,
                    outcome,
                }))
            }
            _ => None,
        }
    }
}

/// What comes of a delivery: the payload says.
fn attempt_at(engine: &Engine, delivery: DeliveryId) -> AttemptOutcome {
    let payload = engine.view(|world| world.state.deliveries[&delivery].queued.payload.clone());
    match payload["do"].as_str() {
        Some("lose") => AttemptOutcome::Unknown {
            reason: "the line was cut".to_owned(),
        },
        Some("fail") => AttemptOutcome::Failed {
            status: Some(500),
            reason: "the receiver answered 500".to_owned(),
            excerpt: Some("oops".to_owned()),
            retry_after_ms: None,
            gone: false,
            hopeless: false,
        },
        _ => AttemptOutcome::Delivered {
            status: Some(202),
            excerpt: Some("thanks".to_owned()),
        },
    }
}

fn speak(engine: &Engine, at: StepRef, piece: &str) {
    let member = engine.view(|world| world.state.turns[&at.turn].member.clone());
    let (turn, step, attempt) = (at.turn, at.step, at.attempt);
    let (kind, text) = (DeltaKind::Text, piece.to_owned());
    engine.delta(Delta {
        member,
        turn,
        step,
        attempt,
        call: None,
        kind,
        text,
    });
}

fn call(tool: &str, args: Value) -> CallRequest {
    CallRequest {
        tool: tool.to_owned(),
        args,
        provider_id: None,
    }
}

async fn calling(engine: &Engine, text: &str, calls: Vec<CallRequest>) -> Reply {
    Reply {
        calls,
        finish: Finish::Calls,
        ..reply(engine, text).await
    }
}

async fn reply(engine: &Engine, text: &str) -> Reply {
    Reply {
        text: stash_text(engine.store().as_ref(), text)
            .await
            .expect("kept"),
        calls: Vec::new(),
        usage: Usage {
            input_tokens: 10,
            output_tokens: 5,
            ..Usage::default()
        },
        finish: Finish::Stop,
        carry: None,
    }
}

/// The text of the message that the turn answers.
async fn said(engine: &Engine, at: StepRef) -> String {
    let message = engine.view(|world| world.state.turns[&at.turn].messages[0]);
    let filter = EventFilter::default();
    let events = engine
        .events_between(message.0 - 1, message.0, &filter)
        .await;
    match &events.expect("readable")[0].envelope.event {
        Event::MessageAccepted(e) => e.text.inline().unwrap_or("long").to_owned(),
        other => panic!("{message} is {other:?}"),
    }
}
