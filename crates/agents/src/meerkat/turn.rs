//! A turn: a run of the runtime, and another one each time that results come which it could not
//! wait for.

use super::calls::{self, Ledger, Tokens};
use super::engine::Runtime;
use super::follow::Follow;
use super::frames::RequestError;
use super::held::{Held, Open};
use super::history;
use super::joining::{Joined, Joining};
use super::members::{self, Place};
use super::run::{Ended, Step};
use super::supervision::Live;
use super::tools::is_ours;
use crate::external::{CallResult, EngineError, TurnInput, TurnPort};
use crate::model::{Item, heard};
use crate::native::user_item;
use mobkit_domain::id::{CallId, MessageId, TurnId};
use mobkit_domain::model::{CallRequest, Reply, Usage};
use mobkit_domain::state::{CallState, TurnPhase};
use mobkit_domain::text::Text;
use mobkit_engine::Engine;
use std::sync::Arc;

/// A turn in this engine's hands.
pub(super) struct Turn<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) input: TurnInput,
    pub(super) port: TurnPort,
    pub(super) ledger: Ledger,
    /// Rounds that came while calls were still under way; the journal takes them when those end.
    pub(super) rest: Vec<Step>,
    /// What was sent and may run.
    pub(super) open: Open,
    pub(super) joining: Arc<Joining>,
    /// Whether the turn began before this process or was taken over, or events of it were lost:
    /// what its calls were answered is then read from the transcript.
    pub(super) doubtful: bool,
    /// Whether its session broke and it goes on with a copy.
    is_on_copy: bool,
}

/// Runs a turn to its end.
pub(super) async fn run(
    runtime: &Runtime,
    input: TurnInput,
    port: TurnPort,
) -> Result<String, EngineError> {
    let seat = runtime.seat(&input.member).await;
    let open = Open::default();
    let mut held = Held::new(port.mob(), (&input.member, input.turn), seat, open.clone());
    let joining = Arc::new(joining(port.mob(), input.turn).await?);
    runtime.set_joining(&input.member, &joining);
    let mut turn = Turn {
        ledger: Ledger::of(&input.items),
        doubtful: input.resumed,
        is_on_copy: false,
        runtime,
        input,
        port,
        rest: Vec::new(),
        open,
        joining,
    };
    let outcome = turn.conduct().await;
    if let Err(EngineError::Failed(_)) = &outcome {
        held.give_up();
    }
    outcome
}

impl Turn<'_> {
    pub(super) fn mob(&self) -> &Engine {
        self.port.mob()
    }

    async fn conduct(&mut self) -> Result<String, EngineError> {
        let mut number = self.ledger.number().max(1);
        let mut content = if number == 1 {
            first(&self.input.items)
        } else {
            self.find_deferred(number - 1).await?;
            let content = self.later(number - 1).await?;
            self.flush().await?;
            content
        };
        let mut answers = Vec::new();
        loop {
            let said = self.run(number, &content).await?;
            loop {
                answers.extend(self.join(number).await?);
                if self.doubtful {
                    self.find_deferred(number).await?;
                }
                if !self.ledger.deferred(number).is_empty() {
                    break;
                }
                if self.joining.close() {
                    answers.insert(0, said);
                    return Ok(answers.join("\n\n"));
                }
            }
            content = self.later(number).await?;
            self.flush().await?;
            number += 1;
        }
    }

    /// Has a run made, and returns its answer. Where the runtime itself fails, it is made once
    /// more, on a copy of the session.
    async fn run(&mut self, number: u32, content: &str) -> Result<String, EngineError> {
        let run = Follow::begin(self, number, content).await?;
        let reason = match run.ended().await? {
            Ended::Broken(reason) if !self.is_on_copy => reason,
            ended => return answer(ended),
        };
        self.is_on_copy = true;
        self.doubtful = true;
        self.copy(number, reason).await?;
        let run = Follow::begin(self, number, content).await?;
        answer(run.ended().await?)
    }

    /// Goes on with a copy of the session, which has nothing of the run that broke.
    async fn copy(&mut self, number: u32, reason: String) -> Result<(), EngineError> {
        let live = self.runtime.live(self.mob()).await?;
        let current = self.runtime.counterpart.of(&live);
        let current = current.ok_or_else(|| super::members::lost_between(&live))?;
        let place = Place {
            live: &live,
            mob: &current.name,
        };
        let of = (&self.input.member, self.input.turn);
        let copied = members::stand_in(self.runtime, &place, of, (self.mob(), reason.clone()));
        match copied.await {
            Ok(true) => self.recount(&live, &current.name, number).await,
            Ok(false) => Ok(()),
            Err(error @ RequestError::Closed(_)) => {
                Err(self.runtime.failed(&live, "the copy", error).await)
            }
            Err(error) => {
                let reason = format!("{reason}; nor can its session be copied: {error}");
                Err(EngineError::Failed(reason))
            }
        }
    }

    /// Tells the copy of a session which calls the broken run had made, so that its model does not
    /// make them again.
    async fn recount(&mut self, live: &Live, mob: &str, number: u32) -> Result<(), EngineError> {
        let made: Vec<CallId> = self.ledger.of_run(number).map(|call| call.call).collect();
        let over: Vec<CallId> = made
            .into_iter()
            .filter(|call| !self.is_open(*call))
            .collect();
        if over.is_empty() {
            return Ok(());
        }
        let results = self.port.results(&over).await?;
        let text = format!("You have made these calls already. {}", self.told(&results));
        let params = serde_json::json!({
            "mob_id": mob,
            "agent_identity": self.runtime.name(&self.input.member),
            "text": text,
            "source": "mobkit",
            "idempotency_key": format!("{}/{number}", self.input.turn),
        });
        let method = "mob/append_system_context";
        if let Err(error) = live.connection.request(method, params).await {
            return Err(self.runtime.failed(live, method, error).await);
        }
        for call in over {
            self.ledger.recount(call);
        }
        Ok(())
    }

    /// Sees to the messages that were to join: the answers to those that came too late for the run,
    /// of which the runtime makes runs of their own.
    async fn join(&mut self, number: u32) -> Result<Vec<String>, EngineError> {
        let mut answers = Vec::new();
        while let Some(joined) = self.joining.next() {
            if let Some(ended) = Follow::joined(self, number, &joined).await? {
                answers.push(answer(ended)?);
            }
            self.joining.settle(joined.message);
        }
        Ok(answers)
    }

    /// Waits for the results that are still owed to a run, and puts them into words.
    async fn later(&self, number: u32) -> Result<String, EngineError> {
        let owed = self.ledger.deferred(number);
        let results = tokio::select! {
            biased;
            () = self.port.cancelled().cancelled() => return Err(EngineError::Stale),
            results = self.port.results(&owed) => results?,
        };
        Ok(self.told(&results))
    }

    /// Results of calls in words.
    fn told(&self, results: &[CallResult]) -> String {
        let told: Vec<_> = results
            .iter()
            .filter_map(|result| {
                let known = self.ledger.get(result.call)?;
                let name = self.runtime.counterpart.tools.theirs(&known.tool);
                Some((name, known.id.clone(), &result.outcome))
            })
            .collect();
        let told = told
            .iter()
            .map(|(name, id, outcome)| (name.as_str(), id.as_str(), *outcome));
        calls::later(told)
    }

    /// Finds out from the transcript which calls of a run that is over were not told their results.
    async fn find_deferred(&mut self, number: u32) -> Result<(), EngineError> {
        let runs = self.ledger.runs_of(number);
        if runs.is_empty() {
            return Ok(());
        }
        let rows = self.read_history().await?;
        let rounds = runs
            .iter()
            .flat_map(|run| history::rounds(&rows, run, is_ours));
        let rounds: Vec<_> = rounds.collect();
        self.rest_of(&rounds);
        let known = self.ledger.of_run(number).filter(|call| !call.recounted);
        let known: Vec<_> = known.cloned().collect();
        for call in known {
            let round = rounds
                .iter()
                .find(|round| round.step.mark.message == call.mark.message);
            let told = round.and_then(|round| {
                let mut results = round.results.iter();
                results
                    .find(|(id, _)| *id == call.id)
                    .map(|(_, text)| text.as_str())
            });
            let was_told = match told {
                Some(told) if !self.is_open(call.call) => {
                    let results = self.port.results(&[call.call]).await?;
                    let said = results.first().map(|result| match &result.outcome {
                        Ok(text) | Err(text) => text.as_str(),
                    });
                    said == Some(told)
                }
                Some(_) | None => false,
            };
            self.ledger.defer(call.call, !was_told);
        }
        Ok(())
    }

    /// Takes up what a run said after its calls were put off, where nobody recorded that in time.
    fn rest_of(&mut self, rounds: &[history::Round]) {
        for round in rounds {
            let mark = &round.step.mark;
            let is_known = self.rest.iter().any(|step| step.mark.is_same(mark));
            if !is_known && !self.ledger.has(mark) {
                self.rest.push(Step {
                    calls: Vec::new(),
                    ..round.step.clone()
                });
            }
        }
    }

    /// The runtime's transcript of the member.
    pub(super) async fn read_history(&self) -> Result<Vec<serde_json::Value>, EngineError> {
        let live = self.runtime.live(self.mob()).await?;
        let current = self.runtime.counterpart.of(&live);
        let current = current.ok_or_else(|| super::members::lost_between(&live))?;
        let name = self.runtime.name(&self.input.member);
        let read = history::read(&live.connection, (&current.name, &name)).await;
        match read {
            Ok(rows) => Ok(rows),
            Err(error) => Err(self.runtime.failed(&live, "the transcript", error).await),
        }
    }

    /// Whether calls are under way: the journal takes no step until they have ended.
    pub(super) fn is_blocked(&self) -> bool {
        self.mob().view(|world| {
            let turn = world.state.turns.get(&self.input.turn);
            turn.is_some_and(|turn| turn.phase == TurnPhase::Calls)
        })
    }

    fn call_state<R>(&self, call: CallId, look: impl FnOnce(&CallState) -> R) -> Option<R> {
        self.mob().view(|world| {
            let turn = world.state.turns.get(&self.input.turn)?;
            let found = turn.calls.iter().find(|found| found.id == call)?;
            Some(look(&found.state))
        })
    }

    fn is_open(&self, call: CallId) -> bool {
        let open = self.call_state(call, |state| !matches!(state, CallState::Done));
        open.unwrap_or(false)
    }

    /// Whether a person has to do something before the call has a result.
    pub(super) fn waits_for_a_person(&self, call: CallId) -> bool {
        let waits = self.call_state(call, |state| match state {
            CallState::Pending { .. } | CallState::Eliciting { .. } | CallState::Unknown => true,
            CallState::Owed
            | CallState::Approved { .. }
            | CallState::Running { .. }
            | CallState::Waiting { .. }
            | CallState::Done => false,
        });
        waits.unwrap_or(false)
    }

    /// Records the rounds that had to wait.
    pub(super) async fn flush(&mut self) -> Result<(), EngineError> {
        let number = self.ledger.number();
        for step in std::mem::take(&mut self.rest) {
            self.record(number, &step).await?;
        }
        Ok(())
    }

    /// Records a step; its calls are made from now on.
    pub(super) async fn record(&mut self, number: u32, step: &Step) -> Result<(), EngineError> {
        let before = || self.runtime.total(&self.input.member);
        let mut tokens = self.ledger.tokens().unwrap_or_else(|| Tokens {
            before: before(),
            used: Usage::default(),
        });
        let usage = tokens.of(step);
        tokens.used += usage;
        let begun_by = self.ledger.begun_by(&step.mark.run);
        let tools = &self.runtime.counterpart.tools;
        let calls = step.calls.iter().map(|call| CallRequest {
            tool: tools.ours(&call.name),
            args: call.args.clone(),
            provider_id: Some(call.id.clone()),
        });
        let calls: Vec<CallRequest> = calls.collect();
        let reply = Reply {
            text: Text::from(step.text.as_str()),
            calls: calls.clone(),
            usage,
            finish: step.finish,
            carry: Some(calls::carry((number, tokens), &step.mark, begun_by)),
        };
        let ids = self.port.record(reply, calls::original(step)).await?;
        let made = ids.into_iter().zip(calls).map(|(call, request)| {
            let id = request.provider_id.unwrap_or_default();
            (call, id, request.tool, request.args)
        });
        self.ledger.add((number, tokens), &step.mark, made);
        if step.total.is_some() {
            self.runtime.set_total(&self.input.member, step.total);
        }
        Ok(())
    }
}

/// The message with which a turn began. Others that stand beside it have joined it since.
fn first(items: &[Item]) -> String {
    let mut texts = items.iter().filter_map(|item| match item {
        Item::User { text, from, .. } => Some(heard(text, from)),
        Item::Assistant { .. } | Item::ToolResult { .. } => None,
    });
    texts.next().unwrap_or_default()
}

/// The messages that have joined a turn by what the journal says.
async fn joining(mob: &Engine, turn: TurnId) -> Result<Joining, EngineError> {
    let messages = mob.view(|world| {
        let turn = world.state.turns.get(&turn);
        turn.map(|turn| turn.messages.clone()).unwrap_or_default()
    });
    let joining = Joining::new(turn);
    for message in messages.into_iter().skip(1) {
        let said = user_item(mob, message).await;
        let said = said.map_err(|error| EngineError::Failed(error.to_string()))?;
        if let Some(said) = said {
            let content = heard(&said.text, &said.from);
            joining.add(Joined { message, content });
        }
    }
    Ok(joining)
}

/// Under which key a message that joins a turn is given to the runtime.
pub(super) fn key_of(turn: TurnId, message: MessageId) -> String {
    format!("{turn}/{message}")
}

/// The answer of a run that is over.
fn answer(ended: Ended) -> Result<String, EngineError> {
    match ended {
        Ended::Answered(text) => Ok(text),
        Ended::Failed(reason) | Ended::Broken(reason) => Err(EngineError::Failed(reason)),
    }
}
