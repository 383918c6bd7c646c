//! The summary of old turns, made before the first step of a turn.

use super::transcript::{Transcript, TranscriptError};
use crate::model::{Item, ModelProvider, ModelRequest, collect};
use mobkit_domain::command::{Command, StepRef, Summarised, TurnCommand};
use mobkit_domain::definition::Compaction;
use mobkit_domain::id::MemberId;
use mobkit_domain::model::Reply;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::{Engine, stash_text};
use mobkit_store::StoreError;
use std::fmt::Write;

/// What the model is told that summarises.
const INSTRUCTIONS: &str = "You summarise a conversation for the agent who had it, and who goes on \
                            with nothing but your summary. Keep what was asked for and by whom, \
                            what was decided, promised and found out, names, numbers and \
                            references as they stand, and what is still to be done. Leave out \
                            what no longer matters. Answer with the summary alone.";

/// Why a session was not compacted. The turn goes on with all of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum CompactionError {
    #[error("the model gave no summary: {0}")]
    Model(String),
    #[error("the summary could not be kept: {0}")]
    Store(#[from] StoreError),
    #[error("the summary was not recorded: {}", .0.message)]
    Refused(Refusal),
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
}

/// Has the old turns of a session summarised, where there are any, and reads on.
pub(super) async fn compact(
    transcript: &mut Transcript,
    compaction: Compaction,
    (provider, request): (&dyn ModelProvider, ModelRequest),
    (at, member, engine): (StepRef, &MemberId, &Engine),
) -> Result<(), CompactionError> {
    // The last turn is the one that begins now.
    let old = transcript.begins().len().saturating_sub(1);
    let keep = usize::try_from(compaction.keep_turns).unwrap_or(usize::MAX);
    let summarised = old.saturating_sub(keep);
    let (Some(first), Some(cut)) = (
        transcript.begins().first().copied(),
        transcript.begins().get(summarised).copied(),
    ) else {
        return Ok(());
    };
    if summarised == 0 {
        return Ok(());
    }
    let (before, after) = transcript.split(cut);
    let request = ModelRequest {
        instructions: INSTRUCTIONS.to_owned(),
        items: vec![Item::User {
            text: told(before),
            from: request.from.clone(),
            pieces: Vec::new(),
        }],
        tools: Vec::new(),
        output_schema: None,
        ..request
    };
    let began = engine.now();
    let reply = collect(provider.stream(request), |_| {}).await;
    let reply = reply.map_err(|failure| CompactionError::Model(failure.reason))?;
    let summary = summary_of(&reply)?;
    let tokens_after = reckoned(size(before), size(after) + summary.len(), {
        engine.view(|world| {
            world
                .state
                .members
                .get(member)
                .map_or(0, |m| m.session_tokens)
        })
    });
    let summarised = Summarised {
        from: first - 1,
        until: cut - 1,
        turns: u32::try_from(summarised).unwrap_or(u32::MAX),
        summary: stash_text(engine.store().as_ref(), summary).await?,
        tokens_after,
        usage: reply.usage,
    };
    let command = TurnCommand::SessionCompacted {
        at,
        summarised,
        latency_ms: engine.now().since_ms(began),
    };
    let recorded = engine.submit_internal(Command::Turn(command)).await;
    recorded.map_err(CompactionError::Refused)?;
    transcript.read_on(engine, member).await?;
    Ok(())
}

fn summary_of(reply: &Reply) -> Result<&str, CompactionError> {
    let text = reply.text.inline().unwrap_or_default().trim();
    match (text.is_empty(), reply.finish.cut()) {
        (false, None) => Ok(text),
        (true, _) => Err(CompactionError::Model("it said nothing".to_owned())),
        (false, Some(_)) => Err(CompactionError::Model("it was cut".to_owned())),
    }
}

/// How many tokens are left, by the length of the texts before and after.
fn reckoned(before: usize, after: usize, tokens: u64) -> u64 {
    let after = u128::try_from(after).unwrap_or(u128::MAX);
    let all = u128::try_from(before)
        .unwrap_or(u128::MAX)
        .saturating_add(after);
    let left = u128::from(tokens).saturating_mul(after) / all.max(1);
    u64::try_from(left).unwrap_or(u64::MAX)
}

fn size(items: &[Item]) -> usize {
    told(items).len()
}

/// The conversation as one text.
fn told(items: &[Item]) -> String {
    let mut text = String::new();
    for item in items {
        // Writing to a string cannot fail.
        let _ = match item {
            Item::User {
                text: said, from, ..
            } => writeln!(text, "{from}: {said}\n"),
            Item::Assistant {
                text: said, calls, ..
            } => {
                let mut written = writeln!(text, "you: {said}");
                for (_, call) in calls {
                    written = written.and(writeln!(text, "you call {} {}", call.tool, call.args));
                }
                written.and(writeln!(text))
            }
            Item::ToolResult {
                tool,
                result,
                failed,
                ..
            } => {
                let word = if *failed { "failed" } else { "gave" };
                writeln!(text, "{tool} {word}: {result}\n")
            }
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::reckoned;

    #[test]
    fn what_is_left_is_reckoned_by_the_length_of_the_texts() {
        for (before, after, tokens, left) in [
            (900, 100, 1_000, 100),
            (0, 0, 1_000, 0),
            (0, 50, 1_000, 1_000),
            (1, 0, 1_000, 0),
        ] {
            assert_eq!(reckoned(before, after, tokens), left);
        }
    }
}
