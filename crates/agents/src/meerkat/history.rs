//! The runtime's transcript of a member: the truth of a run, where its events were lost.

use super::connection::Connection;
use super::frames::RequestError;
use super::run::{Asked, Mark, Step, arguments, finish_of};
use mobkit_domain::model::Usage;
use serde_json::{Value, json};

/// How many of the last messages are read; a run has two per round.
const MESSAGES_READ_MAX: u64 = 1_000;

/// A round of a run as the transcript has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Round {
    /// The round as a step, without tokens: the transcript has none.
    pub(super) step: Step,
    /// What the model was told of its calls, by their ids.
    pub(super) results: Vec<(String, String)>,
}

impl Round {
    /// The calls to which the model has no answer yet: another is over, whoever gave its answer.
    pub(super) fn owed_calls(&self) -> Vec<Asked> {
        let is_owed = |call: &&Asked| !self.results.iter().any(|(id, _)| *id == call.id);
        self.step.calls.iter().filter(is_owed).cloned().collect()
    }
}

/// Reads the last messages of a member.
pub(super) async fn read(
    connection: &Connection,
    (mob, member): (&str, &str),
) -> Result<Vec<Value>, RequestError> {
    let page = |from: u64, limit: u64| {
        let params = json!({
            "mob_id": mob,
            "agent_identity": member,
            "from_index": from,
            "limit": limit,
        });
        connection.request("mob/member_history", params)
    };
    let count = |page: &Value| page.pointer("/page/message_count").and_then(Value::as_u64);
    let total = count(&page(0, 1).await?).unwrap_or(0);
    let mut from = total.saturating_sub(MESSAGES_READ_MAX);
    let mut rows = Vec::new();
    loop {
        let mut read = page(from, MESSAGES_READ_MAX).await?;
        let messages = read.pointer_mut("/page/messages").map(Value::take);
        if let Some(Value::Array(messages)) = messages {
            rows.extend(messages);
        }
        let next = read.pointer("/page/next_index").and_then(Value::as_u64);
        match next {
            Some(next) if next > from => from = next,
            Some(_) | None => return Ok(rows),
        }
    }
}

/// The rounds of a run, in their order.
pub(super) fn rounds(rows: &[Value], run: &str, ours: fn(&str) -> bool) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    let mut is_within = false;
    for row in rows {
        match row.get("role").and_then(Value::as_str) {
            Some("block_assistant") => {
                is_within = row.get("run_id").and_then(Value::as_str) == Some(run);
                if is_within {
                    let number = u64::try_from(rounds.len()).unwrap_or(u64::MAX);
                    rounds.push(round(row, (run, number), ours));
                }
            }
            Some("tool_results") if is_within => {
                let results = row.get("results").and_then(Value::as_array);
                if let Some(last) = rounds.last_mut() {
                    last.results
                        .extend(results.into_iter().flatten().filter_map(result));
                }
            }
            Some(_) | None => {}
        }
    }
    rounds
}

fn round(row: &Value, (run, number): (&str, u64), ours: fn(&str) -> bool) -> Round {
    let blocks = row.get("blocks").and_then(Value::as_array);
    let blocks = || blocks.into_iter().flatten();
    let kind = |block: &&Value, wanted: &str| {
        block.get("block_type").and_then(Value::as_str) == Some(wanted)
    };
    let field = |block: &Value, name: &str| {
        let text = block
            .pointer(&format!("/data/{name}"))
            .and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let text = blocks().filter(|block| kind(block, "text"));
    let calls = blocks().filter(|block| kind(block, "tool_use"));
    let calls = calls.map(|block| Asked {
        id: field(block, "id"),
        name: field(block, "name"),
        args: arguments(block.pointer("/data/args")),
    });
    let message = row.get("assistant_message_id").and_then(Value::as_str);
    Round {
        step: Step {
            text: text.map(|block| field(block, "text")).collect(),
            calls: calls.filter(|call| ours(&call.name)).collect(),
            usage: Usage::default(),
            total: None,
            finish: finish_of(row.get("stop_reason").and_then(Value::as_str)),
            mark: Mark {
                run: run.to_owned(),
                round: number,
                message: message.map(str::to_owned),
            },
            events: vec![row.clone()],
            torn: false,
        },
        results: Vec::new(),
    }
}

fn result(result: &Value) -> Option<(String, String)> {
    let id = result.get("tool_use_id")?.as_str()?.to_owned();
    let text = match result.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => {
            let texts = blocks.iter().filter_map(|block| block.get("text"));
            texts.filter_map(Value::as_str).collect()
        }
        Some(_) | None => String::new(),
    };
    Some((id, text))
}

/// What a finished run answered: its last words, where they are no call.
pub(super) fn answer(rounds: &[Round]) -> Option<String> {
    let last = rounds.last()?;
    last.results.is_empty().then(|| last.step.text.clone())
}

#[cfg(test)]
mod tests {
    use super::super::tools::is_ours;
    use super::*;
    use mobkit_domain::model::Finish;

    fn transcript() -> Vec<Value> {
        vec![
            json!({"role": "user", "content": "hello", "run_id": "r1"}),
            json!({
                "role": "block_assistant", "run_id": "r1", "assistant_message_id": "m1",
                "stop_reason": "tool_use",
                "blocks": [
                    {"block_type": "text", "data": {"text": "let me "}},
                    {"block_type": "text", "data": {"text": "see"}},
                    {"block_type": "tool_use",
                     "data": {"id": "c1", "name": "mobkit_now", "args": {"q": 1}}},
                    {"block_type": "tool_use", "data": {"id": "c2", "name": "shell", "args": {}}},
                ],
            }),
            json!({"role": "tool_results", "results": [
                {"tool_use_id": "c1", "content": "noon", "is_error": false},
                {"tool_use_id": "c2", "content": [{"type": "text", "text": "ok"}]},
            ]}),
            json!({
                "role": "block_assistant", "run_id": "r1", "assistant_message_id": "m2",
                "stop_reason": "end_turn",
                "blocks": [{"block_type": "text", "data": {"text": "It is noon."}}],
            }),
            json!({
                "role": "block_assistant", "run_id": "r2", "assistant_message_id": "m3",
                "stop_reason": "end_turn",
                "blocks": [{"block_type": "text", "data": {"text": "other"}}],
            }),
        ]
    }

    #[test]
    fn the_rounds_of_a_run_are_told_by_its_id() {
        let rounds = rounds(&transcript(), "r1", is_ours);
        assert_eq!(rounds.len(), 2);
        let first = &rounds[0];
        assert_eq!(first.step.text, "let me see");
        assert_eq!(first.step.finish, Finish::Calls);
        let calls: Vec<&str> = first
            .step
            .calls
            .iter()
            .map(|call| call.id.as_str())
            .collect();
        assert_eq!(
            calls,
            ["c1"],
            "the runtime's own tools are not ours to call"
        );
        let told: Vec<(&str, &str)> = first
            .results
            .iter()
            .map(|(id, text)| (id.as_str(), text.as_str()))
            .collect();
        assert_eq!(told, [("c1", "noon"), ("c2", "ok")]);
        assert_eq!(rounds[1].step.mark.message.as_deref(), Some("m2"));
        assert_eq!(rounds[1].step.mark.round, 1);
        assert_eq!(answer(&rounds).as_deref(), Some("It is noon."));
    }

    #[test]
    fn a_run_that_stands_in_its_calls_has_no_answer() {
        let rows = transcript();
        assert_eq!(answer(&rounds(&rows[..3], "r1", is_ours)), None);
        assert_eq!(answer(&rounds(&rows, "r9", is_ours)), None);
    }
}
