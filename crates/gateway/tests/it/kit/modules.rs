//! Modules that a runner plays.

use mobkit_domain::command::{Ended, ModuleCommand, ToolOutcome};
use mobkit_domain::event::{StopOutcome, ToolDefinition, ToolEffect};
use mobkit_domain::id::{CallId, ModuleId, Seq, TurnId};
use mobkit_engine::Engine;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// The modules of a mob; all offer the same tools.
#[derive(Default)]
pub struct Modules {
    /// Whether starts fail.
    pub broken: AtomicBool,
    /// Whether starts never come to an end.
    pub silent: AtomicBool,
    /// What is said of `look`: another text is another definition.
    pub description: Mutex<String>,
    /// Lets one call of `wait` go on.
    pub gate: Notify,
}

fn tool(name: &str, description: String, hint: ToolEffect) -> ToolDefinition {
    ToolDefinition {
        name: name.to_owned(),
        hash: format!("sha256:{name}-{description}"),
        description,
        schema: json!({"type": "object"}),
        output_schema: None,
        hint,
    }
}

impl Modules {
    fn tools(&self) -> Vec<ToolDefinition> {
        let description = self.description.lock().expect("not poisoned").clone();
        vec![
            tool("ask", "Asks a person.".to_owned(), ToolEffect::Effect),
            tool("fail", "Fails.".to_owned(), ToolEffect::Read),
            tool("look", description, ToolEffect::Read),
            tool("lose", "Is lost.".to_owned(), ToolEffect::Effect),
            tool("wait", "Waits.".to_owned(), ToolEffect::Idempotent),
        ]
    }

    pub async fn start(&self, module: ModuleId, start: Seq) -> ModuleCommand {
        if self.silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.broken.load(Ordering::Relaxed) {
            return ModuleCommand::Ended {
                module,
                start,
                reason: "it exited with 1".to_owned(),
                ended: Ended::Failure,
            };
        }
        ModuleCommand::Healthy {
            module,
            start,
            pid: Some(4_711),
            protocol: "json-lines".to_owned(),
            sandbox: None,
            tools: Some(self.tools()),
        }
    }

    pub fn stop(module: ModuleId, start: Seq) -> ModuleCommand {
        ModuleCommand::Stopped {
            module,
            start,
            outcome: StopOutcome::Exited,
            took_ms: 3,
            reason: None,
        }
    }

    /// Makes a call. A question of `ask` needs a turn, in which a person can be asked.
    pub async fn call(
        &self,
        engine: &Engine,
        (turn, call): (Option<TurnId>, CallId),
        (tool, args): (&str, Value),
    ) -> ToolOutcome {
        match (tool, turn) {
            ("ask", Some(turn)) => {
                let schema = json!({
                    "type": "object", "required": ["name"],
                    "properties": {"name": {"type": "string"}},
                });
                let question = "Whose is it?".to_owned();
                match engine.elicit(turn, call, question, schema).await {
                    Some(answer) => ToolOutcome::Finished(answer.to_string().into()),
                    None => ToolOutcome::Failed("nobody said".to_owned()),
                }
            }
            _ => self.answer(tool, args).await,
        }
    }

    async fn answer(&self, tool: &str, args: Value) -> ToolOutcome {
        match tool {
            "fail" => ToolOutcome::Failed("it does not work".to_owned()),
            "lose" => ToolOutcome::Lost("the module ended".to_owned()),
            "wait" => {
                self.gate.notified().await;
                ToolOutcome::Finished("waited".into())
            }
            _ if args["plain"] == true => ToolOutcome::Finished("seen".into()),
            _ => ToolOutcome::Finished(json!({"seen": args}).to_string().into()),
        }
    }
}
