//! Decisions about schedules.

use super::{by_hand, pause, put, tick};
use crate::command::ScheduleCommand;
use crate::definition::nearest_name;
use crate::draft::{Decision, Draft};
use crate::event::ScheduleOrigin;
use crate::id::{MemberId, ScheduleId};
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::Schedule;

pub(crate) fn decide(mut draft: Draft<'_>, command: &ScheduleCommand) -> Result<Decision, Refusal> {
    match command {
        ScheduleCommand::Put(spec) => put::put(&mut draft, spec)?,
        ScheduleCommand::Converge { schedule } => put::converge(&mut draft, schedule)?,
        ScheduleCommand::Remove { schedule } => put::remove_of(&mut draft, schedule)?,
        ScheduleCommand::Pause { schedule, reason } => {
            pause::pause(&mut draft, schedule, reason.as_deref())?;
        }
        ScheduleCommand::Resume { schedule } => pause::resume(&mut draft, schedule)?,
        ScheduleCommand::Trigger { schedule } => by_hand::trigger(&mut draft, schedule)?,
        ScheduleCommand::Backfill { schedule, dues } => {
            by_hand::backfill(&mut draft, schedule, dues)?;
        }
        ScheduleCommand::Tick { schedules, tick } => tick::tick(&mut draft, schedules, *tick)?,
    }
    Ok(draft.done())
}

/// The schedule that somebody wants to act on: it is there, and it is theirs.
pub(super) fn acted_on<'w>(
    draft: &Draft<'w>,
    id: &ScheduleId,
) -> Result<(&'w ScheduleId, &'w Schedule), Refusal> {
    let schedules = &draft.state().schedules;
    let (id, found) = schedules.get_key_value(id).ok_or_else(|| {
        let message = format!("there is no schedule {id}");
        let refusal = Refusal::new(RefusalKind::Missing, "schedule.not_found", message);
        match nearest_name(id.as_str(), schedules.keys().map(ScheduleId::as_str)) {
            Some(near) => refusal.hint(format!("did you mean {near:?}?")),
            None => refusal.hint("`schedule/list` lists the schedules"),
        }
    })?;
    check_owner(draft, id, &found.origin)?;
    Ok((id, found))
}

/// An agent acts on its own schedules only.
pub(super) fn check_owner(
    draft: &Draft<'_>,
    id: &ScheduleId,
    origin: &ScheduleOrigin,
) -> Result<(), Refusal> {
    match &draft.actor {
        Principal::Agent(member) if *origin != ScheduleOrigin::Member(member.clone()) => {
            let message = format!("{member} has not made the schedule {id}");
            Err(not_yours(message).hint("a member changes only the schedules that it made itself"))
        }
        Principal::Agent(_) | Principal::Operator(_) | Principal::App(_) | Principal::Runtime => {
            Ok(())
        }
    }
}

/// An agent sets only itself and its peers to work.
pub(super) fn check_reach(draft: &Draft<'_>, target: Option<&MemberId>) -> Result<(), Refusal> {
    let Principal::Agent(member) = &draft.actor else {
        return Ok(());
    };
    let found = draft.state().members.get(member);
    let reaches = target
        .is_some_and(|to| to == member || found.is_some_and(|found| found.peers.contains(to)));
    if reaches {
        return Ok(());
    }
    let message = format!("{member} may schedule work only for itself and its peers");
    Err(not_yours(message).hint("`peers` lists the peers of a member"))
}

fn not_yours(message: String) -> Refusal {
    Refusal::new(RefusalKind::Denied, "schedule.not_yours", message)
}
