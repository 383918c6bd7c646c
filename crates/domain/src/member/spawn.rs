//! How a member joins.

use crate::definition::{Engine, MemberSpec};
use crate::draft::Draft;
use crate::edge::Edge;
use crate::event::{EdgeOrigin, EdgeWired, Fence, MemberOrigin, MemberSpawned};
use crate::id::{MemberId, ProfileId};
use crate::refusal::{Refusal, RefusalKind};
use crate::state::MemberMode;

/// Lets a member join; drafts nothing where `ensure` finds it there as asked for.
pub(super) fn spawn(
    draft: &mut Draft<'_>,
    spec: &MemberSpec,
    origin: MemberOrigin,
    ensure: bool,
    wire: bool,
) -> Result<(), Refusal> {
    let Some(profile) = draft.profile(&spec.profile) else {
        return Err(profile_missing(draft, &spec.profile));
    };
    let earlier = draft.state().members.get(&spec.id);
    if let Some(member) = earlier.filter(|member| !member.is_retired()) {
        if member.mode == MemberMode::Retiring {
            return Err(Refusal::new(
                RefusalKind::Conflict,
                "member.retiring",
                format!("{} is leaving the mob", spec.id),
            )
            .hint("spawn it again once it has left"));
        }
        if ensure && member.profile == spec.profile {
            return Ok(());
        }
        return Err(Refusal::new(
            RefusalKind::Conflict,
            "member.exists",
            format!(
                "{} is a member already, with profile {}",
                spec.id, member.profile
            ),
        )
        .hint("`member/respawn` changes its profile, `member/reset` starts it over"));
    }
    check_session(draft, spec)?;
    let deleted = draft.state().deleted.get(&spec.id).copied();
    let last = earlier.map_or(deleted, |member| Some(member.fence.generation));
    let generation = last.map_or(1, |last| last + 1);
    draft.order(MemberSpawned {
        member: spec.id.clone(),
        profile: spec.profile.clone(),
        fence: Fence {
            generation,
            incarnation: 1,
        },
        session: spec.session,
        labels: spec.labels.clone(),
        context: spec.context.clone(),
        additional_instructions: spec.additional_instructions.clone(),
        origin,
        starting: profile.engine != Engine::Native,
        helper: None,
    });
    if wire {
        wire_static(draft, &spec.id, &spec.profile);
    }
    Ok(())
}

pub(super) fn profile_missing(draft: &Draft<'_>, profile: &ProfileId) -> Refusal {
    let known: Vec<&str> = draft
        .world
        .definition
        .profiles
        .keys()
        .map(ProfileId::as_str)
        .take(20)
        .collect();
    Refusal::new(
        RefusalKind::Invalid,
        "profile.not_found",
        format!("there is no profile {profile}"),
    )
    .hint(format!("the definition has: {}", known.join(", ")))
}

/// An unknown session is an error, not a fresh start; and one session has one writer.
fn check_session(draft: &Draft<'_>, spec: &MemberSpec) -> Result<(), Refusal> {
    let Some(session) = spec.session else {
        return Ok(());
    };
    if !draft.state().sessions.contains_key(&session) {
        return Err(Refusal::new(
            RefusalKind::Invalid,
            "session.not_found",
            format!(
                "{} was to go on with {session}, which does not exist",
                spec.id
            ),
        ));
    }
    let writer = draft
        .state()
        .present()
        .find(|(_, member)| member.session == session);
    match writer {
        None => Ok(()),
        Some((other, _)) => Err(Refusal::new(
            RefusalKind::Conflict,
            "session.in_use",
            format!("{session} belongs to {other}"),
        )),
    }
}

/// Wires the newcomer as the mob file says.
fn wire_static(draft: &mut Draft<'_>, id: &MemberId, profile: &ProfileId) {
    let wiring = &draft.world.definition.wiring;
    let mut others: Vec<&MemberId> = Vec::new();
    for (other, member) in draft.state().present() {
        let by_role = wiring.roles.iter().any(|(one, two)| {
            (one == profile && *two == member.profile) || (two == profile && *one == member.profile)
        });
        let by_name = wiring
            .edges
            .iter()
            .any(|(a, b)| (a == id && b == other) || (b == id && a == other));
        let wired = by_role || by_name;
        if other != id && wired && member.helper.is_none() {
            others.push(other);
        }
    }
    for other in others {
        let Edge { a, b } = Edge::between(id, other);
        draft.emit(EdgeWired {
            a,
            b,
            origin: EdgeOrigin::Static,
        });
    }
}
