//! A mob whose models answer at once, so that what is left is the platform.

use anyhow::{Context, bail};
use async_trait::async_trait;
use mobkit_domain::command::{
    Answer, Command, MessageCommand, MobCommand, Submission, TurnCommand,
};
use mobkit_domain::definition::{Definition, MemberSpec, NoFiles, parse};
use mobkit_domain::effect::Effect;
use mobkit_domain::id::{MemberId, MessageId, ProfileId};
use mobkit_domain::model::{Finish, Reply, Usage};
use mobkit_domain::principal::Principal;
use mobkit_domain::tool::Toolbox;
use mobkit_engine::{
    DRAIN_TIMEOUT_MS, EffectPort, Engine, EngineConfig, Hooks, Outcome, Runner, SystemClock,
};
use mobkit_store::Store;
use std::future::Future;
use std::sync::Arc;

const TEXT: &str = r#"
[mob]
id = "bench"
turns_max = 1000
[models.main]
provider = "rehearsal"
[profiles.worker]
model = "main"
instructions = "Answer."
"#;

/// A definition with so many members in one role.
pub fn definition(members: usize) -> anyhow::Result<Definition> {
    let parsed = parse("mob.toml", TEXT, &NoFiles);
    let mut definition = parsed.map_err(|e| anyhow::anyhow!("{e:?}"))?.definition;
    definition.members = specs(members)?;
    Ok(definition)
}

/// So many members.
pub fn specs(members: usize) -> anyhow::Result<Vec<MemberSpec>> {
    let profile = ProfileId::parse("worker")?;
    (0..members)
        .map(|at| Ok(MemberSpec::new(member(at)?, profile.clone())))
        .collect()
}

/// The id of one of them.
pub fn member(at: usize) -> anyhow::Result<MemberId> {
    Ok(MemberId::parse(&format!("worker-{at}"))?)
}

/// What an engine is made of, with models that answer at once.
pub fn config(store: Arc<dyn Store>, definition: Definition, hooks: Hooks) -> EngineConfig {
    EngineConfig {
        store,
        clock: Arc::new(SystemClock),
        definition: Arc::new(definition),
        source: None,
        toolbox: Arc::new(Toolbox::default()),
        runner: Arc::new(AtOnce),
        hooks,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        rehearsal: true,
        drain_timeout_ms: DRAIN_TIMEOUT_MS,
        force_first: false,
    }
}

/// A running mob with so many members.
pub async fn start(store: Arc<dyn Store>, members: usize) -> anyhow::Result<Engine> {
    let engine = Engine::open(config(store, definition(members)?, Hooks::default())).await?;
    engine.bring_up().await?;
    Ok(engine)
}

/// Answers every model call with the same word, without waiting.
struct AtOnce;

#[async_trait]
impl Runner for AtOnce {
    async fn run(&self, effect: Effect, _port: EffectPort) -> Option<Command> {
        let Effect::ModelCall { at, .. } = effect else {
            return None;
        };
        let usage = Usage {
            input_tokens: 12,
            output_tokens: 1,
            ..Usage::default()
        };
        let reply = Reply {
            text: "noted".into(),
            calls: Vec::new(),
            usage,
            finish: Finish::Stop,
            carry: None,
        };
        Some(Command::Turn(TurnCommand::ModelReplied {
            at,
            reply,
            latency_ms: 0,
        }))
    }
}

/// Accepts messages and begins no turn.
pub async fn pause(engine: &Engine) -> anyhow::Result<()> {
    let pause = Command::Mob(MobCommand::Pause { reason: None });
    engine.submit(submission(pause)).await?;
    Ok(())
}

/// A command of an app.
pub fn submission(command: Command) -> Submission {
    let actor = Principal::App("bench".to_owned());
    Submission {
        command,
        actor,
        key: None,
        trace: None,
    }
}

/// Sends a message; returns once it is durable.
pub async fn send(engine: &Engine, to: MemberId) -> anyhow::Result<MessageId> {
    let command = Command::Message(MessageCommand::Send {
        to,
        content: "M 4.6, 12 km SSW of Somewhere, depth 10 km".into(),
        mode: None,
        correlation: None,
        expires: None,
    });
    match engine.submit(submission(command)).await? {
        Answer::Message { message, .. } => Ok(message),
        Answer::Done { .. } => bail!("no message came of it"),
    }
}

/// Sends a message and waits for the end of its turn.
pub async fn ask(engine: &Engine, to: MemberId) -> anyhow::Result<()> {
    let message = send(engine, to).await?;
    match engine.outcome(message).await? {
        Outcome::Turn { .. } => Ok(()),
        Outcome::Dropped { .. } => bail!("{message} was dropped"),
    }
}

/// Runs on as many threads as there are cores, as the program does, and as a task among others, as
/// the handler of a request does.
pub fn on_threads<T: Send + 'static>(
    work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime
        .context("no runtime")?
        .block_on(async { tokio::spawn(work).await? })
}
