//! What the events of approvals and grants do to the state.

use super::{Approval, CallState, State};
use crate::event::{
    ApprovalDecided, ApprovalExpired, ApprovalRequested, Event, Expiry, GrantScope, Matter, Verdict,
};
use crate::id::{ApprovalId, MemberId, TurnId};
use crate::time::Time;
use crate::tool::module_of;

impl State {
    /// Folds an event of an approval or a grant in; `false`: it is none.
    pub(super) fn apply_approval(&mut self, now: Time, event: &Event) -> bool {
        match event {
            Event::ApprovalRequested(e) => {
                self.with_member(&e.member, now, |state| {
                    state.approval_requested(e, now);
                    state.index_turn(e.turn);
                });
            }
            Event::ApprovalDecided(e) => {
                self.with_member(&e.member, now, |state| {
                    state.approval_decided(e);
                    state.index_turn(e.turn);
                });
            }
            Event::ApprovalExpired(e) => {
                self.with_member(&e.member, now, |state| {
                    state.approval_expired(e);
                    state.index_turn(e.turn);
                });
            }
            Event::GrantCreated(e) => {
                self.prune_grants(now);
                self.grants.insert(e.grant, e.clone());
            }
            Event::GrantRevoked(e) => {
                self.prune_grants(now);
                self.grants.remove(&e.grant);
            }
            _ => return false,
        }
        true
    }

    fn approval_requested(&mut self, e: &ApprovalRequested, now: Time) {
        let approval = e.approval;
        let open = Approval {
            request: e.clone(),
            requested: now,
            held: false,
        };
        self.approvals.insert(approval, open);
        if let Some(expires) = e.expires {
            self.approval_expiries.insert((expires, approval));
        }
        if let Some(call) = self.call_mut(e.turn, e.call) {
            call.state = match call.state {
                CallState::Running { effect } => CallState::Eliciting { effect, approval },
                _ => CallState::Pending { approval },
            };
        }
    }

    fn approval_decided(&mut self, e: &ApprovalDecided) {
        let Some(open) = self.approval_ended(e.approval) else {
            return;
        };
        self.call_answered(e.turn, open.request.call, e.approval);
        let passes = matches!(e.decision, Verdict::Approve | Verdict::Edit);
        // Of a call that was denied the next event says so.
        if !passes {
            return;
        }
        if let Matter::Definition { after, .. } = &open.request.matter {
            self.adopt(&open.request.tool, after);
        }
        let Some(call) = self.call_mut(e.turn, e.call) else {
            return;
        };
        let approval = e.approval;
        if call.state == (CallState::Pending { approval }) {
            let policy = open.request.policy;
            call.state = CallState::Approved { approval, policy };
            if let Some(args) = &e.args {
                call.args.clone_from(args);
            }
        }
    }

    fn approval_expired(&mut self, e: &ApprovalExpired) {
        match e.outcome {
            // Of the call the next event says that it was not made.
            Expiry::Denied => _ = self.approval_ended(e.approval),
            Expiry::Held => {
                let Some(open) = self.approvals.get_mut(&e.approval) else {
                    return;
                };
                open.held = true;
                let due = open.request.expires;
                self.forget_approval_expiry(due, e.approval);
            }
            Expiry::Withdrawn => {
                self.approval_ended(e.approval);
                self.call_answered(e.turn, e.call, e.approval);
            }
        }
    }

    /// The module has its answer, or gets none: its call goes on.
    fn call_answered(&mut self, turn: TurnId, call: crate::id::CallId, answered: ApprovalId) {
        if let Some(call) = self.call_mut(turn, call)
            && let CallState::Eliciting { effect, approval } = call.state
            && approval == answered
        {
            call.state = CallState::Running { effect };
        }
    }

    fn approval_ended(&mut self, id: ApprovalId) -> Option<Approval> {
        let open = self.approvals.remove(&id)?;
        self.forget_approval_expiry(open.request.expires, id);
        Some(open)
    }

    fn forget_approval_expiry(&mut self, due: Option<Time>, id: ApprovalId) {
        if let Some(due) = due {
            self.approval_expiries.remove(&(due, id));
        }
    }

    /// Pins the definition of a tool that somebody approved, if it is still the one of now.
    fn adopt(&mut self, tool: &str, hash: &str) {
        let Some((id, name)) = module_of(tool) else {
            return;
        };
        let module = id.parse().ok().and_then(|id| self.modules.get_mut(&id));
        let Some(module) = module else { return };
        if module.changed.get(name).is_some_and(|now| now.hash == hash)
            && let Some(definition) = module.changed.remove(name)
        {
            let tools = module.tools.get_or_insert_default();
            tools.insert(name.to_owned(), definition);
        }
    }

    fn prune_grants(&mut self, now: Time) {
        self.grants.retain(|_, grant| match grant.scope {
            GrantScope::Turn { .. } => true,
            GrantScope::Until { until } => now < until,
        });
    }

    /// The grants that hold to the end of a turn end with it.
    pub(super) fn forget_grants_in(&mut self, ended: TurnId) {
        self.grants
            .retain(|_, grant| grant.scope != GrantScope::Turn { turn: ended });
    }

    /// A permission does not outlive the stay of the member to whom it was given.
    pub(super) fn forget_grants_of(&mut self, member: &MemberId) {
        self.grants.retain(|_, grant| grant.member != *member);
    }
}
