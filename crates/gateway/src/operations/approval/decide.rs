//! `approval/decide`.

use crate::access::{Permission, roles_of};
use crate::approval_view::{approval_missing, approval_row};
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use mobkit_domain::command::{ApprovalCommand, Command, GrantRequest, GrantScopeRequest};
use mobkit_domain::event::Verdict;
use mobkit_domain::id::{ApprovalId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::row::{ApprovalRow, ApprovalState};
use mobkit_domain::text::INLINE_BYTES_MAX;
use mobkit_domain::time::Time;
use mobkit_engine::stash_value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(in crate::operations) struct Decide;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The approval.
    #[serde(alias = "approval")]
    id: ApprovalId,
    /// Digest of what was shown.
    digest: String,
    /// What is decided.
    decision: Verdict,
    /// Arguments instead of those that were shown; of an elicitation, the answer.
    args: Option<Value>,
    /// Why; the agent is told.
    reason: Option<String>,
    /// A permission for later calls.
    grant: Option<Grant>,
}

/// A permission as callers ask for it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Grant {
    /// How long it holds; may be left out where `until` is given.
    scope: Option<Scope>,
    /// To which time, where it holds to a time (RFC 3339).
    until: Option<Time>,
    /// Arguments that later calls must have as they are here, others may be anything; without it,
    /// all arguments must be those of the approved call.
    args: Option<BTreeMap<String, Value>>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Scope {
    Turn,
    Run,
    Until,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The approval.
    approval: ApprovalId,
    /// `approved`, `denied` or `edited`.
    state: ApprovalState,
    /// Position of the decision.
    seq: Seq,
}

impl Define for Decide {
    const NAME: &'static str = "approval/decide";
    const DOC: &'static str = "Decides about a tool call that waits: the first decision counts, \
                               and it must name the digest of what was shown.";
    const PERMISSION: Permission = Permission::Decide;
    const VERB: Verb = Verb::Decide;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let (approval, decision) = (params.id, params.decision);
        let command = command(&cx, params).await?;
        match cx.submit(Command::Approval(command)).await {
            Ok(answer) => Ok(Output {
                approval,
                state: state_after(decision),
                seq: answer.seq(),
            }),
            Err(refusal) if is_not_open(&refusal) => Err(closed(&cx, approval, refusal).await?),
            Err(refusal) => Err(refusal),
        }
    }
}

async fn command(cx: &Context, params: Params) -> Result<ApprovalCommand, Refusal> {
    let Params {
        id,
        digest,
        decision,
        args,
        reason,
        grant,
    } = params;
    if reason
        .as_ref()
        .is_some_and(|reason| reason.len() > INLINE_BYTES_MAX)
    {
        let message = format!("`reason` is longer than {INLINE_BYTES_MAX} bytes");
        return Err(
            Refusal::new(RefusalKind::Invalid, "params.too_long", message)
                .hint("the agent is told it: a sentence or two will do")
                .data(json!({ "field": "reason" })),
        );
    }
    let grant = grant.map(wanted).transpose()?;
    let args = match args {
        Some(args) => {
            let kept = stash_value(cx.engine.store().as_ref(), args).await;
            Some(kept.map_err(|error| store_refusal(&error))?)
        }
        None => None,
    };
    Ok(ApprovalCommand::Decide {
        approval: id,
        digest,
        decision,
        args,
        reason,
        grant,
        roles: roles_of(&cx.principal),
    })
}

fn state_after(decision: Verdict) -> ApprovalState {
    match decision {
        Verdict::Approve => ApprovalState::Approved,
        Verdict::Deny => ApprovalState::Denied,
        Verdict::Edit => ApprovalState::Edited,
    }
}

fn wanted(grant: Grant) -> Result<GrantRequest, Refusal> {
    let scope = match (grant.scope, grant.until) {
        (Some(Scope::Turn), None) => GrantScopeRequest::Turn,
        (Some(Scope::Run), None) => GrantScopeRequest::Run,
        (Some(Scope::Until) | None, Some(until)) => GrantScopeRequest::Until { until },
        (Some(Scope::Until), None) => {
            let message = "a grant with the scope `until` needs `until`, a time";
            return Err(invalid("grant.until", message).hint(GRANT_HINT));
        }
        (Some(Scope::Turn | Scope::Run), Some(_)) => {
            let message = "`until` belongs to the scope `until` alone";
            return Err(invalid("grant.until", message).hint(GRANT_HINT));
        }
        (None, None) => {
            let message = "a grant needs a `scope`: turn, run or until";
            return Err(invalid("grant.scope", message).hint(GRANT_HINT));
        }
    };
    Ok(GrantRequest {
        scope,
        args: grant.args,
    })
}

const GRANT_HINT: &str = "write e.g. {\"scope\": \"turn\"} or \
                          {\"scope\": \"until\", \"until\": \"2026-12-01T09:00:00Z\"}";

fn invalid(field: &str, message: &str) -> Refusal {
    Refusal::new(RefusalKind::Invalid, "params.invalid", message).data(json!({ "field": field }))
}

fn is_not_open(refusal: &Refusal) -> bool {
    refusal.code == "approval.not_open"
}

/// Says what became of an approval that can't be decided any longer.
async fn closed(cx: &Context, id: ApprovalId, refusal: Refusal) -> Result<Refusal, Refusal> {
    let row = approval_row(&cx.engine, id).await?;
    Ok(match row {
        Some(row) => ended(&row, refusal),
        None => approval_missing(id),
    })
}

/// How an approval that has ended looks to one who comes too late. `refusal` stands where the row
/// knows no more than that.
fn ended(row: &ApprovalRow, refusal: Refusal) -> Refusal {
    let decision = match row.state {
        ApprovalState::Approved => Verdict::Approve,
        ApprovalState::Edited => Verdict::Edit,
        ApprovalState::Denied => Verdict::Deny,
        ApprovalState::Expired => {
            return conflict(
                "approval.expired",
                row,
                "has expired: nobody decided in time",
            )
            .hint("the call was not made, and the agent was told so");
        }
        ApprovalState::Withdrawn => {
            return conflict(
                "approval.withdrawn",
                row,
                "has ended: there is nothing to decide",
            )
            .hint("`turn/get` shows how its turn goes on");
        }
        ApprovalState::Pending => return refusal,
    };
    let by = row.by.as_ref().map(|by| format!(" by {by}"));
    let at = row.ended.map(|at| format!(" at {at}"));
    let how = format!(
        "was decided{} ({}){}",
        by.unwrap_or_default(),
        row.state.as_str(),
        at.unwrap_or_default()
    );
    let mut refusal = conflict("approval.decided", row, &how)
        .hint("the first decision counts; `approval/get` shows it");
    refusal.data["by"] = json!(row.by);
    refusal.data["decision"] = json!(decision);
    refusal
}

fn conflict(code: &str, row: &ApprovalRow, how: &str) -> Refusal {
    let id = row.request.approval;
    Refusal::new(RefusalKind::Conflict, code, format!("{id} {how}")).data(json!({
        "approval": id,
        "state": row.state,
        "at": row.ended,
        "reason": row.reason,
    }))
}
