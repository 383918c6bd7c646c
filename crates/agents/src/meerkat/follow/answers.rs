//! The calls of a run, from their coming to their answers.

use super::{Alarm, CALL_PATIENCE, EVENTS_PATIENCE, Follow};
use crate::external::EngineError;
use crate::meerkat::calls::{self, NOT_NOW, PENDING};
use crate::meerkat::stream::Callback;
use futures::FutureExt;
use mobkit_domain::id::CallId;

/// A call that the runtime waits for.
pub(super) struct Owed {
    pub(super) callback: String,
    pub(super) call: CallId,
}

/// What came of a call.
pub(super) type CallEnd = (CallId, Result<Result<String, String>, EngineError>);

impl Follow<'_, '_> {
    /// Takes a call of the run: it is answered as soon as its result is there.
    pub(super) fn call(&mut self, callback: Callback) {
        let tool = self.turn.runtime.counterpart.tools.ours(&callback.name);
        let Some(known) = self.turn.ledger.find(&callback, &tool) else {
            if self.turn.is_blocked() {
                self.answer(&callback.id, (NOT_NOW, true));
            } else {
                self.unknown.push(callback);
                self.alarm(EVENTS_PATIENCE, Alarm::Insist);
            }
            return;
        };
        let call = known.call;
        if self.turn.waits_for_a_person(call) {
            self.turn.ledger.defer(call, true);
            self.answer(&callback.id, (PENDING, false));
            return;
        }
        self.alarm(CALL_PATIENCE, Alarm::Late(callback.id.clone()));
        self.owed.push(Owed {
            callback: callback.id,
            call,
        });
        let port = self.turn.port.clone();
        let end = async move {
            let results = port.results(&[call]).await;
            let outcome = results.and_then(|mut results| {
                let result = results.pop().ok_or(EngineError::Stale)?;
                Ok(result.outcome)
            });
            (call, outcome)
        };
        self.ends.push(end.boxed());
    }

    pub(super) fn answer(&self, callback: &str, said: (&str, bool)) {
        self.current
            .router
            .answer(&self.live.connection, callback, said);
    }

    pub(super) fn call_ended(&mut self, (call, outcome): CallEnd) -> Result<(), EngineError> {
        let outcome = outcome?;
        let said = match &outcome {
            Ok(text) => (text.as_str(), false),
            Err(reason) => (reason.as_str(), true),
        };
        for owed in self.owed.iter().filter(|owed| owed.call == call) {
            self.answer(&owed.callback, said);
        }
        self.owed.retain(|owed| owed.call != call);
        Ok(())
    }

    /// Records the round of calls whose events did not come in time.
    pub(super) async fn insist(&mut self) -> Result<(), EngineError> {
        let Some(round) = self.unknown.iter().map(|callback| callback.round).max() else {
            return Ok(());
        };
        let of_round = self
            .unknown
            .iter()
            .filter(|callback| callback.round == round);
        let asked: Vec<_> = of_round.map(calls::asked).collect();
        let step = self.run.as_mut().and_then(|run| run.insist(round, &asked));
        match step {
            Some(step) => self.step(step).await,
            None => Ok(()),
        }
    }
}
