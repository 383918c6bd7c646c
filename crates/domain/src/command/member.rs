//! Commands about a member.

use crate::definition::MemberSpec;
use crate::event::{Fence, MemberOrigin, Offers, RetireMode};
use crate::id::{MemberId, ProfileId};
use serde_json::Value;
use std::collections::BTreeMap;

/// Commands about a member.
#[derive(Debug, Clone)]
pub enum MemberCommand {
    /// Let a member join.
    Spawn {
        /// What it is.
        spec: Box<MemberSpec>,
        /// Who wants it.
        origin: MemberOrigin,
        /// Whether it is an error if it is already there as asked for.
        ensure: bool,
        /// Whether the edges of the mob file are wired at once.
        wire: bool,
    },
    /// Change something in place; `None` leaves it as it is.
    Update {
        /// The member.
        member: MemberId,
        /// Labels.
        labels: Option<BTreeMap<String, String>>,
        /// Context.
        context: Option<Value>,
        /// Additional instructions.
        additional_instructions: Option<Vec<String>>,
        /// Who wants it.
        origin: Option<MemberOrigin>,
    },
    /// Let a member leave.
    Retire {
        /// The member.
        member: MemberId,
        /// How.
        mode: RetireMode,
        /// Why.
        reason: Option<String>,
    },
    /// Fresh process state; the session stays.
    Respawn {
        /// The member.
        member: MemberId,
        /// The role from here on; `None`: as before.
        profile: Option<ProfileId>,
        /// Why.
        reason: String,
    },
    /// A new generation with an empty session.
    Reset {
        /// The member.
        member: MemberId,
    },
    /// Forget a member that has left.
    Delete {
        /// The member.
        member: MemberId,
    },
    /// Begin no further turn.
    Pause {
        /// The member.
        member: MemberId,
        /// Why.
        reason: Option<String>,
    },
    /// Work again.
    Resume {
        /// The member.
        member: MemberId,
    },
    /// Stop the running turn.
    Cancel {
        /// The member.
        member: MemberId,
        /// Why.
        reason: Option<String>,
    },
    /// The engine reports that the member can work, or why it can't.
    EngineStarted {
        /// The member.
        member: MemberId,
        /// The token under which it was started.
        fence: Fence,
        /// What its engine can do beyond running turns.
        offers: Offers,
        /// Why it can't work, if so.
        error: Option<String>,
    },
}
