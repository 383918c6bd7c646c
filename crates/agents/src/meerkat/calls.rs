//! What is recorded of a turn: its rounds and calls, and which calls of the runtime those are.

use super::run::{Asked, Mark, Step};
use super::stream::Callback;
use crate::model::Item;
use mobkit_domain::id::{CallId, MessageId};
use mobkit_domain::model::Usage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a call is answered that is still under way when the runtime can't wait any longer.
pub(super) const PENDING: &str = "This call is still under way, maybe until a person has decided \
                                  about it. End your turn now with a short word about that; the \
                                  result follows as a message.";
/// What a call is answered that is made while others are still under way.
pub(super) const NOT_NOW: &str = "This call was not made: earlier calls of yours are still under \
                                  way. End your turn now; their results follow as a message, and \
                                  then you can make it.";

/// A call of a recorded step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recorded {
    /// Our id of it.
    pub(super) call: CallId,
    /// The round that asked for it.
    pub(super) mark: Mark,
    /// Of which run of the turn that is, from 1.
    pub(super) number: u32,
    /// The id that the model's provider gave it.
    pub(super) id: String,
    /// Qualified tool name.
    pub(super) tool: String,
    /// Arguments, as the model gave them.
    pub(super) args: Value,
    /// Whether the runtime was told that its result follows later.
    pub(super) deferred: bool,
    /// Whether the runtime was told of it and its result, since it lost the run that made it.
    pub(super) recounted: bool,
}

/// What is recorded of a turn.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    marks: Vec<Mark>,
    calls: Vec<Recorded>,
    /// The last run of which something is recorded, from 1; 0: none.
    number: u32,
    tokens: Option<Tokens>,
    /// The runs of the turn, with the message of which the runtime made a run of its own, since it
    /// came too late to join another.
    runs: BTreeMap<String, Option<MessageId>>,
}

/// Tokens around a turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tokens {
    /// Of the session before it; `None`: nobody knows.
    pub(super) before: Option<Usage>,
    /// Of its recorded steps.
    pub(super) used: Usage,
}

impl Tokens {
    /// The tokens of a step: where the total of the session is known after it, all that no other
    /// step has carried.
    pub(super) fn of(&self, step: &Step) -> Usage {
        let (Some(total), Some(before)) = (step.total, self.before) else {
            return step.usage;
        };
        let rest =
            |total: u64, before: u64, used: u64| total.saturating_sub(before).saturating_sub(used);
        let used = self.used;
        Usage {
            input_tokens: rest(total.input_tokens, before.input_tokens, used.input_tokens),
            output_tokens: rest(
                total.output_tokens,
                before.output_tokens,
                used.output_tokens,
            ),
            cached_input_tokens: rest(
                total.cached_input_tokens,
                before.cached_input_tokens,
                used.cached_input_tokens,
            ),
            ..Usage::default()
        }
    }
}

impl Ledger {
    /// What the journal holds of a turn.
    pub(super) fn of(items: &[Item]) -> Self {
        let mut ledger = Self::default();
        for item in items {
            let Item::Assistant { calls, carry, .. } = item else {
                continue;
            };
            let Some(((number, tokens), mark, message)) = carry.as_ref().and_then(carried) else {
                continue;
            };
            ledger.follow(&mark.run, message);
            let asked = calls.iter().map(|(call, request)| {
                let id = request.provider_id.clone().unwrap_or_default();
                (*call, id, request.tool.clone(), request.args.clone())
            });
            ledger.add((number, tokens), &mark, asked);
        }
        ledger
    }

    /// Takes a recorded step, with the calls in it.
    pub(super) fn add(
        &mut self,
        (number, tokens): (u32, Tokens),
        mark: &Mark,
        calls: impl IntoIterator<Item = (CallId, String, String, Value)>,
    ) {
        self.number = self.number.max(number);
        self.tokens = Some(tokens);
        self.marks.push(mark.clone());
        let calls = calls.into_iter().map(|(call, id, tool, args)| Recorded {
            call,
            mark: mark.clone(),
            number,
            id,
            tool,
            args,
            deferred: false,
            recounted: false,
        });
        self.calls.extend(calls);
    }

    /// The last run of which something is recorded, from 1; 0: none.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// The tokens around the turn, if something of it is recorded.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        self.tokens
    }

    /// How many steps are recorded.
    pub(super) fn steps(&self) -> usize {
        self.marks.len()
    }

    /// The runs of the runtime whose calls count as those of this run of the turn.
    pub(super) fn runs_of(&self, number: u32) -> Vec<String> {
        let mut runs: Vec<String> = Vec::new();
        for call in self.of_run(number) {
            if runs.last() != Some(&call.mark.run) {
                runs.push(call.mark.run.clone());
            }
        }
        runs
    }

    /// A run is one of the turn's; begun by this message, where that came too late to join another.
    pub(super) fn follow(&mut self, run: &str, message: Option<MessageId>) {
        self.runs.insert(run.to_owned(), message);
    }

    /// The message that began this run by coming too late for another.
    pub(super) fn begun_by(&self, run: &str) -> Option<MessageId> {
        self.runs.get(run).copied().flatten()
    }

    /// Whether a message of which the runtime says that this run took it has joined that: it is a
    /// run of the turn, and not the one that the message began itself.
    pub(super) fn has_joined(&self, run: &str, message: MessageId) -> bool {
        let run = self.runs.get(run);
        run.is_some_and(|begun_by| *begun_by != Some(message))
    }

    /// Whether the round is recorded.
    pub(super) fn has(&self, mark: &Mark) -> bool {
        self.marks.iter().any(|known| known.is_same(mark))
    }

    /// The recorded call that the runtime asks for. A round that it asked of its model again may
    /// name the same call by another id.
    pub(super) fn find(&self, callback: &Callback, tool: &str) -> Option<&Recorded> {
        let round = || {
            self.calls
                .iter()
                .filter(|call| call.mark.run == callback.run && call.mark.round == callback.round)
        };
        let same_id = round().find(|call| call.id == callback.call && call.tool == tool);
        same_id.or_else(|| round().find(|call| call.tool == tool && call.args == callback.args))
    }

    /// A call by our id of it.
    pub(super) fn get(&self, call: CallId) -> Option<&Recorded> {
        self.calls.iter().find(|known| known.call == call)
    }

    /// Notes whether the runtime was told that the result of a call follows later.
    pub(super) fn defer(&mut self, call: CallId, deferred: bool) {
        if let Some(known) = self.calls.iter_mut().find(|known| known.call == call) {
            known.deferred = deferred;
        }
    }

    /// Notes that the runtime was told of a call and its result.
    pub(super) fn recount(&mut self, call: CallId) {
        if let Some(known) = self.calls.iter_mut().find(|known| known.call == call) {
            known.recounted = true;
        }
    }

    /// The calls of a run, in their order.
    pub(super) fn of_run(&self, number: u32) -> impl Iterator<Item = &Recorded> {
        self.calls.iter().filter(move |call| call.number == number)
    }

    /// The calls of a run whose results are still owed to it, in their order.
    pub(super) fn deferred(&self, number: u32) -> Vec<CallId> {
        let deferred = self.of_run(number).filter(|call| call.deferred);
        deferred.map(|call| call.call).collect()
    }
}

/// What a step carries from which it is known again.
pub(super) fn carry(
    (number, tokens): (u32, Tokens),
    mark: &Mark,
    begun_by: Option<MessageId>,
) -> Value {
    json!({
        "begun_by": begun_by,
        "tokens": tokens,
        "number": number,
        "run_id": mark.run,
        "round": mark.round,
        "message": mark.message,
    })
}

type Carried = ((u32, Tokens), Mark, Option<MessageId>);

fn carried(carry: &Value) -> Option<Carried> {
    let number = carry.get("number").and_then(Value::as_u64)?;
    let mark = Mark {
        run: carry.get("run_id")?.as_str()?.to_owned(),
        round: carry.get("round").and_then(Value::as_u64)?,
        message: carry
            .get("message")
            .and_then(Value::as_str)
            .map(str::to_owned),
    };
    let tokens = carry.get("tokens").cloned().unwrap_or_default();
    let tokens = serde_json::from_value(tokens).unwrap_or_default();
    let begun_by = carry.get("begun_by").cloned().unwrap_or_default();
    let begun_by = serde_json::from_value(begun_by).unwrap_or_default();
    Some(((u32::try_from(number).ok()?, tokens), mark, begun_by))
}

/// The step in the runtime's own words, as it is kept beside ours.
pub(super) fn original(step: &Step) -> Value {
    json!({
        "run_id": step.mark.run,
        "round": step.mark.round,
        "assistant_message_id": step.mark.message,
        "events": step.events,
    })
}

/// A callback as the model must have asked for it.
pub(super) fn asked(callback: &Callback) -> Asked {
    Asked {
        id: callback.call.clone(),
        name: callback.name.clone(),
        args: callback.args.clone(),
    }
}

/// How results that come later are told: one message, the same each time it is sent.
pub(super) fn later<'a>(
    results: impl IntoIterator<Item = (&'a str, &'a str, &'a Result<String, String>)>,
) -> String {
    let mut text = "Results of calls that were still under way:".to_owned();
    for (name, id, result) in results {
        let (word, result) = match result {
            Ok(result) => ("result", result),
            Err(reason) => ("failed", reason),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n\n{name} ({id}), {word}:\n{result}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::run::{Run, Told};
    use super::*;
    use mobkit_domain::model::CallRequest;

    fn call(reply: u64, index: u32) -> CallId {
        CallId { reply, index }
    }

    fn mark(run: &str, round: u64, message: &str) -> Mark {
        Mark {
            run: run.to_owned(),
            round,
            message: Some(message.to_owned()),
        }
    }

    fn callback(round: u64, id: &str, args: Value) -> Callback {
        Callback {
            id: "srv-1".to_owned(),
            run: "r1".to_owned(),
            round,
            call: id.to_owned(),
            name: "mobkit_now".to_owned(),
            args,
        }
    }

    fn recorded(number: u32, mark: &Mark, call: CallId, id: &str) -> Item {
        let request = CallRequest {
            tool: "now".to_owned(),
            args: json!({"q": id}),
            provider_id: Some(id.to_owned()),
        };
        Item::Assistant {
            text: String::new(),
            calls: vec![(call, request)],
            carry: Some(carry((number, Tokens::default()), mark, None)),
        }
    }

    #[test]
    fn a_turn_is_known_again_from_the_journal() {
        let items = [
            recorded(1, &mark("r1", 0, "m1"), call(5, 1), "c1"),
            recorded(2, &mark("r2", 0, "m2"), call(9, 1), "c1"),
        ];
        let ledger = Ledger::of(&items);
        assert_eq!(ledger.number(), 2);
        assert_eq!(ledger.steps(), 2);
        assert!(ledger.has(&mark("r1", 0, "m1")));
        assert!(!ledger.has(&mark("r1", 1, "m3")));
        assert_eq!(ledger.runs_of(1), ["r1"]);
        let found = ledger.find(&callback(0, "c1", json!({"q": "c1"})), "now");
        assert_eq!(found.map(|found| found.call), Some(call(5, 1)));
    }

    #[test]
    fn a_message_that_came_too_late_is_told_from_one_that_joined() {
        let (first, second) = (MessageId(7), MessageId(9));
        let late = Item::Assistant {
            text: "later".to_owned(),
            calls: Vec::new(),
            carry: Some(carry(
                (1, Tokens::default()),
                &mark("r2", 0, "m2"),
                Some(first),
            )),
        };
        let ledger = Ledger::of(&[recorded(1, &mark("r1", 0, "m1"), call(5, 1), "c1"), late]);
        assert!(ledger.has_joined("r1", first));
        assert!(!ledger.has_joined("r2", first), "its own run");
        assert!(ledger.has_joined("r2", second), "it joined the other's");
        assert!(!ledger.has_joined("r3", second), "nobody has seen that run");
        assert_eq!(ledger.begun_by("r2"), Some(first));
        assert_eq!(ledger.begun_by("r1"), None);
    }

    #[test]
    fn an_id_that_is_used_again_in_a_later_round_is_another_call() {
        let ledger = Ledger::of(&[recorded(1, &mark("r1", 0, "m1"), call(5, 1), "c1")]);
        assert_eq!(
            ledger.find(&callback(1, "c1", json!({"q": "c1"})), "now"),
            None
        );
    }

    #[test]
    fn a_round_that_was_asked_again_finds_its_call_by_what_it_says() {
        let ledger = Ledger::of(&[recorded(1, &mark("r1", 0, "m1"), call(5, 1), "c1")]);
        let again = ledger.find(&callback(0, "c9", json!({"q": "c1"})), "now");
        assert_eq!(again.map(|found| found.call), Some(call(5, 1)));
        assert_eq!(
            ledger.find(&callback(0, "c9", json!({"q": "other"})), "now"),
            None
        );
    }

    #[test]
    fn the_last_step_carries_what_no_other_has() {
        let usage = |input_tokens, output_tokens| Usage {
            input_tokens,
            output_tokens,
            ..Usage::default()
        };
        let mut run = Run::new("r1", |_| true);
        let told = [
            json!({"type": "turn_started", "turn_number": 0, "assistant_message_id": "m1"}),
            json!({"type": "turn_completed", "usage": {"input_tokens": 5, "output_tokens": 1}}),
            json!({
                "type": "run_completed",
                "result": "hi",
                "usage": {"input_tokens": 40, "output_tokens": 9},
            }),
        ];
        let told: Vec<Told> = told.iter().flat_map(|event| run.hear(event)).collect();
        let Some(Told::Step(last)) = told.first() else {
            panic!("the last round is a step: {told:?}");
        };
        let known = Tokens {
            before: Some(usage(20, 4)),
            used: usage(10, 2),
        };
        assert_eq!(known.of(last), usage(10, 3));
        let unknown = Tokens {
            before: None,
            ..known
        };
        assert_eq!(unknown.of(last), usage(5, 1));
    }

    #[test]
    fn what_is_owed_later_is_told_in_the_order_of_the_calls() {
        let mut ledger = Ledger::default();
        let calls = [1, 2, 3].map(|index| {
            (
                call(5, index),
                format!("c{index}"),
                "now".to_owned(),
                json!({}),
            )
        });
        ledger.add((1, Tokens::default()), &mark("r1", 0, "m1"), calls);
        ledger.defer(call(5, 3), true);
        ledger.defer(call(5, 1), true);
        assert_eq!(ledger.deferred(1), [call(5, 1), call(5, 3)]);
        ledger.defer(call(5, 1), false);
        assert_eq!(ledger.deferred(1), [call(5, 3)]);
        assert_eq!(ledger.deferred(2), []);
    }
}
