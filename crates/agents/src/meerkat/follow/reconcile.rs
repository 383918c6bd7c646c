//! The truth of a run where its events do not tell it.

use super::{Follow, SILENCE};
use crate::external::EngineError;
use crate::meerkat::history::{self, Round};
use crate::meerkat::run::{Ended, Mark, Run, STOPPED, Step};
use crate::meerkat::structure;
use crate::meerkat::tools::is_ours;

impl Follow<'_, '_> {
    /// Whether the run is over, where its events do not say so.
    pub(super) async fn check(&mut self) -> Result<Option<Ended>, EngineError> {
        let status = self.status().await?;
        let Some(outcome) = status.ended else {
            if self.gap.is_some() {
                self.reconcile(None).await?;
            }
            self.look_after(SILENCE);
            return Ok(None);
        };
        if let Some(held) = self.run.as_mut().and_then(Run::release) {
            self.step(held).await?;
        }
        let answer = history::answer(&self.reconcile(None).await?);
        Ok(Some(match (outcome.as_str(), answer) {
            ("completed", Some(answer)) => Ended::Answered(answer),
            ("cancelled", _) => Ended::Broken(STOPPED.to_owned()),
            (outcome, _) => Ended::Broken(format!(
                "the run ended as {outcome}, and its transcript has no answer"
            )),
        }))
    }

    /// Records what the transcript has of the run and the journal has not, but for the round that
    /// is being recorded; returns the rounds of the transcript.
    pub(super) async fn reconcile(
        &mut self,
        but: Option<&Mark>,
    ) -> Result<Vec<Round>, EngineError> {
        let Some(id) = self.run.as_ref().map(|run| run.id().to_owned()) else {
            return Ok(Vec::new());
        };
        let rows = self.turn.read_history().await?;
        let rounds = history::rounds(&rows, &id, is_ours);
        let last = rounds.last().map(|round| round.step.mark.clone());
        let total = self.run.as_ref().and_then(Run::total);
        let mut found = 0;
        for round in &rounds {
            let mark = &round.step.mark;
            let is_held = self.run.as_ref().is_some_and(|run| run.holds(mark));
            let comes = is_held || but.is_some_and(|but| but.is_same(mark));
            if comes || self.turn.ledger.has(mark) || self.turn.is_blocked() {
                continue;
            }
            let step = Step {
                calls: round.owed_calls(),
                total: total.filter(|_| last.as_ref() == Some(mark)),
                ..round.step.clone()
            };
            self.turn.record(self.number, &step).await?;
            found += 1;
        }
        if let Some(run) = &mut self.run {
            run.at_least(u64::try_from(rounds.len()).unwrap_or(u64::MAX));
        }
        if let Some(reason) = self.gap.take() {
            let tokens = if total.is_none() {
                ", tokens that are missing come with a later step"
            } else {
                ""
            };
            let how = format!("its transcript was read, {found} more steps were found{tokens}");
            let of = (
                Some(self.turn.input.member.clone()),
                Some(self.turn.input.turn),
            );
            structure::gap(self.turn.mob(), of, &reason, &how).await;
        }
        Ok(rounds)
    }
}
