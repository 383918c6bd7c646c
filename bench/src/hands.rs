//! Mobs of the whole library whose modules are servers that do nothing.

use crate::noop;
use anyhow::{Context, bail};
use futures::StreamExt;
use mobkit::command::{Answer, Command, MessageCommand, Submission};
use mobkit::definition::{NoFiles, parse};
use mobkit::event::EventFilter;
use mobkit::id::{MemberId, ModelId, Seq};
use mobkit::model::{CallRequest, Finish};
use mobkit::principal::Principal;
use mobkit::{
    EventReader, Item, Mob, MobBuilder, ModelEvent, ModelEvents, ModelProvider, ModelRequest,
};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Calls the tool of the module `noop-0` once in each turn.
struct Caller;

impl ModelProvider for Caller {
    fn describe(&self) -> String {
        "caller".to_owned()
    }

    fn stream(&self, request: ModelRequest) -> ModelEvents {
        let asked = matches!(request.items.last(), Some(Item::User { .. }));
        let (event, finish) = if asked {
            let call = CallRequest {
                tool: format!("module:noop-0/{}", noop::TOOL),
                args: json!({}),
                provider_id: None,
            };
            (ModelEvent::Call(call), Finish::Calls)
        } else {
            let text = "done".to_owned();
            (ModelEvent::Text { text }, Finish::Stop)
        };
        let end = ModelEvent::End {
            finish,
            carry: None,
        };
        futures::stream::iter([Ok(event), Ok(end)]).boxed()
    }
}

/// A running mob in `dir` with so many modules, and what else its mob file says.
pub async fn start(
    dir: &Path,
    durability: &str,
    modules: usize,
    (each, more): (&str, &str),
) -> anyhow::Result<Mob> {
    let program = std::env::current_exe()?;
    let program = program.to_str().context("a path that is no text")?;
    let mut text = format!(
        r#"
        [mob]
        id = "bench"
        [models.main]
        provider = "rehearsal"
        [profiles.worker]
        model = "main"
        instructions = "Work."
        tools = ["module:noop-0/*"]
        [[members]]
        id = "worker"
        profile = "worker"
        [store]
        durability = "{durability}"
        {more}
        "#
    );
    if modules == 0 {
        text = text.replace("tools = [\"module:noop-0/*\"]", "");
    }
    for at in 0..modules {
        write!(
            text,
            "[[modules]]\nid = \"noop-{at}\"\ntransport = \"mcp-stdio\"\n\
             command = [{program:?}, \"--inner\", {:?}]\neffects = {{ {:?} = \"effect\" }}\n{each}\n",
            noop::NAME,
            noop::TOOL
        )?;
    }
    let parsed = parse("mob.toml", &text, &NoFiles).map_err(|e| anyhow::anyhow!("{e:?}"))?;
    let mob = MobBuilder::new(parsed.definition)
        .state_dir(dir)
        .model(ModelId::parse("main")?, Arc::new(Caller))
        .start()
        .await?;
    Ok(mob)
}

/// Has a command decided, as an operator does.
pub async fn submit(mob: &Mob, command: Command) -> anyhow::Result<Answer> {
    Ok(mob.engine().submit(submission(command)).await?)
}

/// A command of an operator.
pub fn submission(command: Command) -> Submission {
    Submission {
        command,
        actor: Principal::Operator("bench".to_owned()),
        key: None,
        trace: None,
    }
}

/// Sends the member a message, which makes it call the tool.
pub async fn send(mob: &Mob) -> anyhow::Result<()> {
    let message = MessageCommand::Send {
        to: MemberId::parse("worker")?,
        content: "work".into(),
        mode: None,
        correlation: None,
        expires: None,
    };
    submit(mob, Command::Message(message)).await?;
    Ok(())
}

/// A reader of events of one kind.
pub async fn reader(mob: &Mob, kind: &str, after: Seq) -> anyhow::Result<EventReader> {
    let filter = EventFilter {
        kinds: vec![kind.to_owned()],
        ..EventFilter::default()
    };
    Ok(mob.events(after, filter).await?)
}

/// Its next event, in the form in which clients see it.
pub async fn next(reader: &mut EventReader) -> anyhow::Result<Value> {
    match reader.next(1).await? {
        Some(found) => Ok(serde_json::from_str(found[0].wire())?),
        None => bail!("the mob stopped"),
    }
}
