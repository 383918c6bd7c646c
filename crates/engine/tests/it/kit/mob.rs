//! A mob to test with, and how to talk to it.

use super::runner::{Scripted, toolbox};
use mobkit_domain::command::{Command, MessageCommand, Submission};
use mobkit_domain::definition::{Definition, MemberSpec, NoFiles, parse};
use mobkit_domain::event::KeyUse;
use mobkit_domain::id::{MemberId, MessageId, ProfileId};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{Row, Table, TurnRow};
use mobkit_domain::time::Time;
use mobkit_engine::{
    Clock, DefinitionSource, Engine, EngineConfig, Hooks, Outcome, StartError, TokioClock,
};
use mobkit_store::{MemoryStore, Store, Tap};
use std::fmt::Write;
use std::sync::Arc;

/// When every test begins.
pub const BASE: Time = Time(1_763_791_200_000);

/// A mob, as one process after another has it.
pub struct Mob {
    pub definition: Arc<Definition>,
    pub memory: MemoryStore,
    pub tap: Arc<Tap>,
    pub runner: Arc<Scripted>,
    pub hooks: Hooks,
    pub source: Option<Arc<dyn DefinitionSource>>,
    pub drain_timeout_ms: u64,
    pub clock: Arc<dyn Clock>,
}

impl Mob {
    /// A mob of a mob file.
    pub fn of(text: &str) -> Self {
        let parsed = parse("mob.toml", text, &NoFiles).expect("the mob file is right");
        let memory = MemoryStore::new();
        Self {
            definition: Arc::new(parsed.definition),
            tap: Arc::new(Tap::over(Arc::new(memory.reopen()))),
            memory,
            runner: Arc::default(),
            hooks: Hooks::default(),
            source: None,
            drain_timeout_ms: 1_000,
            clock: Arc::new(TokioClock::starting_at(BASE)),
        }
    }

    /// A mob of these members, every one wired with every other.
    pub fn workers(members: &[&str]) -> Self {
        let mut text = HEAD.to_owned();
        for id in members {
            write!(text, "[[members]]\nid = \"{id}\"\nprofile = \"worker\"\n").expect("written");
        }
        Self::of(&text)
    }

    /// A mob without members of its own; whoever joins is wired with everybody.
    pub fn empty() -> Self {
        Self::workers(&[])
    }

    /// What a restart finds: the same journal, through a store that does not die.
    pub fn again(&mut self) {
        self.tap = Arc::new(Tap::over(Arc::new(self.memory.reopen())));
    }

    pub fn config(&self) -> EngineConfig {
        EngineConfig {
            store: Arc::clone(&self.tap) as Arc<dyn Store>,
            clock: Arc::clone(&self.clock),
            definition: Arc::clone(&self.definition),
            source: self.source.clone(),
            toolbox: Arc::new(toolbox()),
            runner: Arc::clone(&self.runner) as _,
            hooks: self.hooks.clone(),
            version: "0.0.0-test".to_owned(),
            rehearsal: false,
            drain_timeout_ms: self.drain_timeout_ms,
            force_first: false,
        }
    }

    pub async fn open(&self) -> Result<Engine, StartError> {
        Engine::open(self.config()).await
    }

    /// Opened and brought up.
    pub async fn start(&self) -> Result<Engine, StartError> {
        let engine = self.open().await?;
        engine.bring_up().await.map(|()| engine)
    }

    /// Opened and brought up, which must succeed.
    pub async fn up(&self) -> Engine {
        self.start().await.expect("the mob comes up")
    }
}

pub const HEAD: &str = r#"
[mob]
id = "desk"
[models.main]
provider = "rehearsal"
[profiles.worker]
model = "main"
instructions = "Do what the message says."
tools = ["peers", "now", "look", "put", "pay"]
[profiles.guest]
engine = "meerkat"
model = "main"
instructions = "Do what the message says."
tools = ["peers", "now", "look", "put", "pay"]
[wiring]
roles = [["worker", "worker"], ["worker", "guest"]]
"#;

pub fn member(id: &str) -> MemberId {
    MemberId::parse(id).expect("a member id")
}

/// A member as discovery would name it.
pub fn spec(id: &str, profile: &str) -> MemberSpec {
    MemberSpec::new(member(id), ProfileId::parse(profile).expect("a profile id"))
}

pub fn ada() -> Principal {
    Principal::Operator("ada".to_owned())
}

/// Sends, with a key or without.
pub async fn send_as(
    engine: &Engine,
    to: &str,
    text: &str,
    key: Option<&str>,
) -> Result<MessageId, Refusal> {
    let command = Command::Message(MessageCommand::Send {
        to: member(to),
        content: text.into(),
        mode: None,
        correlation: None,
        expires: None,
    });
    let key = key.map(|key| KeyUse {
        key: key.to_owned(),
        digest: format!("{to} {text}"),
    });
    let submission = Submission {
        command,
        actor: ada(),
        key,
        trace: None,
    };
    match engine.submit(submission).await? {
        mobkit_domain::command::Answer::Message { message, .. } => Ok(message),
        mobkit_domain::command::Answer::Done { .. } => panic!("no message was accepted"),
    }
}

/// Sends, which must succeed.
pub async fn send(engine: &Engine, to: &str, text: &str) -> MessageId {
    send_as(engine, to, text, None).await.expect("accepted")
}

/// Waits for the end of the turn that takes a message.
pub async fn settle(engine: &Engine, message: MessageId) -> TurnRow {
    let outcome = engine.outcome(message).await.expect("an outcome");
    let Outcome::Turn { turn, .. } = outcome else {
        panic!("{message} was dropped")
    };
    match engine
        .store()
        .row(engine.mob(), Table::Turn, turn.0)
        .await
        .expect("readable")
    {
        Some(Row::Turn(row)) => row,
        other => panic!("{turn} has the row {other:?}"),
    }
}

/// What a turn ended with.
pub fn text_of(row: &TurnRow) -> &str {
    row.text
        .as_ref()
        .and_then(|text| text.inline())
        .unwrap_or("")
}
