//! Schedules of a host that owns time: the same planner, the same claims and the same journal as
//! those of the runtime's own timer.

use crate::engine::{Engine, store_refusal};
use mobkit_domain::command::{Command, ScheduleCommand, Submission};
use mobkit_domain::definition::Schedule;
use mobkit_domain::event::{Event, EventFilter, Occasion};
use mobkit_domain::id::{ScheduleId, Seq};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::schedule::{Calendar, LATE_MS_MAX};
use mobkit_domain::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimOutcome {
    /// Its work was started.
    Dispatched,
    /// It could not be started and is tried again, or not any more; the error says why.
    Failed,
    /// It waits for an occurrence before it.
    Waiting,
    /// Its policy skips it.
    Skipped,
}

/// One claim of a tick.
#[expect(
    clippy::struct_field_names,
    reason = "clients rely on the name of the key"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// `<schedule>:<due in milliseconds>`: the same for every tick that finds it due.
    pub claim_key: String,
    /// The schedule.
    pub schedule: ScheduleId,
    /// When it was due.
    pub due: Time,
    /// What became of it.
    pub outcome: ClaimOutcome,
    /// Why, where it was not started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a tick of a host led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleDispatchReport {
    /// The host's time.
    pub tick: Time,
    /// How many due times were found: those dispatched here and those claimed before.
    pub due: u64,
    /// Claims of this tick.
    pub dispatched: Vec<Claim>,
    /// Keys of the latest due times that an earlier tick had claimed already.
    pub skipped_claims: Vec<String>,
}

fn claim_key(schedule: &ScheduleId, due: Time) -> String {
    format!("{schedule}:{}", due.0)
}

impl Engine {
    /// Runs what is due of a host's own schedules at the host's time. Whatever a tick claims is
    /// durable when it returns, and no later tick claims it again, also after a crash.
    ///
    /// # Errors
    /// Refused as a whole, with nothing claimed, where a schedule is not valid or is not the
    /// host's, and while the mob does not run.
    pub async fn dispatch_schedule_tick(
        &self,
        schedules: Vec<Schedule>,
        tick: Time,
    ) -> Result<ScheduleDispatchReport, Refusal> {
        let claimed_before = self.claimed_before(&schedules, tick);
        let ids: BTreeSet<ScheduleId> = schedules.iter().map(|spec| spec.id.clone()).collect();
        let command = ScheduleCommand::Tick { schedules, tick };
        let submission = Submission {
            command: Command::Schedule(command),
            actor: Principal::App("host".to_owned()),
            key: None,
            trace: None,
        };
        let first = self.submit(submission).await?.seq();
        let dispatched = self.claims_from(first, &ids).await?;
        let skipped_claims: Vec<String> = claimed_before
            .into_iter()
            .filter(|key| dispatched.iter().all(|claim| claim.claim_key != *key))
            .collect();
        Ok(ScheduleDispatchReport {
            tick,
            due: (dispatched.len() + skipped_claims.len()) as u64,
            dispatched,
            skipped_claims,
        })
    }

    /// Keys of the latest due times that are claimed already.
    fn claimed_before(&self, schedules: &[Schedule], tick: Time) -> Vec<String> {
        self.view(|world| {
            let latest = |spec: &Schedule| {
                let known = world.state.schedules.get(&spec.id)?;
                let calendar = Calendar::of(&spec.trigger, &spec.timezone, known.anchor).ok()?;
                let due = calendar.previous(tick)?;
                // The first tick looks back as far as one may be late, and no further.
                let looked_at = due <= known.after && known.anchor.since_ms(due) <= LATE_MS_MAX;
                looked_at.then(|| claim_key(&spec.id, due))
            };
            schedules.iter().filter_map(latest).collect()
        })
    }

    /// The claims of the tick whose first event is at `first`. All of it is one batch, so what a
    /// later one leads to is told apart by its claim.
    async fn claims_from(
        &self,
        first: Seq,
        ids: &BTreeSet<ScheduleId>,
    ) -> Result<Vec<Claim>, Refusal> {
        let filter = EventFilter {
            kinds: vec!["occurrence.*".to_owned()],
            ..EventFilter::default()
        };
        let events = self
            .events_between(first.saturating_sub(1), self.head(), &filter)
            .await
            .map_err(|error| store_refusal(&error))?;
        let mut claims: BTreeMap<(ScheduleId, Time), (Seq, Claim)> = BTreeMap::new();
        for event in &events {
            let seq = event.envelope.seq;
            let outcome = match &event.envelope.event {
                Event::OccurrenceClaimed(e) if e.occasion == Occasion::Host => {
                    ((&e.schedule, e.due), ClaimOutcome::Waiting, None)
                }
                Event::OccurrenceSkipped(e) => {
                    let reason = Some(e.reason.clone());
                    ((&e.schedule, e.due), ClaimOutcome::Skipped, reason)
                }
                Event::OccurrenceDispatched(e) => {
                    ((&e.schedule, e.due), ClaimOutcome::Dispatched, None)
                }
                Event::OccurrenceFailed(e) => {
                    let reason = Some(e.reason.clone());
                    ((&e.schedule, e.due), ClaimOutcome::Failed, reason)
                }
                _ => continue,
            };
            let ((schedule, due), outcome, error) = outcome;
            if !ids.contains(schedule) {
                continue;
            }
            let key = (schedule.clone(), due);
            let begins = matches!(outcome, ClaimOutcome::Waiting | ClaimOutcome::Skipped);
            match claims.get_mut(&key) {
                Some((_, claim)) if claim.outcome == ClaimOutcome::Waiting => {
                    (claim.outcome, claim.error) = (outcome, error);
                }
                None if begins => {
                    let claim = Claim {
                        claim_key: claim_key(schedule, due),
                        schedule: schedule.clone(),
                        due,
                        outcome,
                        error,
                    };
                    claims.insert(key, (seq, claim));
                }
                Some(_) | None => {}
            }
        }
        let mut claims: Vec<(Seq, Claim)> = claims.into_values().collect();
        claims.sort_by_key(|(seq, _)| *seq);
        Ok(claims.into_iter().map(|(_, claim)| claim).collect())
    }
}
