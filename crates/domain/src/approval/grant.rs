//! Grants: which calls pass without being asked for again.

use crate::command::{GrantRequest, GrantScopeRequest};
use crate::definition::Gate;
use crate::draft::Draft;
use crate::event::{
    ApprovalRequested, GrantCreated, GrantRevoked, GrantScope, Matter, NewEvent, Verdict,
};
use crate::id::{GrantId, Seq, TurnId};
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{Call, Turn};
use serde_json::Value;
use std::collections::BTreeMap;

/// The grant that lets a call pass a gate that wants a decision, if one does.
pub(crate) fn grant_of(
    draft: &Draft<'_>,
    (id, turn): (TurnId, &Turn),
    (call, sink): (&Call, Option<&str>),
    gate: &Gate,
) -> Option<GrantId> {
    let grants = draft.state().grants.values();
    let mut fitting = grants.filter(|grant| {
        let in_force = match grant.scope {
            GrantScope::Turn { turn } => turn == id,
            GrantScope::Until { until } => draft.now < until,
        };
        // With four eyes nobody lets pass what his own message led to, not even beforehand.
        let own = gate.four_eyes && crate::message::led_to(draft, id, &grant.by);
        in_force
            && !own
            && grant.member == turn.member
            && grant.tool == call.tool
            && grant.sink.as_deref() == sink
            && fits(grant, &call.args)
    });
    fitting.next().map(|grant| grant.grant)
}

fn fits(grant: &GrantCreated, args: &Value) -> bool {
    let Value::Object(args) = args else {
        return false;
    };
    let listed = grant
        .args
        .iter()
        .all(|(name, value)| args.get(name) == Some(value));
    listed && (!grant.exact || args.len() == grant.args.len())
}

/// How long a grant that was asked for would hold, or why it can't be given.
pub(super) fn scope_of(
    draft: &Draft<'_>,
    request: &ApprovalRequested,
    decision: Verdict,
    wanted: &GrantRequest,
) -> Result<GrantScope, Refusal> {
    let invalid = |code, message: &str| Err(Refusal::new(RefusalKind::Invalid, code, message));
    if decision == Verdict::Deny {
        return invalid("grant.with_deny", "a denial lets no later call pass");
    }
    if matches!(request.matter, Matter::Elicitation { .. }) {
        return invalid(
            "grant.elicitation",
            "the answer to a question of a module lets no later call pass",
        );
    }
    match wanted.scope {
        GrantScopeRequest::Turn => Ok(GrantScope::Turn { turn: request.turn }),
        GrantScopeRequest::Until { until } if until > draft.now => Ok(GrantScope::Until { until }),
        GrantScopeRequest::Until { .. } => invalid(
            "grant.past",
            "the grant would be over before it was given; give a time to come",
        ),
        GrantScopeRequest::Run => invalid(
            "grant.no_run",
            "the turn belongs to no run; give the scope turn or until",
        ),
    }
}

/// Creates the grant that was given with a decision about a call with `args`.
pub(super) fn create(
    draft: &mut Draft<'_>,
    decided: Seq,
    request: &ApprovalRequested,
    (wanted, scope): (&GrantRequest, GrantScope),
    args: &Value,
) {
    let listed = wanted.args.clone();
    let exact = listed.is_none();
    let all = || -> BTreeMap<String, Value> {
        let fields = args.as_object().into_iter().flatten();
        fields
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let created = GrantCreated {
        grant: GrantId(draft.next_seq()),
        approval: request.approval,
        member: request.member.clone(),
        tool: request.tool.clone(),
        sink: request.sink.clone(),
        args: listed.unwrap_or_else(all),
        exact,
        scope,
        by: draft.actor.clone(),
    };
    let event = NewEvent::of(created).by(&draft.actor).caused_by(decided);
    draft.push(event);
}

/// Takes a grant back.
pub(super) fn revoke(draft: &mut Draft<'_>, id: GrantId) -> Result<(), Refusal> {
    if matches!(draft.actor, Principal::Agent(_) | Principal::Runtime) {
        return Err(Refusal::new(
            RefusalKind::Denied,
            "grant.not_yours",
            "only a person, or a program of one, takes a grant back",
        ));
    }
    let Some(found) = draft.state().grants.get(&id) else {
        return Err(Refusal::new(
            RefusalKind::Missing,
            "grant.not_found",
            format!("there is no grant {id}: it was never given, or has ended"),
        )
        .hint("`mobkit grants` lists those that hold"));
    };
    draft.order(GrantRevoked {
        grant: id,
        member: found.member.clone(),
        tool: found.tool.clone(),
        by: draft.actor.clone(),
    });
    Ok(())
}
