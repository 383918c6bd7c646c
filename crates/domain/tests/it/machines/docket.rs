//! A second opinion about decisions: what the events say was asked, decided and let pass, and what
//! that lets begin.

use mobkit_domain::canonical::{canonical_json, sha256_hex};
use mobkit_domain::definition::{Definition, Gate, GateAction, OnExpiry, Unattended};
use mobkit_domain::event::{
    ApprovalDecided, ApprovalExpired, ApprovalRequested, Envelope, Event, Expiry, GrantCreated,
    GrantScope, Matter, ResolveHow, ToolRefused, ToolStarted, TurnStarted, Verdict,
};
use mobkit_domain::id::{ApprovalId, CallId, GrantId, TurnId};
use mobkit_domain::principal::Principal;
use mobkit_domain::state::State;
use mobkit_domain::time::Time;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What the events say about decisions.
#[derive(Clone, Default)]
pub struct Docket {
    turns: BTreeMap<TurnId, TurnStarted>,
    /// Calls without an outcome, with their arguments of now.
    calls: BTreeMap<CallId, (TurnId, Value)>,
    open: BTreeMap<ApprovalId, ApprovalRequested>,
    held: BTreeSet<ApprovalId>,
    decided: BTreeSet<ApprovalId>,
    /// The last decision that let a call pass, with the version of its rule.
    passed: BTreeMap<CallId, (ApprovalId, String)>,
    denied: BTreeSet<CallId>,
    late: BTreeSet<CallId>,
    grants: BTreeMap<GrantId, GrantCreated>,
}

fn version(rule: &impl Serialize) -> String {
    let rule = serde_json::to_value(rule).expect("a rule is JSON");
    format!("sha256:{}", sha256_hex(canonical_json(&rule)))
}

fn is_question(request: &ApprovalRequested) -> bool {
    matches!(request.matter, Matter::Elicitation { .. })
}

impl Docket {
    pub fn feed(&mut self, envelope: &Envelope, definition: &Definition) {
        match &envelope.event {
            Event::TurnStarted(e) => _ = self.turns.insert(e.turn, e.clone()),
            Event::TurnCompleted(e) => self.turn_ended(e.turn),
            Event::TurnFailed(e) => self.turn_ended(e.turn),
            Event::TurnCancelled(e) => self.turn_ended(e.turn),
            Event::MemberRetired(e) => self.grants.retain(|_, grant| grant.member != e.member),
            Event::ModelReplied(e) => {
                let calls = e.calls.iter();
                self.calls
                    .extend(calls.map(|call| (call.call, (e.turn, call.args.clone()))));
            }
            Event::ToolStarted(e) => self.started(e, definition, envelope.time),
            Event::ToolRefused(e) => self.refused(e),
            Event::ToolFinished(e) => _ = self.calls.remove(&e.call),
            Event::ToolFailed(e) => _ = self.calls.remove(&e.call),
            Event::ToolResolved(e) if e.how != ResolveHow::Run => _ = self.calls.remove(&e.call),
            Event::ApprovalRequested(e) => self.requested(e, envelope),
            Event::ApprovalDecided(e) => self.ruled(e, envelope),
            Event::ApprovalExpired(e) => self.expired(e, envelope.time),
            Event::GrantCreated(e) => {
                assert!(
                    self.decided.contains(&e.approval),
                    "{} without a decision",
                    e.grant
                );
                self.grants.insert(e.grant, e.clone());
            }
            Event::GrantRevoked(e) => {
                assert!(
                    self.grants.remove(&e.grant).is_some(),
                    "{} did not hold",
                    e.grant
                );
            }
            _ => {}
        }
    }

    fn turn_ended(&mut self, id: TurnId) {
        self.turns.remove(&id);
        self.calls.retain(|_, (turn, _)| *turn != id);
        self.grants
            .retain(|_, grant| grant.scope != GrantScope::Turn { turn: id });
    }

    fn requested(&mut self, e: &ApprovalRequested, envelope: &Envelope) {
        assert_eq!(e.approval.0, envelope.seq);
        let (turn, args) = &self.calls[&e.call];
        assert_eq!((turn, args), (&e.turn, &e.args), "{}", e.approval);
        assert!(
            !self.open.values().any(|open| open.call == e.call),
            "{} is asked for twice",
            e.call
        );
        let shown = json!({
            "tool": e.tool, "args": e.args, "member": e.member, "turn": e.turn, "call": e.call,
            "matter": e.matter, "policy": e.policy,
        });
        assert_eq!(e.digest, version(&shown), "{}", e.approval);
        let began = &self.turns[&e.turn];
        assert_eq!(e.origin, *began.origin.as_ref().unwrap_or(&began.from));
        self.open.insert(e.approval, e.clone());
    }

    fn ruled(&mut self, e: &ApprovalDecided, envelope: &Envelope) {
        let id = e.approval;
        assert!(self.decided.insert(id), "{id} is decided twice");
        let open = self.open.remove(&id);
        let request = open.unwrap_or_else(|| panic!("{id} does not wait"));
        assert_eq!(
            (e.digest.as_str(), e.call),
            (request.digest.as_str(), request.call)
        );
        assert!(
            !matches!(e.by, Principal::Agent(_) | Principal::Runtime),
            "{} decides",
            e.by
        );
        assert_eq!(envelope.actor.as_ref(), Some(&e.by));
        assert!(
            !request.four_eyes || e.by != request.origin,
            "{} alone",
            e.by
        );
        let over = request.expires.is_some_and(|due| due <= envelope.time);
        assert!(!over || request.on_expiry == OnExpiry::Hold, "{id} is over");
        if is_question(&request) {
            return;
        }
        match e.decision {
            Verdict::Deny => _ = self.denied.insert(e.call),
            Verdict::Approve | Verdict::Edit => {
                let call = self.calls.get_mut(&e.call).expect("its call is open");
                assert_eq!(e.args.is_some(), e.decision == Verdict::Edit);
                if let Some(args) = &e.args {
                    call.1.clone_from(args);
                }
                self.passed.insert(e.call, (id, request.policy));
            }
        }
    }

    fn expired(&mut self, e: &ApprovalExpired, now: Time) {
        let id = e.approval;
        let request = self.open.get(&id);
        let request = request.unwrap_or_else(|| panic!("{id} does not wait"));
        let over = request.expires.is_some_and(|due| due <= now);
        match e.outcome {
            Expiry::Held => {
                assert!(over && request.on_expiry == OnExpiry::Hold);
                assert!(self.held.insert(id), "{id} is held twice");
                return;
            }
            Expiry::Denied => {
                assert!(over && request.on_expiry == OnExpiry::Deny);
                self.late.insert(e.call);
            }
            Expiry::Withdrawn => {
                let open = self.calls.contains_key(&e.call);
                assert!(
                    !open || is_question(request),
                    "{id} is withdrawn from an open call"
                );
            }
        }
        self.open.remove(&id);
    }

    fn refused(&mut self, e: &ToolRefused) {
        let denied = self.denied.remove(&e.call);
        assert_eq!(denied, e.code == "approval.denied", "{}", e.call);
        let late = self.late.remove(&e.call);
        assert_eq!(late, e.code == "approval.expired", "{}", e.call);
        self.calls.remove(&e.call);
    }

    /// Nothing begins that no gate, decision or grant lets begin.
    fn started(&self, e: &ToolStarted, definition: &Definition, now: Time) {
        let (turn, args) = &self.calls[&e.call];
        assert_eq!(
            args, &e.args,
            "{} begins with arguments that nobody gave",
            e.call
        );
        assert!(
            !self.open.values().any(|open| open.call == e.call),
            "{} waits",
            e.call
        );
        let turn = &self.turns[turn];
        let origin = turn.origin.as_ref().unwrap_or(&turn.from);
        let unattended = *origin == Principal::Runtime;
        let guards = |gate: &&Gate| {
            let all = gate.profiles.is_empty() && gate.members.is_empty();
            let named =
                gate.profiles.contains(&turn.profile) || gate.members.contains(&turn.member);
            gate.tool.matches(&e.tool) && (all || named)
        };
        let gate = definition.gates.iter().find(guards);
        let Some(gate) = gate else {
            assert_eq!((e.grant, &e.audit), (None, &None));
            return;
        };
        match gate.action {
            GateAction::Allow => {}
            GateAction::Audit => assert_eq!(e.audit.as_deref(), Some(gate.tool.as_str())),
            GateAction::Deny => panic!("{} passes a gate that is shut", e.call),
            GateAction::Review if unattended && gate.unattended != Unattended::Queue => {
                assert_eq!(
                    gate.unattended,
                    Unattended::Allow,
                    "{} is unattended",
                    e.call
                );
                assert!(e.audit.is_some());
            }
            GateAction::Review => match (e.approval, e.grant) {
                (Some(approval), None) => {
                    let found = self.passed.get(&e.call);
                    assert_eq!(found, Some(&(approval, version(gate))), "{}", e.call);
                }
                (None, Some(grant)) => granted(e, &self.grants[&grant], (gate, origin), now),
                other => panic!("{} begins by {other:?}", e.call),
            },
        }
    }

    /// Everything that waits belongs to an open call, and the state knows the same.
    pub fn check(&self, state: &State, now: Time) {
        for (id, request) in &self.open {
            assert!(self.calls.contains_key(&request.call), "{id} is an orphan");
            let open = &state.approvals[id];
            assert_eq!(
                (&open.request, open.held),
                (request, self.held.contains(id))
            );
        }
        assert_eq!(state.approvals.len(), self.open.len());
        let waits = self.open.iter().filter(|(id, _)| !self.held.contains(id));
        let dues: BTreeSet<(Time, ApprovalId)> = waits
            .filter_map(|(id, request)| Some((request.expires?, *id)))
            .collect();
        assert_eq!(dues, state.approval_expiries, "recounted");
        let in_force = |grant: &GrantCreated| match grant.scope {
            GrantScope::Turn { .. } => true,
            GrantScope::Until { until } => now < until,
        };
        for (id, grant) in &self.grants {
            assert!(
                !in_force(grant) || state.grants.get(id) == Some(grant),
                "{id} is forgotten"
            );
        }
        for id in state.grants.keys() {
            assert!(self.grants.contains_key(id), "{id} should be gone");
        }
        assert!(
            self.denied.is_empty() && self.late.is_empty(),
            "a refusal is owed"
        );
    }
}

/// A call begins by a grant that fits it.
fn granted(e: &ToolStarted, grant: &GrantCreated, (gate, origin): (&Gate, &Principal), now: Time) {
    assert_eq!(
        (Some(&grant.member), &grant.tool),
        (e.member.as_ref(), &e.tool)
    );
    match grant.scope {
        GrantScope::Turn { turn } => assert_eq!(Some(turn), e.turn),
        GrantScope::Until { until } => assert!(now < until, "{} is over", grant.grant),
    }
    assert!(
        !gate.four_eyes || grant.by != *origin,
        "{} for himself",
        grant.by
    );
    for (name, value) in &grant.args {
        assert_eq!(e.args.get(name), Some(value), "{}", grant.grant);
    }
    let count = e.args.as_object().map(serde_json::Map::len);
    assert!(
        !grant.exact || count == Some(grant.args.len()),
        "{}",
        grant.grant
    );
}
