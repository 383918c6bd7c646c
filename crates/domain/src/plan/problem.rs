//! What makes a desired roster impossible.

use super::roster::{Actual, Desired, Known, Presence};
use crate::event::MemberOrigin;
use crate::id::{MemberId, ProfileId, SessionId};
use crate::refusal::{Refusal, RefusalKind};
use serde_json::json;
use std::collections::BTreeMap;

/// One thing that makes a desired roster impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterProblem {
    /// Two specs have the same id.
    #[error("the member {member:?} is named twice, by {first} and by {second}",
        member = .member.as_str(), first = namer(*.first), second = namer(*.second))]
    DuplicateMember {
        /// The id.
        member: MemberId,
        /// Who named it first.
        first: MemberOrigin,
        /// Who named it again.
        second: MemberOrigin,
    },
    /// A spec names a profile that the definition does not have.
    #[error("{by} gives the member {member:?} the profile {profile:?}, which does not exist",
        by = namer(*.by), member = .member.as_str(), profile = .profile.as_str())]
    UnknownProfile {
        /// The member.
        member: MemberId,
        /// The profile.
        profile: ProfileId,
        /// Who named it.
        by: MemberOrigin,
    },
    /// A spec names a session that does not exist.
    #[error("{by} gives the member {member:?} the session {session}, which does not exist",
        by = namer(*.by), member = .member.as_str())]
    UnknownSession {
        /// The member.
        member: MemberId,
        /// The session.
        session: SessionId,
        /// Who named it.
        by: MemberOrigin,
    },
    /// A spec names a session that another member holds or is to hold.
    #[error("{by} gives the member {member:?} the session {session}, which is that of {holder:?}",
        by = namer(*.by), member = .member.as_str(), holder = .holder.as_str())]
    SessionInUse {
        /// The member.
        member: MemberId,
        /// The session.
        session: SessionId,
        /// Who holds it.
        holder: MemberId,
        /// Who named it.
        by: MemberOrigin,
    },
}

/// A desired roster that is impossible. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct RosterError {
    /// All that is wrong with it, at least one thing, in the order of the specs.
    pub problems: Vec<RosterProblem>,
}

impl RosterProblem {
    /// Stable code of the problem, `noun.reason`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DuplicateMember { .. } => "member.duplicate",
            Self::UnknownProfile { .. } => "profile.not_found",
            Self::UnknownSession { .. } => "session.not_found",
            Self::SessionInUse { .. } => "session.in_use",
        }
    }
}

/// `roster.invalid`, with code and message of every problem as data.
impl From<RosterError> for Refusal {
    fn from(error: RosterError) -> Self {
        let fact = |p: &RosterProblem| json!({ "code": p.code(), "message": p.to_string() });
        let problems: Vec<_> = error.problems.iter().map(fact).collect();
        Refusal::new(RefusalKind::Invalid, "roster.invalid", error.to_string())
            .data(json!({ "problems": problems }))
    }
}

/// Everything that is wrong with a desired roster, in the order of the specs.
pub(super) fn problems(
    desired: &[Desired],
    actual: &[Actual],
    known: Known<'_>,
) -> Vec<RosterProblem> {
    let mut problems = Vec::new();
    let mut named: BTreeMap<&MemberId, MemberOrigin> = BTreeMap::new();
    let there = actual.iter().filter(|a| a.presence != Presence::Retired);
    let mut holders: BTreeMap<SessionId, &MemberId> = there.map(|a| (a.session, &a.id)).collect();
    for Desired { spec, origin: by } in desired {
        let (member, by) = (spec.id.clone(), *by);
        if let Some(first) = named.insert(&spec.id, by) {
            problems.push(RosterProblem::DuplicateMember {
                member,
                first,
                second: by,
            });
            continue;
        }
        if !known.profiles.contains(&spec.profile) {
            let (member, profile) = (member.clone(), spec.profile.clone());
            problems.push(RosterProblem::UnknownProfile {
                member,
                profile,
                by,
            });
        }
        let Some(session) = spec.session else {
            continue;
        };
        if !known.sessions.contains(&session) {
            problems.push(RosterProblem::UnknownSession {
                member,
                session,
                by,
            });
            continue;
        }
        let holder = *holders.entry(session).or_insert(&spec.id);
        if *holder != spec.id {
            let holder = holder.clone();
            problems.push(RosterProblem::SessionInUse {
                member,
                session,
                holder,
                by,
            });
        }
    }
    problems
}

/// Who names a member, in words.
pub(super) fn namer(origin: MemberOrigin) -> &'static str {
    match origin {
        MemberOrigin::Definition => "the mob file",
        MemberOrigin::Discovery => "discovery",
        MemberOrigin::Operator => "an operator",
        MemberOrigin::Helper => "a member",
    }
}
