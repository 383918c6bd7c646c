//! Decisions about members.

use super::engine;
use super::retire::retire;
use super::spawn::{profile_missing, spawn};
use crate::command::MemberCommand;
use crate::definition::Engine;
use crate::draft::{Decision, Draft};
use crate::event::{
    Fence, MemberPaused, MemberReset, MemberRespawned, MemberResumed, MemberRetired, MemberUpdated,
};
use crate::id::{MemberId, ProfileId};
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{Member, MemberMode};

pub(crate) fn decide(mut draft: Draft<'_>, command: &MemberCommand) -> Result<Decision, Refusal> {
    match command {
        MemberCommand::Spawn {
            spec,
            origin,
            ensure,
            wire,
        } => {
            spawn(&mut draft, spec, *origin, *ensure, *wire)?;
        }
        MemberCommand::Update {
            member,
            labels,
            context,
            additional_instructions,
            origin,
        } => {
            draft.present(member)?;
            draft.order(MemberUpdated {
                member: member.clone(),
                labels: labels.clone(),
                context: context.clone(),
                additional_instructions: additional_instructions.clone(),
                origin: *origin,
                engine_started: false,
                offers: None,
            });
        }
        MemberCommand::Retire {
            member,
            mode,
            reason,
        } => {
            let found = draft.present(member)?;
            retire(&mut draft, member, found, *mode, reason.as_deref());
        }
        MemberCommand::Respawn {
            member,
            profile,
            reason,
        } => {
            respawn(&mut draft, member, profile.as_ref(), reason)?;
        }
        MemberCommand::Reset { member } => reset(&mut draft, member)?,
        MemberCommand::Delete { member } => delete(&mut draft, member)?,
        MemberCommand::Pause { member, reason } => pause(&mut draft, member, reason.as_ref())?,
        MemberCommand::Resume { member } => resume(&mut draft, member)?,
        MemberCommand::Cancel { member, reason } => {
            let reason = reason.as_deref().unwrap_or(crate::draft::REASON_MISSING);
            cancel(&mut draft, member, reason)?;
        }
        MemberCommand::EngineStarted {
            member,
            fence,
            offers,
            error,
        } => {
            let outcome = match error {
                None => Ok(*offers),
                Some(error) => Err(error.as_str()),
            };
            engine::started(&mut draft, member, *fence, outcome)?;
        }
    }
    Ok(draft.done())
}

fn delete(draft: &mut Draft<'_>, id: &MemberId) -> Result<(), Refusal> {
    if !draft.member(id)?.is_retired() {
        return Err(Refusal::new(
            RefusalKind::Conflict,
            "member.not_retired",
            format!("{id} has not left the mob"),
        )
        .hint("`member/retire` comes first"));
    }
    draft.order(MemberRetired {
        member: id.clone(),
        deleted: true,
        reason: None,
    });
    Ok(())
}

fn pause(draft: &mut Draft<'_>, id: &MemberId, reason: Option<&String>) -> Result<(), Refusal> {
    let member = draft.present(id)?;
    let held = member
        .pause
        .as_ref()
        .is_some_and(|pause| pause.budget.is_some());
    match member.mode {
        MemberMode::Paused if !held => {}
        // One that lacks a budget stays paused when it has one again.
        MemberMode::Active | MemberMode::Starting | MemberMode::Paused => {
            draft.order(MemberPaused {
                member: id.clone(),
                reason: reason.cloned(),
                budget: None,
                until: None,
            });
        }
        mode => return Err(wrong_mode(id, mode, "pause")),
    }
    Ok(())
}

fn resume(draft: &mut Draft<'_>, id: &MemberId) -> Result<(), Refusal> {
    let member = draft.present(id)?;
    match member.mode {
        MemberMode::Active | MemberMode::Starting => {}
        MemberMode::Paused | MemberMode::Quarantined => {
            crate::turn::may_resume(draft, id, member)?;
            draft.order(MemberResumed { member: id.clone() });
        }
        mode => return Err(wrong_mode(id, mode, "resume")),
    }
    Ok(())
}

fn cancel(draft: &mut Draft<'_>, id: &MemberId, reason: &str) -> Result<(), Refusal> {
    let Some(turn) = draft.present(id)?.turn else {
        return Err(Refusal::new(
            RefusalKind::Conflict,
            "member.idle",
            format!("{id} has no turn to cancel"),
        ));
    };
    crate::turn::cancel(draft, turn, reason);
    Ok(())
}

fn wrong_mode(member: &MemberId, mode: MemberMode, verb: &str) -> Refusal {
    let word = serde_json::to_value(mode).unwrap_or_default();
    let word = word.as_str().unwrap_or("busy");
    Refusal::new(
        RefusalKind::Conflict,
        "member.wrong_state",
        format!("can't {verb} {member}: it is {word}"),
    )
    .hint("`member/respawn` gives a failed member fresh process state")
}

fn starts_engine(draft: &Draft<'_>, profile: &ProfileId) -> Result<bool, Refusal> {
    match draft.profile(profile) {
        Some(found) => Ok(found.engine != Engine::Native),
        None => Err(profile_missing(draft, profile)),
    }
}

/// Gives each failed member another chance with the process: what was in its way may be mended by
/// now, in the mob file or beside it. One that was quarantined stays so until a person has looked.
pub(crate) fn recover(draft: &mut Draft<'_>) {
    let present = draft.state().present();
    let failed = present.filter(|(_, member)| member.mode == MemberMode::Failed);
    let failed: Vec<MemberId> = failed.map(|(id, _)| id.clone()).collect();
    for id in failed {
        // A role that is still undefined leaves it as it is.
        let _ = respawn(draft, &id, None, "start");
    }
}

fn respawn(
    draft: &mut Draft<'_>,
    id: &MemberId,
    profile: Option<&ProfileId>,
    reason: &str,
) -> Result<(), Refusal> {
    let member = draft.present(id)?;
    if member.mode == MemberMode::Retiring {
        return Err(wrong_mode(id, member.mode, "respawn"));
    }
    let profile = profile.unwrap_or(&member.profile).clone();
    let starting = starts_engine(draft, &profile)?;
    let fence = Fence {
        generation: member.fence.generation,
        incarnation: member.fence.incarnation + 1,
    };
    let seq = draft.order(MemberRespawned {
        member: id.clone(),
        profile,
        fence,
        reason: reason.to_owned(),
        starting,
    });
    // The open turn goes on under the new token; what still comes in under the old one is stale.
    // One that was put aside gets the token when it goes on.
    let open = member
        .turn
        .and_then(|turn| Some((turn, draft.state().turns.get(&turn)?)));
    if let Some((turn, open)) = open.filter(|(_, open)| !open.checkpointed) {
        crate::turn::resume(draft, seq, (turn, open), open.recoveries, "respawn");
    }
    Ok(())
}

fn reset(draft: &mut Draft<'_>, id: &MemberId) -> Result<(), Refusal> {
    let member: &Member = draft.present(id)?;
    if member.mode == MemberMode::Retiring {
        return Err(wrong_mode(id, member.mode, "reset"));
    }
    let starting = starts_engine(draft, &member.profile)?;
    if let Some(turn) = member.turn {
        crate::turn::cancel(draft, turn, "the member was reset");
    }
    let fence = Fence {
        generation: member.fence.generation + 1,
        incarnation: 1,
    };
    draft.order(MemberReset {
        member: id.clone(),
        fence,
        starting,
    });
    Ok(())
}
