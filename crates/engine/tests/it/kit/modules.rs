//! Modules as the outside world has them. How one behaves is in its name: `slow` takes 500 ms to
//! start, `stuck` never does, `broken` fails, `clumsy` panics, `deaf` does not stop, `tough` has to
//! be killed; every other starts and stops at once. Each offers the tools `look`, `put` and `pay`.

use super::runner::{Did, Scripted};
use super::wait::pass_ms;
use mobkit_domain::command::{Command, Ended, ModuleCommand, ToolOutcome};
use mobkit_domain::event::{StopOutcome, ToolDefinition, ToolEffect};
use mobkit_domain::id::{CallId, ModuleId, Seq, TurnId};
use mobkit_engine::{EffectPort, ModuleStopped};
use serde_json::{Value, json};

/// How long stopping a module takes.
pub const STOP_MS: u64 = 5;

/// Says that a start was dropped before it came to an end; nothing is left of it then.
struct Begun<'r> {
    runner: &'r Scripted,
    module: ModuleId,
    ended: bool,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let module = self.module.clone();
            self.runner.modules().remove(&module);
            self.runner.note(Did::ModuleStartDropped { module });
        }
    }
}

fn tools() -> Vec<ToolDefinition> {
    let tool = |(name, hint): (&str, ToolEffect)| ToolDefinition {
        name: name.to_owned(),
        description: String::new(),
        schema: json!({ "type": "object" }),
        output_schema: None,
        hint,
        hash: format!("{name} of now"),
    };
    let tools = [
        ("look", ToolEffect::Read),
        ("pay", ToolEffect::Effect),
        ("put", ToolEffect::Idempotent),
    ];
    tools.map(tool).into()
}

impl Scripted {
    pub(super) async fn module_start(&self, module: ModuleId, start: Seq) -> Command {
        self.note(Did::ModuleStart {
            module: module.clone(),
        });
        let mut begun = Begun {
            runner: self,
            module: module.clone(),
            ended: false,
        };
        self.modules().insert(module.clone());
        match module.as_str() {
            "slow" => pass_ms(500).await,
            "stuck" => std::future::pending().await,
            _ => {}
        }
        assert_ne!(module.as_str(), "clumsy", "a start that panics on purpose");
        begun.ended = true;
        Command::Module(if module.as_str() == "broken" {
            self.modules().remove(&module);
            let reason = "exit status 3".to_owned();
            ModuleCommand::Ended {
                module,
                start,
                reason,
                ended: Ended::Failure,
            }
        } else {
            ModuleCommand::Healthy {
                module,
                start,
                pid: Some(4_711),
                protocol: "mcp 2026-07-28".to_owned(),
                sandbox: None,
                tools: Some(tools()),
            }
        })
    }

    pub(super) async fn module_stop(&self, module: ModuleId, start: Seq) -> Command {
        self.note(Did::ModuleStop {
            module: module.clone(),
        });
        let gone = ModuleStopped {
            id: module.clone(),
            outcome: StopOutcome::Killed,
            took_ms: 0,
        };
        let stopped = self.end_module(module).await.unwrap_or(gone);
        Command::Module(ModuleCommand::Stopped {
            module: stopped.id,
            start,
            outcome: stopped.outcome,
            took_ms: stopped.took_ms,
            reason: None,
        })
    }

    /// Ends a module; `None`: it does not run.
    pub(super) async fn end_module(&self, module: ModuleId) -> Option<ModuleStopped> {
        if !self.modules().contains(&module) {
            return None;
        }
        if module.as_str() == "deaf" {
            return std::future::pending().await;
        }
        pass_ms(STOP_MS).await;
        let outcome = if module.as_str() == "tough" {
            StopOutcome::Killed
        } else {
            StopOutcome::Exited
        };
        self.modules().remove(&module).then_some(ModuleStopped {
            id: module,
            outcome,
            took_ms: STOP_MS,
        })
    }

    /// A call of a module: as any other tool, or it asks a person, or its module is lost.
    pub(super) async fn module_call(
        &self,
        (turn, call): (Option<TurnId>, CallId),
        args: &Value,
        port: &EffectPort,
    ) -> ToolOutcome {
        if args.get("lost") == Some(&json!(true)) {
            return ToolOutcome::Lost("exit status 3".to_owned());
        }
        let question = args.get("ask").and_then(Value::as_str);
        let (Some(question), Some(turn)) = (question, turn) else {
            return self.tool(args).await.into();
        };
        port.engine.progress(turn, call, "asking");
        let schema = json!({
            "type": "object",
            "properties": { "name": { "type": "string" } },
            "required": ["name"],
        });
        let engine = &port.engine;
        let answer = engine.elicit(turn, call, question.to_owned(), schema).await;
        let told = answer.map_or_else(|| "nobody said".to_owned(), |answer| answer.to_string());
        ToolOutcome::Finished(told.into())
    }
}
