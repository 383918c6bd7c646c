//! What led to an approval, for the person who decides.

use crate::context::store_refusal;
use crate::text::fetched;
use crate::turn_view::event_at;
use mobkit_domain::event::{
    ApprovalRequested, Event, EventFilter, Matter, ModuleHealthy, ToolDefinition,
};
use mobkit_domain::id::{MessageId, ModuleId};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::text::Text;
use mobkit_domain::tool::{built_in_specs, module_of};
use mobkit_domain::world::World;
use mobkit_engine::Engine;
use schemars::JsonSchema;
use serde::Serialize;

/// Most characters of a message that are shown.
const EXCERPT_CHARS_MAX: usize = 4_000;
/// Most messages that are shown.
const MESSAGES_MAX: usize = 100;

/// What led to an approval. What retention has taken, or nobody knows any longer, is absent.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Story {
    /// What the messages say that the turn answers.
    said: Vec<Said>,
    /// What the model said with the call; a reference where it is longer than 1 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<Text>,
    /// What the tool says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Where the definition of the tool has changed: what it was, and what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    definitions: Option<Definitions>,
}

/// A message, cut where it is long.
#[derive(Debug, Serialize, JsonSchema)]
struct Said {
    id: MessageId,
    from: Principal,
    text: String,
}

/// Both sides of a changed definition.
#[derive(Debug, Serialize, JsonSchema)]
struct Definitions {
    /// The pinned one.
    before: Option<ToolDefinition>,
    /// The one that the module lists.
    after: Option<ToolDefinition>,
}

/// Gathers what led to an approval.
pub(super) async fn story(engine: &Engine, asked: &ApprovalRequested) -> Result<Story, Refusal> {
    let mut said = Vec::new();
    for id in asked.messages.iter().take(MESSAGES_MAX) {
        said.extend(message(engine, *id).await?);
    }
    let definitions = match &asked.matter {
        Matter::Definition { before, after } => Some(Definitions {
            before: definition(engine, asked, before).await?,
            after: definition(engine, asked, after).await?,
        }),
        Matter::Gate { .. } | Matter::Elicitation { .. } => None,
    };
    Ok(Story {
        said,
        reply: reply(engine, asked).await?,
        description: engine.view(|world| description(world, &asked.tool)),
        definitions,
    })
}

async fn message(engine: &Engine, id: MessageId) -> Result<Option<Said>, Refusal> {
    let Some(Event::MessageAccepted(e)) = event_at(engine, id.0).await?.map(|found| found.event)
    else {
        return Ok(None);
    };
    let text = match fetched(engine, e.text).await? {
        Text::Inline(text) => cut(&text),
        blob @ Text::Blob(_) => blob.excerpt(EXCERPT_CHARS_MAX),
    };
    Ok(Some(Said {
        id,
        from: e.from,
        text,
    }))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

async fn reply(engine: &Engine, asked: &ApprovalRequested) -> Result<Option<Text>, Refusal> {
    match event_at(engine, asked.call.reply).await? {
        Some(found) => match found.event {
            Event::ModelReplied(e) => Ok(Some(fetched(engine, e.text).await?)),
            _ => Ok(None),
        },
        None => Ok(None),
    }
}

/// What a tool says of itself now, whoever offers it.
fn description(world: &World, tool: &str) -> Option<String> {
    if let Some(spec) = world.toolbox.0.get(tool) {
        return Some(spec.description.clone());
    }
    let Some((module, name)) = module_of(tool) else {
        let built_in = built_in_specs();
        let spec = built_in.iter().find(|spec| spec.name == tool)?;
        return Some(spec.description.clone());
    };
    let tools = world
        .state
        .modules
        .get(&module.parse().ok()?)?
        .tools
        .as_ref()?;
    Some(tools.get(name)?.description.clone())
}

/// The definition with this hash: one that is known now, else the last one that was recorded before
/// the approval.
async fn definition(
    engine: &Engine,
    asked: &ApprovalRequested,
    hash: &str,
) -> Result<Option<ToolDefinition>, Refusal> {
    let Some((module, name)) = module_of(&asked.tool) else {
        return Ok(None);
    };
    let Ok(module) = module.parse::<ModuleId>() else {
        return Ok(None);
    };
    let known = engine.view(|world| {
        let module = world.state.modules.get(&module)?;
        let pinned = module.tools.as_ref().and_then(|tools| tools.get(name));
        let both = [pinned, module.changed.get(name)];
        both.into_iter()
            .flatten()
            .find(|tool| tool.hash == hash)
            .cloned()
    });
    if known.is_some() {
        return Ok(known);
    }
    let filter = EventFilter {
        kinds: vec!["module.healthy".to_owned()],
        subject: Some(format!("module/{module}")),
        source: None,
    };
    let listed = engine.events_between(0, asked.approval.0, &filter).await;
    let listed = listed.map_err(|error| store_refusal(&error))?;
    Ok(listed
        .iter()
        .rev()
        .find_map(|found| match &found.envelope.event {
            Event::ModuleHealthy(e) => definitions_of(e)
                .find(|tool| tool.name == name && tool.hash == hash)
                .cloned(),
            _ => None,
        }))
}

fn definitions_of(e: &ModuleHealthy) -> impl Iterator<Item = &ToolDefinition> {
    e.tools.iter().flatten().chain(&e.held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        assert_eq!(cut("ä\nb"), "ä\nb");
        let long = cut(&"ä".repeat(EXCERPT_CHARS_MAX + 1));
        assert_eq!(long.chars().count(), EXCERPT_CHARS_MAX + 1);
        assert!(long.ends_with("ä…"));
    }
}
