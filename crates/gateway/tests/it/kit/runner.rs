//! A runner that does what the first word of a message says.

use async_trait::async_trait;
use mobkit_domain::command::{Command, StepRef, TurnCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{Event, EventFilter};
use mobkit_domain::model::{CallRequest, Failure, FailureClass, Finish, Reply, Usage};
use mobkit_engine::{Delta, DeltaKind, EffectPort, Engine, Runner, stash_text};
use serde_json::json;
use tokio::sync::Notify;

/// Answers at once, unless the message says otherwise.
#[derive(Default)]
pub struct Scripted {
    /// Lets one message that says `gate` go on.
    pub gate: Notify,
}

impl Scripted {
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
                let calls = vec![CallRequest {
                    tool: "pay".to_owned(),
                    args: json!({"amount": 3}),
                    provider_id: None,
                }];
                let finish = Finish::Calls;
                Ok(Reply {
                    calls,
                    finish,
                    ..reply(engine, "").await
                })
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
            // Nobody knows whether the payment happened.
            Effect::ToolCall { .. } => std::future::pending().await,
            _ => None,
        }
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
        kind,
        text,
    });
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
            cached_input_tokens: 0,
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
