//! A run of the runtime, folded from its events into steps. Pure: what is heard goes in, what is to
//! be done comes out.
//!
//! What the runtime calls a run is (a part of) a turn here, and each of its turns is one model
//! call: a *round*, which becomes a step.

use mobkit_domain::model::{Finish, Usage};
use serde_json::{Value, json};

#[cfg(test)]
mod tests;

/// Why a run is over that was cancelled, although the turn is not: nobody but mobkit speaks to this
/// runtime, so it did that by itself.
pub(super) const STOPPED: &str = "the run was stopped in the runtime, and not by mobkit";

/// A call as the model of a run asked for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// The id that the model's provider gave it; need not be unique beyond its round.
    pub(super) id: String,
    /// The name of the tool, as the runtime knows it.
    pub(super) name: String,
    /// Its arguments.
    pub(super) args: Value,
}

/// One round of a run that is to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// What the model said.
    pub(super) text: String,
    /// The calls of tools of ours, in the model's order.
    pub(super) calls: Vec<Asked>,
    /// Tokens that are known by now and that no earlier step has carried.
    pub(super) usage: Usage,
    /// All tokens of the session after it; said of the last step of a run.
    pub(super) total: Option<Usage>,
    /// Why the model stopped.
    pub(super) finish: Finish,
    /// Which round of the run it is.
    pub(super) mark: Mark,
    /// Events since the step before, as the runtime wrote them, but for pieces of text.
    pub(super) events: Vec<Value>,
    /// Whether some of its events were lost: what is said here may not be all.
    pub(super) torn: bool,
}

/// Where a step belongs in the runtime's own record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The run.
    pub(super) run: String,
    /// Which round of it, from 0.
    pub(super) round: u64,
    /// The message of the runtime's transcript that the round became.
    pub(super) message: Option<String>,
}

impl Mark {
    /// Whether both are of one round.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.message, &other.message) {
            (Some(one), Some(other)) => one == other,
            _ => self.run == other.run && self.round == other.round,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this answer.
    Answered(String),
    /// Without one, for this reason.
    Failed(String),
    /// The runtime itself failed or gave the run up, for this reason: its session may not work any
    /// longer.
    Broken(String),
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Told {
    /// More of the text of the round.
    Delta(String),
    /// A round is to be recorded.
    Step(Box<Step>),
    /// Events were lost, for this reason.
    Gap(String),
    /// The run is over.
    Ended(Ended),
}

/// A round that is under way.
#[derive(Debug, Default)]
struct Round {
    message: Option<String>,
    text: String,
    asked: Vec<Asked>,
    /// Whether it was given out as a step.
    told: bool,
    torn: bool,
}

/// A run that is followed.
#[derive(Debug)]
pub(super) struct Run {
    id: String,
    /// The number of the round under way.
    number: u64,
    round: Option<Round>,
    /// Tokens that no step has carried yet.
    unused: Usage,
    events: Vec<Value>,
    /// A round without calls of ours, until the runtime goes on: only then it has kept it, and
    /// does not ask its model again after a crash.
    held: Option<Step>,
    /// All tokens of the session after it, once it has said so.
    total: Option<Usage>,
    ours: fn(&str) -> bool,
}

impl Run {
    /// The run of this id; `ours` says which tools are made here.
    pub(super) fn new(id: impl Into<String>, ours: fn(&str) -> bool) -> Self {
        Self {
            id: id.into(),
            number: 0,
            round: None,
            unused: Usage::default(),
            events: Vec::new(),
            held: None,
            total: None,
            ours,
        }
    }

    /// Its id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// All tokens of the session after it, once it has said so.
    pub(super) fn total(&self) -> Option<Usage> {
        self.total
    }

    /// Some of its events were lost.
    pub(super) fn tear(&mut self) {
        self.round.get_or_insert_default().torn = true;
    }

    /// Its tokens are carried by a later step: the one that they belong to is recorded without.
    pub(super) fn keep(&mut self, usage: Usage) {
        self.unused += usage;
    }

    /// At least so many rounds are over.
    pub(super) fn at_least(&mut self, rounds: u64) {
        self.number = self.number.max(rounds.saturating_sub(1));
    }

    /// Takes an event, as the runtime wrote it.
    pub(super) fn hear(&mut self, event: &Value) -> Vec<Told> {
        let kind = event
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match kind {
            "text_delta" => {
                let text = text_of(event, "delta");
                self.round.get_or_insert_default().text.push_str(&text);
                return vec![Told::Delta(text)];
            }
            "reasoning_delta" | "tool_call_delta" => return Vec::new(),
            // The results of our calls stand in our own journal.
            "tool_result_received" if self.is_ours(event) => return Vec::new(),
            _ => self.events.push(event.clone()),
        }
        match kind {
            "run_resumed" => {
                let told = self.release().map(tell).into_iter().collect();
                self.number = event.get("round").and_then(Value::as_u64).unwrap_or(0);
                self.round = None;
                return told;
            }
            "turn_started" => {
                let told = self.release().map(tell).into_iter().collect();
                self.begin(event);
                return told;
            }
            "tool_call_requested" => self.asked(event),
            "tool_execution_started" => return self.started(event),
            "turn_completed" => self.completed(event),
            "stream_truncated" => {
                self.tear();
                return vec![Told::Gap(
                    "the runtime dropped events of its stream".to_owned(),
                )];
            }
            "run_completed" => {
                self.total = event.get("usage").map(usage_of);
                let mut told = self.rest();
                told.push(Told::Ended(Ended::Answered(text_of(event, "result"))));
                return told;
            }
            "run_failed" => {
                let mut told = self.rest();
                told.push(Told::Ended(failure(event)));
                return told;
            }
            _ => {}
        }
        Vec::new()
    }

    /// Gives the round out with at least these calls, which are already being asked for: the event
    /// that says so was lost, or is late.
    pub(super) fn insist(&mut self, number: u64, calls: &[Asked]) -> Option<Step> {
        let later = number != self.number;
        self.number = number;
        let round = self.round.get_or_insert_default();
        if round.told && later {
            // Of a later round whose beginning was lost.
            *round = Round {
                torn: true,
                ..Round::default()
            };
        }
        for call in calls {
            if !round.asked.iter().any(|known| known.id == call.id) {
                round.torn = true;
                round.asked.push(call.clone());
            }
        }
        self.step(Finish::Calls)
    }

    fn is_ours(&self, event: &Value) -> bool {
        let name = event.get("name").and_then(Value::as_str);
        name.is_some_and(self.ours)
    }

    fn begin(&mut self, event: &Value) {
        let message = event.get("assistant_message_id").and_then(Value::as_str);
        let number = event.get("turn_number").and_then(Value::as_u64);
        let next = self.number + u64::from(self.round.as_ref().is_some_and(|round| round.told));
        self.number = number.unwrap_or(next);
        // A model call that is made again begins its text anew.
        self.round = Some(Round {
            message: message.map(str::to_owned),
            ..Round::default()
        });
    }

    fn asked(&mut self, event: &Value) {
        let call = Asked {
            id: text_of(event, "id"),
            name: text_of(event, "name"),
            args: arguments(event.get("args")),
        };
        let round = self.round.get_or_insert_default();
        if !round.asked.iter().any(|known| known.id == call.id) {
            round.asked.push(call);
        }
    }

    /// The first call of a round is made: by then all of them are announced.
    fn started(&mut self, event: &Value) -> Vec<Told> {
        let has_ours = self.round.as_ref().is_some_and(|round| {
            !round.told && round.asked.iter().any(|call| (self.ours)(&call.name))
        });
        if has_ours && self.is_announced(event) {
            self.step(Finish::Calls).map(tell).into_iter().collect()
        } else {
            Vec::new()
        }
    }

    fn is_announced(&self, event: &Value) -> bool {
        let id = event.get("id").and_then(Value::as_str).unwrap_or_default();
        let round = self.round.as_ref();
        round.is_some_and(|round| round.asked.iter().any(|call| call.id == id))
    }

    fn completed(&mut self, event: &Value) {
        if let Some(usage) = event.get("usage") {
            self.unused += usage_of(usage);
        }
        let message = event.get("assistant_message_id").and_then(Value::as_str);
        let round = self.round.get_or_insert_default();
        if round.message.is_none() {
            round.message = message.map(str::to_owned);
        }
        let finish = finish_of(event.get("stop_reason").and_then(Value::as_str));
        if let Some(step) = self.step(finish) {
            self.held = Some(step);
        }
    }

    /// Whether it is a round that is held back.
    pub(super) fn holds(&self, mark: &Mark) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| held.mark.is_same(mark))
    }

    /// Gives out the round that was held back.
    pub(super) fn release(&mut self) -> Option<Step> {
        self.held.take()
    }

    /// What is left at the end: the last round, and tokens that no step has carried.
    fn rest(&mut self) -> Vec<Told> {
        if self.held.is_none() && self.unused != Usage::default() {
            self.round = Some(Round::default());
            self.number += 1;
            self.held = self.step(Finish::Other);
        }
        let total = self.total;
        let last = self.release().map(|step| tell(Step { total, ..step }));
        last.into_iter().collect()
    }

    fn step(&mut self, finish: Finish) -> Option<Step> {
        let round = self.round.as_mut()?;
        if round.told {
            return None;
        }
        round.told = true;
        let calls = round.asked.iter().filter(|call| (self.ours)(&call.name));
        Some(Step {
            text: round.text.clone(),
            calls: calls.cloned().collect(),
            usage: std::mem::take(&mut self.unused),
            total: None,
            finish,
            mark: Mark {
                run: self.id.clone(),
                round: self.number,
                message: round.message.clone(),
            },
            events: std::mem::take(&mut self.events),
            torn: round.torn,
        })
    }
}

fn tell(step: Step) -> Told {
    Told::Step(Box::new(step))
}

fn text_of(event: &Value, field: &str) -> String {
    let text = event.get(field).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// Arguments as a value; what the model wrote that is no JSON stays as text.
pub(super) fn arguments(args: Option<&Value>) -> Value {
    match args {
        Some(Value::String(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        Some(args) => args.clone(),
        None => json!({}),
    }
}

/// Tokens as the runtime counts them: of its input tokens some may come from a cache.
pub(super) fn usage_of(usage: &Value) -> Usage {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or(0);
    Usage {
        input_tokens: count("input_tokens"),
        output_tokens: count("output_tokens"),
        cached_input_tokens: count("cache_read_tokens"),
        ..Usage::default()
    }
}

/// Why a model stopped, in our words.
pub(super) fn finish_of(reason: Option<&str>) -> Finish {
    match reason {
        Some("end_turn" | "stop_sequence") => Finish::Stop,
        Some("tool_use") => Finish::Calls,
        Some("max_tokens" | "context_window_exceeded") => Finish::Length,
        Some("content_filter" | "refusal") => Finish::Filtered,
        Some(_) | None => Finish::Other,
    }
}

fn failure(event: &Value) -> Ended {
    let report = event.get("error_report");
    let said = |name: &str| {
        report
            .and_then(|report| report.get(name))
            .and_then(Value::as_str)
    };
    let class = said("class").unwrap_or("internal");
    if class == "cancelled" {
        return Ended::Broken(STOPPED.to_owned());
    }
    let message = said("message").unwrap_or("it does not say why");
    let reason = format!("meerkat ended the run ({class}): {message}");
    match class {
        "internal" | "store" | "invalid_state" | "session_not_found" => Ended::Broken(reason),
        _ => Ended::Failed(reason),
    }
}
