//! Helpers: members that another member lets work for it. They lie in each other like boxes; none
//! outlives the one it works for.

use super::{Member, MemberMode, State};
use crate::definition::IdleRetire;
use crate::event::MemberSpawned;
use crate::id::MemberId;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// How many helpers may lie between a member that nobody delegated to and the innermost one, that
/// one included.
pub const HELPER_DEPTH_MAX: usize = 4;
/// How many helpers one member may have at a time.
pub const HELPERS_OF_ONE_MAX: usize = 16;
/// How many helpers a mob may have at a time.
pub const HELPERS_MAX: usize = 256;
/// After how many milliseconds without work a helper is retired, where nobody says.
pub const IDLE_RETIRE_MS: u64 = 300_000;

/// What is known of a member as a helper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helper {
    /// For whom it works.
    pub parent: MemberId,
    /// The generation of the parent that it works for: one that was reset has no helpers.
    pub parent_generation: u32,
    /// What its parent calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it is retired if it has nothing to do.
    pub idle_retire: IdleRetire,
    /// Since when it has had nothing to do, the time aside in which no turn could begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_since: Option<Time>,
}

impl Helper {
    /// When it is retired if nothing comes in between.
    pub fn due(&self) -> Option<Time> {
        match (self.idle_since, self.idle_retire) {
            (Some(since), IdleRetire::AfterMs(ms)) => Some(since.plus_ms(ms)),
            (_, IdleRetire::Never) | (None, IdleRetire::AfterMs(_)) => None,
        }
    }
}

/// Whether a helper has nothing to do. One that has failed has nothing to do whatever waits for it;
/// one that is paused was stopped by a person, who also lets it go on.
fn is_idle(member: &Member) -> bool {
    let waits = match member.mode {
        MemberMode::Active => member.queue.is_empty(),
        MemberMode::Failed | MemberMode::Quarantined => true,
        MemberMode::Starting | MemberMode::Paused | MemberMode::Retiring | MemberMode::Retired => {
            false
        }
    };
    waits && member.turn.is_none()
}

impl State {
    /// The members for whom a member works: its parent, the parent of that, and so on. Nobody,
    /// where it is no helper.
    pub fn lineage(&self, id: &MemberId) -> impl Iterator<Item = (&MemberId, &Member)> {
        let parent = |id: &MemberId| {
            let helper = self.members.get(id)?.helper.as_ref()?;
            self.members.get_key_value(&helper.parent)
        };
        std::iter::successors(parent(id), move |(above, _)| parent(above))
    }

    /// The helpers of a member, in the order of their ids.
    pub fn helpers_of(&self, id: &MemberId) -> impl Iterator<Item = &MemberId> {
        self.helpers.get(id).into_iter().flatten()
    }

    /// How many helpers the mob has.
    pub fn helpers_total(&self) -> usize {
        self.helpers
            .values()
            .map(std::collections::BTreeSet::len)
            .sum()
    }

    /// What is known of a newcomer as a helper.
    pub(super) fn helper_of(&self, e: &MemberSpawned) -> Option<Helper> {
        let of = e.helper.as_ref()?;
        let parent = self.members.get(&of.parent);
        Some(Helper {
            parent: of.parent.clone(),
            parent_generation: parent.map_or(0, |parent| parent.fence.generation),
            name: of.name.clone(),
            idle_retire: of.idle_retire,
            idle_since: None,
        })
    }

    pub(super) fn helper_joined(&mut self, id: &MemberId, now: Time) {
        let found = self.members.get(id).and_then(|found| found.helper.as_ref());
        if let Some(parent) = found.map(|helper| helper.parent.clone()) {
            self.helpers.entry(parent).or_default().insert(id.clone());
        }
        self.index_helper(id, now);
    }

    /// Forgets a helper that has left: its name is given to nobody again, and nobody goes on with
    /// its session. Everybody else stays known until deleted.
    pub(super) fn helper_left(&mut self, id: &MemberId) {
        let found = self.members.get(id);
        let Some(helper) = found.and_then(|found| found.helper.clone()) else {
            return;
        };
        if let Some(due) = helper.due() {
            self.helper_dues.remove(&(due, id.clone()));
        }
        self.orphans.remove(id);
        if let Some(others) = self.helpers.get_mut(&helper.parent) {
            others.remove(id);
            if others.is_empty() {
                self.helpers.remove(&helper.parent);
            }
        }
        if let Some(gone) = self.members.remove(id) {
            self.sessions.remove(&gone.session);
        }
    }

    /// Brings up to date what follows from a member for itself as a helper, and for its helpers.
    pub(super) fn index_helper(&mut self, id: &MemberId, now: Time) {
        if self.helpers.is_empty() {
            return;
        }
        self.index_idle(id, now);
        self.index_orphan(id);
        for helper in self.helpers.get(id).cloned().into_iter().flatten() {
            self.index_orphan(&helper);
        }
    }

    fn index_idle(&mut self, id: &MemberId, now: Time) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        let idle = is_idle(member);
        let Some(helper) = &mut member.helper else {
            return;
        };
        let before = helper.due();
        helper.idle_since = idle.then(|| helper.idle_since.unwrap_or(now));
        let after = helper.due();
        self.move_due(id, before, after);
    }

    /// The time of idle helpers begins anew: what passed before, no turn could begin.
    pub(super) fn idle_times_begin(&mut self, now: Time) {
        for id in self.helpers.values().flatten().cloned().collect::<Vec<_>>() {
            let found = self.members.get_mut(&id);
            let Some(helper) = found.and_then(|found| found.helper.as_mut()) else {
                continue;
            };
            let before = helper.due();
            helper.idle_since = helper.idle_since.map(|_| now);
            let after = helper.due();
            self.move_due(&id, before, after);
        }
    }

    fn move_due(&mut self, id: &MemberId, before: Option<Time>, after: Option<Time>) {
        if before == after {
            return;
        }
        if let Some(due) = before {
            self.helper_dues.remove(&(due, id.clone()));
        }
        if let Some(due) = after {
            self.helper_dues.insert((due, id.clone()));
        }
    }

    /// A helper without the parent that it works for has to leave, unless it is doing so already.
    fn index_orphan(&mut self, id: &MemberId) {
        let Some((member, helper)) = self
            .members
            .get(id)
            .and_then(|member| Some((member, member.helper.as_ref()?)))
        else {
            return;
        };
        let parent = self.members.get(&helper.parent);
        let is_kept = parent.is_some_and(|parent| {
            let works = match parent.mode {
                MemberMode::Starting
                | MemberMode::Active
                | MemberMode::Paused
                | MemberMode::Retiring => true,
                MemberMode::Retired | MemberMode::Failed | MemberMode::Quarantined => false,
            };
            works && parent.fence.generation == helper.parent_generation
        });
        let leaves = match member.mode {
            MemberMode::Retiring => member.turn.is_none() && member.queue.is_empty(),
            MemberMode::Retired => true,
            MemberMode::Starting
            | MemberMode::Active
            | MemberMode::Paused
            | MemberMode::Failed
            | MemberMode::Quarantined => false,
        };
        if is_kept || leaves {
            self.orphans.remove(id);
        } else {
            self.orphans.insert(id.clone());
        }
    }
}
