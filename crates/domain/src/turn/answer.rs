//! The final answer of a turn: whether it fits what the profile asks for.

use super::budget;
use super::end::{self, Used};
use crate::draft::Draft;
use crate::event::{TurnCorrected, TurnFailure};
use crate::id::{Seq, TurnId};
use crate::model::{Cost, Reply};
use crate::state::Turn;
use crate::text::{INLINE_BYTES_MAX, Text};
use serde_json::Value;

/// Ends a turn with its answer. One that does not fit the output schema of the profile is given
/// back to the model once, with what is wrong; the second time the turn fails.
pub(super) fn answered(
    draft: &mut Draft<'_>,
    seq: Seq,
    (id, turn): (TurnId, &Turn),
    reply: &Reply,
    (used, cost): (Used, Option<Cost>),
) {
    match data_of(draft, turn, &reply.text) {
        Ok(data) => {
            let answer = (&reply.text, data, reply.finish.cut());
            end::complete(draft, seq, (id, turn), answer, used);
        }
        Err(why) if turn.corrected => {
            let class = TurnFailure::OutputSchema;
            end::fail(draft, seq, (id, turn), (class, &why), used);
        }
        Err(reason) => {
            if budget::check_turn(draft, seq, (id, turn), (used, cost)) {
                let corrected = TurnCorrected {
                    turn: id,
                    member: turn.member.clone(),
                    step: used.steps,
                    reason,
                };
                draft.emit_from(seq, corrected);
            }
        }
    }
}

/// The answer as data, where the profile asks for a schema; or what is wrong with it.
pub(super) fn data_of(
    draft: &Draft<'_>,
    turn: &Turn,
    text: &Text,
) -> Result<Option<Value>, String> {
    let profile = draft.profile(&turn.profile);
    let Some(schema) = profile.and_then(|profile| profile.output_schema.as_ref()) else {
        return Ok(None);
    };
    let said = match text {
        Text::Inline(said) => unfenced(said),
        Text::Blob(blob) => {
            return Err(format!(
                "the answer has {} bytes; one that has a schema may have {INLINE_BYTES_MAX}",
                blob.bytes
            ));
        }
    };
    let data: Value =
        serde_json::from_str(said).map_err(|error| format!("the answer is not JSON: {error}"))?;
    match crate::tool::violation(schema, &data) {
        None => Ok(Some(data)),
        Some(broken) => Err(format!("the answer does not fit its schema: {broken}")),
    }
}

/// What stands in a code block, where the answer is one: models like to wrap JSON.
fn unfenced(said: &str) -> &str {
    let said = said.trim();
    let inner = said
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"));
    let Some(inner) = inner else { return said };
    let (word, body) = inner.split_once('\n').unwrap_or(("", inner));
    if word.trim().chars().all(char::is_alphanumeric) {
        body.trim()
    } else {
        said
    }
}

#[cfg(test)]
mod tests {
    use super::unfenced;

    #[test]
    fn one_code_block_around_the_answer_is_taken_off() {
        for (said, inner) in [
            ("{}", "{}"),
            (" {} \n", "{}"),
            ("```json\n{\"a\": 1}\n```", "{\"a\": 1}"),
            ("```\n[1]\n```\n", "[1]"),
            ("```json\n{}\n``` and more", "```json\n{}\n``` and more"),
            ("```", "```"),
        ] {
            assert_eq!(unfenced(said), inner, "{said:?}");
        }
    }
}
