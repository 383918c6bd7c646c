//! What the engine of a member reports, and what becomes of members whose engine is given up.

use crate::definition::Engine;
use crate::draft::Draft;
use crate::event::{ErrorEvent, ErrorRaised, Fence, MemberFailed, MemberUpdated, NewEvent, Offers};
use crate::id::{MemberId, Seq};
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{Member, MemberMode};

/// The engine of a member says what it can do, or why the member can't work. It says so at the
/// start of a member and at every start of mobkit; who works already hears only what is new.
pub(super) fn started(
    draft: &mut Draft<'_>,
    id: &MemberId,
    fence: Fence,
    outcome: Result<Offers, &str>,
) -> Result<(), Refusal> {
    let member = draft.present(id)?;
    let profile = draft.profile(&member.profile);
    let external = member.starting || profile.is_some_and(|p| p.engine != Engine::Native);
    if !external || !works(member.mode) || member.fence != fence {
        return Err(Refusal::new(
            RefusalKind::Conflict,
            "member.stale",
            format!("{id} is no longer the one that was started"),
        ));
    }
    match outcome {
        Ok(offers) if member.starting || member.offers != Some(offers) => {
            draft.emit(MemberUpdated {
                member: id.clone(),
                labels: None,
                context: None,
                additional_instructions: None,
                origin: None,
                engine_started: member.starting,
                offers: Some(offers),
            });
        }
        Ok(_) => {}
        Err(error) => {
            let failure = spawn_failure(id, member, error);
            fail(draft, None, (id, member), error, failure);
        }
    }
    Ok(())
}

/// The engine is given up: those whose profile names it fail, and their open turns end. Who leaves
/// anyway goes on leaving, without what only the engine could do.
pub(crate) fn engine_failed(draft: &mut Draft<'_>, cause: Seq, engine: Engine, reason: &str) {
    let world = draft.world;
    let of_engine = |member: &Member| {
        let profile = world.definition.profiles.get(&member.profile);
        profile.is_some_and(|profile| profile.engine == engine)
    };
    let members = world.state.members.iter();
    for (id, member) in members.filter(|(_, member)| of_engine(member)) {
        match member.mode {
            MemberMode::Starting | MemberMode::Active | MemberMode::Paused => {
                let failure = if member.starting {
                    spawn_failure(id, member, reason)
                } else {
                    ErrorEvent::MemberCrashed {
                        member: id.clone(),
                        error: reason.to_owned(),
                    }
                };
                fail(draft, Some(cause), (id, member), reason, failure);
            }
            MemberMode::Retiring => {
                if let Some(turn) = member.turn {
                    crate::turn::lose(draft, cause, turn, reason);
                }
                super::turn_away(draft, member, reason);
            }
            MemberMode::Retired | MemberMode::Failed | MemberMode::Quarantined => {}
        }
    }
}

/// Whether a member in this mode needs its engine to begin turns now or later.
fn works(mode: MemberMode) -> bool {
    match mode {
        MemberMode::Starting | MemberMode::Active | MemberMode::Paused => true,
        MemberMode::Retiring
        | MemberMode::Retired
        | MemberMode::Failed
        | MemberMode::Quarantined => false,
    }
}

fn spawn_failure(id: &MemberId, member: &Member, error: &str) -> ErrorEvent {
    ErrorEvent::SpawnFailure {
        member: id.clone(),
        profile: member.profile.clone(),
        error: error.to_owned(),
    }
}

fn fail(
    draft: &mut Draft<'_>,
    cause: Option<Seq>,
    (id, member): (&MemberId, &Member),
    error: &str,
    told: ErrorEvent,
) {
    let mut failed = NewEvent::of(MemberFailed {
        member: id.clone(),
        error: error.to_owned(),
    });
    failed.cause = cause;
    let seq = draft.push(failed);
    draft.emit_from(seq, ErrorRaised { error: told });
    super::helper_failed(draft, id, error);
    if let Some(turn) = member.turn {
        crate::turn::lose(draft, seq, turn, error);
    }
}
