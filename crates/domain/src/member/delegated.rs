//! Helpers: how they join and leave.

use crate::definition::{Engine, IdleRetire, Profile};
use crate::draft::Draft;
use crate::edge::Edge;
use crate::event::{
    EdgeOrigin, EdgeWired, Fence, HelperOf, MemberOrigin, MemberSpawned, NewEvent, RetireMode,
};
use crate::id::{MemberId, ProfileId, Seq};
use crate::principal::Principal;
use crate::state::MemberMode;
use crate::time::span_text;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most characters of the id of a member.
const ID_CHARS_MAX: usize = 128;

/// The id of the helper that joins at this position: nobody else ever gets it. The name of its
/// parent stands before that, as far as there is room.
pub(crate) fn helper_id(parent: &MemberId, seq: Seq) -> Option<MemberId> {
    let end = format!(".h-{seq}");
    let room = ID_CHARS_MAX - end.len();
    let begin = parent.as_str();
    // Ids are ASCII.
    let begin = begin.get(..room).unwrap_or(begin);
    MemberId::parse(&format!("{begin}{end}")).ok()
}

/// Lets a helper join, wired to its parent.
pub(crate) fn spawn_helper(
    draft: &mut Draft<'_>,
    cause: Seq,
    id: &MemberId,
    (role, profile): (&ProfileId, &Profile),
    (parent, name): (&MemberId, Option<&str>),
    idle_retire: IdleRetire,
) {
    let agent = Principal::Agent(parent.clone());
    let spawned = MemberSpawned {
        member: id.clone(),
        profile: role.clone(),
        fence: Fence {
            generation: 1,
            incarnation: 1,
        },
        session: None,
        labels: BTreeMap::new(),
        context: Value::Null,
        additional_instructions: Vec::new(),
        origin: MemberOrigin::Helper,
        starting: profile.engine != Engine::Native,
        helper: Some(HelperOf {
            parent: parent.clone(),
            name: name.map(str::to_owned),
            idle_retire,
        }),
    };
    draft.push(NewEvent::of(spawned).by(&agent).caused_by(cause));
    let Edge { a, b } = Edge::between(parent, id);
    let origin = EdgeOrigin::Helper;
    let wired = NewEvent::of(EdgeWired { a, b, origin });
    draft.push(wired.by(&agent).caused_by(cause));
}

/// Retires every helper that has had nothing to do for long enough.
pub(crate) fn retire_idle(draft: &mut Draft<'_>) {
    let state = draft.state();
    for (due, id) in &state.helper_dues {
        if *due > draft.now {
            break;
        }
        let Some(member) = state.members.get(id) else {
            continue;
        };
        let reason = match member.helper.as_ref().map(|helper| helper.idle_retire) {
            Some(IdleRetire::AfterMs(ms)) => {
                format!("it had nothing to do for {}", span_text(ms))
            }
            Some(IdleRetire::Never) | None => continue,
        };
        super::retire(draft, id, member, RetireMode::Now, Some(&reason));
    }
}

/// Retires a helper whose parent is not there any longer, or not as it was.
pub(crate) fn retire_orphan(draft: &mut Draft<'_>, id: &MemberId) {
    let state = draft.state();
    let Some(member) = state.members.get(id) else {
        return;
    };
    let Some(helper) = &member.helper else {
        return;
    };
    let parent = &helper.parent;
    let why = match state.members.get(parent).map(|parent| parent.mode) {
        None | Some(MemberMode::Retired) => "has left",
        Some(MemberMode::Failed) => "has failed",
        Some(MemberMode::Quarantined) => "is quarantined",
        Some(
            MemberMode::Starting | MemberMode::Active | MemberMode::Paused | MemberMode::Retiring,
        ) => "was reset",
    };
    let reason = format!("{parent}, for whom it worked, {why}");
    super::retire(draft, id, member, RetireMode::Now, Some(&reason));
}

/// Nobody waits for a helper that has failed: its parent hears of it at once.
pub(crate) fn helper_failed(draft: &mut Draft<'_>, id: &MemberId, error: &str) {
    let found = draft.state().members.get(id);
    if let Some(member) = found.filter(|member| member.helper.is_some()) {
        super::turn_away(draft, member, error);
    }
}
