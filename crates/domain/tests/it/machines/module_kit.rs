//! A mob with modules, and what comes of their processes.

use super::harness::{Mob, ada};
use mobkit_domain::command::{Answer, Command, Ended, ModuleCommand, Submission};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{StopOutcome, ToolDefinition, ToolEffect};
use mobkit_domain::id::{ModuleId, Seq};
use mobkit_domain::principal::Principal;
use mobkit_domain::state::{Module, ModuleStatus};
use serde_json::json;

/// One desk; an eager module, a lazy one, one that is never restarted, and one that is pinned.
pub const WORKSHOP: &str = r#"
[mob]
id = "workshop"

[models.main]
provider = "rehearsal"

[profiles.desk]
model = "main"
instructions = "You work."
tools = ["now", "module:search/*", "module:mail/*", "module:once/*", "module:vault/*"]

[[members]]
id = "ann"
profile = "desk"

[[modules]]
id = "search"
transport = "mcp-stdio"
command = ["search", "--fast"]
restart = { intensity = 2, period = "1m", backoff = ["200ms", "1s"] }
effects = { fetch = "read", publish = "effect" }

[[modules]]
id = "mail"
transport = "json-lines"
command = ["mail"]
start = "lazy"
idle_stop = "10s"
restart = { policy = "always", intensity = 1 }

[[modules]]
id = "once"
transport = "json-lines"
command = ["once"]
restart = { policy = "never" }

[[modules]]
id = "vault"
transport = "json-lines"
command = ["vault"]
pin = true
"#;

pub fn module(id: &str) -> ModuleId {
    ModuleId::parse(id).expect("the test gives a valid id")
}

/// A tool with a description and what its module hints.
pub fn tool(name: &str, description: &str, hint: ToolEffect) -> ToolDefinition {
    ToolDefinition {
        name: name.to_owned(),
        description: description.to_owned(),
        schema: json!({"type": "object", "properties": {"n": {"type": "integer"}}}),
        output_schema: None,
        hint,
        hash: String::new(),
    }
}

/// Tools that only read.
pub fn tools(names: &[&str]) -> Vec<ToolDefinition> {
    let read = |name: &&str| tool(name, "a tool of the test", ToolEffect::Read);
    names.iter().map(read).collect()
}

impl Mob {
    /// The mob of [`WORKSHOP`], ready; its modules are starting.
    pub fn workshop() -> Self {
        Self::ready_of(WORKSHOP)
    }

    /// The mob of [`WORKSHOP`] with every module healthy; the lazy one is stopped again.
    pub fn workshop_open() -> Self {
        let mut mob = Self::workshop();
        for id in ["search", "mail", "once", "vault"] {
            mob.is_healthy(id, Some(tools(&["fetch", "publish"])));
        }
        mob.pass_ms(10_000);
        mob.module_tick();
        mob.has_stopped("mail");
        mob
    }

    /// What is due happens.
    pub fn module_tick(&mut self) {
        self.runtime(mobkit_domain::command::RuntimeCommand::Tick);
    }

    #[track_caller]
    pub fn module(&self, id: &str) -> &Module {
        &self.world.state.modules[&module(id)]
    }

    #[track_caller]
    pub fn status(&self, id: &str) -> ModuleStatus {
        self.module(id).status
    }

    pub fn start_of(&self, id: &str) -> Seq {
        self.module(id).start
    }

    pub fn module_order(&mut self, command: ModuleCommand) -> Answer {
        self.order(Command::Module(command))
    }

    pub fn start_module(&mut self, id: &str) {
        let module = module(id);
        self.module_order(ModuleCommand::Start { module });
    }

    pub fn stop_module(&mut self, id: &str) {
        let module = module(id);
        self.module_order(ModuleCommand::Stop { module });
    }

    pub fn restart_module(&mut self, id: &str) {
        let module = module(id);
        self.module_order(ModuleCommand::Restart { module });
    }

    pub fn converge_module(&mut self, id: &str) {
        let module = module(id);
        self.module_order(ModuleCommand::Converge { module });
    }

    /// Puts another definition into force and brings every module to it, as an apply does.
    pub fn reapply(&mut self, text: &str) {
        self.redefine(text);
        for id in ["search", "mail", "once", "vault"] {
            self.converge_module(id);
        }
    }

    #[track_caller]
    pub fn is_healthy(&mut self, id: &str, tools: Option<Vec<ToolDefinition>>) {
        let command = healthy(id, self.start_of(id), tools);
        self.internal(command);
    }

    #[track_caller]
    pub fn is_unhealthy(&mut self, id: &str, reason: &str) {
        let (module, start) = (module(id), self.start_of(id));
        let reason = reason.to_owned();
        self.internal(Command::Module(ModuleCommand::Unhealthy {
            module,
            start,
            reason,
        }));
    }

    #[track_caller]
    pub fn has_ended(&mut self, id: &str, how: Ended) {
        let command = ended(id, self.start_of(id), how);
        self.internal(command);
    }

    #[track_caller]
    pub fn has_stopped(&mut self, id: &str) {
        let command = stopped(id, self.start_of(id), None);
        self.internal(command);
    }

    /// The modules whose start or stop the last command asked for.
    pub fn modules_asked(&self) -> Vec<String> {
        let asked = self.asked.iter().filter_map(|effect| match effect {
            Effect::ModuleStart { module, start } => {
                assert_eq!(*start, self.world.state.modules[module].start);
                Some(format!("start {module}"))
            }
            Effect::ModuleStop { module, start } => {
                assert_eq!(*start, self.world.state.modules[module].start);
                Some(format!("stop {module}"))
            }
            _ => None,
        });
        asked.collect()
    }

    /// Runs a command of somebody that must be refused; gives code and hint.
    #[track_caller]
    pub fn refused_to(&mut self, actor: Principal, command: ModuleCommand) -> (String, String) {
        let command = Command::Module(command);
        let submission = Submission {
            actor,
            ..Submission::internal(command)
        };
        let refusal = self.run(&submission).expect_err("the command is refused");
        (refusal.code, refusal.hint.unwrap_or(refusal.message))
    }

    #[track_caller]
    pub fn module_refused(&mut self, command: ModuleCommand) -> (String, String) {
        self.refused_to(ada(), command)
    }
}

pub fn healthy(id: &str, start: Seq, tools: Option<Vec<ToolDefinition>>) -> Command {
    Command::Module(ModuleCommand::Healthy {
        module: module(id),
        start,
        pid: Some(4_711),
        protocol: "mcp 2026-07-28".to_owned(),
        sandbox: None,
        tools,
    })
}

pub fn ended(id: &str, start: Seq, how: Ended) -> Command {
    let reason = match how {
        Ended::Success => "exit code 0",
        Ended::Failure => "signal 9",
        Ended::Hopeless => "no sandbox",
    };
    Command::Module(ModuleCommand::Ended {
        module: module(id),
        start,
        reason: reason.to_owned(),
        ended: how,
    })
}

pub fn stopped(id: &str, start: Seq, reason: Option<&str>) -> Command {
    Command::Module(ModuleCommand::Stopped {
        module: module(id),
        start,
        outcome: StopOutcome::Terminated,
        took_ms: 12,
        reason: reason.map(str::to_owned),
    })
}
