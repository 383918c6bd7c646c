//! A mob with modules that are real processes.

use super::host::Host;
use super::runner::WithModules;
use mobkit_domain::command::{Command, MessageCommand, ModuleCommand, Submission};
use mobkit_domain::definition::{NoFiles, parse};
use mobkit_domain::event::{Envelope, Event, EventFilter};
use mobkit_domain::id::{MemberId, MobId, ModuleId, Seq};
use mobkit_domain::principal::Principal;
use mobkit_domain::state::ModuleStatus;
use mobkit_engine::{Engine, EngineConfig, EventReader, Hooks, SystemClock, unstash};
use mobkit_modules::Modules;
use mobkit_store::{EventQuery, MemoryStore, Store};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// No test waits as long as that for anything; a machine under load may need some of it.
const PATIENCE: Duration = Duration::from_mins(1);

pub const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/programs");

/// A mob that runs.
pub struct Mob {
    pub engine: Engine,
    pub modules: Arc<Modules>,
    pub folder: tempfile::TempDir,
    pub memory: MemoryStore,
}

/// A module of the mob file: its id, its program in the folder of programs with arguments, and what
/// else the file says of it.
pub fn module(id: &str, line: &str, more: &str) -> String {
    let mut words = line.split(' ');
    let program = words.next().expect("a program");
    let arguments = words
        .map(|word| format!(", {word:?}"))
        .collect::<Vec<_>>()
        .concat();
    format!(
        "[[modules]]\nid = {id:?}\ntransport = \"json-lines\"\n\
         command = [\"python3\", \"{PROGRAMS}/{program}\"{arguments}]\n{more}\n"
    )
}

impl Mob {
    /// A mob of these modules, and of one member who may call their tools.
    pub async fn up(modules: &[String]) -> Self {
        Self::with(modules, Host::plain()).await
    }

    pub async fn with(modules: &[String], host: Host) -> Self {
        let ids = modules
            .iter()
            .map(|text| text.split('"').nth(1).expect("an id"));
        let tools: Vec<String> = ids.map(|id| format!("\"module:{id}/*\"")).collect();
        let text = format!(
            "[mob]\nid = \"desk\"\n[models.main]\nprovider = \"rehearsal\"\n\
             [profiles.worker]\nmodel = \"main\"\ninstructions = \"Call.\"\ntools = [{}]\n\
             [[members]]\nid = \"ada\"\nprofile = \"worker\"\n{}",
            tools.join(", "),
            modules.concat()
        );
        let parsed = parse("mob.toml", &text, &NoFiles).expect("the mob file is right");
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().to_owned();
        let modules = Arc::new(Modules::new(place, Arc::new(host)));
        let memory = MemoryStore::new();
        let config = EngineConfig {
            store: Arc::new(memory.reopen()),
            clock: Arc::new(SystemClock),
            definition: Arc::new(parsed.definition),
            source: None,
            toolbox: Arc::default(),
            runner: Arc::new(WithModules(Arc::clone(&modules))),
            hooks: Hooks::default(),
            version: "0.0.0-test".to_owned(),
            rehearsal: false,
            drain_timeout_ms: 10_000,
            force_first: false,
        };
        let engine = Engine::open(config).await.expect("opened");
        engine.bring_up().await.expect("brought up");
        Self {
            engine,
            modules,
            folder,
            memory,
        }
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Waits for an event, from the beginning of the journal on.
    pub async fn event<T>(&self, what: &str, look: impl Fn(&Event) -> Option<T>) -> T {
        self.event_after(0, what, look).await.1
    }

    /// Waits for an event after a position.
    pub async fn event_after<T>(
        &self,
        after: Seq,
        what: &str,
        look: impl Fn(&Event) -> Option<T>,
    ) -> (Seq, T) {
        let reader = EventReader::open(&self.engine, after, EventFilter::default()).await;
        let mut reader = reader.expect("readable");
        let found = async {
            loop {
                let events = reader.next(64).await.expect("readable");
                let events = events.unwrap_or_else(|| panic!("the mob stopped before: {what}"));
                for event in events {
                    if let Some(found) = look(&event.envelope.event) {
                        return (event.envelope.seq, found);
                    }
                }
            }
        };
        let Ok(found) = tokio::time::timeout(PATIENCE, found).await else {
            panic!("it never came to: {what}; {:#?}", self.summaries().await)
        };
        found
    }

    async fn summaries(&self) -> Vec<String> {
        let events = self.journal().await;
        let told = |e: &Envelope| {
            format!("{} {:?}", e.seq, e.event)
                .chars()
                .take(300)
                .collect()
        };
        events.iter().map(told).collect()
    }

    /// Waits until a module answers.
    pub async fn healthy(&self, id: &str) {
        self.event(&format!("{id} is healthy"), |event| match event {
            Event::ModuleHealthy(e) if e.module.as_str() == id => Some(()),
            _ => None,
        })
        .await;
    }

    /// The reason of the next restart of a module after a position.
    pub async fn restarting_after(&self, after: Seq, id: &str) -> (Seq, String) {
        self.event_after(after, &format!("{id} is restarted"), |event| match event {
            Event::ModuleRestarting(e) if e.module.as_str() == id => Some(e.reason.clone()),
            _ => None,
        })
        .await
    }

    /// Calls a tool as an operator, and waits for what comes of it.
    pub async fn call(&self, id: &str, tool: &str, args: Value) -> Result<String, String> {
        let command = ModuleCommand::Call {
            module: module_id(id),
            tool: tool.to_owned(),
            args,
        };
        let called = self.engine.call_module(by_ada(Command::Module(command)));
        let called = tokio::time::timeout(PATIENCE, called).await;
        let called = called.unwrap_or_else(|_| panic!("no end of the call of {tool}"));
        let (_, outcome) = called.expect("the call is made");
        match outcome {
            Ok(text) => Ok(unstash(self.engine.store().as_ref(), &text)
                .await
                .expect("kept")),
            Err(reason) => Err(reason),
        }
    }

    /// What a tool returns as JSON.
    pub async fn value(&self, id: &str, tool: &str, args: Value) -> Value {
        let text = self.call(id, tool, args).await.expect("a result");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Has the member call a tool; nobody waits for what comes of it.
    pub async fn agent_calls(&self, tool: &str, args: &Value) {
        let command = MessageCommand::Send {
            to: MemberId::parse("ada").expect("a member id"),
            content: format!("{tool} {args}").as_str().into(),
            mode: None,
            correlation: None,
            expires: None,
        };
        let sent = self.engine.submit(by_ada(Command::Message(command))).await;
        sent.expect("accepted");
    }

    pub async fn order(&self, command: Command) {
        let ordered = self.engine.submit(by_ada(command)).await;
        ordered.expect("done");
    }

    pub fn status(&self, id: &str) -> ModuleStatus {
        self.engine
            .view(|world| world.state.modules[&module_id(id)].status)
    }

    /// Everything that is durable.
    pub async fn journal(&self) -> Vec<Envelope> {
        let query = EventQuery {
            limit: 1_000_000,
            ..EventQuery::default()
        };
        let mob = MobId::parse("desk").expect("a mob id");
        self.memory
            .events(&mob, query)
            .await
            .expect("readable")
            .events
    }

    /// How often a program noted that it was started.
    pub fn starts(&self, note: &str) -> usize {
        std::fs::read_to_string(self.path(note)).map_or(0, |text| text.lines().count())
    }
}

pub fn module_id(id: &str) -> ModuleId {
    ModuleId::parse(id).expect("a module id")
}

fn by_ada(command: Command) -> Submission {
    Submission {
        command,
        actor: Principal::Operator("ada".to_owned()),
        key: None,
        trace: None,
    }
}
