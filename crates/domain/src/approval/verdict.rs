//! Who may decide, and what a decision may say.

use crate::definition::{Approver, OnExpiry, Role};
use crate::draft::Draft;
use crate::event::{ApprovalRequested, Matter, Verdict};
use crate::id::ApprovalId;
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::Approval;
use crate::tool::{find, held, violation};
use serde_json::{Value, json};

/// The approval, or the refusal that nobody has to decide it.
pub(super) fn open<'w>(draft: &Draft<'w>, id: ApprovalId) -> Result<&'w Approval, Refusal> {
    draft.state().approvals.get(&id).ok_or_else(|| {
        Refusal::new(
            RefusalKind::Missing,
            "approval.not_open",
            format!("{id} does not wait: it was decided, has ended, or was never asked"),
        )
        .hint("`mobkit approvals` lists those that wait")
    })
}

/// Refuses whoever may not decide this approval, and everybody once its time is over.
pub(super) fn may_decide(draft: &Draft<'_>, id: ApprovalId, roles: &[Role]) -> Result<(), Refusal> {
    let denied = |message: String| Refusal::new(RefusalKind::Denied, "approval.not_yours", message);
    if matches!(draft.actor, Principal::Agent(_) | Principal::Runtime) {
        return Err(denied("an agent never decides about an agent".to_owned()));
    }
    let request = &open(draft, id)?.request;
    if !is_approver(&draft.actor, &request.approvers, roles) {
        let named: Vec<String> = request.approvers.iter().map(Approver::to_string).collect();
        return Err(denied(format!("{id} is for {}", named.join(", "))));
    }
    let own =
        draft.actor == request.origin || crate::message::led_to(draft, request.turn, &draft.actor);
    if request.four_eyes && own {
        return Err(denied(format!(
            "{id} needs a second person: your own message led to it"
        )));
    }
    let over = request.expires.is_some_and(|expires| expires <= draft.now);
    if over && request.on_expiry == OnExpiry::Deny {
        return Err(Refusal::new(
            RefusalKind::Conflict,
            "approval.expired",
            format!("{id} has expired: there was no decision in time"),
        ));
    }
    Ok(())
}

fn is_approver(actor: &Principal, approvers: &[Approver], roles: &[Role]) -> bool {
    let fits = |approver: &Approver| match approver {
        Approver::Role(role) => roles.contains(role) || roles.contains(&Role::Admin),
        Approver::Operator(name) => *actor == Principal::Operator(name.clone()),
    };
    approvers.is_empty() || approvers.iter().any(fits)
}

/// The arguments that a decision puts in the place of those that were shown, or the answer that it
/// gives to a module; refused where they do not belong or do not fit.
pub(super) fn given_args(
    draft: &Draft<'_>,
    request: &ApprovalRequested,
    decision: Verdict,
    args: Option<&Value>,
) -> Result<Option<Value>, Refusal> {
    if let Matter::Elicitation { schema, .. } = &request.matter {
        return match (decision, args) {
            (Verdict::Deny, None) => Ok(None),
            (Verdict::Deny, Some(_)) => Err(mismatch("who declines gives no answer")),
            (Verdict::Approve | Verdict::Edit, given) => {
                let answer = given.cloned().unwrap_or_else(|| json!({}));
                fitting("the answer", Some(schema), answer).map(Some)
            }
        };
    }
    match (decision, args) {
        (Verdict::Approve | Verdict::Deny, None) => Ok(None),
        (Verdict::Approve | Verdict::Deny, Some(_)) => Err(mismatch(
            "arguments belong to \"edit\"; what is approved is what was shown",
        )),
        (Verdict::Edit, None) => Err(mismatch("an edit needs the arguments to call with")),
        (Verdict::Edit, Some(args)) => {
            let schema = schema_after(draft, request);
            fitting("the arguments", schema, args.clone()).map(Some)
        }
    }
}

/// The schema that the call has to fit once it is let pass.
fn schema_after<'w>(draft: &Draft<'w>, request: &ApprovalRequested) -> Option<&'w Value> {
    let adopted = held(draft.state(), &request.tool)
        .filter(|_| matches!(request.matter, Matter::Definition { .. }));
    let now = find(draft.world, &request.tool).and_then(|found| found.schema());
    adopted.map(|definition| &definition.schema).or(now)
}

fn fitting(what: &str, schema: Option<&Value>, value: Value) -> Result<Value, Refusal> {
    let broken = if value.is_object() {
        schema.and_then(|schema| violation(schema, &value))
    } else {
        Some("must be a JSON object".to_owned())
    };
    match broken {
        None => Ok(value),
        Some(broken) => Err(Refusal::new(
            RefusalKind::Invalid,
            "approval.bad_args",
            format!("{what} can't be taken: {broken}"),
        )),
    }
}

fn mismatch(message: &str) -> Refusal {
    Refusal::new(RefusalKind::Invalid, "approval.args_mismatch", message)
}
